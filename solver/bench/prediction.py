"""What a method says about a clip, in the terms of the truth: two hands' keypoints and meshes, and a camera."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from .. import take as takes
from ..camera.cameras import project
from ..hand_model import loading
from ..hand_model.layout import JOINT_COUNT, KEYPOINT_NODES, TIP_VERTICES
from ..hand_model.model import HandModel
from .truth import SIDES, Truth


@dataclass(frozen=True)
class Prediction:
    """T frames, hands in the order left, right; metres. Of several tracks on one side the surest counts.

    Attributes:
        keypoints: (T, 2, 21, 3) world, NaN where a hand is missing.
        world_from_camera: (T, 4, 4).
        intrinsics: (4,) px.
        claims: (H, T, 21, 3) world, of each track by itself where it says that it sees a hand, else NaN.
        spare: (T, 2) tracks of that side beyond the first.
        vertices: (T, 2, V, 3) world, NaN where missing; faces: (2, F, 3) outward, watertight. None: no meshes.
        sigma: (T, 2, 21) metres as in ``take.Take.joint_sigma``, distance_sigma: (T, 2) as there; None: not told.
        camera_kind: as in ``take.CAMERA_KINDS``; "" where it was not found out.
        camera_sigma: (T, 2) rad and metres as in ``take.Take.camera_sigma``; None: not told.
    """

    keypoints: np.ndarray
    world_from_camera: np.ndarray
    intrinsics: np.ndarray
    claims: np.ndarray
    spare: np.ndarray
    vertices: np.ndarray | None = None
    faces: np.ndarray | None = None
    sigma: np.ndarray | None = None
    distance_sigma: np.ndarray | None = None
    camera_kind: str = ""
    camera_sigma: np.ndarray | None = None

    def found(self) -> np.ndarray:
        """(T, 2)."""
        return np.isfinite(self.keypoints[:, :, 0, 0])

    def in_camera(self, points: np.ndarray) -> np.ndarray:
        """(T, ..., 3) world points in each frame's camera."""
        return in_camera(points, self.world_from_camera)

    def in_picture(self, points: np.ndarray) -> np.ndarray:
        """(T, ..., 2) px of (T, ..., 3) world points, without lens distortion; NaN behind the camera."""
        local = self.in_camera(points)
        return project(np.where(local[..., 2:] > 0.01, local, np.nan), self.intrinsics)


def in_camera(points: np.ndarray, world_from_camera: np.ndarray) -> np.ndarray:
    """(T, ..., 3) world points in the frame of each of T cameras."""
    centre = world_from_camera[:, :3, 3].reshape(-1, *[1] * (points.ndim - 2), 3)
    return np.einsum("t...j,tji->t...i", points - centre, world_from_camera[:, :3, :3])


def from_take(take: takes.Take, truth: Truth, models: Mapping[str, HandModel] | None = None) -> Prediction:
    """The take's hands at the truth's frames; frames that the take does not have are missing.

    Joints are the model's 16, tips its tip vertices.
    """
    models = models or loading.load_pair(take.model if take.model != "open" else "open")
    count, hands = len(truth.frames), len(take.sides)
    vertex_count = len(models["left"].v_template)
    keypoints, surest = np.full((count, 2, 21, 3), np.nan), np.full((count, 2), -1.0)
    vertices, sigma = np.full((count, 2, vertex_count, 3), np.nan), np.full((count, 2, 21), np.nan)
    distance_sigma = np.full((count, 2), np.nan)
    claims, tracks = np.full((hands, count, 21, 3), np.nan), np.zeros((count, 2), int)
    rows, known = _rows(take.frames, truth.frames)
    for track, side in enumerate(take.sides):
        hand = SIDES.index(side)
        there = np.flatnonzero(known & (take.status[track, rows] != takes.MISSING))
        if not len(there):
            continue
        points, skin = _posed(take, track, rows[there], models[side])
        claims[track, there] = np.where(
            (take.status[track, rows[there]] == takes.OBSERVED)[:, None, None], points, np.nan
        )
        tracks[there, hand] += 1
        better = take.confidence[track, rows[there]] > surest[there, hand]
        chosen = there[better]
        keypoints[chosen, hand], vertices[chosen, hand] = points[better], skin[better]
        sigma[chosen, hand] = take.joint_sigma[track, rows[chosen]]
        if take.distance_sigma.size:
            distance_sigma[chosen, hand] = take.distance_sigma[track, rows[chosen]]
        surest[chosen, hand] = take.confidence[track, rows[chosen]]
    return Prediction(
        keypoints=keypoints,
        world_from_camera=take.world_from_camera[rows],
        intrinsics=take.intrinsics,
        claims=claims,
        spare=np.maximum(tracks - 1, 0),
        vertices=vertices,
        faces=np.stack([models[side].watertight_faces for side in SIDES]),
        sigma=sigma,
        distance_sigma=distance_sigma,
        camera_kind="" if take.camera_kind == "given" else take.camera_kind,
        camera_sigma=take.camera_sigma[rows] if take.camera_sigma.size else None,
    )


def _rows(own: np.ndarray, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    rows = np.clip(np.searchsorted(own, wanted), 0, len(own) - 1)
    return rows, own[rows] == wanted


def _posed(take: takes.Take, track: int, rows: np.ndarray, model: HandModel) -> tuple[np.ndarray, np.ndarray]:
    """Keypoints (n, 21, 3) and vertices (n, V, 3)."""
    posed = model.with_shape(take.betas[track]).pose(take.rotations[track, rows], take.transl[track, rows])
    vertices = posed.vertices()
    assert posed.joints.shape[1] == JOINT_COUNT
    return np.concatenate([posed.joints, vertices[:, list(TIP_VERTICES)]], axis=1)[:, list(KEYPOINT_NODES)], vertices
