"""Landmarks of many posed hands at once, and their derivatives by every hinge, the wrist's pose and the shape.

Cameras do not occur here: everything is metres in whatever frame ``global_orient`` and ``wrist`` live in.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..hand_model import HandModel, rotations
from ..hand_model.layout import KEYPOINT_JOINTS, PARENTS
from ..hand_model.rotations import hat
from ..observations import palm_size
from .anatomy import Hinges, hinges_of

WRIST_PARAMETERS = 6  # left perturbation of global_orient, then the wrist joint's position


@dataclass(frozen=True)
class Skeleton:
    """A hand at rest, affine in ``betas``: ``x(betas) = x[..., 0] + x[..., 1:] @ betas``.

    Attributes:
        side: "left" or "right".
        joints: (16, 3, 1 + b) rest joints, metres.
        landmarks: (21, 3, 1 + b) rest positions of what the landmark net calls the joint (joint + calibrated offset,
            which grows with the palm), rigid with the joint ``KEYPOINT_JOINTS[k]``.
        length: (1 + b,) affine hand length, wrist joint to middle fingertip along the bones.
        growth: (1 + b,) affine factor on the offsets: the palm's length over that of the mean shape.
        hinges: the anatomical degrees of freedom.
    """

    side: str
    joints: np.ndarray
    landmarks: np.ndarray
    length: np.ndarray
    growth: np.ndarray
    hinges: Hinges

    @property
    def shape_count(self) -> int:
        return self.joints.shape[-1] - 1

    def at(self, betas: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(16, 3) joints and (21, 3) landmarks of a shape."""
        weights = np.concatenate([[1.0], betas])
        return self.joints @ weights, self.landmarks @ weights

    @property
    def palm_size(self) -> float:
        """``palm_size`` of the mean shape's landmarks, metres."""
        return float(palm_size(self.landmarks[..., 0]))

    def hand_length(self, betas: np.ndarray) -> float:
        return float(self.length @ np.concatenate([[1.0], betas]))


def skeleton_of(model: HandModel, offsets: np.ndarray) -> Skeleton:
    """The skeleton of a hand model with landmark offsets (21, 3): right-hand, bone-local, metres at the mean shape."""
    joints = np.concatenate([model.joints_template[..., None], model.joints_shapedirs], axis=-1)
    keypoints = np.concatenate([model.keypoints_rest_template[..., None], model.keypoints_rest_shapedirs], axis=-1)
    return make_skeleton(model.side, joints, keypoints, offsets)


def make_skeleton(side: str, joints: np.ndarray, keypoints: np.ndarray, offsets: np.ndarray) -> Skeleton:
    """A skeleton from affine rest points: joints (16, 3, 1 + b) MANO order, keypoints (21, 3, 1 + b) OpenPose order."""
    hinges = hinges_of(joints[..., 0], keypoints[[4, 8, 12, 16, 20], :, 0], side)
    mirror = np.array([1.0, 1.0, 1.0]) if side == "right" else np.array([-1.0, 1.0, 1.0])
    palm = _affine_length(joints[[0, 4]])
    growth = palm / palm[0]
    landmarks = keypoints + (offsets * mirror)[..., None] * growth
    finger = np.concatenate([joints[[0, 4, 5, 6]], keypoints[12:13]])
    return Skeleton(side, joints, landmarks, _affine_length(finger), growth, hinges)


def _affine_length(points: np.ndarray) -> np.ndarray:
    """Length of a polyline (m, 3, 1 + b) to first order in the shape, along the mean shape's directions."""
    steps = np.diff(points, axis=0)
    directions = steps[..., 0] / np.linalg.norm(steps[..., 0], axis=-1, keepdims=True)
    return np.einsum("mc,mcb->b", directions, steps)


@dataclass(frozen=True)
class Pose:
    """n hands: global_orient (n, 3, 3), angles (n, hinges) rad, wrist (n, 3) position of the wrist joint."""

    global_orient: np.ndarray
    angles: np.ndarray
    wrist: np.ndarray

    def __len__(self) -> int:
        return len(self.wrist)

    def take(self, index: np.ndarray) -> Pose:
        return Pose(self.global_orient[index], self.angles[index], self.wrist[index])

    def put(self, index: np.ndarray, other: Pose) -> Pose:
        """This with the rows ``index`` replaced by ``other``'s."""
        copies = [array.copy() for array in (self.global_orient, self.angles, self.wrist)]
        for copy, rows in zip(copies, (other.global_orient, other.angles, other.wrist), strict=True):
            copy[index] = rows
        return Pose(*copies)

    def moved(self, step: np.ndarray) -> Pose:
        """Retraction along (n, 6 + hinges): left rotation vector, wrist shift, angles."""
        turn = rotations.exp(step[:, :3])
        return Pose(turn @ self.global_orient, self.angles + step[:, 6:], self.wrist + step[:, 3:6])


def stack_poses(poses: list[Pose]) -> Pose:
    """Poses one after another."""
    return Pose(
        np.concatenate([pose.global_orient for pose in poses]),
        np.concatenate([pose.angles for pose in poses]),
        np.concatenate([pose.wrist for pose in poses]),
    )


def hinge_rotations(hinges: Hinges, angles: np.ndarray) -> np.ndarray:
    """(n, d, 3, 3) rotation of each hinge alone; axes are constant, so Rodrigues needs no norms."""
    cross = hat(hinges.axis)
    sine, versine = np.sin(angles)[..., None, None], (1 - np.cos(angles))[..., None, None]
    return np.eye(3) + sine * cross + versine * (cross @ cross)


def joint_rotations(skeleton: Skeleton, pose: Pose) -> np.ndarray:
    """(n, 16, 3, 3) local rotations in MANO order, [0] is global_orient."""
    local = np.broadcast_to(np.eye(3), (len(pose), 16, 3, 3)).copy()
    local[:, 0] = pose.global_orient
    single = hinge_rotations(skeleton.hinges, pose.angles)
    for hinge, joint in enumerate(skeleton.hinges.joint):
        local[:, joint] = local[:, joint] @ single[:, hinge]
    return local


@dataclass(frozen=True)
class Posed:
    """Where everything is: frames (n, 16, 3, 3) and origins (n, 16, 3) of the joints, landmarks (n, 21, 3),
    axes (n, d, 3) of the hinges, all in the pose's frame of reference."""

    frames: np.ndarray
    origins: np.ndarray
    landmarks: np.ndarray
    axes: np.ndarray

    def take(self, index: slice | np.ndarray) -> Posed:
        return Posed(self.frames[index], self.origins[index], self.landmarks[index], self.axes[index])

    def carrying(self, skeleton: Skeleton, betas: np.ndarray) -> Posed:
        """The same bones with the landmarks of ``skeleton``, one of the same joints."""
        return Posed(self.frames, self.origins, _carried(skeleton, betas, self.frames, self.origins), self.axes)


def pose_landmarks(skeleton: Skeleton, betas: np.ndarray, pose: Pose) -> Posed:
    """Forward kinematics of n hands of one shape; wrist to fingertips, five fingers at a time."""
    joints, _ = skeleton.at(betas)
    single = hinge_rotations(skeleton.hinges, pose.angles)
    n = len(pose)
    frames, origins = np.empty((n, 16, 3, 3)), np.empty((n, 16, 3))
    axes = np.empty((n, len(skeleton.hinges), 3))
    frames[:, 0], origins[:, 0] = pose.global_orient, pose.wrist
    for level in range(3):
        level_joints = np.arange(1 + level, 16, 3)
        parents = np.array(PARENTS)[level_joints]
        bones = joints[level_joints] - joints[parents]
        origins[:, level_joints] = origins[:, parents] + np.einsum("njab,jb->nja", frames[:, parents], bones)
        frames[:, level_joints] = frames[:, parents]
        _turn_hinges(skeleton.hinges, level_joints, single, frames, axes)
    return Posed(frames, origins, _carried(skeleton, betas, frames, origins), axes)


def _carried(skeleton: Skeleton, betas: np.ndarray, frames: np.ndarray, origins: np.ndarray) -> np.ndarray:
    """(n, 21, 3) landmarks, each rigid in its joint's frame."""
    joints, landmarks = skeleton.at(betas)
    carriers = np.array(KEYPOINT_JOINTS)
    arms = landmarks - joints[carriers]
    return origins[:, carriers] + (frames[:, carriers] @ arms[:, :, None])[..., 0]


def _turn_hinges(hinges: Hinges, joints: np.ndarray, single: np.ndarray, frames: np.ndarray, axes: np.ndarray) -> None:
    """Turn each joint's frame by its hinges in order, noting each hinge's axis before it turns; in place."""
    member = np.isin(hinges.joint, joints)
    for rank in range(hinges.order.max() + 1):
        chosen = np.flatnonzero(member & (hinges.order == rank))
        owners = hinges.joint[chosen]
        axes[:, chosen] = np.einsum("njab,jb->nja", frames[:, owners], hinges.axis[chosen])
        frames[:, owners] = frames[:, owners] @ single[:, chosen]


def landmark_jacobian(skeleton: Skeleton, posed: Posed) -> np.ndarray:
    """(n, 21, 3, 6 + hinges) derivative of the landmarks by ``Pose.moved``'s step."""
    points, hinges = posed.landmarks, skeleton.hinges
    jacobian = np.zeros((*points.shape, WRIST_PARAMETERS + len(hinges)))
    jacobian[..., :3] = -hat(points - posed.origins[:, :1])
    jacobian[..., 3:6] = np.eye(3)
    moved, by = hinges.moves
    arms = points[:, moved] - posed.origins[:, hinges.joint[by]]
    jacobian[:, moved, :, WRIST_PARAMETERS + by] = np.moveaxis(_cross(posed.axes[:, by], arms), 0, 1)
    return jacobian


def shape_jacobian(skeleton: Skeleton, posed: Posed) -> np.ndarray:
    """(n, 21, 3, b) derivative of the landmarks by ``betas``; the wrist joint stays where it is."""
    joint_slopes, landmark_slopes = skeleton.joints[..., 1:], skeleton.landmarks[..., 1:]
    origins = np.zeros((*posed.origins.shape, skeleton.shape_count))
    for joint in range(1, 16):
        parent = PARENTS[joint]
        origins[:, joint] = origins[:, parent] + posed.frames[:, parent] @ (joint_slopes[joint] - joint_slopes[parent])
    carriers = np.array(KEYPOINT_JOINTS)
    return origins[:, carriers] + posed.frames[:, carriers] @ (landmark_slopes - joint_slopes[carriers])


def _cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """np.cross for (..., 3) without its axis handling, which dominates on small arrays."""
    ax, ay, az = np.moveaxis(a, -1, 0)
    bx, by, bz = np.moveaxis(b, -1, 0)
    return np.stack([ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx], axis=-1)
