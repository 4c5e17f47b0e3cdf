"""Surfaces of hands against surfaces: vertex errors where meshes share a topology, distances where they do not."""

from __future__ import annotations

import functools

import numpy as np

from . import contact, metrics
from .contact import Bodies
from .prediction import Prediction, in_camera
from .surfaces import Sampling, between
from .truth import Truth

_STRIDE = 3  # of frames, for distances between surfaces
_NAN = float("nan")
# points nearer to the wrist than that share of the hand's length: where a mesh ends there is a convention
_WRIST_SHARE = 0.2


def figures(truth: Truth, prediction: Prediction, counted: np.ndarray) -> dict[str, float]:
    """``counted`` (T, 2): hands that are both there and found."""
    found = dict.fromkeys(
        ("mpvpe", "pa_mpvpe", "surface", "penetration", "penetration_volume", "true_penetration", "contact_gap"), _NAN
    )
    if prediction.vertices is None:
        return found
    bodies = _predicted(prediction)
    found |= _overlap(bodies)
    if truth.vertices is None:
        return found
    true, depth, touches = _known(truth)
    found |= {"true_penetration": depth, "contact_gap": _mean_mm(contact.gaps(bodies, touches))}
    rows = [_one_hand(truth, prediction, bodies, true, hand, counted[:, hand]) for hand in range(2)]
    return found | {name: _known_mean([row[name] for row in rows]) for name in rows[0]}


def _predicted(prediction: Prediction) -> Bodies:
    vertices = prediction.vertices[:, 0], prediction.vertices[:, 1]
    return Bodies(vertices, (prediction.faces[0], prediction.faces[1]), prediction.keypoints)


@functools.lru_cache(maxsize=16)
def _known(truth: Truth) -> tuple[Bodies, float, set[tuple[int, int, int]]]:
    """What does not depend on a prediction: the true hands, how deep they are in each other, what touches."""
    true = _true(truth)
    return true, _depth_mm(contact.penetration(true)[0]), contact.touches(true)


def _true(truth: Truth) -> Bodies:
    (left, left_faces), (right, right_faces) = truth.mesh(0), truth.mesh(1)
    return Bodies((left.astype(float), right.astype(float)), (left_faces, right_faces), truth.keypoints)


def _overlap(bodies: Bodies) -> dict[str, float]:
    depths, volumes = contact.penetration(bodies)
    return {
        "penetration": _depth_mm(depths),
        "penetration_volume": float(volumes.mean() * 1e6) if len(volumes) else _NAN,
    }


def _depth_mm(depths: np.ndarray) -> float:
    return float(np.percentile(depths, 95) * 1e3) if len(depths) else _NAN


def _one_hand(
    truth: Truth, prediction: Prediction, bodies: Bodies, true: Bodies, hand: int, counted: np.ndarray
) -> dict[str, float]:
    own, wanted = bodies.vertices[hand], true.vertices[hand]
    figures = {"mpvpe": _NAN, "pa_mpvpe": _NAN}
    if own.shape == wanted.shape:
        figures = {
            "mpvpe": mpvpe(*_local(prediction, own, hand), *_local(truth, wanted, hand), counted),
            "pa_mpvpe": metrics.pa_mpjpe(own, wanted, counted),
        }
    return figures | {"surface": _mean_mm(np.array(_surface_distances(bodies, true, hand, counted)))}


def _local(of: Prediction | Truth, vertices: np.ndarray, hand: int) -> tuple[np.ndarray, np.ndarray]:
    """Vertices and wrist in the camera's axes."""
    return (in_camera(points, of.world_from_camera) for points in (vertices, of.keypoints[:, hand, 0]))


def mpvpe(
    predicted: np.ndarray, own_wrist: np.ndarray, true: np.ndarray, true_wrist: np.ndarray, valid: np.ndarray
) -> float:
    """Mean per-vertex position error of (T, V, 3), the wrists (T, 3) moved together; millimetres."""
    moved = predicted - own_wrist[:, None] + true_wrist[:, None]
    return metrics.mean_mm(metrics.absolute_errors(moved, true), valid)


def _surface_distances(bodies: Bodies, true: Bodies, hand: int, counted: np.ndarray) -> list[float]:
    """Metres, of every third frame, after a Sim(3) between the keypoints."""
    own_sampling, true_sampling = Sampling.of(bodies.faces[hand]), Sampling.of(true.faces[hand])
    distances = []
    for frame in np.flatnonzero(counted)[::_STRIDE]:
        keypoints = true.keypoints[frame, hand]
        fit = metrics.umeyama(bodies.keypoints[frame, hand], keypoints)
        own = fit.apply(own_sampling.points(bodies.vertices[hand][frame]))
        wanted = true_sampling.points(true.vertices[hand][frame])
        distances.append(between(_beyond_wrist(own, keypoints), _beyond_wrist(wanted, keypoints)))
    return distances


def _beyond_wrist(points: np.ndarray, keypoints: np.ndarray) -> np.ndarray:
    along = keypoints[9] - keypoints[0]
    return points[(points - keypoints[0]) @ along > _WRIST_SHARE * along @ along]


def _mean_mm(values: np.ndarray) -> float:
    return float(values.mean() * 1e3) if len(values) else _NAN


def _known_mean(values: list[float]) -> float:
    known = [value for value in values if np.isfinite(value)]
    return float(np.mean(known)) if known else _NAN
