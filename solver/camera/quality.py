"""How far to trust a solve. The reprojection error can't tell (unmasked hands reproject as well), a second solve can.

The second solve sees a random half of the tracks. For an efficient estimate the variance of the difference between all
data and half of it equals the variance of the full estimate (Hausman 1978), so the difference is of the size of the
error that noise makes, and grows where outliers or a weak geometry make the result depend on which points were drawn.
"""

from __future__ import annotations

import numpy as np

from .job import MappedModel
from .similarity import robust_between_paths, rotation_angles

_MIN_COMMON_FRAMES = 5


def disagreement(first: MappedModel, second: MappedModel) -> np.ndarray:
    """(T, 2) rotation in rad and position in units of ``first`` by which ``second`` differs after a similarity.

    NaN where they have no frame in common.
    """
    apart = np.full((len(first.posed), 2), np.nan)
    common = first.posed & second.posed
    if common.sum() < _MIN_COMMON_FRAMES:
        return apart
    a, b = np.linalg.inv(first.camera_from_world[common]), np.linalg.inv(second.camera_from_world[common])
    moved = robust_between_paths(b, a).poses(b)
    apart[common, 0] = rotation_angles(a[:, :3, :3].transpose(0, 2, 1) @ moved[:, :3, :3])
    apart[common, 1] = np.linalg.norm(moved[:, :3, 3] - a[:, :3, 3], axis=1)
    return apart


def half(ids: np.ndarray, seed: int) -> np.ndarray:
    """(N,) bool: the observations of a random half of the tracks."""
    unique, inverse = np.unique(ids, return_inverse=True)
    return (np.random.default_rng(seed).random(len(unique)) < 0.5)[inverse]
