"""A camera over time, in the solver's world (metres, OpenCV axes)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class CameraPath:
    """Attributes:
    kind: one of ``take.CAMERA_KINDS``.
    intrinsics: (4,) fx, fy, cx, cy in px, pixel centres at half-integers.
    world_from_camera: (T, 4, 4), camera x right, y down, z forward.
    """

    kind: str
    intrinsics: np.ndarray
    world_from_camera: np.ndarray


def project(points_camera: np.ndarray, intrinsics: np.ndarray) -> np.ndarray:
    """Pinhole projection of (..., 3) metres in the camera frame to (..., 2) px."""
    fx, fy, cx, cy = intrinsics
    x, y, z = np.moveaxis(points_camera, -1, 0)
    return np.stack([fx * x / z + cx, fy * y / z + cy], axis=-1)
