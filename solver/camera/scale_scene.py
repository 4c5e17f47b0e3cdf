"""What the level surfaces in view say about the size of the world.

A camera is as high over the floor as people hold it, and furniture is as high as furniture is. Which surface is the
floor is unknown, so each way to read the scene gives a density of its own (``Reading``); they add up to a mixture. The
camera's height over the floor is integrated out.

Heights: eyes of standing and sitting adults by stature (Pheasant and Haslegrave 2005), tables and desks (EN 527-1),
kitchen tops (EN 1116); all with the spread that cameras in hands, slumped people and odd furniture have.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from .cameras import CameraPath
from .surfaces import LevelSurface, find_levels, good_points

_MIN_POINTS = 30
# Of the distance: what lies deeper than this under a surface is under it. More than a few such points, and it is no
# floor: how many times less likely it is, and how fast that grows with their share.
_UNDER, _FEW, _ODD, _ODD_SHARE = 0.03, 0.03, 0.05, 0.03
_THICK = 0.006
# by how much a level surface may lean: by as much as the vertical may be wrong
_TILT_SIGMAS, _MIN_TILT_DEG, _MAX_TILT_DEG = 2.0, 3.0, 12.0
# (share, metres, sigma of the logarithm) of a camera over the floor: worn or held by who stands, sits, or sits on it
_STANDING = ((0.29, 1.58, 0.08), (0.23, 1.35, 0.15))
_LOWER = ((0.33, 1.2, 0.09), (0.15, 0.85, 0.25))
# (share, metres, sigma in metres) of what stands on a floor with a level top: tables, kitchen tops, low tables
_TOPS = ((0.62, 0.74, 0.03), (0.2, 0.91, 0.035), (0.18, 0.45, 0.06))
# A level surface may also be anything up to this height: seldom one that holds this share of all points.
_THINGS_M, _THING, _SMALL_THING, _LARGE_SHARE = 1.4, 0.25, 0.6, 0.15
# of the logarithm: how well a seen floor's height is known; where single points make it out; how far it lies under them
_FLOOR_SIGMA, _LOW_SIGMA, _LOW_GAP, _LOW_SHARE = 0.015, 0.08, 0.35, 0.6
# A table without a floor in view has one level: others make it less likely. Nor does it reach further from the camera
# than this (a soft bound on the logarithm).
_SEVERAL, _ARM_M, _ARM_SIGMA = 0.2, 1.7, 0.25
# what lies on a table is this high, as a rule
_ON_TABLE, _ON_TABLE_M = 0.6, 0.12
_HEIGHTS = np.geomspace(0.45, 2.1, 90)
_NOTHING = 1e-300


class Reading(enum.Enum):
    """Which of what is in view is the floor: the lowest level surface; what lies deepest, in single points; nothing (a
    table fills the view); or no reading fits."""

    FLOOR = enum.auto()
    POINTS = enum.auto()
    TABLE = enum.auto()
    OTHER = enum.auto()


# how often, before one looks
LIKELY = {Reading.FLOOR: 0.3, Reading.POINTS: 0.3, Reading.TABLE: 0.35, Reading.OTHER: 0.02}


@dataclass(frozen=True)
class Scene:
    """In units of the path, below the middle of its cameras.

    Attributes:
        surfaces: best supported first; all parallel.
        below: (k,) of each.
        shares: (k,) of all points that lie on each.
        reach: how far away points of the best supported one lie, over the ground.
        lowest: the deepest points, but for the few that may be wrong; None without points below the camera.
        share_under: of all points that lie under the lowest of ``surfaces``; 1 without any.
    """

    surfaces: tuple[LevelSurface, ...]
    below: np.ndarray
    shares: np.ndarray
    reach: float
    lowest: float | None
    share_under: float

    @property
    def main_is_lowest(self) -> bool:
        return len(self.below) > 0 and int(self.below.argmax()) == 0

    @property
    def lies_lower(self) -> bool:
        """Is more under all of ``surfaces`` than points that are wrong?"""
        return self.share_under >= _FEW


NOTHING_SEEN = Scene((), np.zeros(0), np.zeros(0), 0.0, None, 1.0)


def look(path: CameraPath) -> Scene:
    """Of a path whose vertical is known."""
    points = good_points(path)
    if len(points) < _MIN_POINTS or not np.isfinite(path.up_sigma):
        return NOTHING_SEEN
    tilt = np.clip(_TILT_SIGMAS * np.degrees(path.up_sigma), _MIN_TILT_DEG, _MAX_TILT_DEG)
    surfaces = find_levels(path, float(tilt))
    normal = surfaces[0].normal if surfaces else np.array([0.0, 1, 0])
    centre = path.world_from_camera[:, :3, 3].mean(axis=0)
    depth, far = (points - centre) @ normal, np.linalg.norm(points - centre, axis=1)
    below = np.array([one.offset - centre @ normal for one in surfaces])
    under = depth > below.max() + _UNDER * far if len(below) else np.ones(len(points), bool)
    lowest = float(np.percentile(depth[under], 80) if len(below) and under.mean() > _FEW else np.percentile(depth, 97))
    shares = np.array([one.points / len(points) for one in surfaces])
    on = np.abs(depth - below[0]) < _THICK * far if len(below) else np.zeros(len(points), bool)
    reach = float(np.percentile(np.sqrt(far[on] ** 2 - depth[on] ** 2), 90)) if on.any() else 0.0
    return Scene(surfaces, below, shares, reach, lowest if lowest > 0 else None, float(under.mean()))


def log_densities(scene: Scene, log_scales: np.ndarray) -> dict[Reading, tuple[np.ndarray, np.ndarray]]:
    """Of each reading, at (g,) logarithms of metres per unit: whoever has the camera, and for who stands or walks."""
    scales = np.exp(log_scales)[:, None]
    found = {}
    if len(scene.below):
        lowest = int(scene.below.argmax())
        odd = 1.0 if not scene.lies_lower else _ODD * np.exp(-(scene.share_under - _FEW) / _ODD_SHARE)
        at = np.log(scene.below[lowest] * scales / _HEIGHTS)
        found[Reading.FLOOR] = odd * _normal(at, _FLOOR_SIGMA) * _furniture(scene, scales, but=lowest)
        alone = 1.0 if len(scene.below) == 1 else _SEVERAL
        within = ndtr((np.log(_ARM_M / max(scene.reach, 1e-9)) - np.log(scales)) / _ARM_SIGMA)
        found[Reading.TABLE] = odd * alone * within * _furniture(scene, scales, table=lowest)
    if scene.lowest is not None:
        at = np.log(scene.lowest * scales / _HEIGHTS)
        above = np.where(at < _LOW_SIGMA, np.exp(np.minimum(at - _LOW_SIGMA, 0) / _LOW_GAP) / _LOW_GAP, 0)
        seen = _LOW_SHARE * _normal(at, _LOW_SIGMA) + (1 - _LOW_SHARE) * above
        likely = 1.0 if scene.lies_lower else 0.1
        found[Reading.POINTS] = likely * seen * _furniture(scene, scales)
    anyhow, standing = _of_camera(_STANDING + _LOWER), _of_camera(_STANDING)
    return {
        reading: tuple(np.log(LIKELY[reading] * (density @ heights) + _NOTHING) for heights in (anyhow, standing))
        for reading, density in found.items()
    }


def _of_camera(parts: tuple[tuple[float, float, float], ...]) -> np.ndarray:
    """Weights of ``_HEIGHTS`` that sum up to one."""
    density = sum(share * _normal(np.log(_HEIGHTS / metres), sigma) for share, metres, sigma in parts)
    return density / density.sum()


def _furniture(scene: Scene, scales: np.ndarray, but: int | None = None, table: int | None = None) -> np.ndarray:
    """(g, h) density of the logarithms of ``scene.below``, for each scale and camera's height over the floor.

    Args:
        but: this one is the floor itself. table: this one is a table, and others may be things on it.
    """
    density = np.ones((len(scales), len(_HEIGHTS)))
    for k, (below, share) in enumerate(zip(scene.below, scene.shares, strict=True)):
        if k != but:
            thing = _THING if share >= _LARGE_SHARE else _SMALL_THING
            height = _of_top(_HEIGHTS - below * scales, thing)
            if table is not None and k != table:
                over = (scene.below[table] - below) * scales
                height = _ON_TABLE * np.exp(-over / _ON_TABLE_M) / _ON_TABLE_M + (1 - _ON_TABLE) * height
            density *= height * below * scales
    return density


def _of_top(metres: np.ndarray, thing: float) -> np.ndarray:
    tops = sum(share * _normal(metres - height, sigma) for share, height, sigma in _TOPS)
    return (1 - thing) * tops + thing * np.where((metres > 0.02) & (metres < _THINGS_M), 1 / _THINGS_M, 1e-3)


def _normal(value: np.ndarray, sigma: float) -> np.ndarray:
    return np.exp(-0.5 * (value / sigma) ** 2) / (sigma * np.sqrt(2 * np.pi))
