"""What the size of a camera's world is likely to be before any hand is looked at: weak, broad, and never called sure.

Each gives log densities over the logarithm of metres per unit, and leaves a share for its being wrong.
"""

from __future__ import annotations

import numpy as np
from scipy.special import log_ndtr

from .cameras import CameraPath
from .surfaces import LevelSurface

# Indoors most of what a camera sees is some 1.4 m away, give or take a factor of 2.2.
_DEPTH_M, _DEPTH_SIGMA = 1.4, 0.8
# A camera over a level surface: (share, metres, sigma of the logarithm). Eyes stand 1.55 m and sit 1.2 m above a floor;
# cameras are held about there; over a table they are 0.4 m (sitting) to 0.8 m (standing) up.
_HEIGHTS = ((0.3, 1.45, 0.15), (0.55, 0.58, 0.3))
# People who film their hands do not run: faster than this is unlikely (a soft bound on the logarithm).
_FAST_M_S, _FAST_SIGMA = 2.0, 0.25
# Step length over step rate is 0.4 cm per step a minute in walking adults (Sekiya and Nagasaki 1998: 0.0064 m men,
# 0.0058 m women): at f steps a second a walker makes 60 * 0.006 f^2 m/s. Heads bob by some centimetres a step.
_WALK_RATIO, _WALK_SIGMA = 60 * 0.006, 0.25
_STEPS_HZ, _BAND_HZ, _MIN_STEPS, _PEAK_SHARE = (1.3, 2.4), (0.8, 6.0), 3.0, 0.5
# A hand's tremor has a peak there, too, often enough.
_BOB_SHARE_OF_STEP, _WALKS = (0.03, 0.2), 0.5
_WRONG = 0.15


def log_density(
    path: CameraPath, surface: LevelSurface | None, frame_s: float | None, log_scales: np.ndarray
) -> np.ndarray:
    """(g,) of all priors at ``log_scales`` (g,).

    Args:
        frame_s: seconds between frames; None where it is not known, and speed says nothing.
    """
    depth = median_depth(path)
    total = -0.5 * ((log_scales + np.log(depth / _DEPTH_M)) / _DEPTH_SIGMA) ** 2 if depth else 0 * log_scales
    if surface is not None:
        height = float(np.median(surface.below(path.world_from_camera[:, :3, 3])))
        if height > 0:
            total = total + _of_height(log_scales + np.log(height), np.ptp(log_scales))
    if frame_s:
        total = total + _of_speed(path, frame_s, log_scales)
    return total


def median_depth(path: CameraPath) -> float | None:
    """Of the points in view, in units of the path; None where there are none."""
    depths = []
    for row in np.linspace(0, len(path.world_from_camera) - 1, 8).astype(int):
        camera = path.world_from_camera[row]
        local = (path.points - camera[:3, 3]) @ camera[:3, :3]
        local = local[local[:, 2] > 1e-9]
        at = local[:, :2] / local[:, 2:] * path.intrinsics[:2] + path.intrinsics[2:]
        depths += local[((at > 0) & (at < 2 * path.intrinsics[2:])).all(axis=1), 2].tolist()
    return float(np.median(depths)) if depths else None


def _of_height(log_height: np.ndarray, span: float) -> np.ndarray:
    density = np.full_like(log_height, _WRONG / span)
    for share, metres, sigma in _HEIGHTS:
        density += share * _normal(log_height - np.log(metres), sigma)
    return np.log(density)


def _of_speed(path: CameraPath, frame_s: float, log_scales: np.ndarray) -> np.ndarray:
    centres = path.world_from_camera[:, :3, 3]
    speed = float(np.median(np.linalg.norm(np.diff(centres, axis=0), axis=1))) / frame_s if len(centres) > 1 else 0.0
    if speed <= 0:
        return 0 * log_scales
    total = log_ndtr((np.log(_FAST_M_S / speed) - log_scales) / _FAST_SIGMA)
    walked = walking_speed(centres, frame_s)
    if walked is not None:
        density = _WALKS * _normal(log_scales - np.log(walked / speed), _WALK_SIGMA)
        total = total + np.log(density + (1 - _WALKS) / np.ptp(log_scales))
    return total


def walking_speed(centres: np.ndarray, frame_s: float) -> float | None:
    """Metres per second of whoever walks with a camera at (T, 3), y down, any units; None for who does not walk.

    Walking shows as one peak in the spectrum of the height, of a size that goes with the distance between steps.
    """
    count = len(centres)
    if count * frame_s * _STEPS_HZ[0] < _MIN_STEPS:
        return None
    times = np.arange(count) * frame_s
    height = centres[:, 1] - np.polyval(np.polyfit(times, centres[:, 1], 3), times)
    frequencies = np.fft.rfftfreq(8 * count, frame_s)
    power = np.abs(np.fft.rfft(height * np.hanning(count), 8 * count)) ** 2
    band = (frequencies > _BAND_HZ[0]) & (frequencies < _BAND_HZ[1])
    peak = int(np.flatnonzero(band)[power[band].argmax()]) if band.any() else 0
    steps_hz = float(frequencies[peak])
    if not _STEPS_HZ[0] <= steps_hz <= _STEPS_HZ[1]:
        return None
    # the window spreads a pure tone over two of the clip's own frequency steps to either side
    near = np.abs(frequencies - steps_hz) <= 2 / (count * frame_s)
    if power[band & near].sum() < _PEAK_SHARE * power[band].sum():
        return None
    bob = 4 * np.sqrt(power[peak]) / np.hanning(count).sum()
    ground = np.linalg.norm(np.diff(centres[:, [0, 2]], axis=0), axis=1).sum() / (count - 1) / frame_s
    low, high = _BOB_SHARE_OF_STEP
    return _WALK_RATIO * steps_hz**2 if low < bob * steps_hz / max(ground, 1e-12) < high else None


def _normal(value: np.ndarray, sigma: float) -> np.ndarray:
    return np.exp(-0.5 * (value / sigma) ** 2) / (sigma * np.sqrt(2 * np.pi))
