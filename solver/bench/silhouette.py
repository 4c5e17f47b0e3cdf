"""How well the silhouettes of predicted hands cover the true ones in the picture."""

from __future__ import annotations

import numpy as np

from ..silhouette.raster import NOTHING as NO_TRIANGLE
from ..silhouette.raster import rasterise
from .prediction import Prediction
from .truth import LEFT, NOTHING, RIGHT, Truth

# a hand of fewer pixels than this says nothing
_LEAST_PX = 60
_NEAREST_M = 0.02


def overlap(truth: Truth, prediction: Prediction) -> float:
    """Mean intersection over union of silhouettes, over the true hands in the picture; a missing one counts 0.

    Pixels that show an arm or a thing in truth do not count: where a hand ends at the wrist is a convention, and the
    prediction knows nothing of what is held before it. NaN where the masks are not known or show no hand.
    """
    if truth.masks is None or prediction.vertices is None:
        return float("nan")
    shares = []
    for frame, mask in enumerate(truth.masks):
        labels = None
        for hand, label in enumerate((LEFT, RIGHT)):
            wanted = mask == label
            if wanted.sum() < _LEAST_PX:
                continue
            labels = drawn(truth, prediction, frame) if labels is None else labels
            counts = np.isin(mask, (NOTHING, LEFT, RIGHT))
            shares.append(intersection_over_union(labels == hand, wanted, counts))
    return float(np.mean(shares)) if shares else float("nan")


def intersection_over_union(first: np.ndarray, second: np.ndarray, counts: np.ndarray) -> float:
    """Of two masks, over the pixels that count; 0 where both are empty."""
    union = ((first | second) & counts).sum()
    return float((first & second & counts).sum() / union) if union else 0.0


def drawn(truth: Truth, prediction: Prediction, frame: int) -> np.ndarray:
    """(H, W) hand in front at each pixel, 0 left, 1 right, -1 none; without lens distortion."""
    corners, nearness, owner = [], [], []
    for hand in np.flatnonzero(prediction.found()[frame]):
        local = _in_camera(prediction, frame, hand)
        if (local[:, 2] < _NEAREST_M).any():
            continue  # reaches behind the camera: no picture of it
        fx, fy, cx, cy = prediction.intrinsics
        px = local[:, :2] / local[:, 2:] * [fx, fy] + [cx, cy]
        faces = prediction.faces[hand]
        corners.append(px[faces])
        nearness.append(1 / local[faces, 2])
        owner.append(np.full(len(faces), hand))
    width, height = truth.size
    if not corners:
        return np.full((height, width), -1)
    index, _ = rasterise(np.concatenate(corners), np.concatenate(nearness), truth.size)
    return np.where(index == NO_TRIANGLE, -1, np.concatenate(owner)[index])


def _in_camera(prediction: Prediction, frame: int, hand: int) -> np.ndarray:
    pose = prediction.world_from_camera[frame]
    return (prediction.vertices[frame, hand] - pose[:3, 3]) @ pose[:3, :3]
