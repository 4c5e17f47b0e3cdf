"""What a solve knew of a hand's pose, kept as what it came to around the pose that was found."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from ...hand_model.rotations import log, right_jacobian_inverse
from ...initialise.kinematics import Pose
from ..evaluation import Evaluation
from ..kernels import GemanMcClure, Kernel
from ..layout import SHIFT, TURN, Window
from ..system import System
from .base import Cost

# six deviations of each of some seventy points of an outline: a hand that has gone that far has left its mask
_FORGOTTEN_SIGMAS = 50.0
# deviations of slope beyond which what holds against it is stiffer than what pulls
_STIFFENS = 4.0


def displacement(pose: Pose, around: Pose) -> np.ndarray:
    """(n, d) the step that leads from ``around`` to ``pose``, as ``Pose.moved`` takes it."""
    turn = log(pose.global_orient @ np.swapaxes(around.global_orient, -1, -2))
    return np.concatenate([turn, pose.wrist - around.wrist, pose.angles - around.angles], axis=1)


@dataclass(frozen=True, kw_only=True)
class _AroundCost(Cost):
    """A cost of each hand-frame's displacement from a pose.

    Attributes:
        around: N poses.
    """

    around: Pose

    touches = ("wrists", "fingers")

    def carried(self, turn: np.ndarray, shift: np.ndarray) -> Self:
        """The same for a world in which hand-frames were moved by (N, 3, 3) rotations and (N, 3) shifts."""
        around = self.around
        moved = Pose(turn @ around.global_orient, around.angles, (turn @ around.wrist[..., None])[..., 0] + shift)
        return replace(self, around=moved)

    def faded(self, kept: np.ndarray) -> Self:
        """The cost times (N,) factors."""
        raise NotImplementedError

    def _steps(self, at: Evaluation) -> np.ndarray:
        return displacement(at.state.hands, self.around)


def _by_step(steps: np.ndarray) -> np.ndarray:
    """(n, 3, 3) derivative of a displacement's turn by a further one: the left Jacobian's inverse."""
    return np.swapaxes(right_jacobian_inverse(steps[:, TURN]), -1, -2)


@dataclass(frozen=True, kw_only=True)
class RememberedCost(_AroundCost):
    """Evidence that is not at hand any more, as its Gauss-Newton model: ``root (x - around) + pull``.

    The model holds near the pose that it was made at. Far from there the kernel lets go of it.

    Attributes:
        root: (N, d, d), pull: (N, d), by the hand's own columns; 0 where nothing is remembered.
    """

    root: np.ndarray
    pull: np.ndarray
    kernel: Kernel = GemanMcClure(_FORGOTTEN_SIGMAS)

    name = "remembered"
    evidence = ("root", "pull")

    def within(self, window: Window) -> Self:
        hands = window.hands
        return replace(self, around=self.around.take(hands), root=self.root[hands], pull=self.pull[hands])

    def faded(self, kept: np.ndarray) -> Self:
        root = np.sqrt(kept)
        return replace(self, root=root[:, None, None] * self.root, pull=root[:, None] * self.pull)

    def carried(self, turn: np.ndarray, shift: np.ndarray) -> Self:
        root, back = self.root.copy(), np.swapaxes(turn, -1, -2)
        root[:, :, TURN] = root[:, :, TURN] @ back
        root[:, :, SHIFT] = root[:, :, SHIFT] @ back
        return replace(super().carried(turn, shift), root=root)

    def residuals(self, at: Evaluation) -> np.ndarray:
        return (self.root @ self._steps(at)[..., None])[..., 0] + self.pull

    def add_to(self, system: System, at: Evaluation) -> None:
        known = np.flatnonzero(self.root.any((1, 2)))
        steps, residual = self._steps(at)[known], self.residuals(at)[known]
        slopes = self.root[known]
        slopes[:, :, TURN] = slopes[:, :, TURN] @ _by_step(steps)
        weight = np.sqrt(self.kernel.weight((residual * residual).sum(-1)))
        residual, slopes = weight[:, None] * residual, weight[:, None, None] * slopes
        for index, track in enumerate(at.layout.tracks):
            mine = at.layout.track_of[known] == index
            if mine.any():
                no_shape = np.zeros((mine.sum(), residual.shape[1], 10))
                system.add_rows(track, known[mine], residual[mine], slopes[mine], no_shape)


@dataclass(frozen=True, kw_only=True)
class RestCost(_AroundCost):
    """What keeps a solved motion where it is: minus the slope that other costs have there.

    A solve ends before its optimum to the last digit, with evidence and predictions of its own. What a re-solve's costs
    pull at a motion with which nobody found fault is therefore no finding, and is taken off. As a force alone that
    would have no end; so the steeper the slope, the stiffer is what holds against it: ``-s x + (s x / 4)^2 / 2``, which
    counts for nothing beside other costs while the slope is less than a deviation.

    Attributes:
        slope: (N, d) s, by the hand's own columns.
    """

    slope: np.ndarray

    name = "rest"

    def within(self, window: Window) -> Self:
        return replace(self, around=self.around.take(window.hands), slope=self.slope[window.hands])

    def faded(self, kept: np.ndarray) -> Self:
        return replace(self, slope=kept[:, None] * self.slope)

    def carried(self, turn: np.ndarray, shift: np.ndarray) -> Self:
        slope = self.slope.copy()
        for part in (TURN, SHIFT):
            slope[:, part] = (turn @ slope[:, part, None])[..., 0]
        return replace(super().carried(turn, shift), slope=slope)

    def residuals(self, at: Evaluation) -> np.ndarray:
        return (self.slope * self._steps(at) / _STIFFENS - _STIFFENS).reshape(-1, 1)

    def value(self, at: Evaluation) -> float:
        return super().value(at) - 0.5 * _STIFFENS**2 * self.slope.size

    def add_to(self, system: System, at: Evaluation) -> None:
        steps = self._steps(at)
        slopes = np.zeros((*self.slope.shape, self.slope.shape[1]))
        np.einsum("nii->ni", slopes)[...] = self.slope / _STIFFENS
        slopes[:, TURN, TURN] = slopes[:, TURN, TURN] @ _by_step(steps)
        residual = self.slope * steps / _STIFFENS - _STIFFENS
        for track in at.layout.tracks:
            no_shape = np.zeros((track.count, slopes.shape[1], 10))
            hands = np.arange(len(slopes))[track.hands]
            system.add_rows(track, hands, residual[hands], slopes[hands], no_shape)
