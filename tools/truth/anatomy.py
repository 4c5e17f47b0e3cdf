"""An arm's own directions and bending axes, from where its joints are."""

from __future__ import annotations

import numpy as np

from .figure import FINGERS, Arm
from .rotations import unit


def build_arm(
    side: str,
    joints: np.ndarray,
    elbow: np.ndarray,
    shoulder: np.ndarray,
    vertices: np.ndarray,
    hand_weights: np.ndarray,
) -> Arm:
    """The arm of rest joints (16, 3), MANO order, on a mesh (V, 3) with weights (V, 16) of the same joints."""
    tip_vertices = np.array([_tip_vertex(vertices, hand_weights, joints, finger) for finger in range(5)])
    tips = vertices[tip_vertices]
    fingers = unit(joints[4] - joints[0])
    across = joints[1] - joints[7]
    thumb = unit(across - (across @ fingers) * fingers)
    palm = np.cross(thumb, fingers) if side == "right" else np.cross(fingers, thumb)
    flexion, abduction = _axes(joints, tips, palm, thumb, 1.0 if side == "right" else -1.0)
    return Arm(joints, tips, tip_vertices, elbow, shoulder, fingers, palm, thumb, flexion, abduction)


def _tip_vertex(vertices: np.ndarray, weights: np.ndarray, joints: np.ndarray, finger: int) -> int:
    """The vertex that lies farthest along the finger's last bone, on the skin, as MANO's tip vertices do."""
    last = 3 + 3 * finger
    direction = unit(joints[last] - joints[last - 1])
    own = weights[:, last] > 0.5
    return int(np.where(own, (vertices - joints[last]) @ direction, -1.0).argmax())


def _axes(
    joints: np.ndarray, tips: np.ndarray, palm: np.ndarray, thumb: np.ndarray, sign: float
) -> tuple[np.ndarray, np.ndarray]:
    flexion, abduction = np.zeros((16, 3)), np.zeros((16, 3))
    for joint in range(1, 16):
        finger = (joint - 1) // 3
        end = joints[joint + 1] if joint % 3 else tips[finger]
        bone = unit(end - joints[joint])
        if FINGERS[finger] != "thumb":
            flexion[joint], abduction[joint] = unit(np.cross(bone, palm)), -sign * palm
            continue
        # the thumb's base swings out of the palm's plane, its outer joints bend towards the little finger's root
        towards = palm if joint == 13 else joints[7] - joints[15]
        flexion[joint] = unit(np.cross(bone, towards - (towards @ bone) * bone))
        abduction[joint] = unit(np.cross(bone, thumb - (thumb @ bone) * bone))
    return flexion, abduction
