"""Moves every hand into MANO's flat pose: fingers along -x, palm towards -y, thumb towards +z, wrist at zero."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solver.hand_model.layout import FINGER_JOINTS, FINGERS, JOINT_COUNT, PARENTS
from solver.hand_model.rotations import hat

from .anatomy import Skeletons, palm_frames

# Directions of the four fingers: spread in the palm's plane, positive to the thumb, and a slight bend per joint that
# keeps the chain's bending side defined. The values are a choice, not a measurement.
_SPREAD_DEG = {"index": 4.0, "middle": 0.0, "ring": -6.0, "pinky": -14.0}
_BEND_DEG = 2.0
# The thumb's base stays where it grew; its outer bones keep this share of their own bend.
_THUMB_BEND_KEPT = 0.4


@dataclass(frozen=True)
class FlatHands:
    """N hands in the canonical pose; metres.

    Attributes:
        vertices: (N, V, 3).
        joints: (N, 16, 3) MANO order.
        tips: (N, 5, 3) finger ends inside the flesh, thumb first.
    """

    vertices: np.ndarray
    joints: np.ndarray
    tips: np.ndarray


def flatten(vertices: np.ndarray, skeletons: Skeletons, palm: np.ndarray) -> FlatHands:
    """``vertices`` (N, V, 3) in the bodies' frame; ``palm`` as ``anatomy.Bending.palm``."""
    frames = palm @ palm_frames(skeletons.joints)
    origin = skeletons.joints[:, :1]
    points, joints, tips = (
        (array - origin) @ np.swapaxes(frames, 1, 2) for array in (vertices, skeletons.joints, skeletons.tips)
    )
    rotations, placed = _repose(joints, tips)
    skinned = np.zeros_like(points)
    for joint in range(JOINT_COUNT):
        moved = (points - joints[:, joint, None]) @ np.swapaxes(rotations[:, joint], 1, 2) + placed[:, joint, None]
        skinned += skeletons.weights[:, joint, None] * moved
    lasts = [FINGER_JOINTS[finger][2] for finger in FINGERS]
    tip_arms = (rotations[:, lasts] @ (tips - joints[:, lasts])[..., None])[..., 0]
    return FlatHands(skinned, placed, placed[:, lasts] + tip_arms)


def _repose(joints: np.ndarray, tips: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Global rotation (N, 16, 3, 3) of each joint from the given to the flat pose, and its new place (N, 16, 3)."""
    rotations = np.tile(np.eye(3), (*joints.shape[:2], 1, 1))
    placed = joints.copy()
    for tip, finger in enumerate(FINGERS):
        chain = FINGER_JOINTS[finger]
        previous = None
        for k, joint in enumerate(chain):
            parent = PARENTS[joint]
            placed[:, joint] = placed[:, parent] + _apply(rotations[:, parent], joints[:, joint] - joints[:, parent])
            end = joints[:, chain[k + 1]] if k < 2 else tips[:, tip]
            current = _unit(_apply(rotations[:, parent], end - joints[:, joint]))
            target = _thumb_target(current, previous) if finger == "thumb" else _finger_target(finger, k, current)
            rotations[:, joint] = shortest_rotation(current, target) @ rotations[:, parent]
            previous = target
    return rotations, placed


def _finger_target(finger: str, k: int, current: np.ndarray) -> np.ndarray:
    spread, bend = np.deg2rad(_SPREAD_DEG[finger]), np.deg2rad(_BEND_DEG * (k + 1))
    direction = [-np.cos(spread) * np.cos(bend), -np.sin(bend), np.sin(spread) * np.cos(bend)]
    return np.broadcast_to(direction, current.shape)


def _thumb_target(current: np.ndarray, previous: np.ndarray | None) -> np.ndarray:
    if previous is None:
        return current
    return _unit(_THUMB_BEND_KEPT * current + (1 - _THUMB_BEND_KEPT) * previous)


def shortest_rotation(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """(N, 3, 3) about the axis perpendicular to both unit vectors (N, 3)."""
    axis = np.cross(source, target)
    cosine = (source * target).sum(axis=-1)[:, None, None]
    skew = hat(axis)
    return np.eye(3) + skew + skew @ skew / (1 + cosine)


def _apply(rotations: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    return (rotations @ vectors[..., None])[..., 0]


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
