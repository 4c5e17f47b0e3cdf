"""Did the camera move at all, only turn, or travel? Decided from background tracks before anything is solved.

A homography is no test: a general motion before a flat scene passes it. A rotation is: x' = K R K^-1 x with the clip's
one K leaves the parallax as its residual. Thresholds are in px of a 640 px wide image, the width they were measured at.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from .features import Keyframe
from .lens import rays_of
from .tracks import Tracks, cells

_REFERENCE_WIDTH = 640
STATIC_PX, ROTATION_PX, LOW_PARALLAX_PX = 1.0, 1.2, 3.0
_MIN_FLOW_PX, _MIN_SHARED, _MAX_PAIRS, _MIN_PAIRS = 10.0, 30, 40, 3
# Pairs for the search of the lens; no lens mends a residual this many times above low parallax.
_SEARCH_PAIRS, _HOPELESS, _K1_TRIALS, _LENS_STEPS = 16, 3.0, (-0.2, -0.1, 0.0, 0.1), (0.1, 0.03, 0.01)
# Fewer points, in fewer cells of the 8 x 5 grid, are no background.
_MIN_TRACKS, _MIN_CELLS = 40, 6
# Points in fewer cells than this (a person before a black curtain, edges in a bare room) make a world only if all else
# speaks for it.
FEW_CELLS = 20
# A camera stands still, whatever else moves, if over nearly the whole shot this share of points, spread over these
# many cells, never leaves its place.
_STILL_PX, _STILL_SHARE, _STILL_CELLS, _STILL_FRAMES, _LONG = 0.6, 0.25, 8, 0.9, 12
# Pairs looked at for a zoom, and the log change of the focal length between two keyframes that makes one.
_ZOOM_PAIRS, _ZOOM_STEP = 8, 0.02
# Over so few frames nothing but standing still can be told.
_SHORT = 4


@dataclass(frozen=True)
class MotionKind:
    """Attributes:
    kind: "static", "rotation", "zoom" (nearly still, while the focal length changes), "general", or "nothing" when
        there is no background to track.
    low_parallax: the parallax is so small that a general solve may fail.
    displacement_px: how far the background strays from where it was first seen (90th percentile over frames).
    residual_px: parallax left by the best rotation (90th percentile over pairs); NaN where not looked at.
    focal_px, k1: the lens that explains the clip best as a rotation, working px; NaN where not looked at.
    """

    kind: str
    low_parallax: bool = False
    displacement_px: float = float("nan")
    residual_px: float = float("nan")
    focal_px: float = float("nan")
    k1: float = 0.0


def classify(
    tracks: Tracks, keyframes: list[Keyframe], covered_cells: np.ndarray, focal_px: float | None
) -> MotionKind:
    """``keyframes`` in rows of ``tracks``, ``covered_cells`` (T,) as in ``Footage``, ``focal_px`` working px."""
    unit = tracks.size[0] / _REFERENCE_WIDTH
    if np.median(tracks.counts()) < _MIN_TRACKS or np.median(covered_cells) < _MIN_CELLS:
        return MotionKind("nothing")
    lasting = tracks.lasting(min(5, tracks.frame_count))
    displacement = _displacement(lasting)
    if displacement < STATIC_PX * unit or _stands_still(lasting, unit):
        return MotionKind("static", displacement_px=displacement)
    pairs = _telling_pairs(tracks, keyframes, unit)
    if len(pairs) < _MIN_PAIRS:
        if tracks.frame_count <= _SHORT:
            return MotionKind("general", True, displacement)
        return _without_pairs(displacement, unit, len(keyframes), float(np.median(covered_cells)))
    focal, k1, residual = _best_rotation_lens(pairs, tracks.size, focal_px)
    if residual < ROTATION_PX * unit:
        return MotionKind("rotation", False, displacement, residual, focal, k1)
    if _zooms(pairs, tracks.size, focal, unit):
        return MotionKind("zoom", False, displacement, residual)
    return MotionKind("general", residual < LOW_PARALLAX_PX * unit, displacement, residual, focal, k1)


def _without_pairs(displacement: float, unit: float, keyframes: int, covered_cells: float) -> MotionKind:
    """Nothing moved far between frames with common points: almost still, or the points never lasted.

    Few points that never last are no background: a person before a black curtain looks like this.
    """
    if displacement < 3 * STATIC_PX * unit:
        return MotionKind("static", displacement_px=displacement)
    travels = keyframes > 3 and covered_cells >= FEW_CELLS
    return MotionKind("general" if travels else "nothing", True, displacement)


def _displacement(tracks: Tracks) -> float:
    """90th percentile over frames of the median distance between points and where they were first seen."""
    if not len(tracks.ids):
        return 0.0
    _, first, inverse = np.unique(tracks.ids, return_index=True, return_inverse=True)
    distance = np.linalg.norm(tracks.points_px - tracks.points_px[first[inverse]], axis=1)
    edges = np.searchsorted(tracks.rows, np.arange(tracks.frame_count + 1))
    medians = [np.median(distance[a:b]) for a, b in zip(edges[:-1], edges[1:], strict=True) if b - a >= 15]
    return float(np.percentile(medians, 90)) if medians else 0.0


def _stands_still(tracks: Tracks, unit: float) -> bool:
    long = tracks.lasting(min(_LONG, tracks.frame_count))
    if not len(long.ids):
        return False
    _, inverse = np.unique(long.ids, return_inverse=True)
    count = np.bincount(inverse)
    mean = np.stack([np.bincount(inverse, long.points_px[:, axis]) / count for axis in (0, 1)], axis=1)
    spread = np.sqrt(np.bincount(inverse, ((long.points_px - mean[inverse]) ** 2).sum(axis=1)) / count)
    still = spread[inverse] < _STILL_PX * unit
    cell = cells(long.points_px, long.size)
    held = 0
    for row in range(long.frame_count):
        part = slice(*np.searchsorted(long.rows, [row, row + 1]))
        here = still[part]
        held += len(here) > 0 and here.mean() >= _STILL_SHARE and len(np.unique(cell[part][here])) >= _STILL_CELLS
    return held >= _STILL_FRAMES * long.frame_count


def _telling_pairs(tracks: Tracks, keyframes: list[Keyframe], unit: float) -> list[tuple[np.ndarray, np.ndarray]]:
    """Common points of pairs of keyframes between which the image moved enough, chosen evenly over the shot."""
    rows = [k.row for k in keyframes]
    candidates = [(a, b) for i, a in enumerate(rows) for b in rows[i + 1 : i + 9]]
    order = np.random.default_rng(0).permutation(len(candidates))
    pairs = []
    for index in order[: 8 * _MAX_PAIRS]:
        a, b = tracks.shared(*candidates[index])
        if len(a) >= _MIN_SHARED and np.median(np.linalg.norm(a - b, axis=1)) > _MIN_FLOW_PX * unit:
            pairs.append((a, b))
        if len(pairs) == _MAX_PAIRS:
            break
    return pairs


def _best_rotation_lens(
    pairs: list[tuple[np.ndarray, np.ndarray]], size: tuple[int, int], focal_px: float | None
) -> tuple[float, float, float]:
    """Focal length, k1 and the residual (90th percentile over pairs) of the rotation that explains the clip best."""

    some = pairs[:_SEARCH_PAIRS]

    def typical(focal: float, k1: float) -> float:
        return float(np.median([rotation_residual(a, b, size, focal, k1) for a, b in some]))

    def worst(focal: float, k1: float) -> float:
        return float(np.percentile([rotation_residual(a, b, size, focal, k1) for a, b in pairs], 90))

    grid = np.geomspace(0.4, 2.5, 9) * size[0] if focal_px is None else np.array([focal_px])
    trials = [typical(f, 0.0) for f in grid]
    focal, k1 = float(grid[np.argmin(trials)]), 0.0
    if min(trials) > _HOPELESS * LOW_PARALLAX_PX * size[0] / _REFERENCE_WIDTH:
        return focal, k1, worst(focal, k1)
    k1 = _K1_TRIALS[int(np.argmin([typical(focal, k) for k in _K1_TRIALS]))]
    for step in _LENS_STEPS:
        focal_step = step if focal_px is None else 0.0
        near = [(focal * np.exp(i * focal_step), k1 + j * step / 2) for i in (-1, 0, 1) for j in (-1, 0, 1)]
        focal, k1 = near[int(np.argmin([typical(*lens) for lens in near]))]
    return float(focal), float(k1), worst(focal, k1)


def _zooms(pairs: list[tuple[np.ndarray, np.ndarray]], size: tuple[int, int], focal_px: float, unit: float) -> bool:
    """Is what a rotation leaves explained by a second focal length? A travelling camera's parallax is not.

    The ratio of the two comes from a similarity, which holds for small turns: a zoom during a wide pan is not seen.
    """
    scales, left = [], []
    for a, b in pairs[:: max(1, len(pairs) // _ZOOM_PAIRS)]:
        similar, _ = cv2.estimateAffinePartial2D(a, b, method=cv2.RANSAC, ransacReprojThreshold=3.0 * unit)
        if similar is None:
            return False
        scale = float(np.hypot(*similar[:, 0]))
        scales.append(abs(np.log(max(scale, 1e-3))))
        about = np.array(size) / 2
        left.append(rotation_residual(a, (b - about) / scale + about, size, focal_px, 0.0))
    return bool(np.median(scales) > _ZOOM_STEP and np.percentile(left, 90) < ROTATION_PX * unit)


def rotation_residual(a: np.ndarray, b: np.ndarray, size: tuple[int, int], focal_px: float, k1: float) -> float:
    """Median distance in px between ``b`` and ``a`` turned by the best rotation."""
    rays_a, rays_b = (rays_of(points, size, focal_px, k1) for points in (a, b))
    rotation = robust_rotation(rays_a, rays_b, 1.0 / focal_px)
    turned = rays_a @ rotation.T
    return focal_px * float(np.median(np.linalg.norm(turned - rays_b, axis=1)))


def robust_rotation(rays_a: np.ndarray, rays_b: np.ndarray, scale: float, rounds: int = 6) -> np.ndarray:
    """(3, 3) rotation with ``rays_b = rotation @ rays_a`` in the Cauchy sense; residuals of ``scale`` count half.

    Reweighted orthogonal Procrustes (Kabsch 1976).
    """
    weights = np.ones(len(rays_a))
    for _ in range(rounds):
        u, _, vt = np.linalg.svd((rays_b * weights[:, None]).T @ rays_a)
        rotation = u @ np.diag([1, 1, np.sign(np.linalg.det(u @ vt))]) @ vt
        residual = np.linalg.norm(rays_a @ rotation.T - rays_b, axis=1)
        weights = 1 / (1 + (residual / max(float(np.median(residual)), scale)) ** 2)
    return rotation
