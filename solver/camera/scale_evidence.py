"""What hands say about the size of the world: each value is a logarithm of metres per unit of the path.

- **Still**: a hand whose middle a static point explains over a stretch with parallax has the depth of that point. A
  hand that is carried along has none (its point lies at infinity) and drops out by itself. What single landmarks are
  off by, 2 to 5 % of the hand, cancels in the middle of all: it wanders by 1 %.
- **Contact**: a fingertip that sticks to what it covers, while that moves through the image, mostly touches it: its
  metric depth over the depth of the points around it is the value.
- **Resting**: a flat hand that comes down, stays at one height over the level surface and leaves mostly lies on it, if
  it keeps its place there, too.
- **In front**: a hand is in front of the background that it covers, so that ratio is never above the true value.
- **Above**: nor is the share of a hand's height below the camera in the surface's: hands that work come close to it.

Stretches of one hand that say the same are one: what is wrong in one is wrong in the next.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .cameras import CameraPath
from .seen_hands import SeenHand
from .surfaces import LevelSurface, good_points

_FINGERTIPS = (4, 8, 12, 16, 20)
# Of depth in a stretch, beside what all of a person's hands have in common (``scale``).
_DEPTH_NOISE = 0.06
# Points within this share of the hand's size around a fingertip are what it covers.
_NEIGHBOURHOOD, _MIN_NEIGHBOURS = 0.6, 4
# The tests slide over the track. What sticks moves less than the tolerance (share of the hand's size) against the
# background, while the background moves through the image by several times that.
_WINDOW_FRAMES, _TOLERANCE, _MIN_MOTION = 12, 0.02, 4.0
_MIN_AGREEING = 2
# Stretches over which a hand may be still, and how far it may drift in one all the same; by what share of its size and
# of the parallax it strays from the point. Of imagined stretches that pass nine in ten are right; where it strays by
# a fifth of the parallax no rendered one is.
_STILL_FRAMES, _DRIFT_M, _MIN_PARALLAX, _STRAYS, _STRAYS_OF_PARALLAX = (12, 20, 30), 0.008, 0.04, 0.06, 0.08
# A hand that lies: so many landmarks within a layer, their lowest this far over the surface; flat to a few percent of
# the camera's height, and lifted by more than that within half a second before or after.
_LOWEST, _LAYER_M, _FLESH_M, _MIN_LYING = 4, 0.03, 0.01, 5
_LEVEL_SIGMA, _LIFTED, _LIFT_FRAMES, _SURFACE_NOISE = 0.04, 0.2, 15, 0.08
# on the surface it moves by less than this share of its length in a stretch
_KEEPS_PLACE, _PALM = 0.35, (0, 5, 9, 13, 17)
# what one hand says twice: so close by each other
_SAME, _SAME_LEVEL = 0.15, 0.08


@dataclass(frozen=True)
class Evidence:
    """``still``, ``contact``, ``resting`` (n, 2): a value and its one-sigma per stretch that passed the test.

    ``bound``: the value is not below it; -inf without any. ``above``: as low over the level surface as a hand comes;
    None without a surface.
    """

    still: np.ndarray
    contact: np.ndarray
    resting: np.ndarray
    bound: float
    above: float | None


@dataclass(frozen=True)
class _Hand:
    """One hand against the path: ``rows`` (n,), ``pixels`` (n, 21, 2), ``landmarks_m`` (n, 21, 3).

    ``covered`` (n, 5): depth, in units of the path, of what each fingertip covers; NaN where nothing is known there.
    """

    rows: np.ndarray
    pixels: np.ndarray
    landmarks_m: np.ndarray
    covered: np.ndarray

    @property
    def depth_m(self) -> np.ndarray:
        return self.landmarks_m[..., 2]


def gather(path: CameraPath, seen: list[SeenHand], first_frame: int, surface: LevelSurface | None) -> Evidence:
    """All of it; ``first_frame`` is the frame number of the path's first row."""
    hands = [hand for one in seen if (hand := _hand(path, one, first_frame)) is not None]
    ratios = [(hand.depth_m[:, _FINGERTIPS] / hand.covered).ravel() for hand in hands]
    ratio = np.concatenate([np.zeros(0), *ratios])
    ratio = ratio[np.isfinite(ratio) & (ratio > 0)]
    over = [level for hand in hands if surface and (level := _over(path, hand, surface)) is not None]
    return Evidence(
        _table([value for hand in hands for value in _once(_still(path, hand), _SAME)]),
        _table([value for hand in hands for value in _once(_contacts(path, hand), _SAME)]),
        _table([value for level in over for value in _once(_resting(level), _SAME_LEVEL)]),
        float(np.log(np.percentile(ratio, 75))) if len(ratio) >= _WINDOW_FRAMES else -np.inf,
        max((float(np.percentile(level.ratio, 90)) for level in over), default=None),
    )


def _once(values: list[tuple[float, float]], apart: float) -> list[tuple[float, float]]:
    """Values that lie no further apart become their weighted mean, as sure as the surest."""
    found: list[list[tuple[float, float]]] = []
    for value, sigma in values:
        same = next((one for one in found if abs(value - _mean(one)) < apart), None)
        if same is None:
            found.append(same := [])
        same.append((value, sigma))
    return [(_mean(one), min(sigma for _, sigma in one)) for one in found]


def _mean(values: list[tuple[float, float]]) -> float:
    return float(np.average([v for v, _ in values], weights=[sigma**-2.0 for _, sigma in values]))


def _table(values: list[tuple[float, float]]) -> np.ndarray:
    return np.array(values, float).reshape(-1, 2)


def _hand(path: CameraPath, seen: SeenHand, first_frame: int) -> _Hand | None:
    rows = seen.frames - first_frame
    inside = (rows >= 0) & (rows < len(path.world_from_camera))
    if inside.sum() < _WINDOW_FRAMES:
        return None
    rows, pixels = rows[inside], seen.pixels[inside]
    points = good_points(path)
    covered = np.stack([_covered(path, int(row), points, hand) for row, hand in zip(rows, pixels, strict=True)])
    return _Hand(rows, pixels, seen.landmarks_m[inside], covered)


def _covered(path: CameraPath, row: int, points: np.ndarray, pixels: np.ndarray) -> np.ndarray:
    """(5,) median depth of the points around each fingertip."""
    local = _local(path, row, points)
    local = local[local[:, 2] > 1e-9]
    at = _projected(path, local)
    reach = _NEIGHBOURHOOD * float(np.ptp(pixels, axis=0).max())
    depths = np.full(len(_FINGERTIPS), np.nan)
    for i, tip in enumerate(_FINGERTIPS):
        near = ((at - pixels[tip]) ** 2).sum(axis=1) < reach**2
        if near.sum() >= _MIN_NEIGHBOURS:
            depths[i] = np.median(local[near, 2])
    return depths


def _local(path: CameraPath, row: int, points: np.ndarray) -> np.ndarray:
    camera = path.world_from_camera[row]
    return (points - camera[:3, 3]) @ camera[:3, :3]


def _projected(path: CameraPath, local: np.ndarray) -> np.ndarray:
    return local[:, :2] / local[:, 2:] * path.intrinsics[:2] + path.intrinsics[2:]


def _windows(
    hand: _Hand, frames: int = _WINDOW_FRAMES, step: int = _WINDOW_FRAMES, share: float = _TOLERANCE
) -> list[tuple[slice, float]]:
    """Stretches of the track, one every ``step`` frames, with ``share`` of the hand's size there in px."""
    found = []
    for start in range(0, len(hand.rows) - frames + 1, step):
        part = slice(start, start + frames)
        if hand.rows[part][-1] - hand.rows[part][0] <= 2 * frames:
            size = float(np.median(np.ptp(hand.pixels[part], axis=1).max(axis=1)))
            found.append((part, share * size))
    return found


def _still(path: CameraPath, hand: _Hand) -> list[tuple[float, float]]:
    """log(hand's depth / depth of the static point that explains it) and its sigma, per stretch that has one.

    What passes for still may drift by some millimetres: against a short baseline that is a large error of depth.
    """
    found = []
    for frames in _STILL_FRAMES:
        for part, tolerance in _windows(hand, frames, frames // 2, _STRAYS):
            static = _static_point(path, hand.rows[part], hand.pixels[part].mean(axis=1), tolerance)
            if static is not None:
                depth_m = hand.depth_m[part].mean(axis=1)
                drift = _DRIFT_M / (static[1] * float(np.median(depth_m)))
                found.append((float(np.log(np.median(depth_m / static[0]))), float(np.hypot(_DEPTH_NOISE, drift))))
    return found


def _contacts(path: CameraPath, hand: _Hand) -> list[tuple[float, float]]:
    """log(fingertip depth / depth of what it covers), per stretch over which fingertips stick to that."""
    found = []
    for part, tolerance in _windows(hand):
        values = []
        for i, tip in enumerate(_FINGERTIPS):
            if _sticks(path, hand.rows[part], hand.pixels[part, tip], hand.covered[part, i], tolerance):
                values.append(np.nanmedian(hand.depth_m[part, tip] / hand.covered[part, i]))
        if len(values) >= _MIN_AGREEING:
            found.append((float(np.log(np.median(values))), _SURFACE_NOISE))
    return found


@dataclass(frozen=True)
class _Over:
    """A hand over the level surface: ``ratio`` (n,) log(camera's height over its lowest landmarks / over the surface),
    ``lying`` (n,) landmarks in one layer, ``palm`` (n, 3) where it would be if it lay there, in hands' lengths."""

    hand: _Hand
    ratio: np.ndarray
    lying: np.ndarray
    palm: np.ndarray


def _over(path: CameraPath, hand: _Hand, surface: LevelSurface) -> _Over | None:
    cameras = path.world_from_camera[hand.rows]
    down = np.einsum("nji,j->ni", cameras[:, :3, :3], surface.normal)
    height_m = np.einsum("ni,nki->nk", down, hand.landmarks_m)
    below = surface.below(cameras[:, :3, 3])
    if (below <= 0).any():
        return None
    lowest = np.partition(height_m, -_LOWEST, axis=1)[:, -_LOWEST:].mean(axis=1) + _FLESH_M
    lying = (height_m > height_m.max(axis=1, keepdims=True) - _LAYER_M).sum(axis=1)
    bearing = (hand.pixels[:, _PALM] - path.intrinsics[2:]) / path.intrinsics[:2]
    rays = np.concatenate([bearing, np.ones((*bearing.shape[:2], 1))], axis=2) @ np.swapaxes(cameras[:, :3, :3], 1, 2)
    # a hand that is seen against the horizon does not lie there: as if it were far away
    along = below[:, None] / np.maximum(rays @ surface.normal, 1e-2)
    on = cameras[:, None, :3, 3] + along[..., None] * rays
    length = 2 * np.median(np.linalg.norm(on[:, 2] - on[:, 0], axis=1))
    return _Over(hand, np.log(np.maximum(lowest, 1e-3) / below), lying, on.mean(axis=1) / length)


def _resting(over: _Over) -> list[tuple[float, float]]:
    """The ratio in each stretch in which the hand lies on the surface."""
    found = []
    for part, _ in _windows(over.hand):
        level = np.median(over.ratio[part])
        around = over.ratio[max(0, part.start - _LIFT_FRAMES) : part.stop + _LIFT_FRAMES]
        is_lifted = level - np.percentile(around, 5) > _LIFTED
        is_flat = over.ratio[part].std() < _LEVEL_SIGMA and np.median(over.lying[part]) >= _MIN_LYING
        if is_flat and is_lifted and np.linalg.norm(np.ptp(over.palm[part], axis=0)) < _KEEPS_PLACE:
            found.append((float(level), _SURFACE_NOISE))
    return found


def _sticks(path: CameraPath, rows: np.ndarray, pixels: np.ndarray, covered: np.ndarray, tolerance_px: float) -> bool:
    """Does the background point under the first frame's fingertip stay under it, though it moves in the image?"""
    if np.isnan(covered).any():
        return False
    bearing = np.append((pixels[0] - path.intrinsics[2:]) / path.intrinsics[:2], 1.0)
    camera = path.world_from_camera[rows[0]]
    point = camera[:3, :3] @ (bearing * covered[0]) + camera[:3, 3]
    local = np.concatenate([_local(path, int(row), point[None]) for row in rows])
    if (local[:, 2] <= 0).any():
        return False
    at = _projected(path, local)
    moved = np.linalg.norm(np.ptp(at, axis=0))
    return moved > _MIN_MOTION * tolerance_px and np.sqrt(((at - pixels) ** 2).sum(axis=1).mean()) < tolerance_px


def _static_point(path: CameraPath, rows: np.ndarray, pixels: np.ndarray, tolerance_px: float):
    """Depths in every frame of the one point that projects to ``pixels``, and baseline over depth; None without one."""
    cameras = path.world_from_camera[rows]
    bearing = (pixels - path.intrinsics[2:]) / path.intrinsics[:2]
    rays = np.einsum("nij,nj->ni", cameras[:, :3, :3], np.concatenate([bearing, np.ones((len(rows), 1))], axis=1))
    rays /= np.linalg.norm(rays, axis=1, keepdims=True)
    across = np.eye(3) - rays[:, :, None] * rays[:, None, :]
    centres = cameras[:, :3, 3]
    normal = across.sum(axis=0)
    if np.linalg.cond(normal) > 1e6:
        return None
    point = np.linalg.solve(normal, np.einsum("nij,nj->i", across, centres))
    local = np.einsum("nji,nj->ni", cameras[:, :3, :3], point - centres)
    if (local[:, 2] <= 0).any():
        return None
    strays_px = np.sqrt(((_projected(path, local) - pixels) ** 2).sum(axis=1).mean())
    # baseline across the line of sight, against the depth: its extent, and what it moves the point by
    sideways = np.einsum("nij,nj->ni", across, centres - centres.mean(axis=0)) / np.median(local[:, 2])
    parallax = float(np.linalg.norm(np.ptp(sideways, axis=0)))
    moves_px = path.intrinsics[0] * np.sqrt((sideways**2).sum(axis=1).mean())
    still = strays_px < min(tolerance_px, _STRAYS_OF_PARALLAX * moves_px) and parallax > _MIN_PARALLAX
    return (local[:, 2], parallax) if still else None
