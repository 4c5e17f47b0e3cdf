"""A picture of how much of each pixel is hand: all hands of a frame together, soft at their borders, with slopes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..silhouette.contour import View
from ..silhouette.crop import SIZE
from ..silhouette.raster import NOTHING
from .band import Band


@dataclass(frozen=True)
class Coverage:
    """Attributes:
    picture: (SIZE * SIZE,) the share of each pixel, row by row, that is any hand.
    slopes: per hand (m,) derivative of the picture by the coverage of each pixel of its band.
    """

    picture: np.ndarray
    slopes: tuple[np.ndarray, ...]


def coverage(view: View, bands: Sequence[Band]) -> Coverage:
    """Lay the bands over the hands.

    What one hand hides of another's band is not in it; where two bands meet in the open, each covers its share of what
    the other leaves.
    """
    left = np.stack([_left(band) for band in bands])
    open_ = (view.owner == NOTHING).reshape(-1)
    slopes = tuple(
        open_[band.pixels] * np.delete(left, hand, axis=0)[:, band.pixels].prod(0) for hand, band in enumerate(bands)
    )
    return Coverage(1 - open_ * left.prod(0), slopes)


def _left(band: Band) -> np.ndarray:
    """(SIZE * SIZE,) the share of each pixel that a band leaves."""
    left = np.ones(SIZE * SIZE)
    left[band.pixels] = 1 - band.coverage
    return left
