"""SO(3) in NumPy, any batch shape: rotation vectors (..., 3) in radians, matrices (..., 3, 3), quaternions (..., 4).

Quaternions are unit, (w, x, y, z), with w >= 0 where a function returns them. Formulas: Sola, Deray, Atchuthan, "A
micro Lie theory for state estimation in robotics" (2018), appendix B.
"""

from __future__ import annotations

import numpy as np

_TINY = 1e-4  # below it two terms of a series are exact to double precision
_SMALL = 0.1  # below it differences of nearly equal numbers lose precision: four terms of a series instead


def hat(vectors: np.ndarray) -> np.ndarray:
    """(..., 3) -> (..., 3, 3) with ``hat(a) @ b == cross(a, b)``."""
    x, y, z = np.moveaxis(np.asarray(vectors, float), -1, 0)
    zero = np.zeros_like(x)
    rows = [zero, -z, y, z, zero, -x, -y, x, zero]
    return np.stack(rows, axis=-1).reshape(*x.shape, 3, 3)


def exp(rotation_vectors: np.ndarray) -> np.ndarray:
    """Rotation vectors (..., 3) -> matrices (..., 3, 3) (Rodrigues)."""
    vectors = np.asarray(rotation_vectors, float)
    first, second, _ = _series(np.linalg.norm(vectors, axis=-1))
    skew = hat(vectors)
    return np.eye(3) + first[..., None, None] * skew + second[..., None, None] * (skew @ skew)


def log(matrices: np.ndarray) -> np.ndarray:
    """Matrices (..., 3, 3) -> rotation vectors (..., 3) with an angle in [0, pi]."""
    return quaternion_log(quaternion_from_matrix(matrices))


def quaternion_log(quaternions: np.ndarray) -> np.ndarray:
    """Unit quaternions (..., 4) -> rotation vectors (..., 3) of the shorter way round."""
    quaternions = np.asarray(quaternions, float)
    quaternions = np.where(quaternions[..., :1] < 0, -quaternions, quaternions)
    sine = np.linalg.norm(quaternions[..., 1:], axis=-1)
    angle = 2 * np.arctan2(sine, quaternions[..., 0])
    scale = np.where(sine > 1e-12, angle / np.maximum(sine, 1e-12), 2.0)
    return quaternions[..., 1:] * scale[..., None]


def quaternion_from_matrix(matrices: np.ndarray) -> np.ndarray:
    """Matrices (..., 3, 3) -> unit quaternions (w, x, y, z) with w >= 0.

    The row of ``4 q q^T`` with the largest diagonal entry is a multiple of q that never loses precision.
    """
    m = np.asarray(matrices, float)
    xx, yy, zz = m[..., 0, 0], m[..., 1, 1], m[..., 2, 2]
    wx, wy, wz = m[..., 2, 1] - m[..., 1, 2], m[..., 0, 2] - m[..., 2, 0], m[..., 1, 0] - m[..., 0, 1]
    xy, xz, yz = m[..., 0, 1] + m[..., 1, 0], m[..., 0, 2] + m[..., 2, 0], m[..., 1, 2] + m[..., 2, 1]
    rows = [
        [1 + xx + yy + zz, wx, wy, wz],
        [wx, 1 + xx - yy - zz, xy, xz],
        [wy, xy, 1 - xx + yy - zz, yz],
        [wz, xz, yz, 1 - xx - yy + zz],
    ]
    outer = np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)
    best = np.diagonal(outer, axis1=-2, axis2=-1).argmax(axis=-1)
    quaternion = np.take_along_axis(outer, best[..., None, None], axis=-2)[..., 0, :]
    quaternion = quaternion / np.linalg.norm(quaternion, axis=-1, keepdims=True)
    return np.where(quaternion[..., :1] < 0, -quaternion, quaternion)


def matrix_from_quaternion(quaternions: np.ndarray) -> np.ndarray:
    """Quaternions (w, x, y, z) of any non-zero length (..., 4) -> matrices (..., 3, 3)."""
    quaternions = np.asarray(quaternions, float)
    w, x, y, z = np.moveaxis(quaternions / np.linalg.norm(quaternions, axis=-1, keepdims=True), -1, 0)
    rows = [
        1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y),
        2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x),
        2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y),
    ]  # fmt: skip
    return np.stack(rows, axis=-1).reshape(*w.shape, 3, 3)


def right_jacobian(rotation_vectors: np.ndarray) -> np.ndarray:
    """(..., 3, 3) with ``exp(v + d) ~= exp(v) @ exp(right_jacobian(v) @ d)`` for small d."""
    vectors = np.asarray(rotation_vectors, float)
    _, second, third = _series(np.linalg.norm(vectors, axis=-1))
    skew = hat(vectors)
    return np.eye(3) - second[..., None, None] * skew + third[..., None, None] * (skew @ skew)


def right_jacobian_inverse(rotation_vectors: np.ndarray) -> np.ndarray:
    """(..., 3, 3) with ``log(exp(v) @ exp(d)) ~= v + right_jacobian_inverse(v) @ d``; angles below 2 pi."""
    vectors = np.asarray(rotation_vectors, float)
    angle = np.linalg.norm(vectors, axis=-1)
    a, a2 = np.maximum(angle, _SMALL), angle**2
    series = 1 / 12 + a2 * (1 / 720 + a2 * (1 / 30240 + a2 / 1209600))
    scale = np.where(angle < _SMALL, series, 1 / a**2 - 1 / (2 * a * np.tan(a / 2)))
    skew = hat(vectors)
    return np.eye(3) + 0.5 * skew + scale[..., None, None] * (skew @ skew)


def angle_between(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Angle in radians of the rotation from ``first`` to ``second``, both (..., 3, 3)."""
    return np.linalg.norm(log(np.swapaxes(first, -1, -2) @ second), axis=-1)


def project_to_rotation(matrices: np.ndarray) -> np.ndarray:
    """The rotation nearest to each (..., 3, 3) in the Frobenius norm."""
    u, _, vt = np.linalg.svd(np.asarray(matrices, float))
    u[..., :, 2] *= np.linalg.det(u @ vt)[..., None]
    return u @ vt


def _series(angle: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """sin(a) / a, (1 - cos(a)) / a^2, (a - sin(a)) / a^3, each with its limit at zero."""
    tiny, a, a2 = angle < _TINY, np.maximum(angle, _TINY), angle**2
    first = np.where(tiny, 1 - a2 / 6, np.sin(a) / a)
    second = np.where(tiny, 0.5 - a2 / 24, 2 * (np.sin(a / 2) / a) ** 2)
    series = 1 / 6 - a2 * (1 / 120 - a2 * (1 / 5040 - a2 / 362880))
    third = np.where(angle < _SMALL, series, (a - np.sin(a)) / a**3)
    return first, second, third
