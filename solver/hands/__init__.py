"""Finds and follows hands in a clip. See README.md."""

from __future__ import annotations

from collections.abc import Generator, Iterable

import numpy as np

from ..observations import HandTrack
from ..video import Clip
from .assemble import assemble
from .landmarks import Reading
from .lift import lifted
from .plugin import HandsProgress, HandTracker
from .tracker import DEFAULT_OPTIONS, HandBox, Step, Tracker, TrackerOptions

__all__ = ["HandBox", "HandTracker", "HandsProgress", "TrackerOptions", "track"]


def track(clip: Clip, options: TrackerOptions = DEFAULT_OPTIONS) -> Generator[HandsProgress, None, list[HandTrack]]:
    """All hands in ``clip``: yields progress after each frame, returns the tracks (longest first, [] without hands).

    Close the generator to cancel; nothing but its own memory is held.

    Raises:
        SolverError: ``model-missing``, or what reading the clip raises.
    """
    tracker = Tracker(clip, options)
    total = len(clip)
    for step in tracker.forward():
        yield _progress(step, step.number - clip.first_frame + 1, total)
    for step in tracker.backward():
        yield _progress(step, total, total)
    return lifted(assemble(tracker.trails, clip.size))


def _progress(step: Step, done: int, total: int) -> HandsProgress:
    return HandsProgress(done, total, step.number, _points(step.readings))


def _points(readings: Iterable[Reading]) -> np.ndarray:
    return np.array([reading.points_px for reading in readings]).reshape(-1, 21, 2)
