"""Small movies, written without any library: YUV4MPEG2 is a line of text and raw planes."""

from __future__ import annotations

from pathlib import Path


def write_movie(path: Path, frames: int = 30, size: tuple[int, int] = (64, 36), rate: str = "30000:1001") -> Path:
    """A grey ramp that wanders to the left; ``size`` must be even."""
    width, height = size
    with path.open("wb") as file:
        file.write(f"YUV4MPEG2 W{width} H{height} F{rate} Ip A1:1 C420jpeg\n".encode())
        for number in range(frames):
            row = bytes((x + 8 * number) % 256 for x in range(width))
            file.write(b"FRAME\n" + row * height + b"\x80" * (width * height // 2))
    return path
