"""A camera over time, in the solver's world (metres, OpenCV axes)."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from .distortion import undistort

__all__ = ["ASSUMED", "BRIDGED", "SOLVED", "CameraNote", "CameraPath", "ScaleEstimate", "project", "undistort"]

# how a frame's pose is known
ASSUMED, BRIDGED, SOLVED = 0, 1, 2


@dataclass(frozen=True)
class CameraNote:
    """Something about the camera that the person should know. Fields as in ``SolverError``."""

    code: str
    sentence: str
    repair: str


@dataclass(frozen=True)
class ScaleEstimate:
    """Metres per unit of the unscaled solve, already applied to the path that carries it.

    Attributes:
        metres_per_unit: the factor that was applied.
        low, high: 95 % interval of the true factor divided by the applied one (1 lies within); (1, 1) is exact.
        determined: False when only a weak guess was possible: the person should set a known length.
        cues: names of what it rests on, strongest first.
    """

    metres_per_unit: float = 1.0
    low: float = 1.0
    high: float = 1.0
    determined: bool = True
    cues: tuple[str, ...] = ()


@dataclass(frozen=True)
class CameraPath:
    """Attributes:
    kind: one of ``take.CAMERA_KINDS``.
    intrinsics: (4,) fx, fy, cx, cy in px, pixel centres at half-integers.
    world_from_camera: (T, 4, 4), camera x right, y down, z forward.
    distortion: coefficients of ``distortion_model`` (see ``distortion``); our own solve gives (2,) k1, k2 of
        x_d = x_u (1 + k1 r^2 + k2 r^4), r in focal lengths: COLMAP's RADIAL and Blender's POLYNOMIAL.
    status: (T,) uint8 of ASSUMED (nothing measured), BRIDGED (from its neighbours), SOLVED; None: all known by others.
    quality_px: (T,) median reprojection error of the background in px of the clip; NaN where nothing was measured.
    pose_sigma: (T, 2) one-sigma uncertainty of the turn (rad) and step (m) since the frame before; NaN where unknown.
    expected_error: (T, 2) one-sigma of each pose in the world (rad, m), from how much parts of the picture disagree
        about it; NaN where unknown.
    points: (N, 3) sparse background points in the world, ``point_errors_px`` (N,) their reprojection errors.
    shots: (S, 2) first and last row of each shot; each shot has a world of its own.
    point_shots: (N,) the shot that each point belongs to; None: all to one world.
    focal_sigma: one-sigma relative uncertainty of the focal length; 0 when given, inf when merely assumed.
    scale: how the path came to metres; None where scale has no meaning (no translation) or was given.
    up_sigma: one-sigma in radians of the world's vertical (-y); NaN where y may be anywhere.
    notes: what the person should know.
    readout: frames that pass between the exposure of the first and the last row; 0: global shutter, or not known. Poses
        hold for the middle row.
    """

    kind: str
    intrinsics: np.ndarray
    world_from_camera: np.ndarray
    distortion: np.ndarray = field(default_factory=lambda: np.zeros(2))
    status: np.ndarray | None = None
    quality_px: np.ndarray | None = None
    pose_sigma: np.ndarray | None = None
    expected_error: np.ndarray | None = None
    points: np.ndarray = field(default_factory=lambda: np.zeros((0, 3)))
    point_errors_px: np.ndarray = field(default_factory=lambda: np.zeros(0))
    shots: np.ndarray | None = None
    point_shots: np.ndarray | None = None
    focal_sigma: float = 0.0
    scale: ScaleEstimate | None = None
    notes: tuple[CameraNote, ...] = ()
    distortion_model: str = "POLYNOMIAL"
    readout: float = 0.0
    up_sigma: float = float("nan")


def project(points_camera: np.ndarray, intrinsics: np.ndarray) -> np.ndarray:
    """Pinhole projection of (..., 3) metres in the camera frame to (..., 2) px."""
    fx, fy, cx, cy = intrinsics
    x, y, z = np.moveaxis(points_camera, -1, 0)
    return np.stack([fx * x / z + cx, fy * y / z + cy], axis=-1)
