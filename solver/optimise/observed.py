"""What the optimiser is given: what was seen of the hands, and what is known of the camera."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Observations:
    """What was seen, for the N packed hand-frames of a layout.

    Attributes:
        landmarks_px: (N, 21, 2); whitening: (N, 21, 2, 2) 1/px with ``W'W = covariance^-1``, 0 where nothing was seen.
        ray: (N, 3) unit viewing direction to the hand, in the world.
        depth: (N, 21) the landmark net's depths along the ray about their mean, in palm sizes; 0 where unknown.
        hinted: (N, 21) bool: where ``depth`` is known.
    """

    landmarks_px: np.ndarray
    whitening: np.ndarray
    ray: np.ndarray
    depth: np.ndarray
    hinted: np.ndarray


@dataclass(frozen=True)
class CameraBelief:
    """What mapping knows about its camera, for the layout's frames, about its scale and its lens.

    Attributes:
        camera_from_world: (T, 3, 3); centre: (T, 3) in mapping's unit.
        deviation: (T, 2) of each pose, rad and mapping's unit; step_deviation: (T, 2) of the step to it from the frame
            before. NaN, or None for all: the weights' defaults.
        log_scale, scale_deviation: the scale's estimate. focal_deviation: relative. None: the weights' defaults.
    """

    camera_from_world: np.ndarray
    centre: np.ndarray
    deviation: np.ndarray | None = None
    step_deviation: np.ndarray | None = None
    log_scale: float = 0.0
    scale_deviation: float | None = None
    focal_deviation: float | None = None
