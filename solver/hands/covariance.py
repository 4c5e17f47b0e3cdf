"""How far to trust each landmark."""

from __future__ import annotations

import numpy as np

from .trail import Trail


def covariance_px(trail: Trail) -> np.ndarray:
    """(n, 21, 2, 2) px^2 for the frames of ``trail`` in order."""
    readings = [trail.readings[frame] for frame in trail.frames()]
    variance = np.array([(0.02 * reading.size_px) ** 2 for reading in readings])
    return variance[:, None, None, None] * np.broadcast_to(np.eye(2), (len(readings), 21, 2, 2))
