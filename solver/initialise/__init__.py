"""Initial pose of every tracked hand in every frame. See README.md."""

from .calibration import LandmarkCalibration, default_calibration
from .evidence import Weights
from .fit import FitOptions, collect, fit_tracks
from .motion import InitialMotion, transform_pose

__all__ = [
    "FitOptions",
    "InitialMotion",
    "LandmarkCalibration",
    "Weights",
    "collect",
    "default_calibration",
    "fit_tracks",
    "transform_pose",
]
