"""The variables' values, and how a step moves them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..hand_model.rotations import exp
from ..initialise.kinematics import Pose
from .layout import BETA_COUNT, Layout


@dataclass(frozen=True)
class State:
    """Attributes:
    hands: N packed hand-frames: global_orient (N, 3, 3) and wrist joint (N, 3) in the world, angles (N, hinges) rad.
    camera_from_world: (T, 3, 3) rotations.
    camera_centre: (T, 3) in the mapping's own unit; the world's metres are ``exp(log_scale)`` times that.
    betas: (shapes, 10).
    log_scale, log_focal: logarithms of the scale above, and of the focal length's factor on the given intrinsics.
    offsets: (21, 3) landmark offsets *added* to the skeleton's own, right hand, bone-local, metres at mean size.
    """

    hands: Pose
    camera_from_world: np.ndarray
    camera_centre: np.ndarray
    betas: np.ndarray
    log_scale: float
    log_focal: float
    offsets: np.ndarray

    def moved(self, layout: Layout, step: np.ndarray, border_step: np.ndarray) -> State:
        """The state after a step (T, D) on the frame blocks and (b,) on the border."""
        hand_step = np.zeros((layout.hand_count, layout.hand_size))
        for track in layout.tracks:
            column = track.slot * layout.hand_size
            hand_step[track.hands] = step[track.frames, column : column + layout.hand_size]
        rotation, centre = self.camera_from_world, self.camera_centre
        if layout.camera_free:
            turn = step[:, layout.camera]
            rotation, centre = exp(turn[:, :3]) @ rotation, centre + turn[:, 3:]
        border = layout.border
        return State(
            hands=self.hands.moved(hand_step),
            camera_from_world=rotation,
            camera_centre=centre,
            betas=self.betas + _or_zero(border_step[border["shape"]], (-1, BETA_COUNT)),
            log_scale=self.log_scale + float(_or_zero(border_step[border["scale"]], (-1,))),
            log_focal=self.log_focal + float(_or_zero(border_step[border["focal"]], (-1,))),
            offsets=self.offsets + _or_zero(border_step[border["offsets"]], (-1, 3)),
        )


def _or_zero(values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray | float:
    if not len(values):
        return 0.0
    return values.reshape(shape) if len(shape) > 1 else values[0]


def fixed_camera(frame_count: int) -> tuple[np.ndarray, np.ndarray]:
    """Rotations and centres of a camera that is the world's frame."""
    return np.broadcast_to(np.eye(3), (frame_count, 3, 3)).copy(), np.zeros((frame_count, 3))
