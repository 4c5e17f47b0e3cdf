"""Finds and follows hands in a clip. See README.md."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from dataclasses import dataclass

import numpy as np

from ..observations import HandTrack
from ..video import Clip
from .assemble import assemble
from .landmarks import Reading
from .tracker import DEFAULT_OPTIONS, HandBox, Step, Tracker, TrackerOptions

__all__ = ["HandBox", "HandsProgress", "TrackerOptions", "track"]


@dataclass(frozen=True)
class HandsProgress:
    """After each frame. ``done`` of ``total`` steps; ``landmarks_px`` (k, 21, 2) of the hands seen in ``frame``."""

    done: int
    total: int
    frame: int
    landmarks_px: np.ndarray


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
    return assemble(tracker.trails, clip.size)


def _progress(step: Step, done: int, total: int) -> HandsProgress:
    return HandsProgress(done, total, step.number, _points(step.readings))


def _points(readings: Iterable[Reading]) -> np.ndarray:
    return np.array([reading.points_px for reading in readings]).reshape(-1, 21, 2)
