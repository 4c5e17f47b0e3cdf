"""Rotations as the values of a bone's or object's own rotation mode, without jumps, and back. NumPy only.

Euler orders as Blender means them: "XYZ" turns about X first, R = Rz Ry Rx.
"""

from __future__ import annotations

import numpy as np

from ..solver.hand_model.rotations import exp, matrix_from_quaternion, quaternion_from_matrix
from .frames import continuous_signs

PATHS = {"QUATERNION": "rotation_quaternion", "AXIS_ANGLE": "rotation_axis_angle"}
EULER = "rotation_euler"
ALL_PATHS = (*PATHS.values(), EULER)
ORDERS = ("XYZ", "XZY", "YXZ", "YZX", "ZXY", "ZYX")


def path(mode: str) -> str:
    """The property that a rotation mode animates."""
    return PATHS.get(mode, EULER)


def values(rotations: np.ndarray, mode: str) -> np.ndarray:
    """(T, 3, 3) -> (T, 4) quaternions or axis-angles, or (T, 3) Euler angles in radians, continuous over time."""
    if mode == "QUATERNION":
        return continuous_signs(quaternion_from_matrix(rotations))
    if mode == "AXIS_ANGLE":
        return _axis_angles(rotations)
    return continuous_euler(euler(rotations, mode), mode)


def rotations(values: np.ndarray, mode: str) -> np.ndarray:
    """(T, 3, 3) of a mode's values (T, k), which need not be normalised."""
    values = np.asarray(values, float)
    if mode == "QUATERNION":
        return matrix_from_quaternion(values / np.maximum(np.linalg.norm(values, axis=-1, keepdims=True), 1e-12))
    if mode == "AXIS_ANGLE":
        return exp(values[:, :1] * values[:, 1:] / np.maximum(np.linalg.norm(values[:, 1:], axis=1), 1e-12)[:, None])
    i, j, k = (exp(np.eye(3)[axis] * values[:, axis, None]) for axis in ("XYZ".index(letter) for letter in mode))
    return k @ j @ i


def following(values: np.ndarray, before: np.ndarray, mode: str) -> np.ndarray:
    """The same continuous rotations (T, k) in the form that goes on from ``before`` (k,), a key beside the first."""
    if mode == "QUATERNION":
        return -values if values[0] @ before < 0 else values
    if mode == "AXIS_ANGLE":
        turned = -values if values[0, 1:] @ before[1:] < 0 else values.copy()
        turned[:, 0] += 2 * np.pi * np.round((before[0] - turned[0, 0]) / (2 * np.pi))
        return turned
    return continuous_euler(np.vstack([before, values]), mode)[1:]


def _axis_angles(rotations: np.ndarray) -> np.ndarray:
    """(T, 4) angle, axis: the angle may pass 180 degrees, and zero, so that the axis never flips."""
    quaternions = continuous_signs(quaternion_from_matrix(rotations))
    length = np.linalg.norm(quaternions[:, 1:], axis=1)
    axes = quaternions[:, 1:] / np.maximum(length, 1e-12)[:, None]
    axes[length < 1e-9] = [0.0, 1.0, 0.0]
    angles = 2 * np.arctan2(length, quaternions[:, 0])
    turns = np.where((axes[1:] * axes[:-1]).sum(1) < 0, -1.0, 1.0)
    sides = np.cumprod(np.concatenate([np.ones(min(1, len(axes))), turns]))[:, None]
    return sides * np.column_stack([angles, axes])


def euler(rotations: np.ndarray, order: str) -> np.ndarray:
    """(T, 3) x, y, z angles; the middle one within a quarter turn.

    For an order ijk with R = R_k R_j R_i and e = +1 for an even one: sin(j) = -e R[k, i]; i from R[k, j] and R[k, k], k
    from R[j, i] and R[i, i].
    """
    i, j, k = ("XYZ".index(letter) for letter in order)
    sign = 1.0 if (j - i) % 3 == 1 else -1.0
    middle = np.arcsin(np.clip(-sign * rotations[:, k, i], -1.0, 1.0))
    locked = np.abs(rotations[:, k, i]) > 1 - 1e-9
    first = np.arctan2(sign * rotations[:, k, j], rotations[:, k, k])
    last = np.arctan2(sign * rotations[:, j, i], rotations[:, i, i])
    first = np.where(locked, np.arctan2(-sign * rotations[:, j, k], rotations[:, j, j]), first)
    angles = np.empty((len(rotations), 3))
    angles[:, i], angles[:, j], angles[:, k] = first, middle, np.where(locked, 0.0, last)
    return angles


def continuous_euler(angles: np.ndarray, order: str) -> np.ndarray:
    """The same rotations by the angles nearest to the frame before: each has two forms, and full turns are free."""
    i, j, k = ("XYZ".index(letter) for letter in order)
    one = angles
    other = one.copy()
    other[:, i] += np.pi
    other[:, j] = np.pi - one[:, j]
    other[:, k] += np.pi
    out = one.copy()
    for row in range(1, len(one)):
        both = np.stack([one[row], other[row]])
        both -= 2 * np.pi * np.round((both - out[row - 1]) / (2 * np.pi))
        out[row] = both[np.abs(both - out[row - 1]).sum(axis=1).argmin()]
    return out
