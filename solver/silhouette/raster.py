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
    low = np.clip(np.ceil(corners_px.min(1) - 0.5), 0, size).astype(int)
    high = np.clip(np.floor(corners_px.max(1) - 0.5) + 1, 0, size).astype(int)
    spans = np.maximum(high - low, 0)
    count = np.where(facing(corners_px), spans[:, 0] * spans[:, 1], 0)
    triangle = np.repeat(np.arange(len(count)), count)
    if not len(triangle):
        return index.reshape(height, width), nearest.reshape(height, width)
    rank = np.arange(len(triangle)) - np.repeat(np.cumsum(count) - count, count)
    x = low[triangle, 0] + rank % spans[triangle, 0]
    y = low[triangle, 1] + rank // spans[triangle, 0]
    shares = _barycentric(corners_px, triangle, x + 0.5, y + 0.5)
    inside = (shares >= 0).all(0)
    triangle, pixel = triangle[inside], (y * width + x)[inside]
    near = (shares[:, inside] * nearness[triangle].T).sum(0)
    order = np.argsort(near)  # of several assignments to one pixel the last one stays
    index[pixel[order]], nearest[pixel[order]] = triangle[order], near[order]
    return index.reshape(height, width), nearest.reshape(height, width)


def _barycentric(corners: np.ndarray, triangle: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(3, n) shares of each triangle's corners at points; negative outside."""
    a, edges = corners[:, 0], corners[:, 1:] - corners[:, :1]
    area = edges[:, 0, 0] * edges[:, 1, 1] - edges[:, 1, 0] * edges[:, 0, 1]
    inverse = 1 / np.where(area == 0, np.inf, area)
    dx, dy = x - a[triangle, 0], y - a[triangle, 1]
    to_b = np.stack([edges[:, 1, 1], -edges[:, 1, 0]]) * inverse
    to_c = np.stack([-edges[:, 0, 1], edges[:, 0, 0]]) * inverse
    b = to_b[0][triangle] * dx + to_b[1][triangle] * dy
    c = to_c[0][triangle] * dx + to_c[1][triangle] * dy
    return np.stack([1 - b - c, b, c])
