"""Square, rotated regions of an image, and the crops that the networks see.

Coordinates are px of the frame with pixel centres at half-integers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np


@dataclass(frozen=True)
class Roi:
    """A square with ``center`` (x, y) px, side ``size`` px, turned clockwise on screen by ``angle`` radians.

    The hand's wrist-to-finger direction points to the crop's top.
    """

    center: tuple[float, float]
    size: float
    angle: float

    def frame_from_crop(self, crop_px: int) -> np.ndarray:
        """(2, 3) affine map from crop to frame coordinates."""
        scale = self.size / crop_px
        cos, sin = scale * math.cos(self.angle), scale * math.sin(self.angle)
        half = crop_px / 2
        x, y = self.center
        return np.array([[cos, -sin, x - half * (cos - sin)], [sin, cos, y - half * (sin + cos)]])

    def moved(self, shift: np.ndarray, growth: float = 1.0) -> Roi:
        """Moved by ``shift`` (2,) px and scaled about its centre."""
        return Roi((self.center[0] + shift[0], self.center[1] + shift[1]), self.size * growth, self.angle)

    def turned(self, angle: float) -> Roi:
        return Roi(self.center, self.size, wrapped(self.angle + angle))


def wrapped(angle: float) -> float:
    """``angle`` in [-pi, pi)."""
    return (angle + math.pi) % (2 * math.pi) - math.pi


def apply(affine: np.ndarray, points: np.ndarray) -> np.ndarray:
    """(..., 2) points through a (2, 3) affine map."""
    return points @ affine[:, :2].T + affine[:, 2]


class Pyramid:
    """A frame and its halvings, made when first needed, so that strongly reduced crops don't alias."""

    def __init__(self, image: np.ndarray) -> None:
        """``image``: (h, w, 3) uint8."""
        self._levels = [image]

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the frame."""
        return self._levels[0].shape[1], self._levels[0].shape[0]

    def level(self, index: int) -> np.ndarray:
        while len(self._levels) <= index:
            above = self._levels[-1]
            half = (max(1, above.shape[1] // 2), max(1, above.shape[0] // 2))
            self._levels.append(cv2.resize(above, half, interpolation=cv2.INTER_AREA))
        return self._levels[index]

    def crop(self, frame_from_crop: np.ndarray, crop_px: int) -> np.ndarray:
        """(crop_px, crop_px, 3) float32 in 0..1, black outside the frame."""
        reduction = math.sqrt(abs(np.linalg.det(frame_from_crop[:, :2])))
        source = self.level(max(0, math.floor(math.log2(max(reduction, 1e-6) / 1.2))) if reduction > 1.2 else 0)
        to_level = np.array([source.shape[1] / self.size[0], source.shape[0] / self.size[1]])
        affine = frame_from_crop * to_level[:, None]
        # OpenCV puts pixel centres at integers, we at half-integers.
        affine[:, 2] += affine[:, :2].sum(axis=1) / 2 - 0.5
        crop = cv2.warpAffine(source, affine, (crop_px, crop_px), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
        return np.multiply(crop, np.float32(1 / 255), dtype=np.float32)


def overlap(box: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Intersection over union of one (4,) with (n, 4) boxes x0 y0 x1 y1."""
    low, high = np.maximum(box[:2], boxes[:, :2]), np.minimum(box[2:], boxes[:, 2:])
    both = np.prod(np.clip(high - low, 0, None), axis=1)
    union = np.prod(box[2:] - box[:2]) + np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) - both
    return both / np.maximum(union, 1e-9)
