"""The colour of a hand's palm: two hands of one person under one light look alike, cups and cloth rarely do."""

from __future__ import annotations

import numpy as np

from .geometry import Pyramid

# Barycentric weights of points inside the triangle wrist - index knuckle - little finger's knuckle.
_CORNERS = (0, 5, 17)
_WEIGHTS = np.array([(a, b, 6 - a - b) for a in range(1, 5) for b in range(1, 6 - a)]) / 6


# Light, shadow and white balance move a hand's chroma by about this much within a clip.
_USUAL_SPREAD = 0.1


def palm_chroma(frame: Pyramid, points_px: np.ndarray) -> np.ndarray | None:
    """(2,) median log-ratios R/G and B/G of the palm, which brightness leaves alone; None if it is out of the frame."""
    image = frame.level(1)
    scale = np.array(image.shape[1::-1]) / frame.size
    pixels = np.floor(_WEIGHTS @ points_px[list(_CORNERS)] * scale).astype(int)
    inside = np.all((pixels >= 0) & (pixels < image.shape[1::-1]), axis=1)
    if not inside.any():
        return None
    logs = np.log(image[pixels[inside, 1], pixels[inside, 0]] + 8.0)
    return np.median(np.stack([logs[:, 0] - logs[:, 1], logs[:, 2] - logs[:, 1]], axis=1), axis=0)


def strangeness(chromas: np.ndarray, reference: np.ndarray) -> float:
    """Distance of the median of ``chromas`` (k, 2) from that of ``reference`` (m, 2), in spreads of the reference.

    0 when either is empty: no colour, no verdict.
    """
    if len(chromas) == 0 or len(reference) == 0:
        return 0.0
    middle = np.median(reference, axis=0)
    spread = np.maximum(1.4826 * np.median(np.abs(reference - middle), axis=0), _USUAL_SPREAD)
    return float(np.linalg.norm((np.median(chromas, axis=0) - middle) / spread))
