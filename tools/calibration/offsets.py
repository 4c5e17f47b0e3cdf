"""From readings with known truth: one offset per landmark, and what error it leaves."""

from __future__ import annotations

import numpy as np

from solver.camera.cameras import project
from solver.hand_model.layout import KEYPOINT_JOINTS

from .observe import Observation

_ROUNDS = 8
_ROBUST = 0.05  # Cauchy scale in hand sizes
_PRIOR_M = 0.02  # an offset that no view shows stays zero
_PICTURE_SIGMA = 0.03  # typical error in hand sizes, to weigh pictures against that prior
MIRROR = {"right": np.array([1.0, 1.0, 1.0]), "left": np.array([-1.0, 1.0, 1.0])}


def fit_offsets(observations: list[Observation], palm_lengths: np.ndarray) -> np.ndarray:
    """(21, 3) offsets in the frame of each keypoint's joint, right hand, metres at the mean shape.

    Iterated least squares on the image error in hand sizes with a Cauchy kernel; linear in the offset but for
    perspective.

    Args:
        palm_lengths: (n,) each view's palm over the mean shape's: offsets grow with it.
    """
    offsets = np.zeros((21, 3))
    for _ in range(_ROUNDS):
        normal = np.tile(np.eye(3) / _PRIOR_M**2, (21, 1, 1))
        moment = -offsets / _PRIOR_M**2
        for seen, growth in zip(observations, palm_lengths, strict=True):
            error, slopes = _error_and_slopes(seen, offsets, growth)
            weight = 1 / (1 + (error**2).sum(1) / _ROBUST**2) / _PICTURE_SIGMA**2
            normal += np.einsum("k,kai,kaj->kij", weight, slopes, slopes)
            moment += np.einsum("k,kai,ka->ki", weight, slopes, error)
        offsets = offsets + np.linalg.solve(normal, moment[..., None])[..., 0]
    return offsets


def image_errors(observations: list[Observation], palm_lengths: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """(n, 21, 2) landmark minus prediction, in hand sizes."""
    return np.stack([_error_and_slopes(o, offsets, g)[0] for o, g in zip(observations, palm_lengths, strict=True)])


def _error_and_slopes(seen: Observation, offsets: np.ndarray, growth: float) -> tuple[np.ndarray, np.ndarray]:
    """(21, 2) error and (21, 2, 3) derivative of the prediction by the offsets, both in hand sizes."""
    view = seen.view
    to_camera = view.frames[list(KEYPOINT_JOINTS)] * (MIRROR[view.side] * growth)
    points = view.keypoints + np.einsum("kij,kj->ki", to_camera, offsets)
    fx, fy, _, _ = view.intrinsics
    x, y, z = points.T
    zero = np.zeros(21)
    camera = np.stack([np.stack([fx / z, zero, -fx * x / z**2], -1), np.stack([zero, fy / z, -fy * y / z**2], -1)], 1)
    error = seen.landmarks_px - project(points, view.intrinsics)
    return error / seen.size_px, camera @ to_camera / seen.size_px


def robust_sigma(errors: np.ndarray) -> np.ndarray:
    """(21,) standard deviation per axis of the core of the errors (n, 21, 2): median distance over that of a unit 2D
    Gaussian, sqrt(2 ln 2)."""
    return np.median(np.linalg.norm(errors, axis=2), axis=0) / np.sqrt(2 * np.log(2))
