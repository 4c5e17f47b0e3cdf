"""The camera's path as mapping found it, with mapping's covariance."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from ...hand_model.rotations import log, right_jacobian_inverse
from ..evaluation import Evaluation
from ..layout import Window
from ..system import System
from .base import Cost


@dataclass(frozen=True, kw_only=True)
class CameraCost(Cost):
    """Deviation of each pose, ``e = [log(R R0'), (s / s0) (C - C0)]``, and of each step between frames, from mapping's.

    Centres deviate in metres (at the starting scale s0), not in mapping's unit: else a larger world would make the same
    correction cheaper, and smoothness would grow the world by way of the camera.

    Attributes:
        camera_from_world: (T, 3, 3) mapped rotations. centre: (T, 3) mapped centres, mapping's unit.
        information: (T, 6, 6) square roots W of the poses' information, rows applied to e.
        step_information: (T - 1, 6, 6) likewise for ``e[t+1] - e[t]``: drift is slow, so steps are known better than
            poses.
        log_scale: log s0.
    """

    camera_from_world: np.ndarray
    centre: np.ndarray
    information: np.ndarray
    step_information: np.ndarray
    log_scale: float = 0.0

    name = "camera"
    touches = ("camera", "scale")

    def within(self, window: Window) -> Self:
        f = window.frames
        return replace(
            self,
            camera_from_world=self.camera_from_world[f],
            centre=self.centre[f],
            information=self.information[f],
            step_information=self.step_information[f.start : max(f.stop - 1, f.start)],
        )

    def residuals(self, at: Evaluation) -> np.ndarray:
        deviation = self._deviation(at)
        return np.concatenate([_times(self.information, deviation), self._changes(deviation)])

    def _changes(self, deviation: np.ndarray) -> np.ndarray:
        return _times(self.step_information, np.diff(deviation, axis=0))

    def _deviation(self, at: Evaluation) -> np.ndarray:
        turn = log(at.state.camera_from_world @ np.swapaxes(self.camera_from_world, -1, -2))
        shift = self._growth(at) * (at.state.camera_centre - self.centre)
        return np.concatenate([turn, shift], axis=-1)

    def _growth(self, at: Evaluation) -> float:
        return float(np.exp(at.state.log_scale - self.log_scale))

    def add_to(self, system: System, at: Evaluation) -> None:
        if not at.layout.camera_free:
            return
        deviation = self._deviation(at)
        slope = np.zeros((len(deviation), 6, 6))
        # a left turn d of R turns R R0' from the left: log(Exp(d) Exp(e)) = e + Jl(e)^-1 d, and Jl(e) = Jr(-e)
        slope[:, :3, :3] = right_jacobian_inverse(-deviation[:, :3])
        slope[:, 3:, 3:] = self._growth(at) * np.eye(3)
        # by the log scale, shifts change by themselves
        by_scale = np.concatenate([np.zeros_like(deviation[:, :3]), deviation[:, 3:]], axis=-1)
        pose = self.information @ slope
        residual = _times(self.information, deviation)
        every = slice(0, len(deviation))
        system.add_camera(_pull(pose, residual), pose.swapaxes(1, 2) @ pose, every)
        scaled = _times(self.information, by_scale)
        system.add_camera_scale(_pull(pose, scaled), every, scaled, residual)
        change = self._changes(deviation)
        start, end = -self.step_information @ slope[:-1], self.step_information @ slope[1:]
        first, last = slice(0, len(slope) - 1), slice(1, len(slope))
        system.add_camera(_pull(start, change), start.swapaxes(1, 2) @ start, first)
        system.add_camera(_pull(end, change), end.swapaxes(1, 2) @ end, last)
        system.add_camera(change, end.swapaxes(1, 2) @ start, first, offset=1)
        scaled = self._changes(by_scale)
        system.add_camera_scale(_pull(start, scaled), first, scaled, change)
        system.add_camera_scale(_pull(end, scaled), last)


def _times(matrices: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """(n, 6, 6) @ (n, 6)."""
    return (matrices @ vectors[..., None])[..., 0]


def _pull(slope: np.ndarray, residual: np.ndarray) -> np.ndarray:
    return (slope.swapaxes(1, 2) @ residual[..., None])[..., 0]
