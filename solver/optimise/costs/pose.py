"""What a hand can do, and what it usually does."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np

from ...prior.gaps import HingeGaps, conditional_whitener
from ..evaluation import Evaluation
from ..layout import ROOT, Window
from ..system import System
from .base import Cost, HandCost

_CHUNK = 256


@dataclass(frozen=True, kw_only=True)
class JointLimitCost(HandCost):
    """One-sided springs beyond ``low`` and ``high`` (hinges,) rad, each with ``deviation`` rad."""

    low: np.ndarray
    high: np.ndarray
    deviation: float

    name = "joint-limits"
    touches = ("fingers",)

    def linearise(self, at: Evaluation) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        angles = at.state.hands.angles
        beyond = np.maximum(angles - self.high, 0) - np.maximum(self.low - angles, 0)
        slope = (beyond != 0) / self.deviation
        return np.arange(len(angles)), ROOT + np.arange(angles.shape[1]), beyond / self.deviation, slope


@dataclass(frozen=True, kw_only=True)
class PoseDistributionCost(HandCost):
    """A wide normal distribution of every hinge, so that fingers that are never seen rest where fingers rest.

    It must be weak once there are dynamics: at full strength in every frame it pulls gaps to the mean pose, and they
    come out worse than linear interpolation. ``mean``, ``deviation``: (hinges,) rad.
    """

    mean: np.ndarray
    deviation: np.ndarray

    name = "pose-distribution"
    touches = ("fingers",)

    def linearise(self, at: Evaluation) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        angles = at.state.hands.angles
        residual = (angles - self.mean) / self.deviation
        slope = np.broadcast_to(1 / self.deviation, residual.shape)
        return np.arange(len(angles)), ROOT + np.arange(angles.shape[1]), residual, slope


@dataclass(frozen=True, kw_only=True)
class PoseCovarianceCost(Cost):
    """A wide normal distribution of all hinges together: seen fingers say where the unseen ones are.

    However wide it is made, the most likely unseen angles given the seen ones stay the same; the width says only how
    much it counts against motion and observations.

    Attributes:
        mean: (hinges,) rad, or (N, hinges) for one of its own in each hand-frame. whitener: (hinges, hinges) 1/rad, W
            with ``W' W`` the inverse covariance, ``width`` deviations wide.
        gaps: what is hidden: that has a width of its own. None: nothing is.
    """

    mean: np.ndarray
    whitener: np.ndarray
    width: float = 1.0
    gaps: HingeGaps | None = None

    name = "pose-covariance"
    touches = ("fingers",)

    def within(self, window: Window) -> Self:
        mean = self.mean if self.mean.ndim == 1 else self.mean[window.hands]
        return replace(self, mean=mean, gaps=None if self.gaps is None else self.gaps.of(window.hands))

    @property
    def roots(self) -> np.ndarray:
        """(hinges, hinges), or (N, hinges, hinges) where there are gaps: what each hand-frame is whitened by."""
        return self._roots(slice(None))

    def _roots(self, hands: slice) -> np.ndarray:
        """Of some hand-frames."""
        if self.gaps is None:
            return self.whitener
        scale = np.where(self.gaps.hidden[hands], self.gaps.width[hands] / self.width, 1.0)
        return self._patterns[self.gaps.patterns[1][hands]] / scale[..., None]

    @cached_property
    def _patterns(self) -> np.ndarray:
        """(k, hinges, hinges): a whitener for each pattern of hidden hinges."""
        return np.stack([conditional_whitener(self.whitener, hidden) for hidden in self.gaps.patterns[0]])

    def residuals(self, at: Evaluation) -> np.ndarray:
        away = at.state.hands.angles - self.mean
        parts = [(self._roots(hands) @ away[hands][..., None])[..., 0] for hands in _chunks(len(away))]
        return np.concatenate(parts) if parts else away

    def add_to(self, system: System, at: Evaluation) -> None:
        residual, columns = self.residuals(at), ROOT + np.arange(len(self.whitener))
        for hands in _chunks(len(residual)):
            own, roots, rows = residual[hands], self._roots(hands), np.arange(hands.start, hands.stop)
            weight, turned = self.kernel.weight((own * own).sum(-1)), roots.swapaxes(-1, -2)
            system.add_hand_gradient(rows, columns, weight[:, None] * (turned @ own[..., None])[..., 0])
            system.add_hand_blocks(rows, columns, weight[:, None, None] * (turned @ roots))


def _chunks(count: int) -> list[slice]:
    """Hand-frames whose dense roots are in memory at once."""
    return [slice(first, min(first + _CHUNK, count)) for first in range(0, count, _CHUNK)]
