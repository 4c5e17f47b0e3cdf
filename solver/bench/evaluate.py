"""One prediction against one truth: all figures of the benchmark, and what its plots are drawn from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..camera.cameras import project
from . import metrics
from .prediction import Prediction
from .truth import OCCLUDED, OUTSIDE, VISIBLE, Truth

PENALTY_MM = 100.0
WITHIN_MM = 30.0
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
    camera_errors = metrics.absolute_errors(
        _in_camera(prediction.keypoints, prediction.world_from_camera),
        _in_camera(truth.keypoints, truth.world_from_camera),
    )
    figures |= _camera_space(truth, camera_errors, found & present)
    figures |= _per_hand(truth, prediction, found & present)
    figures |= _image(truth, prediction, found & present)
    figures |= _camera(truth, prediction)
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
        "side_right": _side_agreement(truth, prediction),
    }


def _side_agreement(truth: Truth, prediction: Prediction) -> float:
    """Of the predicted hands that lie on a true hand in the picture, the share that bears its name."""
    predicted, ok = _image_points(prediction)
    distance = np.full((len(truth.frames), 2, 2), np.inf)
    for own in range(2):
        for other in range(2):
            gap = np.linalg.norm(predicted[:, own] - truth.keypoints_px[:, other], axis=-1)
            distance[:, own, other] = np.where(truth.visibility[:, other] == OUTSIDE, np.nan, gap).mean(axis=-1)
    distance = np.where(np.isfinite(distance), distance, np.inf)
    size = np.ptp(truth.keypoints_px, axis=2).max(axis=-1)
    matched = ok & (distance.min(axis=2) < 0.5 * np.nan_to_num(size, nan=0.0).max(axis=1)[:, None])
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
    figures = {name: _mean_of([row[name] for row in rows]) for name in names}
    both = counted.all(axis=1)
    wrists = (
        prediction.keypoints[:, 0, 0],
        prediction.keypoints[:, 1, 0],
        truth.keypoints[:, 0, 0],
        truth.keypoints[:, 1, 0],
    )
    return figures | {"mrrpe": metrics.mrrpe(*wrists, both)}


def _one_hand(truth: Truth, prediction: Prediction, side: int, counted: np.ndarray) -> dict[str, float]:
    p, t, fps = prediction.keypoints[:, side], truth.keypoints[:, side], truth.frame_rate
    figures = {
        "mpjpe": metrics.mpjpe(p, t, counted),
        "pa_mpjpe": metrics.pa_mpjpe(p, t, counted),
        "pa_rigid": metrics.pa_mpjpe(p, t, counted, scale=False),
        "auc": metrics.pck_auc(metrics.procrustes_errors(p, t, counted), counted),
        "rte": metrics.rte_percent(p[:, 0], t[:, 0], counted),
        "jitter": metrics.jitter(p, fps, counted),
        "jitter_true": metrics.jitter(t, fps, counted),
    }
    for length in metrics.SEGMENT_LENGTHS:
        figures[f"g_mpjpe_{length}"] = metrics.g_mpjpe(p, t, counted, length)
        figures[f"ga_mpjpe_{length}"] = metrics.ga_mpjpe(p, t, counted, length)
    figures["g_rigid"] = metrics.g_mpjpe(p, t, counted, scale=False)
    figures["ga_rigid"] = metrics.ga_mpjpe(p, t, counted, scale=False)
    weights = np.repeat(counted, 21)
    if weights.any():
        turned = metrics.umeyama(p.reshape(-1, 3), t.reshape(-1, 3), weights, scale=False).apply(p.reshape(-1, 3))
        p = turned.reshape(p.shape)
    return figures | {"acc_err": metrics.acceleration_error(p, t, fps, counted)}


def _image(truth: Truth, prediction: Prediction, counted: np.ndarray) -> dict[str, float]:
    points, _ = _image_points(prediction)
    error = np.linalg.norm(points - truth.keypoints_px, axis=-1)
    inside = counted[..., None] & (truth.visibility != OUTSIDE) & np.isfinite(error)
    size = np.ptp(truth.keypoints_px, axis=2).max(axis=-1)[..., None]
    return {
        "error_px": float(np.median(error[inside])) if inside.any() else float("nan"),
        "error_of_hand": float(100 * np.median((error / size)[inside])) if inside.any() else float("nan"),
    }


def _image_points(prediction: Prediction) -> tuple[np.ndarray, np.ndarray]:
    local = _in_camera(prediction.keypoints, prediction.world_from_camera)
    local = np.where(local[..., 2:] > 0.01, local, np.nan)
    return project(local, prediction.intrinsics), prediction.found()


def _camera(truth: Truth, prediction: Prediction) -> dict[str, float]:
    own, true = prediction.world_from_camera, truth.world_from_camera
    path = float(np.linalg.norm(np.diff(true[:, :3, 3], axis=0), axis=1).sum())
    relative = own[0, :3, :3].T @ own[:, :3, :3]
    expected = true[0, :3, :3].T @ true[:, :3, :3]
    trace = np.einsum("tij,tij->t", relative, expected)
    return {
        "ate": metrics.ate(own[:, :3, 3], true[:, :3, 3]),
        "ate_s": metrics.ate(own[:, :3, 3], true[:, :3, 3], scale=False),
        "camera_path": path,
        "camera_turn": float(np.rad2deg(np.arccos(np.clip((trace - 1) / 2, -1, 1))).mean()),
        "focal_error": float(100 * (prediction.intrinsics[0] / truth.intrinsics[0] - 1)),
    }


def _aligned(truth: Truth, prediction: Prediction, counted: np.ndarray) -> tuple[np.ndarray, metrics.Similarity]:
    """Errors (T, 2, 21) after one rigid alignment of both hands over the whole clip, and that alignment."""
    weights = np.repeat(counted[..., None], 21, axis=2).reshape(-1)
    p, t = prediction.keypoints.reshape(-1, 3), truth.keypoints.reshape(-1, 3)
    aligned = metrics.umeyama(p, t, weights, scale=False)
    return metrics.absolute_errors(aligned.apply(p), t).reshape(prediction.keypoints.shape[:3]), aligned


def _splits(prefix: str, errors: np.ndarray, truth: Truth) -> dict[str, float]:
    flat, visibility = errors.reshape(-1, 21), truth.visibility.reshape(-1, 21)
    return {f"{prefix}_{name}": metrics.mean_mm(flat, visibility == code) for name, code in _SPLITS.items()}


def _in_camera(points: np.ndarray, world_from_camera: np.ndarray) -> np.ndarray:
    return (points - world_from_camera[:, None, None, :3, 3]) @ world_from_camera[:, None, :3, :3]


def _row_means(errors: np.ndarray) -> np.ndarray:
    return errors.mean(axis=-1) * 1e3


def _share(flags: np.ndarray) -> float:
    return float(flags.mean()) if len(flags) else float("nan")


def _mean_of(values: list[float]) -> float:
    known = [value for value in values if np.isfinite(value)]
    return float(np.mean(known)) if known else float("nan")
