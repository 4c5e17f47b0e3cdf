"""The one interface of hand trackers: ours, and any other that finds hands in a clip."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ..observations import HandTrack
from ..video import Clip


@dataclass(frozen=True)
class HandsProgress:
    """After each frame. ``done`` of ``total`` steps; ``landmarks_px`` (k, 21, 2) of the hands seen in ``frame``."""

    done: int
    total: int
    frame: int
    landmarks_px: np.ndarray


class HandTracker(Protocol):
    """Yields progress at least once a frame, so that closing the generator cancels it there; returns the tracks.

    A track has 2D landmarks with covariance, a side with its log-odds and a presence per frame; ``landmarks_m`` is NaN
    if the tracker has no metric hand. Frames in which a hand is not seen are absent; a clip without hands gives [].
    """

    def __call__(self, clip: Clip) -> Generator[HandsProgress, None, list[HandTrack]]: ...
