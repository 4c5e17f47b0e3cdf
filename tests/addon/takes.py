"""Takes with known motion, for the tests."""

from __future__ import annotations

import numpy as np

from solver.hand_model import rotations as so3
from solver.take import INFILLED, MISSING, OBSERVED, Take

SIZE = (640, 360)


def moving_take(frames=30, seed=0, sides=("left", "right"), camera_kind="static", first_frame=1, **changes) -> Take:
    """Hands that turn through several full circles; the first hand is missing in the frames of rows 10 to 14."""
    rng = np.random.default_rng(seed)
    hands = len(sides)
    status = np.full((hands, frames), OBSERVED, np.uint8)
    if frames > 15 and hands:
        status[0, 10:15] = MISSING
        status[0, 15] = INFILLED
    rotations = _turning(rng, hands, frames)
    transl = rng.normal(size=(hands, 1, 3)) * 0.2 + np.cumsum(rng.normal(size=(hands, frames, 3)) * 0.01, axis=1)
    rotations[status == MISSING], transl[status == MISSING] = np.nan, np.nan
    fields = {
        "clip_path": "clip.mp4",
        "frame_rate": (30000, 1001),
        "size": SIZE,
        "frames": np.arange(first_frame, first_frame + frames),
        "intrinsics": np.array([700.0, 700.0, 330.0, 170.0]),
        "world_from_camera": moving_camera(rng, frames)
        if camera_kind == "given"
        else np.tile(np.eye(4), (frames, 1, 1)),
        "camera_kind": camera_kind,
        "camera_status": np.full(frames, 2, np.uint8),
        "camera_error_px": np.full(frames, np.nan),
        "points": np.zeros((0, 3)),
        "model": "open",
        "model_sha256": "",
        "sides": tuple(sides),
        "betas": rng.normal(size=(hands, 10)),
        "rotations": rotations,
        "transl": transl + np.array([0.0, 0.0, 0.6]),
        "status": status,
        "confidence": np.where(status == MISSING, 0.0, 0.9),
        "keypoints_px": np.full((hands, frames, 21, 2), np.nan),
        "keypoint_covariance_px": np.full((hands, frames, 21, 2, 2), np.nan),
        "joint_sigma": np.full((hands, frames, 21), np.nan),
        "landmark_offsets": np.zeros((21, 3)),
    }
    return Take(**{**fields, **changes})


def _turning(rng: np.random.Generator, hands: int, frames: int) -> np.ndarray:
    """(H, T, 16, 3, 3): the wrist goes round, so its quaternion passes through both signs; the fingers wander."""
    start = so3.exp(rng.normal(size=(hands, 1, 16, 3)) * 0.5)
    speed = rng.normal(size=(hands, 1, 16, 3)) * 0.03
    speed[:, :, 0] = rng.normal(size=(hands, 1, 3)) * 0.4
    return so3.exp(speed * np.arange(frames)[None, :, None, None]) @ start


def moving_camera(rng: np.random.Generator, frames: int) -> np.ndarray:
    """(T, 4, 4) solver ``world_from_camera``."""
    poses = np.tile(np.eye(4), (frames, 1, 1))
    poses[:, :3, :3] = so3.exp(rng.normal(size=3) + np.cumsum(rng.normal(size=(frames, 3)) * 0.05, axis=0))
    poses[:, :3, 3] = np.cumsum(rng.normal(size=(frames, 3)) * 0.02, axis=0)
    return poses
