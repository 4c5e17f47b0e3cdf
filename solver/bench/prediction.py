"""What a method says about a clip, in the terms of the truth: two hands' keypoints and a camera."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .. import take as takes
from ..hand_model import loading
from ..hand_model.layout import JOINT_COUNT, KEYPOINT_NODES, TIP_VERTICES
from ..hand_model.model import HandModel
from .truth import SIDES, Truth


@dataclass(frozen=True)
class Prediction:
    """Attributes:
    keypoints: (T, 2, 21, 3) world, NaN where a hand is missing; of several tracks on one side the surest counts.
    spare: (T, 2) tracks of that side beyond the first.
    world_from_camera: (T, 4, 4).
    intrinsics: (4,) px.
    """

    keypoints: np.ndarray
    spare: np.ndarray
    world_from_camera: np.ndarray
    intrinsics: np.ndarray

    def found(self) -> np.ndarray:
        """(T, 2)."""
        return np.isfinite(self.keypoints[:, :, 0, 0])


def from_take(take: takes.Take, truth: Truth, models: dict[str, HandModel] | None = None) -> Prediction:
    """The take's hands at the truth's frames; frames that the take does not have are missing.

    Joints are the model's 16, tips its tip vertices.
    """
    models = models or loading.load_pair(take.model if take.model != "open" else "open")
    count = len(truth.frames)
    keypoints, surest = np.full((count, 2, 21, 3), np.nan), np.full((count, 2), -1.0)
    tracks = np.zeros((count, 2), int)
    rows, known = _rows(take.frames, truth.frames)
    for track, side in enumerate(take.sides):
        hand = SIDES.index(side)
        there = known & (take.status[track, rows] != takes.MISSING)
        tracks[there, hand] += 1
        better = np.flatnonzero(there & (take.confidence[track, rows] > surest[:, hand]))
        if len(better):
            keypoints[better, hand] = _keypoints(take, track, rows[better], models[side])
            surest[better, hand] = take.confidence[track, rows[better]]
    return Prediction(keypoints, np.maximum(tracks - 1, 0), take.world_from_camera[rows], take.intrinsics)


def _rows(own: np.ndarray, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    rows = np.clip(np.searchsorted(own, wanted), 0, len(own) - 1)
    return rows, own[rows] == wanted


def _keypoints(take: takes.Take, track: int, rows: np.ndarray, model: HandModel) -> np.ndarray:
    posed = model.with_shape(take.betas[track]).pose(take.rotations[track, rows], take.transl[track, rows])
    tips = posed.vertices()[:, list(TIP_VERTICES)]
    assert posed.joints.shape[1] == JOINT_COUNT
    return np.concatenate([posed.joints, tips], axis=1)[:, list(KEYPOINT_NODES)]
