"""Movies made on the spot whose frames carry their own number, so that a test sees which frame it got."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

BLOCK_PX, BITS = 16, 8
SIZE = (BLOCK_PX * BITS, 2 * BLOCK_PX)


def numbered_image(number: int) -> np.ndarray:
    """(32, 128, 3) uint8: the number's bits as black and white blocks, lowest first; the upper half is always white."""
    image = np.full((SIZE[1], SIZE[0], 3), 255, np.uint8)
    for bit in range(BITS):
        image[BLOCK_PX:, bit * BLOCK_PX : (bit + 1) * BLOCK_PX] = 255 * (number >> bit & 1)
    return image


def number_in(image: np.ndarray) -> int:
    middle = image[BLOCK_PX + BLOCK_PX // 2, BLOCK_PX // 2 :: BLOCK_PX, 1]
    return int(sum(1 << bit for bit in range(BITS) if middle[bit] > 127))


def make_movie(
    path: Path,
    count: int,
    rate: Fraction = Fraction(30),
    codec: str = "libx264",
    pixels: str = "yuv420p",
    turned: int = 0,
    ticks: list[int] | None = None,
    options: dict[str, str] | None = None,
    container_options: dict[str, str] | None = None,
    pixel_shape: Fraction = Fraction(1),
) -> Path:
    """``count`` numbered frames from 0; ``ticks`` are presentation times in units of 1 / rate instead of 0, 1, 2..."""
    with av.open(str(path), "w", options=container_options or {}) as container:
        stream = container.add_stream(codec, rate=rate, options=options or {})
        stream.width, stream.height = SIZE
        stream.pix_fmt = pixels
        stream.codec_context.thread_count = 1
        stream.codec_context.sample_aspect_ratio = pixel_shape
        if turned:
            stream.set_display_rotation(turned)
        for index in range(count):
            picture = av.VideoFrame.from_ndarray(numbered_image(index), format="rgb24")
            picture.pts, picture.time_base = (ticks[index] if ticks else index), 1 / rate
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return path
