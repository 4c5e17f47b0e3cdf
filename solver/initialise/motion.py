"""What the initial fit hands on: one hand's poses per frame, and their way from the camera into the world and back."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class InitialMotion:
    """One track's poses in the frames in which it was seen. The frame of reference is the camera of each frame until
    ``in_world``.

    Attributes:
        track: index of the track that it was fitted to.
        side: "left" or "right".
        frames: (n,) clip frame numbers, as the track's.
        rotations: (n, 16, 3, 3) local joint rotations, [0] is global_orient, flat mean included.
        transl: (n, 3) metres, smplx's meaning.
        angles: (n, hinges) rad, the anatomical angles behind ``rotations`` (``anatomy.Hinges``).
        betas: (10,).
        rest_wrist: (3,) wrist joint of the model of these betas at rest: the wrist is at ``rest_wrist + transl``.
        cost: (n,) negative log-likelihood of the fit in nats, up to a constant.
        error_px: (n,) median distance of the reprojected landmarks from the tracked ones.
        error_relative: (n,) the same in hand sizes (``HandTrack.hand_size_px``).
        mode: (n,) index into ``starts.MODE_NAMES``: which start led to the chosen pose.
        confidence: (n,) 0..1: the tracker's presence, times the share of landmarks that are met, times how well the
            frame goes with its neighbours. A frame at a piece's end was judged by the frame before it alone.
    """

    track: int
    side: str
    frames: np.ndarray
    rotations: np.ndarray
    transl: np.ndarray
    angles: np.ndarray
    betas: np.ndarray
    rest_wrist: np.ndarray
    cost: np.ndarray
    error_px: np.ndarray
    error_relative: np.ndarray
    mode: np.ndarray
    confidence: np.ndarray

    def __len__(self) -> int:
        return len(self.frames)

    @property
    def wrist(self) -> np.ndarray:
        """(n, 3) position of the wrist joint."""
        return self.transl + self.rest_wrist

    def take(self, index: np.ndarray | slice) -> InitialMotion:
        """Some of the frames."""
        per_frame = {name: getattr(self, name)[index] for name in PER_FRAME}
        return dataclasses.replace(self, **per_frame)

    def in_world(self, world_from_camera: np.ndarray) -> InitialMotion:
        """These poses moved by (n, 4, 4) rigid transforms, one for each of ``frames``."""
        rotations, transl = transform_pose(self.rotations, self.transl, self.rest_wrist, world_from_camera)
        return dataclasses.replace(self, rotations=rotations, transl=transl)


PER_FRAME = (
    "frames", "rotations", "transl", "angles", "cost", "error_px", "error_relative", "mode", "confidence",
)  # fmt: skip


def transform_pose(
    rotations: np.ndarray, transl: np.ndarray, rest_wrist: np.ndarray, to_from: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """MANO poses seen from another frame of reference.

    smplx turns a hand about its rest wrist ``j`` and then adds ``transl``, so the wrist is at ``j + transl`` and a
    rigid ``x -> R x + t`` gives ``transl' = R (j + transl) + t - j``.

    Args:
        rotations: (..., 16, 3, 3); transl: (..., 3); rest_wrist: (3,); to_from: (..., 4, 4) rigid.

    Returns:
        The new rotations and transl.
    """
    turn, shift = to_from[..., :3, :3], to_from[..., :3, 3]
    turned = np.array(rotations, float)
    turned[..., 0, :, :] = turn @ turned[..., 0, :, :]
    wrist = (turn @ (rest_wrist + transl)[..., None])[..., 0] + shift
    return turned, wrist - rest_wrist
