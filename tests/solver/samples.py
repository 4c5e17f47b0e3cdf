"""Small made-up inputs that several tests share."""

import numpy as np
from scipy.spatial.transform import Rotation

from solver.take import OBSERVED, Take


def sample_take(frames: int = 5, hands: int = 2, seed: int = 0) -> Take:
    """A take of random poses half a metre in front of a static camera."""
    rng = np.random.default_rng(seed)
    rotations = Rotation.from_rotvec(rng.normal(0, 0.3, (hands * frames * 16, 3))).as_matrix()
    return Take(
        clip_path="clip 手.mp4",
        frame_rate=(30000, 1001),
        size=(640, 360),
        frames=np.arange(1, frames + 1),
        intrinsics=np.array([500.0, 500.0, 320.0, 180.0]),
        world_from_camera=np.tile(np.eye(4), (frames, 1, 1)),
        camera_kind="static",
        camera_status=np.full(frames, 2, np.uint8),
        camera_error_px=np.full(frames, 0.4),
        points=rng.normal(0, 1, (7, 3)),
        model="open",
        model_sha256="0" * 64,
        sides=("left", "right", "left", "right")[:hands],
        betas=rng.normal(0, 1, (hands, 10)),
        rotations=rotations.reshape(hands, frames, 16, 3, 3),
        transl=rng.normal(0, 0.05, (hands, frames, 3)) + [0, 0, 0.5],
        status=np.full((hands, frames), OBSERVED, np.uint8),
        confidence=np.ones((hands, frames)),
        keypoints_px=rng.uniform(0, 300, (hands, frames, 21, 2)),
        keypoint_covariance_px=np.tile(np.eye(2), (hands, frames, 21, 1, 1)),
        joint_sigma=rng.uniform(0.001, 0.01, (hands, frames, 21)),
        distance_sigma=rng.uniform(0.01, 0.05, (hands, frames)),
        drawn_size=np.full((hands, frames), 0.02),
        landmark_offsets=np.zeros((21, 3)),
        provenance={"solver": "0.1.0"},
    )
