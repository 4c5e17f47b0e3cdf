"""What a clip is to the rest of the solver: numbered RGB frames that are read when they are asked for."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np

from ..errors import SolverError


class Frame(NamedTuple):
    """``image`` is (height, width, 3) uint8 RGB, C-contiguous, display orientation; treat it as read-only."""

    number: int
    image: np.ndarray


class FrameSource(Protocol):
    """Reads frames by index 0..count-1 in either direction; indices that can't be decoded are left out."""

    def forwards(self, start: int, stop: int) -> Iterator[tuple[int, np.ndarray]]:
        """Frames start, start + 1, ... stop - 1."""
        ...

    def backwards(self, start: int, stop: int) -> Iterator[tuple[int, np.ndarray]]:
        """Frames stop - 1, stop - 2, ... start."""
        ...


@dataclass(frozen=True)
class ClipWarning:
    """Something about the clip that the person should know; reading goes on. Fields as in ``SolverError``."""

    code: str
    sentence: str
    repair: str


@dataclass(frozen=True)
class Clip:
    """A movie or a numbered image sequence, opened but not held in memory.

    Attributes:
        path: the movie, or the first image of the sequence.
        size: (width, height) in px after the rotation metadata is applied.
        frame_rate: exact frames per second.
        first_frame, last_frame: the range that is read, inclusive, in the clip's own numbers: a movie's first frame
            is 1 (as in Blender), a sequence uses the numbers in its file names.
        frame_count: frames of the whole clip, whatever the range.
        warnings: what was odd about the clip.
    """

    path: Path
    size: tuple[int, int]
    frame_rate: Fraction
    first_frame: int
    last_frame: int
    frame_count: int
    warnings: tuple[ClipWarning, ...]
    source: FrameSource = dataclasses.field(repr=False, compare=False)
    number_of_index_zero: int = 1

    def __len__(self) -> int:
        return self.last_frame - self.first_frame + 1

    @property
    def frame_numbers(self) -> range:
        return range(self.first_frame, self.last_frame + 1)

    def frames(self, first: int | None = None, last: int | None = None) -> Iterator[Frame]:
        """Frames of the range (or of ``first``..``last`` within it, inclusive) in order."""
        start, stop = self._indices(first, last)
        return self._numbered(self.source.forwards(start, stop))

    def backwards(self, first: int | None = None, last: int | None = None) -> Iterator[Frame]:
        """The same frames, last one first, in bounded memory (about ``movie.BACKWARDS_BYTES``)."""
        start, stop = self._indices(first, last)
        return self._numbered(self.source.backwards(start, stop))

    def between(self, first: int | None, last: int | None) -> Clip:
        """The same clip cut to ``first``..``last`` (None: no limit on that side), inclusive.

        Raises:
            SolverError: ``clip-range-empty``.
        """
        low = self.first_frame if first is None else max(first, self.first_frame)
        high = self.last_frame if last is None else min(last, self.last_frame)
        if low > high:
            raise SolverError(
                "clip-range-empty",
                f"No frame of {self.path.name} lies in {first} to {last}; it has {self.first_frame} to "
                f"{self.last_frame}.",
                "Choose a frame range that lies inside the clip.",
            )
        return dataclasses.replace(self, first_frame=low, last_frame=high)

    def _indices(self, first: int | None, last: int | None) -> tuple[int, int]:
        cut = self.between(first, last) if first is not None or last is not None else self
        return cut.first_frame - self.number_of_index_zero, cut.last_frame - self.number_of_index_zero + 1

    def _numbered(self, indexed: Iterator[tuple[int, np.ndarray]]) -> Iterator[Frame]:
        for index, image in indexed:
            yield Frame(index + self.number_of_index_zero, image)
