"""Which way is down: a first guess from how heads and hands hold cameras. The artist corrects it with Set Floor."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

# Cameras are held level (their x axis horizontal) within some 8 degrees, but look down or up by 25 or more.
_ROLL_DEG, _PITCH_DEG = 8.0, 25.0


def down_direction(rotations: np.ndarray) -> np.ndarray:
    """(3,) unit vector in the world of (T, 3, 3) world_from_camera rotations.

    The direction most nearly across all the cameras' x axes; along those the mean y axis decides, weakly.
    """
    right, down = rotations[:, :, 0], rotations[:, :, 1].mean(axis=0)
    down = down / max(float(np.linalg.norm(down)), 1e-12)
    weak = (_ROLL_DEG / _PITCH_DEG) ** 2
    _, vectors = np.linalg.eigh(right.T @ right / len(right) + weak * (np.eye(3) - np.outer(down, down)))
    best = vectors[:, 0]
    return best if best @ down >= 0 else -best


def upright_rotation(rotations: np.ndarray) -> np.ndarray:
    """(3, 3) that turns the world so that y is down, with no more turn than that takes."""
    down = down_direction(rotations)
    axis = np.cross(down, [0, 1.0, 0])
    sine = float(np.linalg.norm(axis))
    angle = np.arctan2(sine, down[1])
    if sine < 1e-9:
        return np.eye(3) if down[1] > 0 else np.diag([1.0, -1.0, -1.0])
    return Rotation.from_rotvec(axis / sine * angle).as_matrix()
