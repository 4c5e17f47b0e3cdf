"""One prediction against one truth: all figures of the benchmark, and what its plots are drawn from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from . import camera, intervals, meshes, metrics, silhouette
from .prediction import Prediction, in_camera
from .truth import OCCLUDED, OUTSIDE, VISIBLE, Truth, hand_length

PENALTY_MM = 100.0
WITHIN_MM = 30.0
# a hand in the picture lies on a true one when its keypoints are that near on average, in shares of the hand's size
ON_HAND_SHARE = 0.5
_SPLITS = {"visible": VISIBLE, "occluded": OCCLUDED, "outside": OUTSIDE}


@dataclass(frozen=True)
class Evaluation:
    """Attributes:
    figures: name to value; NaN where there was nothing to measure. ``FIGURES`` in ``table`` says what each is.
    camera_error_mm: (T, 2) mean error per frame in the camera's frame, NaN where missing.
    world_error_mm: (T, 2) likewise in the world after one rigid alignment of everything, NaN where missing.
    aligned_wrists: (T, 2, 3) predicted, and ``aligned_camera`` (T, 3), after that alignment.
    """

    figures: dict[str, float]
    camera_error_mm: np.ndarray
    world_error_mm: np.ndarray
    aligned_wrists: np.ndarray
    aligned_camera: np.ndarray


def evaluate(truth: Truth, prediction: Prediction) -> Evaluation:
    figures: dict[str, float] = {}
    found, present = prediction.found(), truth.present()
    figures |= _coverage(truth, prediction)
    local, true_local = prediction.in_camera(prediction.keypoints), in_camera(truth.keypoints, truth.world_from_camera)
    camera_errors = metrics.absolute_errors(local, true_local)
    figures |= _camera_space(truth, camera_errors, found & present)
    figures |= _per_hand(truth, prediction, found & present)
    figures |= _relative(truth, local, true_local, found & present)
    figures |= _image(truth, prediction, found & present)
    figures |= camera.figures(truth, prediction)
    figures |= meshes.figures(truth, prediction, found & present)
    figures |= _stated(truth, prediction, local, true_local)
    figures["silhouette"] = silhouette.overlap(truth, prediction)
    figures["hand_size"] = 100 * (hand_length(prediction.keypoints) / truth.hand_length() - 1)
    world_errors, aligned = _aligned(truth, prediction, found & present)
    figures |= _splits("world", world_errors, truth)
    return Evaluation(
        figures,
        np.where(found, _row_means(camera_errors), np.nan),
        np.where(found, _row_means(world_errors), np.nan),
        aligned.apply(prediction.keypoints[:, :, 0]),
        aligned.apply(prediction.world_from_camera[:, :3, 3]),
    )


def _coverage(truth: Truth, prediction: Prediction) -> dict[str, float]:
    found, present = prediction.found(), truth.present()
    away = (truth.visibility == OUTSIDE).all(axis=2)
    return {
        "recall": _share(found[present]),
        "recall_left": _share(found[:, 0][present[:, 0]]),
        "recall_right": _share(found[:, 1][present[:, 1]]),
        "infilled": _share(found[away]),
        "spare_tracks": float(prediction.spare.sum()),
        "false_hands": float(_false_hands(truth, prediction)),
        "side_right": _side_agreement(truth, prediction),
    }


def _false_hands(truth: Truth, prediction: Prediction) -> int:
    """Hands that the prediction says it sees, all frames together, where the picture shows none of either side."""
    claimed = np.isfinite(prediction.claims[..., 0, 0])
    if not claimed.any():
        return 0
    size = _hand_sizes_px(truth)
    near = np.zeros(claimed.shape, bool)
    for track, points in enumerate(prediction.claims):
        for hand in range(2):
            gap = _gap_px(truth, hand, prediction.in_picture(points))
            near[track] |= gap < ON_HAND_SHARE * size
    return int((claimed & ~near).sum())


def _gap_px(truth: Truth, hand: int, points: np.ndarray) -> np.ndarray:
    """(T,) mean distance in the picture of (T, 21, 2) from the true hand's keypoints that are in it; inf if none is."""
    gap = np.linalg.norm(points - truth.keypoints_px[:, hand], axis=-1)
    inside = (truth.visibility[:, hand] != OUTSIDE) & np.isfinite(gap)
    total = np.where(inside, gap, 0.0).sum(axis=-1)
    return np.where(inside.any(axis=-1), total / np.maximum(inside.sum(axis=-1), 1), np.inf)


def _hand_sizes_px(truth: Truth) -> np.ndarray:
    """(T,) larger side of the larger true hand's bounding box."""
    known = np.where(np.isfinite(truth.keypoints_px), truth.keypoints_px, 0.0)
    return np.ptp(known, axis=2).max(axis=(1, 2))


def _side_agreement(truth: Truth, prediction: Prediction) -> float:
    """Of the predicted hands that lie on a true hand in the picture, the share that bears its name."""
    predicted = prediction.in_picture(prediction.keypoints)
    distance = np.stack(
        [np.stack([_gap_px(truth, other, predicted[:, own]) for other in range(2)], axis=1) for own in range(2)], axis=1
    )
    matched = prediction.found() & (distance.min(axis=2) < ON_HAND_SHARE * _hand_sizes_px(truth)[:, None])
    return _share((distance.argmin(axis=2) == np.arange(2))[matched])


def _camera_space(truth: Truth, errors: np.ndarray, counted: np.ndarray) -> dict[str, float]:
    present = np.repeat(truth.present()[..., None], 21, axis=2)
    return {
        "c_mpjpe": metrics.mean_mm(errors, counted),
        "c_mpjpe_covered": metrics.with_penalty_mm(errors, present, PENALTY_MM),
        "c_within": metrics.share_within(errors, present, WITHIN_MM),
        **_splits("camera", errors, truth),
    }


def _per_hand(truth: Truth, prediction: Prediction, counted: np.ndarray) -> dict[str, float]:
    """Figures that the papers give per hand, averaged over the hands that there are."""
    rows = [_one_hand(truth, prediction, side, counted[:, side]) for side in range(2)]
    names = rows[0]
    return {name: _mean_of([row[name] for row in rows]) for name in names}


def _relative(truth: Truth, local: np.ndarray, true_local: np.ndarray, counted: np.ndarray) -> dict[str, float]:
    """What is relative to a wrist, in the camera's axes: how a solve turns its world is its free choice."""
    rows = [_about_wrist(truth, local[:, side], true_local[:, side], side, counted[:, side]) for side in range(2)]
    wrists = (local[:, 0, 0], local[:, 1, 0], true_local[:, 0, 0], true_local[:, 1, 0])
    figures = {name: _mean_of([row[name] for row in rows]) for name in rows[0]}
    return figures | {"mrrpe": metrics.mrrpe(*wrists, counted.all(axis=1))}


def _about_wrist(truth: Truth, p: np.ndarray, t: np.ndarray, side: int, counted: np.ndarray) -> dict[str, float]:
    wanted = np.repeat(truth.present()[:, side, None], 21, axis=1)
    return {
        "mpjpe": metrics.mpjpe(p, t, counted),
        "mpjpe_covered": metrics.with_penalty_mm(metrics.root_relative_errors(p, t), wanted, PENALTY_MM),
    }


def _one_hand(truth: Truth, prediction: Prediction, side: int, counted: np.ndarray) -> dict[str, float]:
    p, t, fps = prediction.keypoints[:, side], truth.keypoints[:, side], truth.frame_rate
    wanted = np.repeat(truth.present()[:, side, None], 21, axis=1)
    figures = {
        "pa_mpjpe": metrics.pa_mpjpe(p, t, counted),
        "pa_mpjpe_covered": metrics.with_penalty_mm(metrics.procrustes_errors(p, t, counted), wanted, PENALTY_MM),
        "pa_rigid": metrics.pa_mpjpe(p, t, counted, scale=False),
        "auc": metrics.pck_auc(metrics.procrustes_errors(p, t, counted), counted),
        "rte": metrics.rte_percent(p[:, 0], t[:, 0], counted),
        "jitter": metrics.jitter(p, fps, counted),
        "jitter_true": metrics.jitter(t, fps, counted),
    }
    for length in metrics.SEGMENT_LENGTHS:
        figures[f"g_mpjpe_{length}"] = metrics.g_mpjpe(p, t, counted, length)
        figures[f"ga_mpjpe_{length}"] = metrics.ga_mpjpe(p, t, counted, length)
    in_world = metrics.world_errors(p, t, counted)
    figures["ga_covered"] = metrics.with_penalty_mm(in_world, wanted, PENALTY_MM)
    figures["g_rigid"] = metrics.g_mpjpe(p, t, counted, scale=False)
    figures["ga_rigid"] = metrics.ga_mpjpe(p, t, counted, scale=False)
    weights = np.repeat(counted, 21)
    if weights.any():
        turned = metrics.umeyama(p.reshape(-1, 3), t.reshape(-1, 3), weights, scale=False).apply(p.reshape(-1, 3))
        p = turned.reshape(p.shape)
    return figures | {"acc_err": metrics.acceleration_error(p, t, fps, counted)}


def _image(truth: Truth, prediction: Prediction, counted: np.ndarray) -> dict[str, float]:
    points = prediction.in_picture(prediction.keypoints)
    error = np.linalg.norm(points - truth.keypoints_px, axis=-1)
    inside = counted[..., None] & (truth.visibility != OUTSIDE) & np.isfinite(error)
    size = np.ptp(truth.keypoints_px, axis=2).max(axis=-1)[..., None]
    return {
        "error_px": float(np.median(error[inside])) if inside.any() else float("nan"),
        "error_of_hand": float(100 * np.median((error / size)[inside])) if inside.any() else float("nan"),
    }


def _stated(truth: Truth, prediction: Prediction, local: np.ndarray, true_local: np.ndarray) -> dict[str, float]:
    """Coverage of the stated intervals: joints relative to the wrist per axis of the camera, the wrist's position
    along the ray to it and across."""
    sigma = np.full(local.shape[:3], np.nan) if prediction.sigma is None else prediction.sigma
    along = np.full(local.shape[:2], np.nan) if prediction.distance_sigma is None else prediction.distance_sigma
    sigma = np.where(truth.present()[..., None], sigma, np.nan)
    visible = np.where(truth.visibility == VISIBLE, sigma, np.nan)
    errors = local - true_local
    about_wrist = errors[:, :, 1:] - errors[:, :, :1]
    parts = {
        "joints": intervals.coverage(about_wrist, sigma[:, :, 1:, None]),
        "visible": intervals.coverage(about_wrist, visible[:, :, 1:, None]),
        "wrist": intervals.coverage(*intervals.about_ray(errors[:, :, 0], local[:, :, 0], sigma[:, :, 0], along)),
    }
    return {f"within_{width}_{part}": share for part, shares in parts.items() for width, share in shares.items()}


def _aligned(truth: Truth, prediction: Prediction, counted: np.ndarray) -> tuple[np.ndarray, metrics.Similarity]:
    """Errors (T, 2, 21) after one rigid alignment of both hands over the whole clip, and that alignment."""
    weights = np.repeat(counted[..., None], 21, axis=2).reshape(-1)
    p, t = prediction.keypoints.reshape(-1, 3), truth.keypoints.reshape(-1, 3)
    aligned = metrics.umeyama(p, t, weights, scale=False)
    return metrics.absolute_errors(aligned.apply(p), t).reshape(prediction.keypoints.shape[:3]), aligned


def _splits(prefix: str, errors: np.ndarray, truth: Truth) -> dict[str, float]:
    flat, visibility = errors.reshape(-1, 21), truth.visibility.reshape(-1, 21)
    return {f"{prefix}_{name}": metrics.mean_mm(flat, visibility == code) for name, code in _SPLITS.items()}


def _row_means(errors: np.ndarray) -> np.ndarray:
    return errors.mean(axis=-1) * 1e3


def _share(flags: np.ndarray) -> float:
    return float(flags.mean()) if len(flags) else float("nan")


def _mean_of(values: list[float]) -> float:
    known = [value for value in values if np.isfinite(value)]
    return float(np.mean(known)) if known else float("nan")
