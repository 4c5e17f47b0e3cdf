"""Movies by PyAV: decoded in order, or backwards from keyframe to keyframe in bounded memory."""

from __future__ import annotations

import contextlib
import itertools
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np

from ..errors import SolverError
from ..wording import counted
from .clip import Clip, ClipWarning
from .movie_index import MovieIndex, decodable, read_index

# Decoded pictures held while going backwards; stored as the codec's own planes, half the size of RGB.
BACKWARDS_BYTES = 256 * 2**20
# Pixels that deviate from a square by less are taken for one.
_SQUARE = 0.02
FIRST_MOVIE_FRAME = 1


@dataclass(frozen=True)
class MovieSource:
    """``clip.FrameSource`` of a movie."""

    path: Path
    index: MovieIndex

    def forwards(self, start: int, stop: int) -> Iterator[tuple[int, np.ndarray]]:
        for index, picture in self._pictures(start, stop):
            yield index, to_rgb(picture)

    def backwards(self, start: int, stop: int) -> Iterator[tuple[int, np.ndarray]]:
        while stop > start:
            chunk = self._last_pictures(start, stop)
            if not chunk:
                return
            for index, picture in reversed(chunk):
                yield index, to_rgb(picture)
            stop = chunk[0][0]

    def _last_pictures(self, start: int, stop: int) -> list[tuple[int, av.VideoFrame]]:
        """As many pictures before ``stop`` as fit into memory, from the keyframe that leads to them."""
        keys = self.index.keyframes_before(stop - 1)
        key = int(np.searchsorted(self.index.pts, keys[0])) if keys else 0
        kept: deque[tuple[int, av.VideoFrame]] = deque()
        for item in self._pictures(max(start, min(key, stop - 1)), stop):
            if kept.maxlen is None:
                bytes_each = sum(plane.buffer_size for plane in item[1].planes)
                kept = deque(maxlen=max(2, BACKWARDS_BYTES // bytes_each))
            kept.append(item)
        return list(kept)

    def _pictures(self, start: int, stop: int) -> Iterator[tuple[int, av.VideoFrame]]:
        """Decoded pictures of frames start..stop-1; a picture that a variable rate shows n times comes n times."""
        wanted = self.index.pts
        index = start
        for time, picture in self._timed_pictures(start):
            # A damaged stretch yields no picture for some indices: they are left out, not shifted.
            while index < stop and wanted[index] < time:
                index += 1
            while index < stop and wanted[index] == time:
                yield index, picture
                index += 1
            if index >= stop:
                return

    def _timed_pictures(self, start: int) -> Iterator[tuple[int, av.VideoFrame]]:
        """Pictures with their times from frame ``start`` or earlier on."""
        with contextlib.closing(av.open(str(self.path))) as container:
            if self.index.counted:
                yield from enumerate(decodable(container, single_threaded(container)))
                return
        # Some containers seek too far: then from an earlier keyframe, at last from the file's beginning.
        for key in (*self.index.keyframes_before(start)[:4:3], None):
            with contextlib.closing(av.open(str(self.path))) as container:
                stream = single_threaded(container)
                if key is not None:
                    container.seek(key, stream=stream, backward=True)
                pictures = (p for p in decodable(container, stream) if p.pts is not None)
                first = next(pictures, None)
                if first is None or (first.pts > self.index.pts[start] and key is not None):
                    continue
                yield from ((p.pts, p) for p in itertools.chain([first], pictures))
                return


def single_threaded(container: av.container.InputContainer) -> av.VideoStream:
    """The first video stream. One thread: the machine's other cores belong to the other stages."""
    stream = container.streams.video[0]
    stream.thread_type = "NONE"
    stream.codec_context.thread_count = 1
    return stream


def to_rgb(picture: av.VideoFrame) -> np.ndarray:
    """(h, w, 3) uint8, turned by the display matrix."""
    image = picture.to_ndarray(format="rgb24")
    turns = quarter_turns(picture)
    return np.ascontiguousarray(np.rot90(image, turns)) if turns else image


def quarter_turns(picture: av.VideoFrame) -> int:
    """Counter-clockwise turns of 90 degrees that the display matrix asks for (other angles are rounded)."""
    return round(picture.rotation / 90) % 4


def open_movie(path: Path) -> Clip:
    """Open a movie file.

    Raises:
        SolverError: ``clip-not-video``, ``clip-codec-unknown``, ``clip-empty``, ``clip-one-frame``.
    """
    try:
        with contextlib.closing(av.open(str(path))) as container:
            first = _first_picture(container, path)
        with contextlib.closing(av.open(str(path))) as container:
            index = read_index(container, single_threaded(container))
            pixel_shape = float(container.streams.video[0].sample_aspect_ratio or 1)
    except av.FFmpegError as error:
        raise _not_a_video(path, error.strerror) from error
    if len(index.pts) < 2:
        raise SolverError(
            "clip-one-frame",
            f"{path.name} has {counted(len(index.pts), 'frame')}; a movie needs at least two.",
            "Choose a clip in which the hands move.",
        )
    height, width = first.height, first.width
    size = (height, width) if quarter_turns(first) % 2 else (width, height)
    last = FIRST_MOVIE_FRAME + len(index.pts) - 1
    return Clip(
        path,
        size,
        index.rate,
        FIRST_MOVIE_FRAME,
        last,
        len(index.pts),
        _warnings(path, index, pixel_shape),
        MovieSource(path, index),
    )


def _first_picture(container: av.container.InputContainer, path: Path) -> av.VideoFrame:
    if not container.streams.video:
        raise _not_a_video(path, "it holds no picture stream")
    stream = container.streams.video[0]
    if stream.codec_context is None:
        raise SolverError(
            "clip-codec-unknown",
            f"{path.name} uses a codec that can't be read here.",
            "Convert it to H.264, H.265 or ProRes, or to an image sequence.",
        )
    for picture in decodable(container, single_threaded(container)):
        return picture
    raise SolverError(
        "clip-empty",
        f"No frame of {path.name} could be decoded ({stream.codec_context.name}).",
        "Export the clip again, for example as H.264.",
    )


def _not_a_video(path: Path, why: str) -> SolverError:
    return SolverError(
        "clip-not-video",
        f"{path.name} is not a video that can be read ({why}).",
        "Choose a movie or an image sequence, or export the clip again as H.264.",
    )


def _warnings(path: Path, index: MovieIndex, pixel_shape: float) -> tuple[ClipWarning, ...]:
    """``pixel_shape``: width of a pixel over its height."""
    found = []
    if abs(pixel_shape - 1) > _SQUARE:
        found.append(
            ClipWarning(
                "clip-pixels-not-square",
                f"{path.name} has pixels that are {pixel_shape:.3g} times as wide as high; hands and camera are solved "
                "as if they were square.",
                "Convert the clip to square pixels first.",
            )
        )
    if index.variable:
        found.append(
            ClipWarning(
                "clip-variable-rate",
                f"{path.name} has a variable frame rate; it is read as {float(index.rate):.5g} frames per second.",
                "Convert it to a constant frame rate if the hands drift against the plate.",
            )
        )
    if len(np.unique(index.pts)) < index.announced:
        found.append(
            ClipWarning(
                "clip-cut-short",
                f"{path.name} holds {len(np.unique(index.pts))} of the {index.announced} frames that it announces.",
                "Copy or export the clip again if its end is missing.",
            )
        )
    return tuple(found)
