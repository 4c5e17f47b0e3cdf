"""Finds and follows hands in a clip. See README.md."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np

from ..observations import HandTrack
from ..video import Clip
from .tracker import Tracker, TrackerOptions
from .trail import Trail

__all__ = ["DEFAULT_OPTIONS", "HandsProgress", "TrackerOptions", "track"]

DEFAULT_OPTIONS = TrackerOptions()


@dataclass(frozen=True)
class HandsProgress:
    """After each frame. ``done`` of ``total`` steps; ``landmarks_px`` (k, 21, 2) of the hands seen in ``frame``."""

    done: int
    total: int
    frame: int
    landmarks_px: np.ndarray


def track(clip: Clip, options: TrackerOptions = DEFAULT_OPTIONS) -> Generator[HandsProgress, None, list[HandTrack]]:
    """All hands in ``clip``: yields progress after each frame, returns the tracks. Close the generator to cancel."""
    tracker = Tracker(clip, options)
    n = len(clip)
    for number, readings in tracker.forward():
        yield HandsProgress(number - clip.first_frame + 1, 2 * n, number, _points(readings))
    for number, readings in tracker.backward():
        yield HandsProgress(2 * n - (number - clip.first_frame), 2 * n, number, _points(readings))
    return [_track(trail) for trail in tracker.trails if len(trail.readings) > 5]


def _points(readings) -> np.ndarray:
    return np.array([reading.points_px for reading in readings]).reshape(-1, 21, 2)


def _track(trail: Trail) -> HandTrack:
    frames = sorted(trail.readings)
    readings = [trail.readings[f] for f in frames]
    odds = float(sum(r.right_log_odds for r in readings))
    sigma = np.array([0.02 * r.size_px for r in readings])
    return HandTrack(
        "right" if odds > 0 else "left",
        odds,
        np.array(frames),
        np.array([r.points_px for r in readings]),
        (sigma**2)[:, None, None, None] * np.broadcast_to(np.eye(2), (len(frames), 21, 2, 2)),
        np.array([r.points_m for r in readings]),
        np.array([r.presence for r in readings]),
    )
