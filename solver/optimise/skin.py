"""Points on the skin, carried by blended bones, and how they move along given directions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..hand_model.layout import JOINT_COUNT, PARENTS
from ..initialise.kinematics import Pose, Posed, Skeleton, pose_landmarks
from .layout import ROOT


@dataclass(frozen=True, eq=False)
class SkinPoints:
    """Points of a hand model at rest.

    Attributes:
        rest: (E, 3, 11) affine in betas, before pose blend shapes.
        blend: (E, 3, 135) pose blend shapes, per entry of ``R - I`` of the finger joints.
        weights: (E, 16) skinning weights, each row summing to one.
    """

    rest: np.ndarray
    blend: np.ndarray
    weights: np.ndarray


@dataclass(frozen=True)
class Skinned:
    """Skin points of n hands in space, r on each.

    Attributes:
        positions: (n, r, 3). by_joint: (n, 16, r, 3) what each joint's bone contributes to them (weight times place).
        weights: (n, r, 16). index: (n, r) which of the model's points they are. posed: the bones.
    """

    positions: np.ndarray
    by_joint: np.ndarray
    weights: np.ndarray
    index: np.ndarray
    posed: Posed


# (joint, descendant): 1 where turning the joint moves the descendant's bone, itself included
_MOVES = np.eye(JOINT_COUNT)
for _joint in range(JOINT_COUNT - 1, 0, -1):
    _MOVES[PARENTS[_joint]] += _MOVES[_joint]


def skinned(
    points: SkinPoints, skeleton: Skeleton, betas: np.ndarray, pose: Pose, index: np.ndarray, blend: np.ndarray
) -> Skinned:
    """Linear blend skinning of points ``index`` (n, r) of n hands of one shape.

    Args:
        blend: (n, r, 3) the points' pose blend shapes, taken as given: they are a constant here.
    """
    posed = pose_landmarks(skeleton, betas, pose)
    weights = points.weights[index]
    rest = (points.rest @ np.concatenate([[1.0], betas]))[index] + blend
    bones = posed.origins - (posed.frames @ skeleton.at(betas)[0][..., None])[..., 0]
    placed = rest[:, None] @ posed.frames.swapaxes(-1, -2) + bones[:, :, None]  # (n, 16, r, 3)
    placed *= weights.swapaxes(1, 2)[..., None]
    return Skinned(placed.sum(1), placed, weights, index, posed)


def along(
    points: SkinPoints, skeleton: Skeleton, skin: Skinned, directions: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Derivatives of ``directions . positions`` by the hand's columns (n, r, 6 + hinges) and by betas (n, r, 10).

    Args:
        directions: (n, r, 3). Signs and order of the columns are ``Pose.moved``'s.
    """
    posed, hinges = skin.posed, skeleton.hinges
    n, r, _ = directions.shape
    by_hand = np.empty((n, r, ROOT + len(hinges)))
    by_hand[..., :3] = _cross(skin.positions - posed.origins[:, None, 0], directions)
    by_hand[..., 3:ROOT] = directions
    moved = (_MOVES[1:] @ skin.by_joint.reshape(n, JOINT_COUNT, -1)).reshape(n, -1, r, 3)
    share = _MOVES[1:] @ skin.weights.swapaxes(1, 2)
    levers = moved - share[..., None] * posed.origins[:, 1:, None]  # (n, 15, r, 3)
    torques = _cross(levers, directions[:, None])[:, hinges.joint - 1]  # (n, hinges, r, 3)
    by_hand[..., ROOT:] = (torques @ posed.axes[..., None])[..., 0].swapaxes(1, 2)
    return by_hand, _by_shape(points, skeleton, skin, directions)


def _by_shape(points: SkinPoints, skeleton: Skeleton, skin: Skinned, directions: np.ndarray) -> np.ndarray:
    """Bones grow along the chain from a wrist that stays, the skin grows around them."""
    frames, slopes = skin.posed.frames, skeleton.joints[..., 1:]
    origins = np.zeros((*frames.shape[:2], 3, slopes.shape[-1]))
    for joint in range(1, JOINT_COUNT):
        parent = PARENTS[joint]
        origins[:, joint] = origins[:, parent] + frames[:, parent] @ (slopes[joint] - slopes[parent])
    bones = origins - frames @ slopes  # (n, 16, 3, 10) what a point's slope is beside its own growth
    weighted = skin.weights[..., None] * directions[:, :, None]  # (n, r, 16, 3)
    n, r = directions.shape[:2]
    by_bones = weighted.reshape(n, r, -1) @ bones.reshape(n, JOINT_COUNT * 3, -1)
    local = weighted.reshape(n, r, -1) @ frames.reshape(n, JOINT_COUNT * 3, 3)  # the directions in blended bones' axes
    return by_bones + (local[..., None, :] @ points.rest[skin.index][..., 1:])[..., 0, :]


def _cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """np.cross for (..., 3) without its axis handling."""
    ax, ay, az = np.moveaxis(a, -1, 0)
    bx, by, bz = np.moveaxis(b, -1, 0)
    return np.stack([ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx], axis=-1)
