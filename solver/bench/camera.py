"""A solved camera against the true one: path, scale, rotation, lens, and what kind of motion it is."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from . import intervals, metrics
from .prediction import Prediction
from .truth import Truth

# a true camera whose centre stays within this does not travel; one that turns by less stands still
_STILL_M, _STILL_DEG = 0.01, 0.5
# of a shorter path the scale says nothing
_LEAST_PATH_M = 0.1


def figures(truth: Truth, prediction: Prediction) -> dict[str, float]:
    own, true = prediction.world_from_camera, truth.world_from_camera
    path = float(np.linalg.norm(np.diff(true[:, :3, 3], axis=0), axis=1).sum())
    relative = own[0, :3, :3].T @ own[:, :3, :3]
    expected = true[0, :3, :3].T @ true[:, :3, :3]
    return {
        "ate": metrics.ate(own[:, :3, 3], true[:, :3, 3]),
        "ate_s": metrics.ate(own[:, :3, 3], true[:, :3, 3], scale=False),
        "camera_path": path,
        "camera_turn": float(angles_deg(relative, expected).mean()),
        "camera_turn_rmse": rotation_rmse_deg(own[:, :3, :3], true[:, :3, :3]),
        "camera_scale": scale_error_percent(own[:, :3, 3], true[:, :3, 3]) if path > _LEAST_PATH_M else float("nan"),
        "focal_error": float(100 * (prediction.intrinsics[0] / truth.intrinsics[0] - 1)),
        "kind_right": float(prediction.camera_kind == kind(true)) if prediction.camera_kind else float("nan"),
        **_stated(own, true, prediction.camera_sigma),
    }


def _stated(own: np.ndarray, true: np.ndarray, sigma: np.ndarray | None) -> dict[str, float]:
    """Coverage of the poses' stated intervals per axis. The world's place, vertical and size are not among them."""
    sigma = np.full((len(own), 2), np.nan) if sigma is None else sigma / np.sqrt(3)
    turn = _best_turn(own[:, :3, :3], true[:, :3, :3])
    turned = Rotation.from_matrix(turn @ own[:, :3, :3] @ np.swapaxes(true[:, :3, :3], 1, 2)).as_rotvec()
    move = metrics.umeyama(own[:, :3, 3], true[:, :3, 3])
    parts = {
        "camera_turn": intervals.coverage(turned, sigma[:, :1]),
        "camera_place": intervals.coverage(move.apply(own[:, :3, 3]) - true[:, :3, 3], sigma[:, 1:] * move.scale),
    }
    return {f"within_{width}_{part}": share for part, shares in parts.items() for width, share in shares.items()}


def angles_deg(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """(n,) angle between rotations (n, 3, 3)."""
    between = np.swapaxes(first, -1, -2) @ second
    vector = np.stack([between[:, 2, 1] - between[:, 1, 2], between[:, 0, 2] - between[:, 2, 0],
                       between[:, 1, 0] - between[:, 0, 1]], axis=1)  # fmt: skip
    return np.rad2deg(np.arctan2(np.linalg.norm(vector, axis=1), np.trace(between, axis1=1, axis2=2) - 1))


def rotation_rmse_deg(predicted: np.ndarray, true: np.ndarray) -> float:
    """Root mean square angle between world-from-camera rotations (n, 3, 3) after the one turn of the world that fits
    best (the chordal mean)."""
    return float(np.sqrt((angles_deg(_best_turn(predicted, true) @ predicted, true) ** 2).mean()))


def _best_turn(predicted: np.ndarray, true: np.ndarray) -> np.ndarray:
    """(3, 3) of the world."""
    u, _, vt = np.linalg.svd((true @ np.swapaxes(predicted, 1, 2)).sum(axis=0))
    return u @ np.diag([1, 1, np.sign(np.linalg.det(u @ vt))]) @ vt


def scale_error_percent(predicted: np.ndarray, true: np.ndarray) -> float:
    """By how much a path of camera centres (n, 3) is too large, in percent; negative: too small."""
    shrinks = metrics.umeyama(predicted, true).scale
    return float(100 * (1 / shrinks - 1)) if shrinks > 1e-9 else float("nan")


def kind(world_from_camera: np.ndarray) -> str:
    """What a camera (T, 4, 4) really does, as in ``take.CAMERA_KINDS``: static, rotation or general."""
    centres, turns = world_from_camera[:, :3, 3], world_from_camera[:, :3, :3]
    if np.linalg.norm(centres - centres.mean(axis=0), axis=1).max() > _STILL_M:
        return "general"
    return "rotation" if angles_deg(np.broadcast_to(turns[0], turns.shape), turns).max() > _STILL_DEG else "static"
