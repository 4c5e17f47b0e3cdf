"""From readings with known truth: the linear map that sets the landmark net's own 3D hand right."""

from __future__ import annotations

import numpy as np
from scipy.stats import theilslopes

from solver.camera.cameras import project
from solver.hand_model.layout import KEYPOINT_JOINTS
from solver.hands.lift import features, upright_hand
from solver.initialise.evidence import viewing_rays
from solver.initialise.starts import camera_from_crop

from .observe import Observation
from .offsets import MIRROR

_RIDGE = 30.0
_FOLDS = 5


def rows_of(
    observations: list[Observation], palm_lengths: np.ndarray, offsets: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(n, 105) features and (n, 63) true hands in the same terms."""
    inputs, targets = [], []
    for seen, growth in zip(observations, palm_lengths, strict=True):
        view, pixels = seen.view, seen.landmarks_px[None]
        to_camera = view.frames[list(KEYPOINT_JOINTS)] * (MIRROR[view.side] * growth)
        points = view.keypoints + np.einsum("kij,kj->ki", to_camera, offsets)
        along_ray = points @ camera_from_crop(viewing_rays(pixels, view.intrinsics))[0]
        inputs.append(features(pixels, seen.landmarks_m[None], view.side)[0])
        targets.append(upright_hand(along_ray[None], pixels, view.side).reshape(-1))
    return np.array(inputs), np.array(targets)


def shrinkage(observations: list[Observation], palm_lengths: np.ndarray, offsets: np.ndarray) -> float:
    """By how much the logarithm of the hand's size in the picture falls per decade of doubt (Theil and Sen's slope)."""
    doubt, size = [], []
    for seen, growth in zip(observations, palm_lengths, strict=True):
        view = seen.view
        to_camera = view.frames[list(KEYPOINT_JOINTS)] * (MIRROR[view.side] * growth)
        expected = project(view.keypoints + np.einsum("kij,kj->ki", to_camera, offsets), view.intrinsics)
        own, true = (np.std(points - points.mean(0)) for points in (seen.landmarks_px, expected))
        doubt.append(np.log10(np.clip(1 - seen.presence, 0.002, 0.5)))
        size.append(np.log(own / true))
    return float(-theilslopes(size, doubt).slope)


def fit_lift(inputs: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Ridge regression on standardised features: weights (105, 63), bias (63,)."""
    mean, spread = inputs.mean(0), inputs.std(0) + 1e-9
    x, middle = (inputs - mean) / spread, targets.mean(0)
    weights = np.linalg.solve(x.T @ x + _RIDGE * np.eye(x.shape[1]), x.T @ (targets - middle))
    weights = weights / spread[:, None]
    return weights, middle - mean @ weights


def held_out_errors(inputs: np.ndarray, targets: np.ndarray, identities: np.ndarray) -> np.ndarray:
    """(n, 21, 3) prediction minus truth, in palm sizes, each person predicted by a map learnt from others."""
    out = np.empty_like(targets)
    for fold in range(_FOLDS):
        test = identities % _FOLDS == fold
        weights, bias = fit_lift(inputs[~test], targets[~test])
        out[test] = inputs[test] @ weights + bias - targets[test]
    return out.reshape(-1, 21, 3)
