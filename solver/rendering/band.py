"""Soft borders of a hand's silhouette: how much of a pixel beside it the hand covers, and what that depends on.

The edge overdraw of M. de La Gorce, D. Fleet, N. Paragios, "Model-Based 3D Hand Pose Estimation from Monocular Video"
(PAMI 2011): outside the silhouette, coverage falls linearly from one at the edge to nothing at ``softness`` from it.
Distances here are to the nearest point of the whole outline rather than to each edge's line, so that the wedges at its
corners are covered too, and coverage has no jump anywhere but where one surface comes to lie before another.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..silhouette.contour import View
from ..silhouette.crop import SIZE
from ..silhouette.raster import NOTHING
from ..silhouette.surface import Surface


@dataclass(frozen=True)
class Band:
    """The m pixels beside one hand's silhouette, each named once.

    Attributes:
        pixels: (m,) row by row. coverage: (m,) 0..1.
        ends: (m, 2) vertices of the nearest edge. share: (m,) of the second one in the edge's nearest point.
        normals: (m, 2) unit, from that point to the pixel's centre.
    """

    pixels: np.ndarray
    coverage: np.ndarray
    ends: np.ndarray
    share: np.ndarray
    normals: np.ndarray


def band(view: View, surface: Surface, hand: int, nearness: np.ndarray, softness: float) -> Band:
    """The band of one hand of a view, where nothing lies before it.

    Args:
        nearness: (V,) inverse depths of the hand's vertices. softness: crop pixels.
    """
    edges = _silhouette(view, surface, hand)
    edge, pixels = _pairs(view.points[hand][edges], softness)
    outside = view.owner.reshape(-1)[pixels] != hand
    edge, pixels = edge[outside], pixels[outside]
    a, b = np.moveaxis(view.points[hand][edges[edge]], 1, 0)
    centres = np.stack([pixels % SIZE, pixels // SIZE], axis=-1) + 0.5
    run = b - a
    share = np.clip(((centres - a) * run).sum(1) / np.maximum((run * run).sum(1), 1e-12), 0.0, 1.0)
    apart = centres - a - share[:, None] * run
    distance = np.sqrt((apart * apart).sum(1))
    near = (1 - share) * nearness[edges[edge, 0]] + share * nearness[edges[edge, 1]]
    kept = np.flatnonzero((distance < softness) & (near > view.nearness.reshape(-1)[pixels]))
    order = kept[np.lexsort((distance[kept], pixels[kept]))]
    _, first = np.unique(pixels[order], return_index=True)
    best = order[first]
    return Band(
        pixels=pixels[best],
        coverage=1 - distance[best] / softness,
        ends=edges[edge[best]],
        share=share[best],
        normals=apart[best] / np.maximum(distance[best], 1e-9)[:, None],
    )


def _silhouette(view: View, surface: Surface, hand: int) -> np.ndarray:
    """(e, 2) vertices of the edges between a face that is seen and one that isn't, unless another hand hides them."""
    seen = view.front[hand][surface.edge_faces]
    edges = surface.edges[seen[:, 0] != seen[:, 1]]
    x, y = np.clip(view.points[hand][edges].mean(1).astype(int), 0, SIZE - 1).T
    there = view.owner[y, x]
    return edges[(there == NOTHING) | (there == hand)]


def _pairs(ends: np.ndarray, softness: float) -> tuple[np.ndarray, np.ndarray]:
    """Edges (e, 2, 2) with the pixels whose centres may lie nearer than ``softness``: (n,) edges, (n,) pixels."""
    low = np.clip(np.ceil(ends.min(1) - softness - 0.5), 0, SIZE).astype(int)
    high = np.clip(np.floor(ends.max(1) + softness + 0.5), 0, SIZE).astype(int)
    spans = np.maximum(high - low, 0)
    count = spans[:, 0] * spans[:, 1]
    edge = np.repeat(np.arange(len(count)), count)
    rank = np.arange(len(edge)) - np.repeat(np.cumsum(count) - count, count)
    row = rank // np.maximum(spans[edge, 0], 1)
    x, y = low[edge, 0] + rank - row * spans[edge, 0], low[edge, 1] + row
    return edge, y * SIZE + x
