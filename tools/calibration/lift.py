"""From readings with known truth: the map that sets the landmark net's own 3D hand right."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.cluster.vq import kmeans2
from scipy.stats import theilslopes

from solver.camera.cameras import project
from solver.hand_model.layout import KEYPOINT_JOINTS
from solver.hands.lift import HintCalibration, features, upright_hand
from solver.initialise.evidence import viewing_rays
from solver.initialise.starts import camera_from_crop

from .observe import Observation
from .offsets import MIRROR

# chosen by the error of people who were held out; half or twice as much of any changes it by less than 3 %
_COORDINATES, _BUMPS, _SHARPNESS = 40, 500, 0.6
_RIDGE, _LINEAR_RIDGE = 0.1, 0.33
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


def fit_lift(inputs: np.ndarray, targets: np.ndarray, provenance: str = "") -> HintCalibration:
    """Kernel ridge regression with Gaussian bumps at the data's clusters (subset of regressors) and a linear part, in
    the leading principal components of the standardised features, scaled to a mean square of one altogether.

    C. E. Rasmussen and C. K. I. Williams, Gaussian Processes for Machine Learning (2006), section 8.3.1.
    """
    mean, spread = inputs.mean(0), inputs.std(0) + 1e-6
    standard = (inputs - mean) / spread
    axes = np.linalg.svd(standard, full_matrices=False)[2][:_COORDINATES].T
    axes = axes / np.sqrt(((standard @ axes) ** 2).sum(1).mean()) / spread[:, None]
    at, bias = (inputs - mean) @ axes, targets.mean(0)
    centres, _ = kmeans2(at, min(_BUMPS, len(at)), minit="++", seed=1)
    empty = HintCalibration(mean, axes, centres, np.float64(_SHARPNESS), np.zeros(0), bias, provenance)
    basis, m = empty.basis(inputs), len(centres)
    penalty = np.zeros((basis.shape[1],) * 2)
    penalty[:m, :m] = _RIDGE * np.exp(-_SHARPNESS * ((centres[:, None] - centres) ** 2).sum(-1))
    penalty[m:, m:] = _LINEAR_RIDGE * np.eye(axes.shape[1])
    normal = basis.T @ basis + penalty + 1e-6 * np.eye(len(penalty))
    return replace(empty, weights=np.linalg.solve(normal, basis.T @ (targets - bias)))


def held_out_errors(inputs: np.ndarray, targets: np.ndarray, identities: np.ndarray) -> np.ndarray:
    """(n, 21, 3) prediction minus truth, in palm sizes, each person predicted by a map learnt from others."""
    out = np.empty_like(targets)
    for fold in range(_FOLDS):
        test = identities % _FOLDS == fold
        out[test] = fit_lift(inputs[~test], targets[~test])(inputs[test]) - targets[test]
    return out.reshape(-1, 21, 3)


def palm_tilts(errors: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """(n,) degrees between the palms' normals of predicted and true hands: (n, 21, 3) errors of (n, 63) targets."""
    true = targets.reshape(-1, 21, 3)
    normals = [np.cross(p[:, 5] - p[:, 0], p[:, 17] - p[:, 0]) for p in (true, true + errors)]
    one, other = (n / np.linalg.norm(n, axis=1, keepdims=True) for n in normals)
    return np.degrees(np.arccos(np.clip((one * other).sum(1), -1, 1)))
