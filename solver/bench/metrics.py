"""World-space hand and camera metrics as the field defines them, and stricter variants. NumPy only.

Joints are (T, J, 3) metres in a world frame unless stated, the root (wrist) first. ``valid`` is (T,) or (T, J) bool:
what counts; None counts everything. Results are in millimetres, NaN where nothing counts. Definitions:

========== =========================================================================================================
PA-MPJPE   a Sim(3) per frame (Procrustes), mean over joints
MPJPE      root-relative: each frame's wrist moved to the wrist
G-MPJPE    = W-MPJPE: one Sim(3) from all joints of the first two valid frames of a segment, put on the whole segment
GA-MPJPE   = WA-MPJPE: one Sim(3) from all joints and frames of a segment
ACC-ERR    mean norm of the difference of accelerations, m/s^2; not rotation invariant: align the world first
RTE        root translation error after an SE(3) over the whole sequence, in percent of the true path
ATE, ATE-S root mean square error of the camera centres after a Sim(3), after an SE(3)
MRRPE      error of the vector from the left wrist to the right one
jitter     mean norm of the third difference, m/s^3
========== =========================================================================================================

Segments are 100 frames long, the last one shorter, as in the code of SLAHMR, GVHMR and HaWoR; Dyn-HaMR publishes no
evaluation code, and 128 is its motion prior's window, so both lengths are reported. With scale is the published
convention; over a hand's small extent the scale of a two-frame alignment is badly conditioned, so ``scale=False``
(rigid) is reported beside it. Umeyama, "Least-squares estimation of transformation parameters" (1991).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SEGMENT_LENGTHS = (100, 128)
_MM = 1e3
_SHORTEST_SEGMENT = 3


@dataclass(frozen=True)
class Similarity:
    """``scale`` (...), ``rotation`` (..., 3, 3), ``translation`` (..., 3): x -> scale * rotation x + translation."""

    scale: np.ndarray
    rotation: np.ndarray
    translation: np.ndarray

    def apply(self, points: np.ndarray) -> np.ndarray:
        """(..., n, 3) points moved."""
        turned = points @ np.swapaxes(self.rotation, -1, -2)
        return self.scale[..., None, None] * turned + self.translation[..., None, :]


def umeyama(
    source: np.ndarray, target: np.ndarray, weights: np.ndarray | None = None, scale: bool = True
) -> Similarity:
    """The similarity (or, without ``scale``, rigid motion) of least squared distance from source to target (..., n, 3).

    Proper rotations only. ``weights`` (..., n); points of weight zero may be NaN.
    """
    weights = np.ones(source.shape[:-1]) if weights is None else np.asarray(weights, float)
    used = weights[..., None] > 0
    source, target = np.where(used, source, 0.0), np.where(used, target, 0.0)
    total = np.maximum(weights.sum(axis=-1), 1e-30)[..., None]
    centre_source = (weights[..., None] * source).sum(axis=-2) / total
    centre_target = (weights[..., None] * target).sum(axis=-2) / total
    x, y = source - centre_source[..., None, :], target - centre_target[..., None, :]
    covariance = np.swapaxes(y * weights[..., None], -1, -2) @ x / total[..., None]
    u, singular, vt = np.linalg.svd(covariance)
    signs = np.ones_like(singular)
    signs[..., 2] = np.sign(np.linalg.det(u @ vt))
    rotation = (u * signs[..., None, :]) @ vt
    variance = (weights[..., None] * x * x).sum(axis=(-1, -2)) / total[..., 0]
    factor = (singular * signs).sum(axis=-1) / np.maximum(variance, 1e-30) if scale else np.ones(variance.shape)
    translation = centre_target - factor[..., None] * (rotation @ centre_source[..., None])[..., 0]
    return Similarity(factor, rotation, translation)


# --- errors per joint in metres, averaged by the functions below or split by visibility -------------------------------


def absolute_errors(predicted: np.ndarray, true: np.ndarray) -> np.ndarray:
    """(T, J) no alignment at all."""
    return np.linalg.norm(predicted - true, axis=-1)


def root_relative_errors(predicted: np.ndarray, true: np.ndarray) -> np.ndarray:
    """(T, J) wrists moved together."""
    return np.linalg.norm((predicted - predicted[:, :1]) - (true - true[:, :1]), axis=-1)


def procrustes_errors(
    predicted: np.ndarray, true: np.ndarray, valid: np.ndarray | None = None, scale: bool = True
) -> np.ndarray:
    """(T, J) after an alignment per frame; NaN in frames with fewer than three valid joints."""
    counted = _per_joint(valid, true)
    errors = np.full(true.shape[:-1], np.nan)
    enough = counted.sum(axis=1) >= 3
    if enough.any():
        fit = umeyama(predicted[enough], true[enough], counted[enough], scale)
        errors[enough] = absolute_errors(fit.apply(predicted[enough]), true[enough])
    return errors


def world_errors(
    predicted: np.ndarray,
    true: np.ndarray,
    valid: np.ndarray | None = None,
    segment: int | None = 100,
    first_frames: int | None = None,
    scale: bool = True,
) -> np.ndarray:
    """(T, J) after one alignment per segment, made on its first ``first_frames`` valid frames (None: on all)."""
    counted = _per_joint(valid, true)
    errors = np.full(true.shape[:-1], np.nan)
    for start, end in _segments(len(true), segment):
        part = slice(start, end)
        frames = _frames_to_align(counted[part], first_frames)
        weights = counted[part][frames].reshape(-1)
        if end - start < _SHORTEST_SEGMENT or weights.sum() < 3:
            continue
        fit = umeyama(predicted[part][frames].reshape(-1, 3), true[part][frames].reshape(-1, 3), weights, scale)
        moved = fit.apply(predicted[part].reshape(-1, 3)).reshape(predicted[part].shape)
        errors[part] = absolute_errors(moved, true[part])
    return errors


def _segments(count: int, length: int | None) -> list[tuple[int, int]]:
    length = length or count
    return [(start, min(count, start + length)) for start in range(0, count, length)]


def _frames_to_align(counted: np.ndarray, first_frames: int | None) -> np.ndarray:
    if first_frames is None:
        return np.arange(len(counted))
    whole = np.flatnonzero(counted.all(axis=1))
    usable = whole if len(whole) else np.flatnonzero(counted.sum(axis=1) >= 3)
    return usable[:first_frames]


def mean_mm(errors: np.ndarray, valid: np.ndarray | None = None) -> float:
    """Mean of errors [m] in millimetres over what is valid and was measured."""
    counted = np.isfinite(errors)
    if valid is not None:
        valid = np.asarray(valid, bool)
        counted &= valid[..., None] if valid.ndim < errors.ndim else valid
    return float(errors[counted].mean() * _MM) if counted.any() else float("nan")


# --- the metrics ------------------------------------------------------------------------------------------------------


def mpjpe(predicted: np.ndarray, true: np.ndarray, valid: np.ndarray | None = None) -> float:
    """Root-relative mean per-joint position error. With vertices for joints and their wrist first: MPVPE."""
    return mean_mm(root_relative_errors(predicted, true), valid)


def pa_mpjpe(predicted: np.ndarray, true: np.ndarray, valid: np.ndarray | None = None, scale: bool = True) -> float:
    return mean_mm(procrustes_errors(predicted, true, valid, scale), valid)


def g_mpjpe(
    predicted: np.ndarray,
    true: np.ndarray,
    valid: np.ndarray | None = None,
    segment: int | None = 100,
    scale: bool = True,
) -> float:
    return mean_mm(world_errors(predicted, true, valid, segment, 2, scale), valid)


def ga_mpjpe(
    predicted: np.ndarray,
    true: np.ndarray,
    valid: np.ndarray | None = None,
    segment: int | None = 100,
    scale: bool = True,
) -> float:
    return mean_mm(world_errors(predicted, true, valid, segment, None, scale), valid)


def acceleration(points: np.ndarray, fps: float) -> np.ndarray:
    """(T - 2, ..., 3) second differences, m/s^2."""
    return (points[:-2] - 2 * points[1:-1] + points[2:]) * fps**2


def acceleration_error(predicted: np.ndarray, true: np.ndarray, fps: float, valid: np.ndarray | None = None) -> float:
    """m/s^2; a joint counts where it is valid in three frames running."""
    counted = _running(_per_joint(valid, true), 3)
    difference = np.linalg.norm(acceleration(predicted, fps) - acceleration(true, fps), axis=-1)
    return float(difference[counted].mean()) if counted.any() else float("nan")


def jitter(points: np.ndarray, fps: float, valid: np.ndarray | None = None) -> float:
    """m/s^3 (GVHMR and WHAM print a tenth of it); a joint counts where it is valid in four frames running."""
    counted = _running(_per_joint(valid, points), 4)
    third = np.diff(points, n=3, axis=0) * fps**3
    return float(np.linalg.norm(third, axis=-1)[counted].mean()) if counted.any() else float("nan")


def rte_percent(predicted_root: np.ndarray, true_root: np.ndarray, valid: np.ndarray | None = None) -> float:
    """Roots (T, 3). The true path is the length of the polygon through its valid positions."""
    counted = np.ones(len(true_root), bool) if valid is None else np.asarray(valid, bool)
    predicted_root, true_root = predicted_root[counted], true_root[counted]
    path = np.linalg.norm(np.diff(true_root, axis=0), axis=1).sum() if len(true_root) > 2 else 0.0
    if path <= 0:
        return float("nan")
    moved = umeyama(predicted_root, true_root, scale=False).apply(predicted_root)
    return float(100 * np.linalg.norm(moved - true_root, axis=1).mean() / path)


def mrrpe(
    predicted_left: np.ndarray,
    predicted_right: np.ndarray,
    true_left: np.ndarray,
    true_right: np.ndarray,
    valid: np.ndarray | None = None,
) -> float:
    """Wrists (T, 3) of both hands; ``valid`` (T,) where both are there."""
    errors = np.linalg.norm((predicted_left - predicted_right) - (true_left - true_right), axis=-1)
    return mean_mm(errors[:, None], valid)


def ate(predicted: np.ndarray, true: np.ndarray, scale: bool = True) -> float:
    """Camera centres (T, 3). With scale: ATE. Without: ATE-S, which sees the method's own metric scale."""
    moved = umeyama(predicted, true, scale=scale).apply(predicted)
    return float(np.sqrt(((moved - true) ** 2).sum(axis=1).mean()) * _MM)


def share_within(errors: np.ndarray, wanted: np.ndarray, limit_mm: float) -> float:
    """Coverage-aware: of the joints ``wanted`` (T, J), the share whose error is known and at most ``limit_mm``."""
    hit = np.isfinite(errors) & (np.nan_to_num(errors, nan=np.inf) * _MM <= limit_mm)
    return float(hit[wanted].mean()) if wanted.any() else float("nan")


def with_penalty_mm(errors: np.ndarray, wanted: np.ndarray, penalty_mm: float) -> float:
    """Coverage-aware: mean over the joints ``wanted`` (T, J), capped at ``penalty_mm``, the price of a missing one."""
    if not wanted.any():
        return float("nan")
    return float(np.minimum(np.nan_to_num(errors * _MM, nan=penalty_mm), penalty_mm)[wanted].mean())


def pck_auc(errors: np.ndarray, valid: np.ndarray | None = None, limit_mm: float = 50.0, steps: int = 101) -> float:
    """Area under the share of joints within a threshold that runs from 0 to ``limit_mm``, as a share of the whole."""
    counted = np.isfinite(errors) & (_per_joint(valid, errors[..., None]) if valid is not None else True)
    if not counted.any():
        return float("nan")
    thresholds = np.linspace(0, limit_mm, steps)
    shares = (errors[counted][None] * _MM <= thresholds[:, None]).mean(axis=1)
    return float((shares[1:] + shares[:-1]).mean() / 2)


def _per_joint(valid: np.ndarray | None, points: np.ndarray) -> np.ndarray:
    shape = points.shape[:-1]
    if valid is None:
        return np.ones(shape, bool)
    valid = np.asarray(valid, bool)
    return np.broadcast_to(valid[..., None], shape) if valid.ndim < len(shape) else valid


def _running(counted: np.ndarray, length: int) -> np.ndarray:
    """(T - length + 1, J) valid in ``length`` frames running."""
    count = len(counted) - length + 1
    if count <= 0:
        return counted[:0]
    return np.logical_and.reduce([counted[k : k + count] for k in range(length)])
