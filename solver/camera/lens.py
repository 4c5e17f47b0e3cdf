"""The lens when nobody knows it: start value, and whether the clip can tell at all.

Radial model x_d = x_u (1 + k1 r^2), r in focal lengths (COLMAP's SIMPLE_RADIAL).
"""

from __future__ import annotations

import cv2
import numpy as np

from .features import Keyframe
from .static import ASSUMED_FOCAL
from .tracks import Tracks

# Focal lengths tried, in working widths: 11 mm to 130 mm on full frame.
_LOWEST, _HIGHEST, _STEPS = 0.3, 3.6, 160
_MAX_PAIRS, _MIN_PAIRS, _MIN_SHARED = 40, 3, 40
# A pair that a homography explains as well says nothing about the focal length.
_DEGENERATE = 0.85
_PROFILE_STEP, _ONE_SIGMA_RISE = 0.12, 0.01


def undistort(points_px: np.ndarray, size: tuple[int, int], focal_px: float, k1: float) -> np.ndarray:
    """(n, 2) working px to (n, 2) ideal image-plane coordinates at depth 1, by fixed-point iteration."""
    distorted = (points_px - np.array(size) / 2) / focal_px
    ideal = distorted
    for _ in range(8 if k1 else 0):
        ideal = distorted / np.maximum(1 + k1 * (ideal**2).sum(axis=1, keepdims=True), 0.3)
    return ideal


def rays_of(points_px: np.ndarray, size: tuple[int, int], focal_px: float, k1: float) -> np.ndarray:
    """(n, 2) working px to (n, 3) unit rays in the camera frame."""
    ideal = undistort(points_px, size, focal_px, k1)
    rays = np.concatenate([ideal, np.ones((len(ideal), 1))], axis=1)
    return rays / np.linalg.norm(rays, axis=1, keepdims=True)


def focal_from_epipolar(tracks: Tracks, keyframes: list[Keyframe]) -> float | None:
    """Focal length in working px that makes K'FK closest to an essential matrix over many pairs of keyframes.

    An essential matrix has two equal singular values; the clip's one focal length minimises the mean of 1 - s2 / s1,
    by search in one dimension (after Mendonca and Cipolla 1999). Good to about 15 %. None when too few pairs tell.
    """
    grid = np.geomspace(_LOWEST, _HIGHEST, _STEPS) * tracks.size[0]
    centre = np.array(tracks.size) / 2
    inequalities = []
    for first, second in _pairs(len(keyframes)):
        a, b = tracks.shared(keyframes[first].row, keyframes[second].row)
        fundamental = _fundamental(a - centre, b - centre)
        if fundamental is not None:
            inequalities.append(_inequality(fundamental, grid))
        if len(inequalities) >= _MAX_PAIRS:
            break
    if len(inequalities) < _MIN_PAIRS:
        return None
    total = np.minimum(np.array(inequalities), 0.4).mean(axis=0)
    return float(grid[total.argmin()])


def profile_sigma(profile: np.ndarray) -> float:
    """Relative one-sigma of the focal length from how the cost rises when it is 12 % off.

    ``profile`` is ``MappedModel``'s.

    The adjustment's own sigma does not tell: it said 0.2 % where the truth was 8 % away. What is left in a real clip is
    systematic (shutter, lens, drift), so a rise of 1 % of the cost counts as one sigma, however many points there are.
    """
    rise = (profile[0] + profile[2]) / (2 * max(profile[1], 1e-12)) - 1
    return float(_PROFILE_STEP * np.sqrt(_ONE_SIGMA_RISE / rise)) if rise > 0 else float("inf")


def assumed_focal(size: tuple[int, int]) -> float:
    """Focal length in px of an image of ``size`` when nothing is known."""
    return ASSUMED_FOCAL * max(size)


def _pairs(count: int) -> list[tuple[int, int]]:
    pairs = [(a, b) for a in range(count) for b in range(a + 2, min(count, a + 9))]
    order = np.random.default_rng(0).permutation(len(pairs))
    return [pairs[i] for i in order]


def _fundamental(a: np.ndarray, b: np.ndarray) -> np.ndarray | None:
    if len(a) < _MIN_SHARED:
        return None
    try:
        fundamental, inliers = cv2.findFundamentalMat(a, b, cv2.USAC_MAGSAC, 1.0, 0.999, 1000)
        _, flat = cv2.findHomography(a, b, cv2.USAC_MAGSAC, 1.5)
    except cv2.error:
        return None
    if fundamental is None or fundamental.shape != (3, 3) or inliers.sum() < 30:
        return None
    if flat is not None and flat.sum() > _DEGENERATE * inliers.sum():
        return None
    return fundamental


def _inequality(fundamental: np.ndarray, grid: np.ndarray) -> np.ndarray:
    calibration = np.stack([np.diag([f, f, 1.0]) for f in grid])
    singular = np.linalg.svd(calibration @ fundamental @ calibration, compute_uv=False)
    return 1 - singular[:, 1] / singular[:, 0]
