"""A take drawn over its clip: as a movie, and as a contact sheet."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from .. import take as takes
from ..atomic import require_other
from ..errors import SolverError
from ..video import MovieWriter, content_digest, open_clip
from .drawing import Style, TakeDrawing

MOVIE_FORMATS, SHEET_FORMATS = (".mp4",), (".png", ".jpg")
SHEET_COLUMNS, SHEET_ROWS, SHEET_CELL_WIDTH = 4, 4, 480


def render(
    take_path: str | os.PathLike[str],
    movie: str | os.PathLike[str] | None,
    sheet: str | os.PathLike[str] | None,
    clip_path: str | os.PathLike[str] | None = None,
    model: str = "auto",
    style: Style = Style.FILLED,
) -> Iterator[tuple[int, int]]:
    """Write the overlay movie and/or the contact sheet; yields (frames done, frames in all).

    Raises:
        SolverError: ``unknown-format`` by an output's name, the take or the clip can't be read, ``clip-changed`` when
            it is another clip, or the output can't be written.
    """
    _check_format(movie, "--output", "movie", MOVIE_FORMATS)
    _check_format(sheet, "--sheet", "picture", SHEET_FORMATS)
    take = takes.load(take_path)
    for output in (movie, sheet):
        require_other(output, take_path, clip_path or take.clip_path)
    clip = open_clip(clip_path or take.clip_path, int(take.frames[0]), int(take.frames[-1]), Fraction(*take.frame_rate))
    if take.clip_sha256 and content_digest(clip) != take.clip_sha256:
        raise SolverError(
            "clip-changed", f"{clip.path} is not the clip that was solved.", "Choose the clip that the take belongs to."
        )
    drawn = TakeDrawing(take, model, style)
    drawn.prepare(clip)
    writer = MovieWriter(movie, take.size, Fraction(*take.frame_rate)) if movie else None
    wanted = set(_sheet_frames(take.frames).tolist()) if sheet else set()
    cells = []
    with writer or contextlib.nullcontext():
        for done, frame in enumerate(clip.frames(), start=1):
            picture = drawn.over(frame.image, frame.number)
            if writer:
                writer.write(picture)
            if frame.number in wanted:
                cells.append(_cell(picture, frame.number))
            yield done, len(take.frames)
    if sheet:
        _write_sheet(cells, Path(sheet))


def _check_format(path: str | os.PathLike[str] | None, option: str, kind: str, formats: tuple[str, ...]) -> None:
    if path and Path(path).suffix.lower() not in formats:
        wanted = f"Give {option} a name that ends in {' or '.join(formats)}."
        raise SolverError("unknown-format", f"{path} names no kind of {kind} that is written here.", wanted)


def _sheet_frames(frames: np.ndarray) -> np.ndarray:
    return frames[np.unique(np.linspace(0, len(frames) - 1, SHEET_COLUMNS * SHEET_ROWS).round().astype(int))]


def _cell(picture: np.ndarray, frame: int) -> np.ndarray:
    scale = SHEET_CELL_WIDTH / picture.shape[1]
    cell = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    cv2.putText(cell, str(frame), (8, 22), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (255, 255, 255), 2, cv2.LINE_AA)
    return cell


def _write_sheet(cells: list[np.ndarray], path: Path) -> None:
    columns = min(SHEET_COLUMNS, len(cells))
    cells = cells + [np.zeros_like(cells[0])] * (-len(cells) % columns)
    rows = [np.hstack(cells[i : i + columns]) for i in range(0, len(cells), columns)]
    content = cv2.imencode(path.suffix, np.vstack(rows)[..., ::-1])[1]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.tobytes())
    except OSError as error:
        raise SolverError(
            "sheet-not-writable",
            f"The contact sheet could not be written to {path} ({error.strerror}).",
            "Choose a folder that you may write to.",
        ) from error
