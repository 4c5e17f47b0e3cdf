"""How well the silhouettes of predicted hands cover the true ones in the picture."""

from __future__ import annotations

from collections.abc import Sequence

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
    found = np.flatnonzero(prediction.found()[frame])
    pose = prediction.world_from_camera[frame]
    meshes = [((prediction.vertices[frame, h] - pose[:3, 3]) @ pose[:3, :3], prediction.faces[h]) for h in found]
    owner = picture(meshes, prediction.intrinsics, truth.size)
    return np.where(owner >= 0, np.append(found, -1)[owner], -1)


def picture(
    meshes: Sequence[tuple[np.ndarray, np.ndarray]], intrinsics: np.ndarray, size: tuple[int, int]
) -> np.ndarray:
    """(H, W) which mesh is in front at each pixel, -1 none. ``meshes``: vertices (V, 3) in the camera, faces (F, 3).

    A mesh that reaches behind the camera has no picture.
    """
    corners, nearness, owner = [], [], []
    fx, fy, cx, cy = intrinsics
    for number, (vertices, faces) in enumerate(meshes):
        if (vertices[:, 2] < _NEAREST_M).any():
            continue
        px = vertices[:, :2] / vertices[:, 2:] * [fx, fy] + [cx, cy]
        corners.append(px[faces])
        nearness.append(1 / vertices[faces, 2])
        owner.append(np.full(len(faces), number))
    if not corners:
        return np.full(size[::-1], -1)
    index, _ = rasterise(np.concatenate(corners), np.concatenate(nearness), size)
    return np.where(index == NO_TRIANGLE, -1, np.concatenate(owner)[index])
