"""How lively a hand is at each moment: smoothness must not be the same for a hand at rest and for one that is flung.

Seen across the viewing ray a hand's path is known to a few millimetres even where its depth is not, so a short window
of it tells real acceleration from noise. Depth is taken as slow here: its errors would pass for motion.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import convolve1d, median_filter, minimum_filter

from .layout import Layout, Track
from .observed import CameraBelief, Observations
from .state import State

# frames to each side whose path makes one acceleration, and over which accelerations are averaged
_HALF_WINDOW = 3
# frames over which the depth's median is taken
_SLOW_DEPTH = 31


def liveliness(layout: Layout, start: State, seen: Observations, camera: CameraBelief, deviation: float) -> np.ndarray:
    """(N,) root mean square acceleration of each hand across its viewing ray, per axis, over ``deviation``, the wrist
    process's (hand sizes per frame squared); 1 where there is too little to tell."""
    out = np.ones(layout.hand_count)
    for track in layout.tracks:
        known = seen.whitening[track.hands].any((1, 2, 3))
        if known.sum() > 2 * _HALF_WINDOW:
            out[track.hands] = _of_track(track, start, seen, camera, known) / deviation
    return out


def _of_track(track: Track, start: State, seen: Observations, camera: CameraBelief, known: np.ndarray) -> np.ndarray:
    centre = camera.centre[track.frames]
    depth = np.linalg.norm(start.hands.wrist[track.hands] - centre, axis=-1)
    slow = median_filter(depth, _SLOW_DEPTH, mode="nearest")
    path = (centre + seen.ray[track.hands] * slow[:, None]) / track.skeleton.length[0]
    frames, seen_frames = np.arange(track.count), np.flatnonzero(known)
    path = np.stack([np.interp(frames, seen_frames, column[known]) for column in path.T], axis=1)
    offsets = np.arange(-_HALF_WINDOW, _HALF_WINDOW + 1.0)
    # the second derivative of the parabola that fits a window best (Savitzky and Golay 1964)
    filter_ = np.linalg.pinv(np.stack([np.ones_like(offsets), offsets, offsets**2 / 2], axis=1))[2]
    acceleration = convolve1d(path, filter_, axis=0, mode="nearest")
    # two of three axes lie across the ray; a window with a gap in it says nothing
    whole = minimum_filter(known, len(offsets), mode="nearest")
    squares = np.where(whole, (acceleration**2).sum(1) / 2, 0.0)
    total, count = (convolve1d(values, np.ones(len(offsets)), mode="constant") for values in (squares, whole * 1.0))
    return np.sqrt(total / np.maximum(count, 1))
