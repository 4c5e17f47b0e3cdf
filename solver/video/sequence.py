"""Numbered image sequences."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from ..errors import SolverError
from ..wording import counted
from .clip import Clip
from .images import SUFFIXES, read_image

DEFAULT_RATE = Fraction(24)
_LAST_NUMBER = re.compile(r"^(?P<prefix>.*?)(?P<number>\d+)(?P<suffix>\D*)$")
_PLACEHOLDER = re.compile(r"%0?\d*d|#+")


@dataclass(frozen=True)
class SequenceSource:
    """``clip.FrameSource`` of image files, all of ``size`` (width, height)."""

    files: tuple[Path, ...]
    size: tuple[int, int]

    def forwards(self, start: int, stop: int) -> Iterator[tuple[int, np.ndarray]]:
        for index in range(start, stop):
            yield index, self._read(index)

    def backwards(self, start: int, stop: int) -> Iterator[tuple[int, np.ndarray]]:
        for index in reversed(range(start, stop)):
            yield index, self._read(index)

    def _read(self, index: int) -> np.ndarray:
        image = read_image(self.files[index])
        if image.shape[1::-1] != self.size:
            raise SolverError(
                "clip-size-changes",
                f"{self.files[index].name} is {image.shape[1]}x{image.shape[0]}, the first image {self.size[0]}x"
                f"{self.size[1]}.",
                "Export the sequence again with one size.",
            )
        return image


def is_sequence(path: Path) -> bool:
    """Does ``path`` name images (a folder, a pattern, an image) rather than a movie?"""
    return path.is_dir() or path.suffix.lower() in SUFFIXES


def open_sequence(path: Path, rate: Fraction = DEFAULT_RATE) -> Clip:
    """Open the sequence of one of its images, of a folder, or of ``name_%04d.png`` / ``name_####.png``.

    Raises:
        SolverError: ``clip-missing``, ``clip-one-frame``, ``clip-frames-missing``, ``clip-ambiguous``,
            ``clip-frame-unreadable``.
    """
    numbered = _find(path)
    first, last = min(numbered), max(numbered)
    if first == last:
        raise SolverError(
            "clip-one-frame",
            f"{numbered[first].name} is a single image, not a numbered sequence.",
            "Choose a movie, or images whose names end in a frame number.",
        )
    _refuse_gaps(numbered, first, last)
    files = tuple(numbered[number] for number in range(first, last + 1))
    height, width = read_image(files[0]).shape[:2]
    source = SequenceSource(files, (width, height))
    return Clip(files[0], (width, height), rate, first, last, len(files), (), source, first)


def _find(path: Path) -> dict[int, Path]:
    """Files by frame number."""
    if path.is_dir():
        return _only_sequence(path)
    if _PLACEHOLDER.search(path.name):
        prefix, suffix = _PLACEHOLDER.split(path.name, maxsplit=1)
    elif not path.is_file():
        raise _missing(path)
    elif match := _LAST_NUMBER.match(path.name.removesuffix(path.suffix)):
        prefix, suffix = match["prefix"], match["suffix"] + path.suffix
    else:
        return {0: path}
    found = _groups(path.parent).get((prefix, suffix))
    if not found:
        raise _missing(path)
    return found


def _groups(folder: Path) -> dict[tuple[str, str], dict[int, Path]]:
    groups: dict[tuple[str, str], dict[int, Path]] = defaultdict(dict)
    if not folder.is_dir():
        return groups
    for file in sorted(folder.iterdir()):
        match = _LAST_NUMBER.match(file.name.removesuffix(file.suffix))
        if match and file.suffix.lower() in SUFFIXES and file.is_file():
            groups[match["prefix"], match["suffix"] + file.suffix][int(match["number"])] = file
    return groups


def _only_sequence(folder: Path) -> dict[int, Path]:
    groups = [group for group in _groups(folder).values() if len(group) > 1]
    if not groups:
        raise SolverError(
            "clip-missing",
            f"The folder {folder} holds no numbered images.",
            "Choose a movie, or images whose names end in a frame number.",
        )
    if len(groups) > 1:
        names = ", ".join(sorted(group[min(group)].name for group in groups)[:3])
        raise SolverError(
            "clip-ambiguous",
            f"The folder {folder} holds {len(groups)} sequences ({names}).",
            "Choose the first image of the one to solve.",
        )
    return groups[0]


def _refuse_gaps(numbered: dict[int, Path], first: int, last: int) -> None:
    missing = last - first + 1 - len(numbered)
    if missing:
        gap = next(number for number in range(first, last) if number not in numbered)
        raise SolverError(
            "clip-frames-missing",
            f"The sequence {numbered[first].name} lacks {counted(missing, 'image')}, the first is frame {gap}.",
            "Put the missing images back, or rename the sequence without the gap.",
        )


def _missing(path: Path) -> SolverError:
    return SolverError("clip-missing", f"There is no file {path}.", "Choose the clip again; it may have been moved.")
