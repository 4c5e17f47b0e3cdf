"""Small rotation helpers, numpy only."""

from __future__ import annotations

import numpy as np


def unit(vector: np.ndarray) -> np.ndarray:
    return vector / np.linalg.norm(vector)


def skew(vectors: np.ndarray) -> np.ndarray:
    """(..., 3) to the (..., 3, 3) matrices of their cross products."""
    x, y, z = np.moveaxis(np.asarray(vectors, float), -1, 0)
    zero = np.zeros_like(x)
    return np.stack([zero, -z, y, z, zero, -x, -y, x, zero], axis=-1).reshape(*x.shape, 3, 3)


def axis_angle(vectors: np.ndarray) -> np.ndarray:
    """(..., 3) rotation vectors [rad] to (..., 3, 3) matrices (Rodrigues)."""
    vectors = np.asarray(vectors, float)
    angle = np.linalg.norm(vectors, axis=-1)[..., None, None]
    cross = skew(vectors)
    return np.eye(3) + np.sinc(angle / np.pi) * cross + 0.5 * np.sinc(angle / (2 * np.pi)) ** 2 * (cross @ cross)


def align(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The smallest rotation that turns direction ``source`` into ``target``."""
    source, target = unit(source), unit(target)
    cross = np.cross(source, target)
    sine = np.linalg.norm(cross)
    if sine < 1e-9:
        return np.eye(3)
    return axis_angle(cross / sine * np.arctan2(sine, source @ target))


def nearest_rotation(matrices: np.ndarray) -> np.ndarray:
    """(..., 3, 3) the rotations nearest to the given matrices (by the Frobenius norm)."""
    u, _, vt = np.linalg.svd(matrices)
    signs = np.ones((*u.shape[:-2], 3))
    signs[..., 2] = np.linalg.det(u @ vt)
    return (u * signs[..., None, :]) @ vt
