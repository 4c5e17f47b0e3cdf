"""A take in the form of Dyn-HaMR's ``world_results.npz``, for the tools that read those."""

from __future__ import annotations

import numpy as np

from ..hand_model.rotations import log
from ..take import MISSING, OBSERVED, Take
from .result import MIRROR, mirrored


def arrays(take: Take) -> dict[str, np.ndarray]:
    """Keys and shapes as in the table of ``peers``; left hands in the mirror, MANO's mean included.

    A frame without the hand holds the pose of the nearest frame with it, since readers of these files expect numbers;
    ``vis_mask`` (H, T) says so: 1 seen, 0 filled in, -1 not there.
    """
    held = [_nearest(take.status[row] != MISSING) for row in range(len(take.sides))]
    rotations = np.array([take.rotations[row, index] for row, index in enumerate(held)])
    transl = np.array([take.transl[row, index] for row, index in enumerate(held)])
    is_right = np.array([side == "right" for side in take.sides])
    rotations[~is_right] = mirrored(rotations[~is_right])
    transl[~is_right] = transl[~is_right] @ MIRROR
    vectors = log(rotations)
    turn = np.swapaxes(take.world_from_camera[:, :3, :3], 1, 2)
    step = -(turn @ take.world_from_camera[:, :3, 3:])[..., 0]
    hands, count = transl.shape[:2]
    return {
        "trans": transl,
        "root_orient": vectors[:, :, 0],
        "pose_body": vectors[:, :, 1:],
        "latent_pose": vectors[:, :, 1:].reshape(hands, count, 45),
        "betas": take.betas,
        "is_right": np.repeat(is_right[:, None], count, axis=1).astype(float),
        "vis_mask": np.where(take.status == MISSING, -1, np.where(take.status == OBSERVED, 1, 0)),
        "world_scale": np.ones((1, 1)),
        "cam_R": np.repeat(turn[None], hands, axis=0),
        "cam_t": np.repeat(step[None], hands, axis=0),
        "intrins": take.intrinsics,
    }


def _nearest(there: np.ndarray) -> np.ndarray:
    """(T,) for each frame the nearest one that is there."""
    known = np.flatnonzero(there)
    return known[np.abs(np.arange(len(there))[:, None] - known).argmin(axis=1)]
