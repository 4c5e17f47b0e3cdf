"""Single images as 8-bit RGB: OpenCV reads most formats, FFmpeg those that OpenCV's wheel lacks (EXR, DPX)."""

from __future__ import annotations

import io
from pathlib import Path

import av
import cv2
import numpy as np

from ..errors import SolverError

_BY_FFMPEG = frozenset({".exr", ".dpx"})
SUFFIXES = _BY_FFMPEG | {".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp", ".hdr", ".jp2"}
# Colour, at the file's own depth; Blender ignores the EXIF turn as well, and the plate must match.
_READ_FLAGS = cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH | cv2.IMREAD_IGNORE_ORIENTATION


def read_image(path: Path) -> np.ndarray:
    """(h, w, 3) uint8 RGB of any bit depth; alpha is dropped, floats are taken as linear light.

    The file is read by Python, so that its path may have any letters on any system.

    Raises:
        SolverError: ``clip-frame-unreadable``.
    """
    try:
        content = path.read_bytes()
        image = _by_ffmpeg(content) if path.suffix.lower() in _BY_FFMPEG else _by_opencv(content)
    except (OSError, cv2.error, av.FFmpegError):
        image = None
    if image is None:
        raise SolverError(
            "clip-frame-unreadable", f"The image {path.name} could not be read.", "Export that image again."
        )
    return image


def _by_opencv(content: bytes) -> np.ndarray | None:
    image = cv2.imdecode(np.frombuffer(content, np.uint8), _READ_FLAGS) if content else None
    return None if image is None else np.ascontiguousarray(_to_8_bit(image)[..., ::-1])


def _by_ffmpeg(content: bytes) -> np.ndarray | None:
    with av.open(io.BytesIO(content)) as container:
        for picture in container.decode(video=0):
            if not picture.format.name.endswith(("f32le", "f32be")):
                return picture.to_ndarray(format="rgb24")
            return _to_8_bit(picture.to_ndarray()[..., :3])
    return None


def _to_8_bit(image: np.ndarray) -> np.ndarray:
    if image.dtype == np.uint16:
        return ((image.astype(np.uint32) * 255 + 32767) // 65535).astype(np.uint8)
    if np.issubdtype(image.dtype, np.floating):
        return np.round(255 * _srgb_encoded(np.nan_to_num(image))).astype(np.uint8)
    return image


def _srgb_encoded(linear: np.ndarray) -> np.ndarray:
    """IEC 61966-2-1, clipped to 0..1."""
    clipped = np.clip(linear, 0, 1)
    return np.where(clipped <= 0.0031308, 12.92 * clipped, 1.055 * clipped ** (1 / 2.4) - 0.055)
