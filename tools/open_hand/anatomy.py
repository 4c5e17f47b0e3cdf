"""Where MANO's joints are on the SOMA-X skeleton, and which way its fingers bend."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solver.hand_model.layout import FINGER_JOINTS, FINGERS, JOINT_COUNT

from .identities import RawHands
from .sources import Files, read_tensors

# SOMA-X names of the bones that start at MANO's three joints of a finger, and of its tip. Their first finger bones are
# metacarpals, which MANO counts as part of the wrist.
_FINGER_BONES = {finger: [f"{finger.capitalize()}{k}" for k in (2, 3, 4)] for finger in FINGERS[1:]}
_FINGER_BONES["thumb"] = ["Thumb1", "Thumb2", "Thumb3"]
_TIP_BONES = [f"{finger.capitalize()}End" for finger in FINGERS]


@dataclass(frozen=True)
class Skeletons:
    """``joints`` (N, 16, 3) in MANO order and ``tips`` (N, 5, 3) of N hands; ``weights`` (V, 16)."""

    joints: np.ndarray
    tips: np.ndarray
    weights: np.ndarray


def mano_skeletons(hands: RawHands) -> Skeletons:
    """Joints, finger ends and skinning weights in MANO's terms."""
    bone = {name: k for k, name in enumerate(hands.bones)}
    joint_bones = [bone[name] for name in _joint_bone_names()]
    weights = hands.weights[:, joint_bones].copy()
    for finger, tip in zip(FINGERS, _TIP_BONES, strict=True):
        weights[:, FINGER_JOINTS[finger][2]] += hands.weights[:, bone[tip]]
    weights[weights < 1e-4] = 0
    weights[:, 0] = np.clip(1 - weights[:, 1:].sum(axis=1), 0, None)  # metacarpals and forearm
    return Skeletons(
        joints=hands.joints[:, joint_bones],
        tips=hands.joints[:, [bone[tip] for tip in _TIP_BONES]],
        weights=weights / weights.sum(axis=1, keepdims=True),
    )


def _joint_bone_names() -> list[str]:
    names = [""] * JOINT_COUNT
    for finger, joints in FINGER_JOINTS.items():
        for joint, name in zip(joints, _FINGER_BONES[finger], strict=True):
            names[joint] = name
    return names


def palm_frames(joints: np.ndarray) -> np.ndarray:
    """(N, 3, 3) rows are x, y, z of a right hand's frame, from its joints (N, 16, 3) alone.

    x points from the middle knuckle to the wrist, z towards the thumb along the knuckles, y out of the back.
    """
    forward = _unit(joints[:, FINGER_JOINTS["middle"][0]] - joints[:, 0])
    across = joints[:, FINGER_JOINTS["index"][0]] - joints[:, FINGER_JOINTS["pinky"][0]]
    across = _unit(across - forward * (across * forward).sum(axis=-1, keepdims=True))
    return np.stack([-forward, np.cross(forward, across), across], axis=1)


@dataclass(frozen=True)
class Bending:
    """What SOMA-X's rig says about bending, in ``palm_frames``.

    Attributes:
        palm: (3, 3) rotation that takes ``palm_frames`` to the frame in which straight fingers bend about z.
        thumb_axis: (3,) about which the thumb's distal joints bend in the rig's bind pose, in the turned frame.
        thumb_direction: (3,) of the thumb in the same pose and frame.
    """

    palm: np.ndarray
    thumb_axis: np.ndarray
    thumb_direction: np.ndarray


def bending(files: Files) -> Bending:
    """Measured on the rig's own poses: its finger bones bend about their local -y axis."""
    rig = read_tensors(files, "soma/soma_rig.pt")
    bone = {label.removeprefix("RightHand"): k for k, label in enumerate(rig["bone_labels"])}
    flat, bound = rig["t_pose_world"], rig["bind_world_transforms"]
    axis = _in_palm(flat, bone) @ -flat[bone["Middle2"], :3, 1]
    turn = np.arctan2(axis[1], axis[2])  # about x, until the axis is z
    palm = np.array([[1, 0, 0], [0, np.cos(turn), -np.sin(turn)], [0, np.sin(turn), np.cos(turn)]])
    thumb = palm @ _in_palm(bound, bone)
    direction = bound[bone["Thumb3"], :3, 3] - bound[bone["Thumb2"], :3, 3]
    return Bending(palm, thumb @ -bound[bone["Thumb2"], :3, 1], _unit(thumb @ direction))


def _in_palm(transforms: np.ndarray, bone: dict[str, int]) -> np.ndarray:
    joints = transforms[[bone[name] for name in _joint_bone_names()], :3, 3]
    return palm_frames(joints[None])[0]


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
