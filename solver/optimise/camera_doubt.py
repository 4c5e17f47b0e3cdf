"""What a camera's own errors look like in the motion of hands: a dynamics prior must not take them for the hands'.

A hand is known relative to the camera, and moves in the world, so each error of the path is one of the hand's path. A
wrong scale adds that share of the camera's own motion, a noisy step adds that noise.
"""

from __future__ import annotations

import numpy as np

from .layout import Layout
from .observed import CameraBelief
from .state import State

# a path that is further off than this is no better known to be that far off
_MOST = 2.0


def relative_error(camera: CameraBelief) -> float:
    """One-sigma error of the path's length: its scale's, and what its solve expects of its shape, in shares of its
    spread. 0 where nothing is said: a given camera."""
    shape = 0.0
    if camera.deviation is not None and np.isfinite(camera.deviation[:, 1]).any():
        spread = np.sqrt(((camera.centre - camera.centre.mean(0)) ** 2).sum(-1).mean())
        shape = np.sqrt(np.nanmean(camera.deviation[:, 1] ** 2)) / max(spread, 1e-12)
    return float(min(np.hypot(camera.scale_deviation or 0.0, shape), _MOST))


def step_noise(layout: Layout, start: State, camera: CameraBelief) -> tuple[np.ndarray, np.ndarray]:
    """(N,) rad and (N,) m: what errors of the camera's last step add to a hand-frame's, per axis; 0 where unknown."""
    frames = layout.frame_of
    if camera.step_deviation is None:
        return np.zeros(len(frames)), np.zeros(len(frames))
    turn, shift = np.where(np.isfinite(camera.step_deviation), camera.step_deviation, 0.0)[frames].T
    distance = np.linalg.norm(start.hands.wrist - camera.centre[frames], axis=-1)
    return turn, np.hypot(shift, turn * distance)
