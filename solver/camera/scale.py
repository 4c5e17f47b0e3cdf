"""How many metres one unit of a solved path is. Never asked of the hands' smoothness.

In ``world = R h + s C`` the image of the hands says nothing about s, and the s that makes hands move least shrinks the
world when they are carried with the camera. What does say something:

- **Still hands.** A landmark that a static point explains over a stretch with parallax has the depth of that point.
  A hand that is carried along has none (its point lies at infinity) and drops out by itself.
- **Contact.** A fingertip that sticks to what it covers, while that moves through the image, mostly touches it: its
  metric depth over the depth of the points around it is s.
- **In front.** A hand is in front of the background that it covers, so that ratio is never above s: a lower bound.
- A weak prior: indoors, most of what a camera sees is some 1.4 m away. Alone it is a guess, and said to be one.

All go into one likelihood on a grid of log s; its median and 95 % interval are the answer (DESIGN.md, section 7).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import log_ndtr

from ..observations import HandTrack
from .cameras import CameraPath, ScaleEstimate, undistort

_FINGERTIPS = (4, 8, 12, 16, 20)
# Of depth by the hand's apparent size, per frame and for one person's whole hand against the population's.
_DEPTH_NOISE, _HAND_SIZE_SIGMA = 0.08, 0.12
# The hand tracker's landmarks put hands too far away: 1.05 to 1.4 times for the two people in four rendered clips (none
# of the benchmark's test suite), 1.2 for a hand of the mean length. A measured hand leaves this much.
TRACKER_BIAS, _MEAN_HAND_M, _MEASURED_HAND_SIGMA = 1.2, 0.184, 0.06
# What lies around a fingertip in the image may also lie before it: the bound is soft.
_BOUND_NOISE = 0.25
# Points within this share of the hand's size around a fingertip are what it covers.
_NEIGHBOURHOOD, _MIN_NEIGHBOURS = 0.6, 4
# Both tests slide over the track. What sticks moves less than the tolerance (share of the hand's size) against the
# background, while the background moves through the image by several times that.
_WINDOW_FRAMES, _TOLERANCE, _MIN_MOTION = 12, 0.02, 4.0
_MIN_PARALLAX = 0.04
# stretches over which a hand may be still, and how far it may drift in one all the same
_STILL_FRAMES, _DRIFT_M = (12, 30), 0.008
_LANDMARKS, _MIN_AGREEING = (0, 4, 5, 8, 9, 12, 13, 16, 17, 20), 2
# Some of what passes the tests is wrong: hands that hover, or move along with the camera for a while.
_CONTACT_SHARE, _GAP_IN_FRONT, _OUTLIERS = 0.6, 0.3, 0.1
_PRIOR_DEPTH_M, _PRIOR_SIGMA = 1.4, 0.8
_DETERMINED_WIDTH = 0.35
_GRID = np.linspace(np.log(1e-3), np.log(1e3), 4001)


@dataclass(frozen=True)
class _Evidence:
    """Logarithms of metres per unit: one value per stretch that passed the test; ``bound`` is -inf without any.

    ``still`` (n, 2): with the one-sigma of each.
    """

    still: np.ndarray
    contact: np.ndarray
    bound: float


@dataclass(frozen=True)
class _Hand:
    """One track against the path: ``rows`` (n,), ideal ``pixels`` (n, 21, 2), metric ``depth_m`` (n, 21).

    ``covered`` (n, 5): depth, in units of the path, of what each fingertip covers; NaN where nothing is known there.
    """

    rows: np.ndarray
    pixels: np.ndarray
    depth_m: np.ndarray
    covered: np.ndarray


def estimate(
    path: CameraPath, tracks: list[HandTrack], first_frame: int, hand_length_m: float | None = None
) -> ScaleEstimate:
    """Metres per unit of ``path`` (general, any units; one world), from the hands' apparent size.

    Args:
        tracks: with ``landmarks_m``; those without say nothing.
        first_frame: the frame number of the path's first row.
        hand_length_m: of all hands, wrist to middle fingertip; None for the mean of many people's.
    """
    size = (hand_length_m or _MEAN_HAND_M) / _MEAN_HAND_M / TRACKER_BIAS
    hands = [hand for track in tracks if (hand := _hand(path, track, first_frame, size)) is not None]
    ratios = [(hand.depth_m[:, _FINGERTIPS] / hand.covered).ravel() for hand in hands]
    ratio = np.concatenate([np.zeros(0), *ratios])
    ratio = ratio[np.isfinite(ratio) & (ratio > 0)]
    evidence = _Evidence(
        np.array([value for hand in hands for value in _still(path, hand)]).reshape(-1, 2),
        np.array([value for hand in hands for value in _contacts(path, hand)]),
        float(np.log(np.percentile(ratio, 90))) if len(ratio) >= _WINDOW_FRAMES else -np.inf,
    )
    return _answer(evidence, _prior(path), _HAND_SIZE_SIGMA if hand_length_m is None else _MEASURED_HAND_SIGMA)


def _hand(path: CameraPath, track: HandTrack, first_frame: int, size: float) -> _Hand | None:
    rows = track.frames - first_frame
    inside = (rows >= 0) & (rows < len(path.world_from_camera)) & np.isfinite(track.landmarks_m).all(axis=(1, 2))
    if inside.sum() < _WINDOW_FRAMES:
        return None
    rows = rows[inside]
    pixels = undistort(track.landmarks_px[inside], path.intrinsics, path.distortion, path.distortion_model)
    depth_m = placed(size * track.landmarks_m[inside], pixels, path.intrinsics)[..., 2]
    points = path.points[path.point_errors_px < 3 * np.median([1.0, *path.point_errors_px]).clip(1.0)]
    covered = np.stack([_covered(path, int(row), points, hand) for row, hand in zip(rows, pixels, strict=True)])
    return _Hand(rows, pixels, depth_m, covered)


def placed(landmarks_m: np.ndarray, pixels: np.ndarray, intrinsics: np.ndarray) -> np.ndarray:
    """(n, 21, 3) hands of known shape moved to where they project to ``pixels`` (n, 21, 2): least squares, linear."""
    bearing = (pixels - intrinsics[2:]) / intrinsics[:2]
    n = len(landmarks_m)
    # (p + t)_xy = bearing (p + t)_z
    rows = np.zeros((n, 21, 2, 3))
    rows[:, :, 0, 0] = rows[:, :, 1, 1] = 1
    rows[..., 2] = -bearing
    right = bearing * landmarks_m[..., 2:] - landmarks_m[..., :2]
    rows, right = rows.reshape(n, 42, 3), right.reshape(n, 42)
    normal = np.einsum("nki,nkj->nij", rows, rows)
    move = np.linalg.solve(normal, np.einsum("nki,nk->ni", rows, right)[..., None])[..., 0]
    return landmarks_m + move[:, None]


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


def _windows(hand: _Hand, frames: int) -> list[tuple[slice, float]]:
    """Stretches of the track one after the other, with the tolerance in px that holds there."""
    found = []
    for start in range(0, len(hand.rows) - frames + 1, frames):
        part = slice(start, start + frames)
        if hand.rows[part][-1] - hand.rows[part][0] <= 2 * frames:
            size = float(np.median(np.ptp(hand.pixels[part], axis=1).max(axis=1)))
            found.append((part, _TOLERANCE * size))
    return found


def _still(path: CameraPath, hand: _Hand) -> list[tuple[float, float]]:
    """log(landmark depth / depth of the static point that explains it) and its sigma, per stretch that has one.

    What passes for still may drift by some millimetres: against a short baseline that is a large error of depth.
    """
    found = []
    for frames in _STILL_FRAMES:
        for part, tolerance in _windows(hand, frames):
            values, baselines = [], []
            for landmark in _LANDMARKS:
                static = _static_point(path, hand.rows[part], hand.pixels[part, landmark], tolerance)
                if static is not None:
                    depth_m = float(np.median(hand.depth_m[part, landmark]))
                    values.append(np.median(hand.depth_m[part, landmark] / static[0]))
                    baselines.append(static[1] * depth_m)
            if len(values) >= len(_LANDMARKS) // 2:
                sigma = np.hypot(_DEPTH_NOISE, _DRIFT_M / np.median(baselines))
                found.append((float(np.log(np.median(values))), float(sigma)))
    return found


def _contacts(path: CameraPath, hand: _Hand) -> list[float]:
    """log(fingertip depth / depth of what it covers), per stretch over which fingertips stick to that."""
    found = []
    for part, tolerance in _windows(hand, _WINDOW_FRAMES):
        values = []
        for i, tip in enumerate(_FINGERTIPS):
            if _sticks(path, hand.rows[part], hand.pixels[part, tip], hand.covered[part, i], tolerance):
                values.append(np.nanmedian(hand.depth_m[part, tip] / hand.covered[part, i]))
        if len(values) >= _MIN_AGREEING:
            found.append(float(np.log(np.median(values))))
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
    error = np.linalg.norm(_projected(path, local) - pixels, axis=1)
    # baseline across the line of sight, against the depth
    sideways = np.einsum("nij,nj->ni", across, centres - centres.mean(axis=0))
    parallax = np.linalg.norm(np.ptp(sideways, axis=0)) / np.median(local[:, 2])
    still = np.sqrt((error**2).mean()) < tolerance_px and parallax > _MIN_PARALLAX
    return (local[:, 2], float(parallax)) if still else None


def _prior(path: CameraPath) -> float:
    """log of the metres per unit that put what the cameras see at its usual depth."""
    depths = []
    for row in np.linspace(0, len(path.world_from_camera) - 1, 8).astype(int):
        local = _local(path, int(row), path.points)
        local = local[local[:, 2] > 1e-9]
        at = _projected(path, local)
        seen = ((at > 0) & (at < 2 * path.intrinsics[2:])).all(axis=1)
        depths += local[seen, 2].tolist()
    return float(np.log(_PRIOR_DEPTH_M / np.median(depths))) if depths else 0.0


def _answer(evidence: _Evidence, prior: float, hand_sigma: float) -> ScaleEstimate:
    likelihood = -0.5 * ((_GRID - prior) / _PRIOR_SIGMA) ** 2
    for value, sigma in evidence.still:
        likelihood = likelihood + np.log((1 - _OUTLIERS) * _hit(value, sigma) + _OUTLIERS / np.ptp(_GRID))
    for value in evidence.contact:
        in_front = np.where(value < _GRID, np.exp(-(_GRID - value) / _GAP_IN_FRONT) / _GAP_IN_FRONT, 0.0)
        free = 1 - _CONTACT_SHARE - _OUTLIERS
        likelihood = likelihood + np.log(_CONTACT_SHARE * _hit(value) + free * in_front + _OUTLIERS / np.ptp(_GRID))
    if np.isfinite(evidence.bound):
        likelihood = likelihood + log_ndtr((_GRID - evidence.bound) / _BOUND_NOISE)
    density = _blurred(np.exp(likelihood - likelihood.max()), hand_sigma)
    low, middle, high = np.interp([0.025, 0.5, 0.975], np.cumsum(density) / density.sum(), _GRID)
    determined = bool(high - low < 2 * _DETERMINED_WIDTH)
    cues = [("still hands", len(evidence.still)), ("contact", len(evidence.contact))]
    names = tuple(name for name, count in cues if count) if determined else ("guess",)
    return ScaleEstimate(
        float(np.exp(middle)), float(np.exp(low - middle)), float(np.exp(high - middle)), determined, names
    )


def _hit(value: float, sigma: float = _DEPTH_NOISE) -> np.ndarray:
    return np.exp(-0.5 * ((_GRID - value) / sigma) ** 2) / (sigma * np.sqrt(2 * np.pi))


def _blurred(density: np.ndarray, hand_sigma: float) -> np.ndarray:
    """One person's hands have one size: its uncertainty does not shrink with the number of stretches."""
    step = _GRID[1] - _GRID[0]
    reach = np.arange(-int(4 * hand_sigma / step), int(4 * hand_sigma / step) + 1) * step
    return np.convolve(density, np.exp(-0.5 * (reach / hand_sigma) ** 2), "same")
