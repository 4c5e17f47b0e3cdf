"""How far to trust each landmark: a 2D covariance per point and frame.

Measured on four real clips (573 hands) by reading each hand again mirrored and from jittered regions: points scatter
by 0.115 * sqrt(1 - presence) of the hand's size (correlation of the logarithms 0.83), alike for all 21 points, alike
along and across the direction of motion (blur speaks through presence), and 3 times as much outside the frame. What
both readings get wrong together no such comparison shows; ``_SHARED`` stands for it.
"""

from __future__ import annotations

import numpy as np

from .landmarks import Reading
from .trail import Trail

# Standard deviations in hand sizes: scatter at presence 0, and error that all readings of a frame share.
_SCATTER, _SHARED = 0.115, 0.01
_OUTSIDE = 3.0
# Points of the wrist and of each finger, judged together by how far a mirrored reading disagrees.
_FINGERS = (np.array([0]), *(np.arange(first, first + 4) for first in (1, 5, 9, 13, 17)))
# A finger's disagreement is shrunk towards the whole hand's as if the latter had been seen this many times more.
_PRIOR = 8.0
_LEAST, _MOST = 0.7, 4.0


def covariance_px(trail: Trail, size: tuple[int, int]) -> np.ndarray:
    """(n, 21, 2, 2) px^2 for the frames of ``trail`` in order; ``size`` (width, height) of the clip."""
    frames = trail.frames()
    readings = [trail.readings[frame] for frame in frames]
    scatter = np.array([scatter_px(reading, size) for reading in readings]) * _doubts(trail, frames, size)
    shared = _SHARED * np.array([reading.size_px for reading in readings])[:, None]
    return (scatter**2 + shared**2)[..., None, None] * np.eye(2)


def scatter_px(reading: Reading, size: tuple[int, int]) -> np.ndarray:
    """(21,) standard deviation that the presence of ``reading`` foretells."""
    outside = ~np.all((reading.points_px >= 0) & (reading.points_px <= size), axis=1)
    sigma = _SCATTER * np.sqrt(max(1 - reading.presence, 1e-4)) * reading.size_px
    return sigma * np.where(outside, _OUTSIDE, 1.0)


def _doubts(trail: Trail, frames: list[int], size: tuple[int, int]) -> np.ndarray:
    """(n, 21) factors on the scatter: what the mirrored readings found, in between interpolated."""
    known = [frame for frame in sorted(trail.mirrored) if frame in trail.readings]
    if not known:
        return np.ones((len(frames), 21))
    factors = np.log([disagreement(trail.readings[f], trail.mirrored[f], size) for f in known])
    return np.exp(np.stack([np.interp(frames, known, column) for column in factors.T], axis=1))


def disagreement(reading: Reading, mirrored: Reading, size: tuple[int, int]) -> np.ndarray:
    """(21,) observed over foretold scatter of two readings of one hand, finger by finger, within 0.7 .. 4."""
    # The difference of two readings has twice the variance of one.
    squares = ((reading.points_px - mirrored.points_px) ** 2).sum(axis=1) / 2 / scatter_px(reading, size) ** 2
    hand = squares.mean() / 2
    ratio = np.empty(21)
    for points in _FINGERS:
        ratio[points] = (squares[points].sum() + _PRIOR * hand) / (2 * len(points) + _PRIOR)
    return np.clip(np.sqrt(ratio), _LEAST, _MOST)
