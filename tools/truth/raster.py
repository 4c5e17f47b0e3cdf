"""A z-buffer in numpy: which triangle is in front at each pixel, and how far away it is."""

from __future__ import annotations

import numpy as np

_NEAR = 0.02
_PAIRS_AT_ONCE = 2_000_000


def rasterise(
    points: np.ndarray, triangles: np.ndarray, intrinsics: tuple[float, float, float, float], size: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Nearest triangle (H, W) int, -1 for none, and its depth (H, W) in metres, inf for none.

    Args:
        points: (V, 3) in the camera's frame (OpenCV axes). Triangles that reach behind the near plane are left out.
        triangles: (F, 3).
        size: width, height; pixel centres at half-integers.
    """
    fx, fy, cx, cy = intrinsics
    depth = points[:, 2]
    in_front = (depth[triangles] > _NEAR).all(axis=1)
    numbers = np.flatnonzero(in_front)
    safe = np.maximum(depth, _NEAR)
    screen = np.stack([fx * points[:, 0] / safe + cx, fy * points[:, 1] / safe + cy], axis=1)
    corners = screen[triangles[numbers]]
    low = np.clip(np.ceil(corners.min(axis=1) - 0.5), 0, size).astype(int)
    high = np.clip(np.floor(corners.max(axis=1) - 0.5) + 1, 0, size).astype(int)
    spans = np.maximum(high - low, 0)
    some = spans.prod(axis=1) > 0
    numbers, corners, low, spans = numbers[some], corners[some], low[some], spans[some]
    nearest = np.full(size[0] * size[1], np.inf)
    winner = np.full(size[0] * size[1], -1)
    for chunk in _chunks(spans.prod(axis=1)):
        _fill(
            numbers[chunk],
            corners[chunk],
            1 / depth[triangles[numbers[chunk]]],
            low[chunk],
            spans[chunk],
            size[0],
            nearest,
            winner,
        )
    return winner.reshape(size[1], size[0]), nearest.reshape(size[1], size[0])


def _chunks(areas: np.ndarray) -> list[slice]:
    bounds = np.searchsorted(np.cumsum(areas), np.arange(0, areas.sum() + _PAIRS_AT_ONCE, _PAIRS_AT_ONCE))
    edges = [0, *bounds[1:-1].tolist(), len(areas)]
    return [slice(a, b) for a, b in zip(edges[:-1], edges[1:], strict=True) if b > a]


def _fill(numbers, corners, inverse_depth, low, spans, width, nearest, winner) -> None:  # noqa: ANN001
    """Test every pixel centre of every triangle's box; perspective-correct depth from barycentric 1/z."""
    areas = spans.prod(axis=1)
    owner = np.repeat(np.arange(len(areas)), areas)
    within = np.arange(len(owner)) - np.repeat(np.cumsum(areas) - areas, areas)
    columns = low[owner, 0] + within % spans[owner, 0]
    rows = low[owner, 1] + within // spans[owner, 0]
    a, b, c = corners[owner, 0], corners[owner, 1], corners[owner, 2]
    p = np.stack([columns + 0.5, rows + 0.5], axis=1)
    whole = _cross(b - a, c - a)
    whole = np.where(whole == 0, np.nan, whole)
    wb, wc = _cross(p - a, c - a) / whole, _cross(b - a, p - a) / whole
    inside = (wb >= 0) & (wc >= 0) & (wb + wc <= 1)
    owner, wb, wc = owner[inside], wb[inside], wc[inside]
    weights = np.stack([1 - wb - wc, wb, wc], axis=1)
    depth = 1 / (weights * inverse_depth[owner]).sum(axis=1)
    pixel = rows[inside] * width + columns[inside]
    order = np.lexsort((depth, pixel))
    first = order[np.r_[True, np.diff(pixel[order]) > 0]] if len(order) else order
    better = depth[first] < nearest[pixel[first]]
    first = first[better]
    nearest[pixel[first]], winner[pixel[first]] = depth[first], numbers[owner[first]]


def _cross(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    return u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]
