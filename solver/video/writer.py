"""H.264 movies for overlays and previews."""

from __future__ import annotations

import errno
import os
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import av
import numpy as np

from ..errors import SolverError

# Visually clean at a size that plays everywhere.
_CRF = "20"


class MovieWriter:
    """Context manager that writes (h, w, 3) uint8 RGB frames as H.264 in MP4, yuv420p.

    Odd sizes lose their last row or column, because 4:2:0 has none. The file appears under its name only when complete.

    Raises:
        SolverError: ``movie-not-writable``.
    """

    def __init__(self, path: str | os.PathLike[str], size: tuple[int, int], frame_rate: Fraction) -> None:
        self._path = Path(path)
        self._partial = self._path.with_name(f".{self._path.name}.partial")
        self._size = (size[0] // 2 * 2, size[1] // 2 * 2)
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            if self._path.is_dir():
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
            self._partial.touch()  # av opens the file with the first frame only, too late to say so
            self._container = av.open(str(self._partial), "w", format="mp4")
        except OSError as error:
            raise SolverError(
                "movie-not-writable",
                f"The movie could not be written to {self._path} ({error.strerror}).",
                "Choose a folder that you may write to, or free some space.",
            ) from error
        self._stream = self._container.add_stream(
            "libx264", rate=frame_rate, options={"crf": _CRF, "preset": "veryfast"}
        )
        self._stream.width, self._stream.height = self._size
        self._stream.pix_fmt = "yuv420p"
        self._stream.codec_context.thread_count = 1

    def write(self, image: np.ndarray) -> None:
        """Append one frame."""
        width, height = self._size
        picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(image[:height, :width]), format="rgb24")
        self._container.mux(self._stream.encode(picture))

    def __enter__(self) -> MovieWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._container.mux(self._stream.encode(None))
        self._container.close()
        if kind is None:
            self._partial.replace(self._path)
        else:
            self._partial.unlink(missing_ok=True)
