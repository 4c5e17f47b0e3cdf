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
    picture: (SIZE, SIZE) the share of each pixel that the counted hands cover, as they hide one another.
    slopes: per hand (m,) derivative of the picture by the coverage of each pixel of its band.
    """

    picture: np.ndarray
    slopes: tuple[np.ndarray, ...]


def coverage(view: View, bands: Sequence[Band], counted: np.ndarray) -> Coverage:
    """Lay the bands over the hands, the nearest uppermost.

    Args:
        bands: one per hand of the view. counted: (hands,) 1 for hands that the picture shows, 0 for those that only
            hide others.
    """
    owner = view.owner.reshape(-1)
    picture = np.where(owner == NOTHING, 0.0, counted[owner])
    touched = np.unique(np.concatenate([band.pixels for band in bands]))
    shares, order = _layers(bands, touched)
    columns = np.arange(len(touched))
    below, beneath = picture[touched], []
    for layer in order[::-1]:  # what each layer hides, from the back to the front
        beneath.append(below)
        share = shares[layer, columns]
        below = share * counted[layer] + (1 - share) * below
    picture[touched] = below
    slopes, passing = np.zeros_like(shares), np.ones(len(touched))
    for layer, hidden in zip(order, beneath[::-1], strict=True):
        slopes[layer, columns] = passing * (counted[layer] - hidden)
        passing = passing * (1 - shares[layer, columns])
    places = [np.searchsorted(touched, band.pixels) for band in bands]
    return Coverage(picture.reshape(SIZE, SIZE), tuple(slopes[hand, place] for hand, place in enumerate(places)))


def _layers(bands: Sequence[Band], touched: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(hands, n) shares of the bands in the pixels ``touched``; (hands, n) the hands there, nearest first."""
    shares, nearness = np.zeros((2, len(bands), len(touched)))
    for hand, band in enumerate(bands):
        place = np.searchsorted(touched, band.pixels)
        shares[hand, place], nearness[hand, place] = band.coverage, band.nearness
    return shares, np.argsort(-nearness, axis=0, kind="stable")
