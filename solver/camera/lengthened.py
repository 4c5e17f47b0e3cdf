"""A long clip out of a short one, played there and back: what a long take costs, without one lying about."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..observations import HandTrack
from ..video import Clip


@dataclass(frozen=True)
class _ThereAndBack:
    """``video.clip.FrameSource``: frame 0 to last to 0 and so on, neither end twice."""

    clip: Clip

    def forwards(self, start: int, stop: int) -> Iterator[tuple[int, np.ndarray]]:
        return self._walked(start, stop, ahead=True)

    def backwards(self, start: int, stop: int) -> Iterator[tuple[int, np.ndarray]]:
        return self._walked(start, stop, ahead=False)

    def _walked(self, start: int, stop: int, ahead: bool) -> Iterator[tuple[int, np.ndarray]]:
        leg = len(self.clip) - 1
        legs = range(start - start % leg, stop, leg)
        for first in legs if ahead else reversed(legs):
            returns = first // leg % 2 == 1
            for place, frame in enumerate(self.clip.backwards() if returns == ahead else self.clip.frames()):
                index = place if ahead else leg - place
                if index < leg and start <= first + index < stop:
                    yield first + index, frame.image


def there_and_back(clip: Clip, tracks: list[HandTrack], frames: int) -> tuple[Clip, list[HandTrack]]:
    """``clip`` (two frames or more) played to and fro for ``frames`` frames, from 1, and its hands."""
    longer = dataclasses.replace(
        clip, first_frame=1, last_frame=frames, frame_count=frames, source=_ThereAndBack(clip), number_of_index_zero=1
    )
    leg = len(clip) - 1
    row = np.arange(frames) % (2 * leg)
    shown = clip.first_frame + np.minimum(row, 2 * leg - row)
    return longer, [_repeated(track, shown) for track in tracks]


def _repeated(track: HandTrack, shown: np.ndarray) -> HandTrack:
    """``shown`` (T,): frame of the short clip that frames 1, 2, ... of the long one show."""
    place = np.minimum(np.searchsorted(track.frames, shown), len(track.frames) - 1)
    there = np.flatnonzero(track.frames[place] == shown)
    place = place[there]
    return dataclasses.replace(
        track, frames=there + 1, landmarks_px=track.landmarks_px[place], covariance_px=track.covariance_px[place],
        landmarks_m=track.landmarks_m[place], presence=track.presence[place],
    )  # fmt: skip
