"""What hands say about the size of the world: each value is a logarithm of metres per unit of the path.

- **Still**: a hand whose middle a static point explains over a stretch with parallax has the depth of that point. A
  hand that is carried along has none (its point lies at infinity) and drops out by itself. What single landmarks are
  off by, 2 to 5 % of the hand, cancels in the middle of all: it wanders by 1 %.
- **Contact**: a fingertip that sticks to what it covers, while that moves through the image, mostly touches it: its
  metric depth over the depth of the points around it is the value.
- **Resting**: hands that lie on the level surface (``scale_lying``).
- **In front**: a hand is in front of the background that it covers, so that ratio is never above the true value.
- **Above**: nor is the share of a hand's height below the camera in the surface's: hands that work come close to it. A
  hand that is lowered beside a table does not count.

Stretches of one hand that say the same are one: what is wrong in one is wrong in the next.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from . import scale_lying
from .cameras import CameraPath
from .scale_lying import Over, Rest
from .scale_stretches import FINGERTIPS, STRETCH_S, Hand, against, local, projected
from .seen_hands import SeenHand
from .surfaces import LevelSurface

# Of depth in a stretch, beside what all of a person's hands have in common (``scale``).
_DEPTH_NOISE = 0.06
# What sticks moves less than the tolerance (share of the hand's size) against the background in a stretch, while the
# background moves through the image by several times that.
_TOLERANCE, _MIN_MOTION = 0.02, 4.0
_MIN_AGREEING = 2
# Stretches over which a hand may be still, and how far it may drift in one all the same; by what share of its size and
# of the parallax it strays from the point. Of imagined stretches that pass nine in ten are right; where it strays by
# a fifth of the parallax no rendered one is.
_STILL_S, _DRIFT_M, _MIN_PARALLAX, _STRAYS, _STRAYS_OF_PARALLAX = (0.4, 0.67, 1.0), 0.008, 0.04, 0.06, 0.08
# what one hand says twice: so close by each other
_SAME = 0.15
# so many frames show what is behind a hand
_MIN_FRAMES = 12


@dataclass(frozen=True)
class Evidence:
    """``still``, ``contact`` (n, 2): a value and its one-sigma per stretch that passed the test.

    ``bound``: the value is not below it; -inf without any. ``above``: as low over the level surface as a hand comes
    where that is seen; None if none does.
    """

    still: np.ndarray
    contact: np.ndarray
    resting: tuple[Rest, ...]
    bound: float
    above: float | None


def gather(
    path: CameraPath, seen: list[SeenHand], first_frame: int, surface: LevelSurface | None, frame_s: float | None
) -> Evidence:
    """All of it.

    Args:
        first_frame: the frame number of the path's first row.
        surface: the best supported level one.
        frame_s: seconds between frames, where they are known.
    """
    hands = [hand for one in seen if (hand := against(path, one, first_frame, frame_s)) is not None]
    ratios = [(hand.depth_m[:, FINGERTIPS] / hand.covered).ravel() for hand in hands]
    ratio = np.concatenate([np.zeros(0), *ratios])
    ratio = ratio[np.isfinite(ratio) & (ratio > 0)]
    over = [(hand, level) for hand in hands if surface and (level := scale_lying.over(path, hand, surface)) is not None]
    return Evidence(
        _table([value for hand in hands for value in _once(_still(path, hand))]),
        _table([value for hand in hands for value in _once(_contacts(path, hand))]),
        tuple(rest for hand, level in over for rest in scale_lying.rests(hand, level)),
        float(np.log(np.percentile(ratio, 75))) if len(ratio) >= _MIN_FRAMES else -np.inf,
        max((_lowest(level) for _, level in over if level.is_over.sum() >= _MIN_FRAMES), default=None),
    )


def _lowest(level: Over) -> float:
    return float(np.percentile(level.ratio[level.is_over], 90))


def _once(values: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Values that lie no further apart become their weighted mean, as sure as the surest."""
    found: list[list[tuple[float, float]]] = []
    for value, sigma in values:
        same = next((one for one in found if abs(value - _mean(one)) < _SAME), None)
        if same is None:
            found.append(same := [])
        same.append((value, sigma))
    return [(_mean(one), min(sigma for _, sigma in one)) for one in found]


def _mean(values: list[tuple[float, float]]) -> float:
    return float(np.average([v for v, _ in values], weights=[sigma**-2.0 for _, sigma in values]))


def _table(values: list[tuple[float, float]]) -> np.ndarray:
    return np.array(values, float).reshape(-1, 2)


def _still(path: CameraPath, hand: Hand) -> list[tuple[float, float]]:
    """log(hand's depth / depth of the static point that explains it) and its sigma, per stretch that has one.

    What passes for still may drift by some millimetres: against a short baseline that is a large error of depth.
    """
    found = []
    for seconds in _STILL_S:
        for part in hand.stretches(seconds, seconds / 2):
            tolerance = _STRAYS * hand.size_px(part)
            static = _static_point(path, hand.rows[part], hand.pixels[part].mean(axis=1), tolerance)
            if static is not None:
                depth_m = hand.depth_m[part].mean(axis=1)
                drift = _DRIFT_M / (static[1] * float(np.median(depth_m)))
                found.append((float(np.log(np.median(depth_m / static[0]))), float(np.hypot(_DEPTH_NOISE, drift))))
    return found


def _contacts(path: CameraPath, hand: Hand) -> list[tuple[float, float]]:
    """log(fingertip depth / depth of what it covers), per stretch over which fingertips stick to that."""
    found = []
    for part in hand.stretches(STRETCH_S, STRETCH_S):
        values, tolerance = [], _TOLERANCE * hand.size_px(part)
        for i, tip in enumerate(FINGERTIPS):
            if _sticks(path, hand.rows[part], hand.pixels[part, tip], hand.covered[part, i], tolerance):
                values.append(np.nanmedian(hand.depth_m[part, tip] / hand.covered[part, i]))
        if len(values) >= _MIN_AGREEING:
            found.append((float(np.log(np.median(values))), scale_lying.SURFACE_NOISE))
    return found


def _sticks(path: CameraPath, rows: np.ndarray, pixels: np.ndarray, covered: np.ndarray, tolerance_px: float) -> bool:
    """Does the background point under the first frame's fingertip stay under it, though it moves in the image?"""
    if np.isnan(covered).any():
        return False
    bearing = np.append((pixels[0] - path.intrinsics[2:]) / path.intrinsics[:2], 1.0)
    camera = path.world_from_camera[rows[0]]
    point = camera[:3, :3] @ (bearing * covered[0]) + camera[:3, 3]
    seen = np.concatenate([local(path, int(row), point[None]) for row in rows])
    if (seen[:, 2] <= 0).any():
        return False
    at = projected(path, seen)
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
    seen = np.einsum("nji,nj->ni", cameras[:, :3, :3], point - centres)
    if (seen[:, 2] <= 0).any():
        return None
    strays_px = np.sqrt(((projected(path, seen) - pixels) ** 2).sum(axis=1).mean())
    # baseline across the line of sight, against the depth: its extent, and what it moves the point by
    sideways = np.einsum("nij,nj->ni", across, centres - centres.mean(axis=0)) / np.median(seen[:, 2])
    parallax = float(np.linalg.norm(np.ptp(sideways, axis=0)))
    moves_px = path.intrinsics[0] * np.sqrt((sideways**2).sum(axis=1).mean())
    still = strays_px < min(tolerance_px, _STRAYS_OF_PARALLAX * moves_px) and parallax > _MIN_PARALLAX
    return (seen[:, 2], parallax) if still else None
