"""What clips have and renders have not: small, blurred, dark, noisy, compressed hands, in regions a bit off."""

from __future__ import annotations

import cv2
import numpy as np

from solver.hands.geometry import Roi

_SCALES, _BRIGHTNESS, _NOISE, _JPEG_QUALITY = (0.35, 0.8), (0.5, 1.1), (1.0, 9.0), (25, 80)
_DEFOCUS_PX, _STREAK_PX, _KERNEL_PX = (0.3, 1.2), (2, 9), 9


def degraded(picture: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, float]:
    """A smaller, worse copy of ``picture`` (h, w, 3) uint8, and its size over the original's."""
    scale = rng.uniform(*_SCALES)
    small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    if rng.random() < 0.5:
        small = cv2.GaussianBlur(small, (0, 0), rng.uniform(*_DEFOCUS_PX))
    else:
        small = cv2.filter2D(small, -1, _streak(int(rng.integers(*_STREAK_PX)), rng.uniform(0, np.pi)))
    seen = small.astype(np.float32) * rng.uniform(*_BRIGHTNESS) + rng.normal(0, rng.uniform(*_NOISE), small.shape)
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(*_JPEG_QUALITY))]
    _, packed = cv2.imencode(".jpg", np.clip(seen, 0, 255).astype(np.uint8), quality)
    return cv2.imdecode(packed, cv2.IMREAD_COLOR), scale


def _streak(length_px: int, angle: float) -> np.ndarray:
    """The blur of a hand that moves by ``length_px`` while the shutter is open."""
    kernel, middle = np.zeros((_KERNEL_PX, _KERNEL_PX), np.float32), _KERNEL_PX // 2
    for at in np.linspace(-length_px / 2, length_px / 2, 20) * 0.99:
        kernel[round(middle + at * np.sin(angle)), round(middle + at * np.cos(angle))] += 1
    return kernel / kernel.sum()


def shifted(roi: Roi, rng: np.random.Generator, amount: float) -> Roi:
    """A region as a tracker's from the frame before: turned by ``amount`` rad, half that larger, a quarter moved."""
    turned = roi.turned(rng.normal(0, amount))
    return turned.moved(rng.normal(0, amount / 4, 2) * roi.size, float(np.exp(rng.normal(0, amount / 2))))
