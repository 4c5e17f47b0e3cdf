"""Landmarks with their Jacobians in the form that the solver eats: finger by finger.

A finger's four landmarks depend on the wrist's pose and on that finger's own hinges alone, so a hand's Jacobian is five
small blocks (12 rows, 6 + at most K columns) and a row block for the wrist's landmark, not one of 63 x (6 + hinges).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import numpy as np

from ..hand_model.layout import KEYPOINT_JOINTS
from ..hand_model.rotations import hat
from ..initialise.anatomy import Hinges
from ..initialise.kinematics import Pose, Posed, Skeleton, pose_landmarks, shape_jacobian
from .layout import ROOT

_FINGER_JOINTS = np.array([[13, 14, 15], [1, 2, 3], [4, 5, 6], [10, 11, 12], [7, 8, 9]])


@dataclass(frozen=True)
class FingerColumns:
    """Which hinge each finger column is.

    Attributes:
        hinges: (5, K) hinge index per finger (thumb first), fingers with fewer hinges padded with hinge 0.
        slices: five slices of the hand's columns: a finger's hinges follow one another.
        moves: (5, 4, K) whether the column moves the finger's landmark, as floats; 0 for padding.
    """

    hinges: np.ndarray
    slices: tuple[slice, ...]
    moves: np.ndarray


@lru_cache(maxsize=32)
def _columns(joints: tuple[int, ...], moves: tuple[tuple[int, ...], ...]) -> FingerColumns:
    owned = [[i for i, joint in enumerate(joints) if joint in finger] for finger in _FINGER_JOINTS]
    width = max(len(hinges) for hinges in owned)
    index, real = np.zeros((5, width), int), np.zeros((5, width), bool)
    for finger, hinges in enumerate(owned):
        index[finger, : len(hinges)], real[finger, : len(hinges)] = hinges, True
    slices = tuple(slice(ROOT + hinges[0], ROOT + hinges[-1] + 1) for hinges in owned)
    moved = np.zeros((21, len(joints)))
    moved[moves[0], moves[1]] = 1.0
    points = np.arange(1, 21).reshape(5, 4)
    return FingerColumns(index, slices, moved[points[:, :, None], index[:, None]] * real[:, None])


def finger_columns(hinges: Hinges) -> FingerColumns:
    """The finger columns of a set of hinges (computed once per set)."""
    return _columns(tuple(hinges.joint.tolist()), tuple(tuple(row.tolist()) for row in hinges.moves))


@dataclass(frozen=True)
class Jacobians:
    """Derivatives of n hands' landmarks.

    Attributes:
        points: (n, 21, 3).
        wrist: (n, 3, 6) wrist landmark by turn and shift.
        fingers: (n, 5, 4, 3, 6 + K) other landmarks by turn, shift and the finger's columns.
        columns: the meaning of the K columns.
        skeleton, betas, posed: frames, origins and axes behind it.
    """

    points: np.ndarray
    wrist: np.ndarray
    fingers: np.ndarray
    columns: FingerColumns
    skeleton: Skeleton
    betas: np.ndarray
    posed: Posed

    @cached_property
    def shape(self) -> np.ndarray:
        """(n, 21, 3, 10) by betas; seldom free, and dear."""
        return shape_jacobian(self.skeleton, self.posed)

    @cached_property
    def offsets(self) -> np.ndarray:
        """(n, 21, 3, 3) of each landmark by its own right-hand offset."""
        turned = self.posed.frames[:, list(KEYPOINT_JOINTS)] * mirror(self.skeleton)
        return offset_growth(self.skeleton, self.betas) * turned

    def dense(self, rows: np.ndarray, points: np.ndarray, hand_size: int) -> np.ndarray:
        """(m, 3, hand_size) Jacobians of single landmarks: ``points[i]`` (0-20) of hand ``rows[i]``."""
        out = np.zeros((len(rows), 3, hand_size))
        at_wrist = points == 0
        out[at_wrist, :, :ROOT] = self.wrist[rows[at_wrist]]
        for finger in range(5):
            mine = np.flatnonzero((points > 0) & ((points - 1) // 4 == finger))
            block = self.fingers[rows[mine], finger, (points[mine] - 1) % 4]
            out[mine, :, :ROOT] = block[..., :ROOT]
            own = self.columns.slices[finger]
            out[mine, :, own] = block[..., ROOT : ROOT + own.stop - own.start]
        return out

    def blended(self, rows: np.ndarray, weights: np.ndarray, hand_size: int) -> np.ndarray:
        """(m, 3, hand_size) Jacobians of points that are ``weights[i]`` (21,) of the landmarks of hand ``rows[i]``."""
        out = np.zeros((len(rows), 3, hand_size))
        at_wrist = np.flatnonzero(weights[:, 0])
        out[at_wrist, :, :ROOT] = weights[at_wrist, 0, None, None] * self.wrist[rows[at_wrist]]
        for finger, own in enumerate(self.columns.slices):
            share = weights[:, 1 + 4 * finger : 5 + 4 * finger]
            mine = np.flatnonzero(share.any(1))
            block = np.einsum("mk,mkrc->mrc", share[mine], self.fingers[rows[mine], finger])
            out[mine, :, :ROOT] += block[..., :ROOT]
            out[mine, :, own] = block[..., ROOT : ROOT + own.stop - own.start]
        return out


def landmark_jacobians(skeleton: Skeleton, betas: np.ndarray, pose: Pose, posed: Posed | None = None) -> Jacobians:
    """Landmarks of n hands of one shape and their derivatives by ``Pose.moved``'s step and by betas.

    ``posed``: the pose's bones with the skeleton's landmarks, when they are known already.
    """
    posed = pose_landmarks(skeleton, betas, pose) if posed is None else posed
    columns = finger_columns(skeleton.hinges)
    points = posed.landmarks
    lever = -hat(points - pose.wrist[:, None])
    fingers = np.zeros((len(pose), 5, 4, 3, ROOT + columns.hinges.shape[1]))
    fingers[..., :3] = lever[:, 1:].reshape(-1, 5, 4, 3, 3)
    fingers[..., 3:ROOT] = np.eye(3)
    axes = np.moveaxis(posed.axes[:, columns.hinges], -1, 0)[..., None, :]  # (3, n, 5, 1, K)
    origins = np.moveaxis(posed.origins[:, skeleton.hinges.joint[columns.hinges]], -1, 0)[..., None, :]
    arms = np.moveaxis(points[:, 1:].reshape(-1, 5, 4, 3), -1, 0)[..., None] - origins  # (3, n, 5, 4, K)
    arms *= columns.moves
    for row, (a, b) in enumerate(((1, 2), (2, 0), (0, 1))):
        fingers[..., row, ROOT:] = axes[a] * arms[b] - axes[b] * arms[a]
    wrist = np.concatenate([lever[:, 0], np.broadcast_to(np.eye(3), (len(pose), 3, 3))], axis=-1)
    return Jacobians(points, wrist, fingers, columns, skeleton, betas, posed)


def mirror(skeleton: Skeleton) -> np.ndarray:
    """(3,) signs that take a right hand's bone-local offset to this side."""
    return np.array([1.0 if skeleton.side == "right" else -1.0, 1.0, 1.0])


def offset_growth(skeleton: Skeleton, betas: np.ndarray) -> float:
    """How much longer than the mean hand's this palm is: what offsets are multiplied with."""
    return float(_palm_growth(skeleton) @ np.concatenate([[1.0], betas]))


def with_offsets(skeleton: Skeleton, offsets: np.ndarray) -> Skeleton:
    """The skeleton with (21, 3) right-hand offsets added to its landmarks'."""
    added = (offsets * mirror(skeleton))[..., None] * _palm_growth(skeleton)
    return replace(skeleton, landmarks=skeleton.landmarks + added)


def _palm_growth(skeleton: Skeleton) -> np.ndarray:
    """(1 + b,) affine length of the palm over its mean, as ``initialise`` scales its offsets."""
    palm = skeleton.joints[4] - skeleton.joints[0]
    length = palm[:, 0] @ palm / np.linalg.norm(palm[:, 0])
    return length / length[0]
