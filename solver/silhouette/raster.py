"""A z-buffer for small pictures, in NumPy: which triangle is in front at each pixel's centre."""

from __future__ import annotations

import numpy as np

NOTHING = -1


def facing(corners_px: np.ndarray) -> np.ndarray:
    """(F,) bool: triangles (F, 3, 2) that look at the camera, given they are counter-clockwise seen from outside."""
    a, b, c = np.moveaxis(corners_px, 1, 0)
    return (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (c[:, 0] - a[:, 0]) * (b[:, 1] - a[:, 1]) < 0


def rasterise(corners_px: np.ndarray, nearness: np.ndarray, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """The nearest triangle at every pixel centre.

    Args:
        corners_px: (F, 3, 2) projected corners, pixel centres at half-integers.
        nearness: (F, 3) inverse depths, which are linear in the picture. size: (width, height).

    Returns:
        (height, width) index of the triangle, NOTHING where there is none; its inverse depth there, 0 where none.
    """
    width, height = size
    index, nearest = np.full(height * width, NOTHING), np.zeros(height * width)
    shown = np.flatnonzero(facing(corners_px))
    corners, near = corners_px[shown], nearness[shown]
    low, high = _pixel_spans(corners, size)
    spans = high - low
    count = np.where((spans > 0).all(1), spans[:, 0] * spans[:, 1], 0)
    triangle = np.repeat(np.arange(len(count)), count)
    rank = np.arange(len(triangle)) - np.repeat(np.cumsum(count) - count, count)
    row = rank // spans[triangle, 0]
    x, y = low[triangle, 0] + rank - row * spans[triangle, 0], low[triangle, 1] + row
    b, c = _shares(corners, triangle, x + 0.5, y + 0.5)
    inside = np.flatnonzero((b >= 0) & (c >= 0) & (b + c <= 1))
    triangle, pixel, b, c = triangle[inside], (y * width + x)[inside], b[inside], c[inside]
    depth = (1 - b - c) * near[triangle, 0] + b * near[triangle, 1] + c * near[triangle, 2]
    order = np.argsort(depth)  # of several assignments to one pixel the last one stays
    index[pixel[order]], nearest[pixel[order]] = shown[triangle[order]], depth[order]
    return index.reshape(height, width), nearest.reshape(height, width)


def _pixel_spans(corners: np.ndarray, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """(n, 2) first and one-past-last pixel (x, y) whose centres lie in each triangle's box, within the picture."""
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    low = np.ceil(np.minimum(np.minimum(a, b), c) - 0.5)
    high = np.floor(np.maximum(np.maximum(a, b), c) + 0.5)
    return np.clip(low, 0, size).astype(int), np.clip(high, 0, size).astype(int)


def _shares(corners: np.ndarray, triangle: np.ndarray, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(n,) barycentric shares of the second and the third corner at points."""
    a, ab, ac = corners[:, 0], corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    area = ab[:, 0] * ac[:, 1] - ac[:, 0] * ab[:, 1]
    inverse = 1 / np.where(area == 0, np.inf, area)
    to_b, to_c = np.stack([ac[:, 1], -ac[:, 0]]) * inverse, np.stack([-ab[:, 1], ab[:, 0]]) * inverse
    dx, dy = x - a[triangle, 0], y - a[triangle, 1]
    return to_b[0, triangle] * dx + to_b[1, triangle] * dy, to_c[0, triangle] * dx + to_c[1, triangle] * dy
