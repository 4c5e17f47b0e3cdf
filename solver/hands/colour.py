"""The colour of a hand's palm: two hands of one person under one light look alike, cups and cloth rarely do."""

from __future__ import annotations

import numpy as np

from .geometry import Pyramid

# Barycentric weights of points inside the triangle wrist - index knuckle - little finger's knuckle.
_CORNERS = (0, 5, 17)
_WEIGHTS = np.array([(a, b, 6 - a - b) for a in range(1, 5) for b in range(1, 6 - a)]) / 6


def palm_colours(frame: Pyramid, points_px: np.ndarray) -> np.ndarray:
    """(k, 3) RGB 0..255 at fixed places of the palm; k is 0 when all lie outside the frame."""
    image = frame.level(1)
    scale = np.array(image.shape[1::-1]) / frame.size
    pixels = np.floor(_WEIGHTS @ points_px[list(_CORNERS)] * scale).astype(int)
    inside = np.all((pixels >= 0) & (pixels < image.shape[1::-1]), axis=1)
    return image[pixels[inside, 1], pixels[inside, 0]].astype(float)


def chroma(colours: np.ndarray) -> np.ndarray:
    """(..., 2) log-ratios R/G and B/G: what brightness leaves alone."""
    logs = np.log(colours + 8.0)
    return np.stack([logs[..., 0] - logs[..., 1], logs[..., 2] - logs[..., 1]], axis=-1)


def strangeness(colours: np.ndarray, reference: np.ndarray) -> float:
    """Distance of the median chroma of ``colours`` (k, 3) from that of ``reference`` (m, 3), in its spreads.

    0 when either is empty: no colour, no verdict.
    """
    if len(colours) == 0 or len(reference) == 0:
        return 0.0
    known = chroma(reference)
    middle = np.median(known, axis=0)
    # Light, shadow and white balance move a hand's chroma by about this much within a clip.
    spread = np.hypot(1.4826 * np.median(np.abs(known - middle), axis=0), 0.12)
    return float(np.linalg.norm((np.median(chroma(colours), axis=0) - middle) / spread))
