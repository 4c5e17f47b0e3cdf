"""How well a take's hands explain the landmarks that they were solved from."""

from __future__ import annotations

import dataclasses
import warnings

import numpy as np

from .camera.cameras import project
from .camera.distortion import distort
from .hand_model.layout import KEYPOINT_JOINTS
from .hand_model.model import HandModel
from .initialise.kinematics import skeleton_of
from .take import Take


def landmark_errors_px(take: Take, models: dict[str, HandModel], rows: slice = slice(None)) -> np.ndarray:
    """(H, n, 21) px between each hand's projected landmarks (joints with their offsets) and the tracked ones.

    NaN where the hand or the landmark is missing. ``rows``: of the take's frames, all n = T unless told.
    """
    errors = [
        np.linalg.norm(_projected(take, hand, models[side], rows) - take.keypoints_px[hand, rows], axis=-1)
        for hand, side in enumerate(take.sides)
    ]
    return np.array(errors).reshape(len(take.sides), len(take.frames[rows]), 21)


def with_errors(take: Take, models: dict[str, HandModel]) -> Take:
    """The take with its ``reprojection_px``."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a frame without landmarks has no median
        return dataclasses.replace(take, reprojection_px=np.nanmedian(landmark_errors_px(take, models), axis=-1))


def relative_errors(take: Take, models: dict[str, HandModel]) -> np.ndarray:
    """(H, T) median error of a hand's landmarks in hand sizes (larger side of the landmarks' bounding box)."""
    size_px = np.ptp(take.keypoints_px, axis=2).max(axis=-1)
    return np.median(landmark_errors_px(take, models), axis=-1) / size_px


def _projected(take: Take, hand: int, model: HandModel, rows: slice) -> np.ndarray:
    """(n, 21, 2) px of the clip."""
    camera_from_world = np.linalg.inv(take.world_from_camera[rows])
    joints, landmarks = skeleton_of(model, take.landmark_offsets).at(take.betas[hand])
    carriers = list(KEYPOINT_JOINTS)
    posed = model.with_shape(take.betas[hand]).pose(take.rotations[hand, rows], take.transl[hand, rows])
    turned = np.einsum("tkab,kb->tka", posed.global_rotations[:, carriers], landmarks - joints[carriers])
    world = posed.joints[:, carriers] + turned
    camera = np.einsum("tab,tkb->tka", camera_from_world[:, :3, :3], world) + camera_from_world[:, None, :3, 3]
    return distort(project(camera, take.intrinsics), take.intrinsics, take.distortion, take.distortion_model)
