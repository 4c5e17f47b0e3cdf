"""Masks that an artist made: they are the truth. Mattes (movies or image sequences) and drawn shapes."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from ..errors import SolverError
from ..video import Clip, Frame, open_clip

# what a mask may be of: one hand, or hands without saying whose; or a file of shapes, which names its own
OF = ("left", "right", "hands")
SHAPES = "shapes"


class Source(Protocol):
    """Masks by frame."""

    def at(self, number: int, of: str) -> np.ndarray | None:
        """(height, width) uint8, 255 inside, of ``of`` (one of OF) in a frame of the clip; None where there is none."""
        ...


class Masks:
    """All of an artist's masks for a clip."""

    def __init__(self, sources: tuple[Source, ...]) -> None:
        self._sources = sources

    def __bool__(self) -> bool:
        return bool(self._sources)

    def at(self, number: int, side: str) -> np.ndarray | None:
        """The mask of one hand in a frame: its own where there is one, else that of hands in general."""
        for of in (side, "hands"):
            found = [mask for source in self._sources if (mask := source.at(number, of)) is not None]
            if found:
                return np.maximum.reduce(found)
        return None


NONE = Masks(())


def open_masks(described: Mapping[str, str], clip: Clip) -> Masks:
    """Open masks: by what they are of (``OF``) the path of a matte, by ``SHAPES`` that of a file of shapes.

    Raises:
        SolverError: ``mask-not-known``, ``mask-not-readable``, ``mask-other-size``, ``mask-other-frames``, or a clip's
            own errors.
    """
    return Masks(tuple(_opened(of, path, clip) for of, path in described.items()))


def _opened(of: str, path: str, clip: Clip) -> Source:
    if of not in (*OF, SHAPES):
        raise SolverError(
            "mask-not-known", f"A mask can't be of {of!r}.", f"Name it one of {', '.join((*OF, SHAPES))}."
        )
    try:
        return read_shapes(path, clip) if of == SHAPES else Matte(path, of, clip)
    except SolverError as error:  # a matte is opened as clips are: say that it is not the clip that fails
        own = error.code.startswith("mask-")
        repair = error.repair if own else f"Choose another file for the mask of {of!r}, or leave it out."
        raise SolverError(error.code, f"Mask of {of!r}: {error.sentence}", repair) from error


class Matte:
    """A movie or image sequence whose frames have the clip's numbers; white is inside."""

    def __init__(self, path: str, of: str, clip: Clip) -> None:
        self._of, self._clip = of, open_clip(path)
        _check_size(path, self._clip.size, clip.size)
        numbers = set(self._clip.frame_numbers) & set(clip.frame_numbers)
        if not numbers:
            raise SolverError(
                "mask-other-frames",
                f"The mask {Path(path).name} has frames {self._clip.first_frame} to {self._clip.last_frame}, "
                f"of which the clip has none ({clip.first_frame} to {clip.last_frame}).",
                "Number the mask's images as the clip's frames are numbered.",
            )
        self._numbers = numbers
        self._frames: Iterator[Frame] | None = None
        self._current: Frame | None = None

    def at(self, number: int, of: str) -> np.ndarray | None:
        if of != self._of or number not in self._numbers:
            return None
        if self._current is None or number < self._current.number:
            self._frames = self._clip.frames(number, None)
            self._current = next(self._frames, None)
        while self._current is not None and self._current.number < number:
            self._current = next(self._frames, None)
        if self._current is None or self._current.number != number:
            return None
        return self._current.image.max(axis=2)


class Shapes:
    """Polygons by frame.

    Args:
        size: (width, height) px.
        polygons: by (frame, of): polygons (n, 2) px of the clip with whether they add to the mask or cut from it, in
            order.
    """

    def __init__(
        self, size: tuple[int, int], polygons: Mapping[tuple[int, str], list[tuple[np.ndarray, bool]]]
    ) -> None:
        self._size, self._polygons = size, polygons

    def at(self, number: int, of: str) -> np.ndarray | None:
        found = self._polygons.get((number, of))
        if found is None:
            return None
        mask = np.zeros(self._size[::-1], np.uint8)
        for points, adds in found:
            corners = np.rint((np.clip(points, -1e5, 1e5) - 0.5) * 16).astype(np.int32)
            cv2.fillPoly(mask, [corners], 255 if adds else 0, cv2.LINE_AA, shift=4)
        return mask


def read_shapes(path: str, clip: Clip) -> Shapes:
    """A file of shapes: ``frames`` (p,), ``of`` (p,) names, ``adds`` (p,) bool, ``starts`` (p + 1,) into ``points``
    (n, 2) px, ``size`` (2,), one entry per polygon.

    Raises:
        SolverError: ``mask-not-readable``, ``mask-other-size``.
    """
    try:
        with np.load(io.BytesIO(Path(path).read_bytes()), allow_pickle=False) as data:
            frames, of, adds = data["frames"].tolist(), data["of"].tolist(), data["adds"].tolist()
            parts = np.split(data["points"], data["starts"][1:-1])
            size = tuple(data["size"].tolist())
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise SolverError(
            "mask-not-readable", f"{path} holds no masks that can be read.", "Draw the masks again, or leave them out."
        ) from error
    _check_size(path, size, clip.size)
    polygons: dict[tuple[int, str], list[tuple[np.ndarray, bool]]] = {}
    for frame, name, adding, points in zip(frames, of, adds, parts, strict=True):
        polygons.setdefault((frame, name), []).append((points, bool(adding)))
    return Shapes(size, polygons)


def _check_size(path: str, size: tuple[int, int], wanted: tuple[int, int]) -> None:
    if tuple(size) != tuple(wanted):
        raise SolverError(
            "mask-other-size",
            f"The mask {Path(path).name} is {size[0]} x {size[1]}, the clip {wanted[0]} x {wanted[1]}.",
            "Render the mask at the clip's size.",
        )
