"""What an artist, or evident contact, says: where things are, that they touch, that they hold still."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self, TypeVar

import numpy as np

from ...hand_model.rotations import log, right_jacobian_inverse
from ..evaluation import Evaluation
from ..layout import ROOT, TURN, Window
from .base import Cost, HandCost, PairCost, Pairs, Stencil, StencilCost

C = TypeVar("C", bound=Cost)


@dataclass(frozen=True, kw_only=True)
class PointTargetCost(PairCost):
    """Keypoints ``points`` (m,) of hand-frames ``hands`` (m,) at ``targets`` (m, 3) metres, ``deviation`` (m,)."""

    hands: np.ndarray
    points: np.ndarray
    targets: np.ndarray
    deviation: np.ndarray

    name = "point-target"
    touches = ("wrists", "fingers", "betas")

    def within(self, window: Window) -> Self | None:
        return _kept(self, window, ("hands",), ("points", "targets", "deviation"))

    def pairs(self, at: Evaluation) -> Pairs:
        m = len(self.hands)
        inverse = (1 / self.deviation)[:, None]
        residual = (at.keypoints[self.hands, self.points] - self.targets) * inverse
        none = np.zeros((m, 3, 3))
        return Pairs(self.hands, self.points, np.full(m, -1), np.zeros(m, int), residual,
                     inverse[..., None] * np.eye(3), none)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class TogetherCost(PairCost):
    """Two keypoints at one place: touching fingertips (first and second in one frame), or one that holds still (the
    same in consecutive frames). Hand-frames and keypoints (m,), ``deviation`` (m,) metres.
    """

    first: np.ndarray
    first_point: np.ndarray
    second: np.ndarray
    second_point: np.ndarray
    deviation: np.ndarray

    name = "together"
    touches = ("wrists", "fingers", "betas")

    def within(self, window: Window) -> Self | None:
        return _kept(self, window, ("first", "second"), ("first_point", "second_point", "deviation"))

    def pairs(self, at: Evaluation) -> Pairs:
        inverse = (1 / self.deviation)[:, None]
        apart = at.keypoints[self.first, self.first_point] - at.keypoints[self.second, self.second_point]
        slope = inverse[..., None] * np.eye(3)
        return Pairs(self.first, self.first_point, self.second, self.second_point, apart * inverse, slope, -slope)


def hold_still(hands: np.ndarray, point: int, deviation: float) -> TogetherCost:
    """Keypoint ``point`` stays where it is over consecutive hand-frames (m,), up to ``deviation`` metres per frame."""
    m = len(hands) - 1
    same = np.full(m, point)
    return TogetherCost(
        first=hands[1:], first_point=same, second=hands[:-1], second_point=same, deviation=np.full(m, deviation)
    )


@dataclass(frozen=True, kw_only=True)
class AnglesTargetCost(HandCost):
    """Finger angles of hand-frames ``hands`` (m,) at ``targets`` (m, hinges), ``information`` (m, hinges) 1/rad."""

    hands: np.ndarray
    targets: np.ndarray
    information: np.ndarray

    name = "angles-target"
    touches = ("fingers",)

    def within(self, window: Window) -> Self | None:
        return _kept(self, window, ("hands",), ("targets", "information"))

    def linearise(self, at: Evaluation) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        angles = at.state.hands.angles[self.hands]
        residual = (angles - self.targets) * self.information
        return self.hands, ROOT + np.arange(angles.shape[1]), residual, self.information


@dataclass(frozen=True, kw_only=True)
class OrientTargetCost(StencilCost):
    """Wrist orientation of hand-frames ``hands`` (m,) at ``targets`` (m, 3, 3), ``deviation`` (m,) rad."""

    hands: np.ndarray
    targets: np.ndarray
    deviation: np.ndarray

    name = "orient-target"
    touches = ("wrists",)

    def within(self, window: Window) -> Self | None:
        return _kept(self, window, ("hands",), ("targets", "deviation"))

    def linearise(self, at: Evaluation) -> Stencil:
        rotation = at.state.hands.global_orient[self.hands]
        error = log(np.swapaxes(self.targets, -1, -2) @ rotation)
        inverse = (1 / self.deviation)[:, None]
        slope = right_jacobian_inverse(error) @ np.swapaxes(rotation, -1, -2) * inverse[..., None]
        return Stencil(self.hands, np.arange(TURN.start, TURN.stop), error * inverse, (slope,))


def _kept(cost: C, window: Window, hands: tuple[str, ...], others: tuple[str, ...]) -> C | None:
    """The cost's rows whose hand-frames all lie in the window, renumbered; None without any."""
    places = {name: window.place[getattr(cost, name)] for name in hands}
    inside = np.all([place >= 0 for place in places.values()], axis=0)
    if not inside.any():
        return None
    return replace(
        cost,
        **{name: place[inside] for name, place in places.items()},
        **{name: getattr(cost, name)[inside] for name in others},
    )
