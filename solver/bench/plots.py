"""Small line plots as inline SVG: the report needs nothing but a browser."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import numpy as np

_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP = 460, 220, 48, 30, 22


@dataclass(frozen=True)
class Line:
    """``x``, ``y`` (n,), NaN breaks the line; ``colour`` and ``dashes`` as SVG has them."""

    name: str
    x: np.ndarray
    y: np.ndarray
    colour: str
    dashes: str = ""


def plot(title: str, lines: list[Line], x_label: str, y_label: str, equal: bool = False) -> str:
    """An SVG element. ``equal``: one scale for both axes, as on a map."""
    points = np.concatenate([np.stack([line.x, line.y], axis=1) for line in lines])
    points = points[np.isfinite(points).all(axis=1)]
    if not len(points):
        return ""
    low, high = _range(points, equal)
    shown = [_polyline(line, low, high) for line in lines]
    legend = "".join(
        f'<text x="{_LEFT + 6}" y="{_TOP + 13 + 13 * k}" fill="{line.colour}">{escape(line.name)}</text>'
        for k, line in enumerate(lines)
    )
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}" class="plot">'
        f'<text x="{_LEFT}" y="14" class="title">{escape(title)}</text>{_axes(low, high, x_label, y_label)}'
        f"{''.join(shown)}{legend}</svg>"
    )


def _range(points: np.ndarray, equal: bool) -> tuple[np.ndarray, np.ndarray]:
    low, high = points.min(axis=0), points.max(axis=0)
    if not equal:
        return np.array([low[0], min(low[1], 0.0)]), np.maximum(high, low + 1e-9)
    shape = np.array([_WIDTH - _LEFT - 8, _HEIGHT - _BOTTOM - _TOP], float)
    middle, per_pixel = (low + high) / 2, max(((high - low) / shape).max() * 1.05, 1e-6)
    return middle - shape * per_pixel / 2, middle + shape * per_pixel / 2


def _to_screen(x: np.ndarray, y: np.ndarray, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    across = (x - low[0]) / (high[0] - low[0])
    up = (y - low[1]) / (high[1] - low[1])
    return _LEFT + across * (_WIDTH - _LEFT - 8), _HEIGHT - _BOTTOM - up * (_HEIGHT - _BOTTOM - _TOP)


def _polyline(line: Line, low: np.ndarray, high: np.ndarray) -> str:
    known = np.isfinite(line.x) & np.isfinite(line.y)
    u, v = _to_screen(np.nan_to_num(line.x), np.nan_to_num(line.y), low, high)
    path, pen_down = [], False
    for k in range(len(u)):
        if known[k]:
            path.append(f"{'L' if pen_down else 'M'}{u[k]:.1f} {v[k]:.1f}")
        pen_down = bool(known[k])
    dashes = f' stroke-dasharray="{line.dashes}"' if line.dashes else ""
    return f'<path d="{" ".join(path)}" fill="none" stroke="{line.colour}" stroke-width="1.4"{dashes}/>'


def _axes(low: np.ndarray, high: np.ndarray, x_label: str, y_label: str) -> str:
    right, floor = _WIDTH - 8, _HEIGHT - _BOTTOM
    marks = []
    for share in (0.0, 0.5, 1.0):
        x, y = low + share * (high - low)
        across, up = _LEFT + share * (right - _LEFT), floor - share * (floor - _TOP)
        marks.append(f'<text x="{across:.0f}" y="{floor + 13}" text-anchor="middle">{x:.3g}</text>')
        marks.append(f'<text x="{_LEFT - 4}" y="{up + 4:.0f}" text-anchor="end">{y:.3g}</text>')
        marks.append(f'<line x1="{_LEFT}" x2="{right}" y1="{up:.0f}" y2="{up:.0f}" class="grid"/>')
    names = (
        f'<text x="{(_LEFT + right) / 2:.0f}" y="{_HEIGHT - 3}" text-anchor="middle">{escape(x_label)}</text>'
        f'<text transform="translate(11 {_TOP + 60}) rotate(-90)" text-anchor="middle">{escape(y_label)}</text>'
    )
    return "".join(marks) + names
