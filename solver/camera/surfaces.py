"""The level surfaces that a scene shows: floors, tables' tops. Where the vertical is unknown: its largest plane."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .cameras import CameraPath

# of the distance from the camera: how far a point of the surface may lie off it
_THICKNESS = 0.006
# up is known about this well; what is less than this share of the distance below the cameras is not looked down on
_MAX_TILT_DEG, _MIN_BELOW = 3.0, 0.15
_TRIALS, _REFITS = 600, 5
# A plane that may be level while the vertical is unknown: at most so far from how cameras are held. Of imagined worlds'
# planes that stand out so far, with so many of all points, nearly all are level; of the others a quarter.
_WIDE_DEG, _WIDE_TRIALS, _WIDE_CONTRAST, _WIDE_SHARE = 45.0, 2000, 3.0, 0.1
# a fair sample of very many points, for memory's sake
_MOST_POINTS, _FEW_POINTS = 5000, 1500
# A surface needs this many points, and more than lie just off it by this factor: points of walls lie at any height.
_MIN_POINTS, _MIN_CONTRAST = 30, 1.8
# Further ones at other heights: so many at most, of this share of all points, and as broad as this share of their
# distance (a row of points on a wall is level, too).
_MOST_LEVELS, _MIN_SHARE, _MIN_FURTHER, _MIN_BREADTH = 3, 0.05, 20, 0.08


@dataclass(frozen=True)
class LevelSurface:
    """``normal @ x = offset`` in the path's world and units; ``normal`` (3,) points down; ``points`` lie on it."""

    normal: np.ndarray
    offset: float
    points: int

    def below(self, centres: np.ndarray) -> np.ndarray:
        """(n,) how far it lies below ``centres`` (n, 3)."""
        return self.offset - centres @ self.normal

    def holds(self, points: np.ndarray, centre: np.ndarray) -> np.ndarray:
        """(n,) which of (n, 3) lie on it, as seen from about ``centre``."""
        return np.abs(points @ self.normal - self.offset) < _THICKNESS * np.linalg.norm(points - centre, axis=1)


def good_points(path: CameraPath) -> np.ndarray:
    """(n, 3) the background points that are well determined."""
    return path.points[path.point_errors_px < 3 * np.median([1.0, *path.point_errors_px]).clip(1.0)]


def find_level(path: CameraPath, tilt_deg: float = _MAX_TILT_DEG) -> LevelSurface | None:
    """The best supported level surface below the cameras of ``path`` (y down); None where none stands out.

    Args:
        tilt_deg: by how much it may lean, because the path's vertical is known no better.
    """
    points = good_points(path)
    centre = path.world_from_camera[:, :3, 3].mean(axis=0)
    far = np.linalg.norm(points - centre, axis=1)
    below = points[:, 1] - centre[1] > _MIN_BELOW * far
    some = np.flatnonzero(below)[:: 1 + below.sum() // _MOST_POINTS]
    points, far = points[some], far[some]
    if len(points) < _MIN_POINTS:
        return None
    plane = _best_plane(points, far, tilt_deg, _TRIALS)
    least = np.cos(np.radians(tilt_deg + _MAX_TILT_DEG))
    if plane is None or plane.contrast < _MIN_CONTRAST or plane.normal[1] < least:
        return None
    return LevelSurface(plane.normal, plane.offset, int(plane.on.sum()))


def find_largest(path: CameraPath) -> np.ndarray | None:
    """(3,) the normal, pointing down, of the plane that stands out most, if it may be level; None without one.

    ``path`` stands about as its cameras are held (y down), some tens of degrees off.
    """
    points = good_points(path)
    points = points[:: 1 + len(points) // _FEW_POINTS]
    if len(points) < _MIN_POINTS:
        return None
    points = points - path.world_from_camera[:, :3, 3].mean(axis=0)
    far = np.linalg.norm(points, axis=1)
    plane = _best_plane(points, far, _WIDE_DEG, _WIDE_TRIALS)
    if plane is None or plane.contrast < _WIDE_CONTRAST or plane.on.mean() < _WIDE_SHARE:
        return None
    is_broad = _breadth(points[plane.on], plane.normal) > _MIN_BREADTH * far[plane.on].mean()
    return plane.normal if is_broad and plane.normal[1] > np.cos(np.radians(_WIDE_DEG)) else None


@dataclass(frozen=True)
class _Plane:
    """``normal @ x = offset``; ``on`` (n,) which points lie on it; how many times more than just off it."""

    normal: np.ndarray
    offset: float
    on: np.ndarray
    contrast: float


def _best_plane(points: np.ndarray, far: np.ndarray, tilt_deg: float, trials: int) -> _Plane | None:
    best = _sampled(points, far, tilt_deg, trials)
    if best is None:
        return None
    normal, offset = best
    for _ in range(_REFITS):
        on = np.abs(points @ normal - offset) < _THICKNESS * far
        if on.sum() < _MIN_POINTS:
            return None
        middle = points[on].mean(axis=0)
        normal = np.linalg.svd((points[on] - middle) / far[on, None])[2][2]
        normal, offset = normal * np.sign(normal[1]), float(middle @ normal * np.sign(normal[1]))
    off = np.abs(points @ normal - offset) / (_THICKNESS * far)
    around = ((off >= 1) & (off < 4)).sum() / 3
    return _Plane(normal, offset, off < 1, float((off < 1).sum() / max(around, 1e-9)))


def find_levels(path: CameraPath, tilt_deg: float = _MAX_TILT_DEG) -> tuple[LevelSurface, ...]:
    """The surface of ``find_level`` and others parallel to it, best supported first; empty where none stands out."""
    first = find_level(path, tilt_deg)
    if first is None:
        return ()
    points = good_points(path)
    centre = path.world_from_camera[:, :3, 3].mean(axis=0)
    far = np.linalg.norm(points - centre, axis=1)
    height, reach = points @ first.normal, _THICKNESS * far
    left = (height - centre @ first.normal > _MIN_BELOW * far) & (np.abs(height - first.offset) > 3 * reach)
    found = [first]
    for _ in range(_MOST_LEVELS):
        some = np.flatnonzero(left)[:: 1 + left.sum() // _FEW_POINTS]
        if len(some) < _MIN_FURTHER:
            break
        offset, on, around = _best_height(height[some], reach[some])
        if on.sum() < _MIN_FURTHER or on.sum() < _MIN_CONTRAST * around:
            break
        if _breadth(points[some][on], first.normal) > _MIN_BREADTH * far[some][on].mean():
            found.append(LevelSurface(first.normal, offset, int((np.abs(height - offset) < reach).sum())))
        left &= np.abs(height - offset) > 3 * reach
    strong = [one for one in found if one.points >= _MIN_SHARE * len(points)]
    return tuple(sorted(strong, key=lambda one: -one.points)[:_MOST_LEVELS])


def _best_height(height: np.ndarray, reach: np.ndarray) -> tuple[float, np.ndarray, float]:
    """The height about which most of (n,) lie, which those are, and how many there would be just off it."""
    off = np.abs(height - height[:, None]) / reach
    near, around = off < 1, ((off >= 1) & (off < 4)).sum(axis=1) / 3
    best = int((near.sum(axis=1) - around).argmax())
    offset = float(np.average(height[near[best]], weights=reach[near[best]] ** -2.0))
    off = np.abs(height - offset) / reach
    return offset, off < 1, float(((off >= 1) & (off < 4)).sum() / 3)


def _breadth(points: np.ndarray, normal: np.ndarray) -> float:
    """The smaller of the two spreads of (n, 3) along the surface."""
    flat = points - np.outer(points @ normal, normal)
    return float(np.linalg.svd(flat - flat.mean(axis=0), compute_uv=False)[1] / np.sqrt(len(points)))


def _sampled(points: np.ndarray, far: np.ndarray, tilt_deg: float, trials: int) -> tuple[np.ndarray, float] | None:
    """MSAC (Torr and Zisserman 2000) over planes through three points that are nearly level."""
    rng = np.random.default_rng(0)
    threes = points[np.stack([rng.choice(len(points), 3, replace=False) for _ in range(trials)])]
    normals = np.cross(threes[:, 1] - threes[:, 0], threes[:, 2] - threes[:, 0])
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-300)
    normals *= np.sign(normals[:, 1:2])
    level = normals[:, 1] > np.cos(np.radians(tilt_deg))
    if not level.any():
        return None
    normals = normals[level]
    offsets = np.einsum("nk,nk->n", normals, threes[level, 0])
    off = (points @ normals.T - offsets) / (_THICKNESS * far[:, None])
    best = np.clip(1 - off**2, 0, None).sum(axis=0).argmax()
    return normals[best], float(offsets[best])
