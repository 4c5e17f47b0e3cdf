"""What the size of a camera's world is likely to be before any hand is looked at: weak, broad, and never called sure.

Each gives log densities over the logarithm of metres per unit, and leaves a share for its being wrong.
"""

from __future__ import annotations

import numpy as np
from scipy.special import log_ndtr

from .cameras import CameraPath
from .scale_scene import LIKELY, Reading, Scene
from .scale_scene import log_densities as of_scene

# logarithms of metres per unit
GRID = np.linspace(np.log(1e-3), np.log(1e3), 2001)
# Indoors most of what a camera sees is some 1.4 m away, give or take a factor of 2.7.
_DEPTH_M, _DEPTH_SIGMA = 1.4, 1.0
# People who film their hands do not run: faster than this is unlikely (a soft bound on the logarithm).
_FAST_M_S, _FAST_SIGMA = 2.5, 0.2
# Over half a second, which leaves tremor out: (metres per second, sigma of the logarithm) of who walks or does not.
_WALKING, _STAYING, _CALM_S = (1.1, 0.3), (0.14, 0.9), 0.5
# How often people walk in each reading of a scene; steps show in the height of a camera that is walked with, and
# in others, seldom (of imagined worlds 0.85 and 0.03).
_WALKS = {Reading.FLOOR: 0.4, Reading.POINTS: 0.3, Reading.TABLE: 0.03, Reading.OTHER: 0.3}
_STEPS_SHOW, _STEPS_DECEIVE = 0.7, 0.05
# of each level surface that a reading does not explain
_UNEXPLAINED = 0.3
# Step length over step rate is 0.4 cm per step a minute in walking adults (Sekiya and Nagasaki 1998: 0.0064 m men,
# 0.0058 m women): at f steps a second a walker makes 60 * 0.006 f^2 m/s. Heads bob by some centimetres a step.
_WALK_RATIO, _WALK_SIGMA = 60 * 0.006, 0.22
_STEPS_HZ, _BAND_HZ, _MIN_STEPS, _PEAK_SHARE = (1.3, 2.4), (0.8, 6.0), 3.0, 0.5
# A hand's tremor has a peak there, too, often enough.
_BOB_SHARE_OF_STEP = (0.03, 0.2)
_NOTHING = 1e-12


def log_densities(
    path: CameraPath, scene: Scene, frame_s: float | None, log_scales: np.ndarray
) -> dict[Reading, np.ndarray]:
    """(g,) of all priors at ``log_scales`` (g,), for each way to read the scene.

    Args:
        frame_s: seconds between frames; None where it is not known, and speed says nothing.
    """
    depth = median_depth(path)
    common = -0.5 * ((log_scales + np.log(depth / _DEPTH_M)) / _DEPTH_SIGMA) ** 2 if depth else 0 * log_scales
    unread = len(scene.below) * np.log(_UNEXPLAINED) + np.log(LIKELY[Reading.OTHER]) + 0 * log_scales
    read = {**of_scene(scene, log_scales), Reading.OTHER: (unread, unread)}
    if not frame_s or (speed := _calm_speed(path, frame_s)) <= 0:
        return {reading: anyhow + common for reading, (anyhow, _) in read.items()}
    common = common + log_ndtr((np.log(_FAST_M_S / speed) - log_scales) / _FAST_SIGMA)
    upright = np.isfinite(path.up_sigma)
    walked = walking_speed(path.world_from_camera[:, :3, 3], frame_s) if upright else None
    shown = np.array([_STEPS_DECEIVE, _STEPS_SHOW])
    if walked is None:
        shown = 1 - shown if upright and _long_enough(len(path.world_from_camera), frame_s) else np.ones(2)
    walking, sigma = (walked, _WALK_SIGMA) if walked is not None else _WALKING
    walks = _normal(log_scales - np.log(walking / speed), sigma)
    stays = _normal(log_scales - np.log(_STAYING[0] / speed), _STAYING[1])
    found = {}
    for reading, (anyhow, standing) in read.items():
        stayed, went = np.array([1 - _WALKS[reading], _WALKS[reading]]) * shown
        in_place, on_the_way = np.log(stayed * stays + _NOTHING), np.log(went * walks + _NOTHING)
        found[reading] = np.logaddexp(anyhow + in_place, standing + on_the_way) + common
    return found


def _calm_speed(path: CameraPath, frame_s: float) -> float:
    """Units per second over the ground, in any direction where the vertical is unknown; 0 for a clip too short."""
    over = [0, 2] if np.isfinite(path.up_sigma) else [0, 1, 2]
    ground, step = path.world_from_camera[:, over, 3], max(1, round(_CALM_S / frame_s))
    if len(ground) <= step:
        return 0.0
    return float(np.median(np.linalg.norm(ground[step:] - ground[:-step], axis=1))) / (step * frame_s)


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


def walking_speed(centres: np.ndarray, frame_s: float) -> float | None:
    """Metres per second of whoever walks with a camera at (T, 3), y down, any units; None for who does not walk.

    Walking shows as one peak in the spectrum of the height, of a size that goes with the distance between steps.
    """
    count = len(centres)
    if not _long_enough(count, frame_s):
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


def _long_enough(count: int, frame_s: float) -> bool:
    """For steps to show."""
    return count * frame_s * _STEPS_HZ[0] >= _MIN_STEPS


def _normal(value: np.ndarray, sigma: float) -> np.ndarray:
    return np.exp(-0.5 * (value / sigma) ** 2) / (sigma * np.sqrt(2 * np.pi))
