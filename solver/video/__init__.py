"""Clips in, overlay movies out. See README.md."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path

from ..errors import SolverError
from .clip import Clip, ClipWarning, Frame
from .digest import content_digest
from .movie import open_movie
from .sequence import DEFAULT_RATE, is_sequence, open_sequence
from .writer import MovieWriter

__all__ = ["Clip", "ClipWarning", "Frame", "MovieWriter", "content_digest", "open_clip"]


def open_clip(
    path: str | os.PathLike[str],
    first: int | None = None,
    last: int | None = None,
    sequence_rate: Fraction = DEFAULT_RATE,
) -> Clip:
    """Open a movie, or the image sequence that an image, a folder or a ``name_%04d.png`` pattern stands for.

    Args:
        first, last: frame range, inclusive, in the clip's numbers (None: to its end).
        sequence_rate: frames per second of a sequence, which can't tell by itself.

    Raises:
        SolverError: ``clip-missing`` and the others that ``open_movie``, ``open_sequence`` and ``Clip.between`` name.
    """
    path = Path(path)
    if is_sequence(path):
        clip = open_sequence(path, sequence_rate)
    elif path.is_file():
        clip = open_movie(path)
    else:
        raise SolverError(
            "clip-missing", f"There is no file {path}.", "Choose the clip again; it may have been moved or renamed."
        )
    return clip.between(first, last)
