"""The one conversion between the solver's frames and Blender's. NumPy only.

Solver world: metres, x right, y down, z forward. Blender world: metres, x right, y forward, z up. A solver camera at
the identity stands at Blender's origin, level, looking along +Y.
Solver camera: x right, y down, z forward. Blender camera: x right, y up, looks along -z.
"""

from __future__ import annotations

import numpy as np

WORLD = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]])
"""``p_blender = WORLD @ p_solver``. A rotation, so its transpose undoes it."""

_CAMERA = np.diag([1.0, -1.0, -1.0, 1.0])
_WORLD_4 = np.block([[WORLD, np.zeros((3, 1))], [np.zeros((1, 3)), np.ones((1, 1))]])


def points_to_blender(points: np.ndarray) -> np.ndarray:
    """(..., 3) points or directions of the solver's world, in Blender's."""
    return points @ WORLD.T


def points_to_solver(points: np.ndarray) -> np.ndarray:
    """(..., 3) points or directions of Blender's world, in the solver's."""
    return points @ WORLD


def rotations_to_blender(rotations: np.ndarray) -> np.ndarray:
    """(..., 3, 3) rotations of solver vectors -> the same rotations of Blender vectors."""
    return WORLD @ rotations @ WORLD.T


def rotations_to_solver(rotations: np.ndarray) -> np.ndarray:
    """(..., 3, 3) rotations of Blender vectors -> the same rotations of solver vectors."""
    return WORLD.T @ rotations @ WORLD


def camera_to_blender(world_from_camera: np.ndarray) -> np.ndarray:
    """(..., 4, 4) solver ``world_from_camera`` -> the camera object's ``matrix_world``."""
    return _WORLD_4 @ world_from_camera @ _CAMERA


def camera_to_solver(matrix_world: np.ndarray) -> np.ndarray:
    """(..., 4, 4) ``matrix_world`` of a camera object -> solver ``world_from_camera``; scale of the axes is dropped."""
    rigid = np.array(matrix_world, float)
    rigid[..., :3, :3] /= np.linalg.norm(rigid[..., :3, :3], axis=-2, keepdims=True)
    return _WORLD_4.T @ rigid @ _CAMERA


def continuous_signs(quaternions: np.ndarray, previous: np.ndarray | None = None) -> np.ndarray:
    """(T, ..., 4) quaternions with signs that never jump from one row to the next.

    q and -q are one rotation, but half way between them lies none. The first row follows ``previous`` (..., 4); without
    one it gets w >= 0.
    """
    if previous is None:
        previous = np.zeros((1, *quaternions.shape[1:]))
        previous[..., 0] = 1.0
    before = np.concatenate([np.reshape(previous, (1, *quaternions.shape[1:])), quaternions[:-1]])
    turns = np.where((quaternions * before).sum(-1, keepdims=True) < 0, -1.0, 1.0)
    return quaternions * np.cumprod(turns, axis=0)
