"""Palm detector: finds hands anywhere in a tile. Model: MediaPipe's palm_detection_full (Apache-2.0).

Geometry after the model's public description: 192 px input, anchors on strides 8 (2 a cell) and 16 (6 a cell), a box
and seven palm points per anchor, weighted non-maximum suppression, a region reaching over the fingers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .geometry import Pyramid, Roi, apply, overlap, wrapped
from .models import Network

INPUT_PX = 192
# Point 0 is the wrist, point 2 the middle finger's knuckle.
_WRIST, _KNUCKLE = 0, 2
# The region's side is 2.6 palm boxes, its centre half a palm towards the fingers.
_REGION_SCALE, _REGION_SHIFT = 2.6, 0.5
_SAME_PALM_IOU = 0.3


@dataclass(frozen=True)
class Palm:
    """``box`` (4,) x0 y0 x1 y1, ``points`` (7, 2), both px of the frame; ``score`` 0..1."""

    box: np.ndarray
    points: np.ndarray
    score: float

    def roi(self) -> Roi:
        """The region in which the landmark network expects the whole hand, fingers up."""
        direction = self.points[_KNUCKLE] - self.points[_WRIST]
        angle = wrapped(math.atan2(direction[1], direction[0]) + math.pi / 2)
        center = (self.box[:2] + self.box[2:]) / 2
        width, height = self.box[2:] - self.box[:2]
        up = np.array([math.sin(angle), -math.cos(angle)])
        x, y = center + up * height * _REGION_SHIFT
        return Roi((float(x), float(y)), float(max(width, height) * _REGION_SCALE), angle)


@dataclass(frozen=True)
class Tile:
    """An upright square of the frame, corner (x, y), side ``size`` px; may reach over the frame's border."""

    x: float
    y: float
    size: float

    def frame_from_input(self) -> np.ndarray:
        scale = self.size / INPUT_PX
        return np.array([[scale, 0, self.x], [0, scale, self.y]])


class PalmDetector:
    def __init__(self) -> None:
        self.network = Network("palm_detection_full.tflite")
        self._anchors = anchors()

    def detect(self, frame: Pyramid, tiles: Sequence[Tile], threshold: float) -> list[Palm]:
        """Palms scoring at least ``threshold`` in any of ``tiles``, best first, each once."""
        found = [self._detect_tile(frame, tile, threshold) for tile in tiles]
        return suppress([palm for palms in found for palm in palms])

    def _detect_tile(self, frame: Pyramid, tile: Tile, threshold: float) -> list[Palm]:
        affine = tile.frame_from_input()
        regressors, logits = self.network(frame.crop(affine, INPUT_PX))
        scores = 1 / (1 + np.exp(-np.clip(logits[0, :, 0], -50, 50)))
        kept = np.flatnonzero(scores >= threshold)
        boxes, points = decode(regressors[0, kept], self._anchors[kept])
        boxes, points = apply(affine, boxes), apply(affine, points)
        return [Palm(b.reshape(4), p, float(s)) for b, p, s in zip(boxes, points, scores[kept], strict=True)]


def anchors() -> np.ndarray:
    """(2016, 2) anchor centres in input px."""
    layers = []
    for stride, per_cell in ((8, 2), (16, 6)):
        centers = (np.arange(INPUT_PX // stride) + 0.5) * stride
        y, x = np.meshgrid(centers, centers, indexing="ij")
        layers.append(np.repeat(np.stack([x, y], axis=-1).reshape(-1, 2), per_cell, axis=0))
    return np.concatenate(layers)


def decode(regressors: np.ndarray, centers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(n, 2, 2) box corners and (n, 7, 2) palm points in input px, from (n, 18) network outputs at (n, 2) anchors."""
    middle, size = regressors[:, :2] + centers, regressors[:, 2:4]
    boxes = np.stack([middle - size / 2, middle + size / 2], axis=1)
    return boxes, regressors[:, 4:].reshape(-1, 7, 2) + centers[:, None]


def suppress(palms: list[Palm]) -> list[Palm]:
    """Weighted non-maximum suppression: overlapping palms become their score-weighted mean with the best score."""
    rest = sorted(palms, key=lambda palm: -palm.score)
    kept = []
    while rest:
        same = overlap(rest[0].box, np.array([palm.box for palm in rest])) > _SAME_PALM_IOU
        same[0] = True
        kept.append(_mean([palm for palm, hit in zip(rest, same, strict=True) if hit]))
        rest = [palm for palm, hit in zip(rest, same, strict=True) if not hit]
    return kept


def _mean(palms: list[Palm]) -> Palm:
    weights = np.array([palm.score for palm in palms])
    box = np.average([palm.box for palm in palms], axis=0, weights=weights)
    points = np.average([palm.points for palm in palms], axis=0, weights=weights)
    return Palm(box, points, palms[0].score)


# Sides of tiles as shares of the frame's shorter side, and how far tiles lie apart as a share of theirs. Measured: a
# hand is found when it is 0.1 to 0.4 of its tile's side.
_COARSE_SHARES, _FINE_SHARE, _TILE_STEP = (1.0, 0.6), 0.35, 0.8


def whole_frame(width: int, height: int) -> Tile:
    side = max(width, height)
    return Tile((width - side) / 2, (height - side) / 2, side)


def coarse_tiles(width: int, height: int) -> list[Tile]:
    """The whole frame, then overlapping squares of falling size: hands of about 6 to 60 % of the frame's height."""
    squares = [tile for share in _COARSE_SHARES for tile in _squares(width, height, share * min(width, height))]
    return [whole_frame(width, height), *squares]


def fine_tiles(width: int, height: int) -> list[Tile]:
    """Small squares for far hands, down to about 4 % of the frame's height."""
    return _squares(width, height, _FINE_SHARE * min(width, height))


def _squares(width: int, height: int, side: float) -> list[Tile]:
    return [Tile(x, y, side) for y in _corners(height, side) for x in _corners(width, side)]


def _corners(length: float, side: float) -> list[float]:
    count = math.ceil((length - side) / (side * _TILE_STEP) - 1e-9) + 1
    return [(length - side) * i / (count - 1) for i in range(count)] if count > 1 else [(length - side) / 2]
