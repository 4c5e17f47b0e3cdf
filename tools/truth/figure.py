"""An upper body with two arms that can be posed: skeleton, linear blend skinning, two-bone inverse kinematics.

Body frame: metres, x to the person's right, y forward, z up, origin between the eyes. World: Blender's, z up.
A hand's 16 joints here are in MANO order; 21 keypoints are in OpenPose order (see ``solver.observations``).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .rotations import align, axis_angle, unit

FINGERS = ("index", "middle", "pinky", "ring", "thumb")
HAND_JOINTS = ("wrist", *(f"{finger}{k}" for finger in FINGERS for k in (1, 2, 3)))
HAND_PARENTS = (-1, 0, 1, 2, 0, 4, 5, 0, 7, 8, 0, 10, 11, 0, 13, 14)
# joints and tips (16 + finger) that make the 21 OpenPose keypoints
KEYPOINTS = (0, 13, 14, 15, 20, 1, 2, 3, 16, 4, 5, 6, 17, 10, 11, 12, 19, 7, 8, 9, 18)
SIDES = ("left", "right")
FOREARM_SEGMENTS = 4
# bones of the skinning: the torso, then per side the upper arm, the forearm's twist segments, the 16 of the hand
BONES_PER_SIDE = 1 + FOREARM_SEGMENTS + 16
BONE_COUNT = 1 + 2 * BONES_PER_SIDE


def hand_bone(side: int, joint: int) -> int:
    """Column of the skinning weights for MANO joint ``joint`` of side 0 (left) or 1 (right)."""
    return 1 + side * BONES_PER_SIDE + 1 + FOREARM_SEGMENTS + joint


@dataclass(frozen=True)
class Arm:
    """Rest skeleton of one side in the body frame.

    Attributes:
        joints: (16, 3) wrist and finger joints, MANO order.
        tips: (5, 3) surface points at the finger ends, and ``tip_vertices`` (5,) which vertices they are.
        elbow, shoulder: (3,).
        fingers, palm, thumb: unit vectors of the hand's own frame: along the fingers, out of the palm, to the thumb.
        flexion: (16, 3) axes that curl a joint towards the palm by a right-handed turn; wrist unused.
        abduction: (16, 3) axes that move a finger towards the thumb's side.
    """

    joints: np.ndarray
    tips: np.ndarray
    tip_vertices: np.ndarray
    elbow: np.ndarray
    shoulder: np.ndarray
    fingers: np.ndarray
    palm: np.ndarray
    thumb: np.ndarray
    flexion: np.ndarray
    abduction: np.ndarray


@dataclass(frozen=True)
class Figure:
    """Mesh, skinning weights and both arms in rest, body frame.

    Attributes:
        vertices: (V, 3) metres. faces: (F, 4), -1 pads triangles. uv: (F, 4, 2).
        weights: (V, BONE_COUNT), rows sum to one.
        arms: left, right.
    """

    vertices: np.ndarray
    faces: np.ndarray
    uv: np.ndarray
    weights: np.ndarray
    arms: tuple[Arm, Arm]

    def dominant_bone(self) -> np.ndarray:
        """(V,) the bone that moves each vertex most."""
        return self.weights.argmax(axis=1)


@dataclass(frozen=True)
class HandPose:
    """One hand at one time, in the world.

    Attributes:
        rotation: (3, 3) world rotation of the wrist relative to rest in the body frame.
        wrist: (3,) metres.
        fingers: (16, 3, 3) local joint rotations, [0] unused.
    """

    rotation: np.ndarray
    wrist: np.ndarray
    fingers: np.ndarray


def wrist_rotation(arm: Arm, fingers: np.ndarray, palm: np.ndarray) -> np.ndarray:
    """(3, 3) rotation that points the fingers along ``fingers`` and the palm as near to ``palm`` as that allows."""
    forward = unit(fingers)
    normal = unit(palm - (palm @ forward) * forward)
    rest = np.stack([arm.fingers, arm.palm, np.cross(arm.fingers, arm.palm)], axis=1)
    return np.stack([forward, normal, np.cross(forward, normal)], axis=1) @ rest.T


def hand_transforms(arm: Arm, pose: HandPose) -> tuple[np.ndarray, np.ndarray]:
    """World rotations (16, 3, 3) and positions (16, 3) of the hand's joints."""
    rotations, positions = np.empty((16, 3, 3)), np.empty((16, 3))
    rotations[0], positions[0] = pose.rotation, pose.wrist
    for joint, parent in enumerate(HAND_PARENTS[1:], start=1):
        rotations[joint] = rotations[parent] @ pose.fingers[joint]
        positions[joint] = positions[parent] + rotations[parent] @ (arm.joints[joint] - arm.joints[parent])
    return rotations, positions


def elbow_position(
    arm: Arm, shoulder: np.ndarray, wrist: np.ndarray, pole: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Elbow and (pulled, if out of reach) shoulder of the arm bent towards ``pole``."""
    upper, lower = np.linalg.norm(arm.elbow - arm.shoulder), np.linalg.norm(arm.elbow - arm.joints[0])
    along = unit(wrist - shoulder)
    distance = np.linalg.norm(wrist - shoulder)
    reach = 0.999 * (upper + lower)
    if distance > reach:
        shoulder, distance = wrist - along * reach, reach
    foot = (upper**2 - lower**2 + distance**2) / (2 * distance)
    height = np.sqrt(max(upper**2 - foot**2, 0.0))
    return shoulder + along * foot + height * unit(pole - (pole @ along) * along), shoulder


def arm_transforms(
    arm: Arm, body: np.ndarray, pose: HandPose, pole: np.ndarray, twist_near: float
) -> tuple[np.ndarray, np.ndarray, float]:
    """World rotations and positions of the upper arm and the forearm's twist segments, and the forearm's twist [rad].

    The forearm turns gradually from the elbow's orientation to the wrist's; ``twist_near`` is the twist of the frame
    before, so that the angle never jumps by a whole turn.
    """
    turn = body[:3, :3]
    shoulder = turn @ arm.shoulder + body[:3, 3]
    elbow, shoulder = elbow_position(arm, shoulder, pose.wrist, turn @ pole)
    upper = align(turn @ (arm.elbow - arm.shoulder), elbow - shoulder) @ turn
    rest_forearm = arm.joints[0] - arm.elbow
    lower = align(upper @ rest_forearm, pose.wrist - elbow) @ upper
    at_wrist = align(pose.rotation @ rest_forearm, pose.wrist - elbow) @ pose.rotation
    axis = unit(pose.wrist - elbow)
    across = unit(np.cross(axis, lower @ np.array([0.3, 0.5, 0.8])))
    turned = at_wrist @ lower.T @ across
    twist = np.arctan2(np.cross(across, turned) @ axis, across @ turned)
    twist += 2 * np.pi * np.round((twist_near - twist) / (2 * np.pi))
    shares = np.linspace(0.0, 1.0, FOREARM_SEGMENTS)
    rotations = np.stack([upper, *(axis_angle(axis * twist * share) @ lower for share in shares)])
    positions = np.stack([shoulder, *[elbow] * FOREARM_SEGMENTS])
    return rotations, positions, float(twist)


def rest_origins(figure: Figure) -> np.ndarray:
    """(BONE_COUNT, 3) the rest point about which each bone turns."""
    origins = [np.zeros(3)]
    for arm in figure.arms:
        origins += [arm.shoulder, *[arm.elbow] * FOREARM_SEGMENTS, *arm.joints]
    return np.array(origins)


def skin(figure: Figure, rotations: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """(V, 3) world vertices for the bones' world rotations (B, 3, 3) and positions (B, 3)."""
    offsets = positions - np.einsum("bij,bj->bi", rotations, rest_origins(figure))
    blended = (figure.weights @ rotations.reshape(-1, 9)).reshape(-1, 3, 3)
    return np.einsum("vij,vj->vi", blended, figure.vertices) + figure.weights @ offsets
