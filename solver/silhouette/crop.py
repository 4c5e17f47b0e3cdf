"""A square window of a picture at a fixed small size, in which one hand is looked at."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

# side of a crop in its own pixels: outlines are found to about a third of one, and a hand's length is some 85 of them
SIZE = 128
_MARGIN = 1.45


@dataclass(frozen=True)
class Crop:
    """Attributes:
    origin_px: (2,) of its upper left corner in the picture. scale: crop pixels per pixel of the picture.
    """

    origin_px: np.ndarray
    scale: float

    def inside(self, points_px: np.ndarray) -> np.ndarray:
        """Points (..., 2) of the picture in crop pixels."""
        return (points_px - self.origin_px) * self.scale

    def outside(self, points: np.ndarray) -> np.ndarray:
        """Points (..., 2) of the crop in the picture's pixels."""
        return points / self.scale + self.origin_px

    def cut(self, image: np.ndarray, smooth: bool = True, border: int = cv2.BORDER_REPLICATE) -> np.ndarray:
        """(SIZE, SIZE, ...) of a picture; ``smooth`` averages over the pixels that fall together."""
        shrunk, crop = self._shrunk(image) if smooth else (image, self)
        offset = 0.5 * crop.scale - 0.5 - crop.scale * crop.origin_px  # OpenCV's pixel centres are at integers
        matrix = np.array([[crop.scale, 0, offset[0]], [0, crop.scale, offset[1]]])
        method = cv2.INTER_LINEAR if smooth else cv2.INTER_NEAREST
        return cv2.warpAffine(shrunk, matrix, (SIZE, SIZE), flags=method, borderMode=border)

    def _shrunk(self, image: np.ndarray) -> tuple[np.ndarray, Crop]:
        """The part of the picture that the crop shows, halved until a crop pixel spans less than two of its own."""
        low = np.maximum(np.floor(self.origin_px) - 2, 0).astype(int)
        high = np.minimum(np.ceil(self.origin_px + SIZE / self.scale) + 2, image.shape[1::-1]).astype(int)
        part, crop = image, self
        if (high > low).all():
            part, crop = image[low[1] : high[1], low[0] : high[0]], Crop(self.origin_px - low, self.scale)
        while crop.scale < 0.5 and min(part.shape[:2]) > 1:
            even = part[: part.shape[0] // 2 * 2, : part.shape[1] // 2 * 2]
            part = cv2.resize(even, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
            crop = Crop(crop.origin_px / 2, crop.scale * 2)
        return part, crop


def crop_around(points_px: np.ndarray) -> Crop | None:
    """The crop with some margin around points (n, 2); None where they have no extent."""
    low, high = points_px.min(0), points_px.max(0)
    side = _MARGIN * (high - low).max()
    if not np.isfinite(side) or side < 4:
        return None
    return Crop((low + high) / 2 - side / 2, SIZE / side)
