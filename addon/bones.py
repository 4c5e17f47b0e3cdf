"""Where a hand's bones lie and how a pose of the solver becomes a pose of those bones. NumPy only.

Axes of every bone: Y along the bone; Z to the side that it bends to (the palm's side, for the thumb towards the little
finger's base); X = Y x Z, so a positive turn about local X bends the finger, on both hands.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..solver.hand_model.layout import FINGER_JOINTS, FINGERS, JOINT_COUNT, JOINT_NAMES, PARENTS
from ..solver.hand_model.model import ShapedHand
from ..solver.hand_model.rotations import matrix_from_quaternion, quaternion_from_matrix
from . import frames

_MIDDLE, _INDEX, _PINKY = (JOINT_NAMES.index(name) for name in ("middle1", "index1", "pinky1"))
_CONNECTED = frozenset(joint for chain in FINGER_JOINTS.values() for joint in chain[1:])


@dataclass(frozen=True)
class BoneRest:
    """One bone at rest, in the armature's space (Blender axes, metres).

    Attributes:
        name: MANO's joint name.
        parent: name of the parent bone, "" for the wrist.
        head, tail: (3,).
        bend_side: (3,) direction of the local Z axis, before it is made orthogonal to the bone.
        is_connected: its head is its parent's tail.
    """

    name: str
    parent: str
    head: np.ndarray
    tail: np.ndarray
    bend_side: np.ndarray
    is_connected: bool


def rest_bones(shaped: ShapedHand) -> list[BoneRest]:
    """The 16 bones of a hand, parents before children."""
    joints = frames.points_to_blender(shaped.joints_rest)
    tails = _tails(joints, frames.points_to_blender(shaped.keypoints_rest))
    bend_sides = _bend_sides(joints, shaped.model.side)
    return [
        BoneRest(
            name=JOINT_NAMES[j],
            parent=JOINT_NAMES[PARENTS[j]] if PARENTS[j] >= 0 else "",
            head=joints[j],
            tail=tails[j],
            bend_side=bend_sides[j],
            is_connected=j in _CONNECTED,
        )
        for j in range(JOINT_COUNT)
    ]


def _tails(joints: np.ndarray, keypoints: np.ndarray) -> np.ndarray:
    tails = np.empty_like(joints)
    tails[0] = joints[_MIDDLE]
    for finger_number, finger in enumerate(FINGERS):
        base, middle, last = FINGER_JOINTS[finger]
        tails[base], tails[middle] = joints[middle], joints[last]
        tails[last] = keypoints[4 * finger_number + 4]
    return tails


def _bend_sides(joints: np.ndarray, side: str) -> np.ndarray:
    palm = np.cross(joints[_INDEX] - joints[0], joints[_PINKY] - joints[0])
    bend_sides = np.tile(palm if side == "right" else -palm, (JOINT_COUNT, 1))
    thumb = list(FINGER_JOINTS["thumb"])
    bend_sides[thumb] = joints[_PINKY] - joints[thumb]
    return bend_sides


def pose_quaternions(rotations: np.ndarray, bone_axes: np.ndarray) -> np.ndarray:
    """Solver rotations as pose bone quaternions.

    A pose bone turns in its own rest axes B, the solver in the model's: basis = B^T R B. The model's axes are the same
    for all joints, so this holds for children as it does for the wrist.

    Args:
        rotations: (..., 16, 3, 3) local, solver axes.
        bone_axes: (16, 3, 3) rest axes of the bones in the armature's space, as columns (``Bone.matrix_local``).

    Returns:
        (..., 16, 4) w, x, y, z with w >= 0.
    """
    basis = np.swapaxes(bone_axes, -1, -2) @ frames.rotations_to_blender(rotations) @ bone_axes
    return quaternion_from_matrix(basis)


def rotations_of_pose(quaternions: np.ndarray, bone_axes: np.ndarray) -> np.ndarray:
    """Undoes ``pose_quaternions``: (..., 16, 4) -> (..., 16, 3, 3)."""
    return rotations_of_basis(matrix_from_quaternion(quaternions), bone_axes)


def rotations_of_basis(basis: np.ndarray, bone_axes: np.ndarray) -> np.ndarray:
    """(..., 16, 3, 3) turns of pose bones in their own rest axes -> local rotations, solver axes."""
    return frames.rotations_to_solver(bone_axes @ basis @ np.swapaxes(bone_axes, -1, -2))


def local_rotations(global_rotations: np.ndarray) -> np.ndarray:
    """(..., 16, 3, 3) global rotation of each joint's frame -> local ones, relative to the parent."""
    parents = np.array(PARENTS)
    local = np.array(global_rotations, float)
    local[..., 1:, :, :] = np.swapaxes(global_rotations[..., parents[1:], :, :], -1, -2) @ local[..., 1:, :, :]
    return local


def wrist_locations(transl: np.ndarray, wrist_axes: np.ndarray) -> np.ndarray:
    """(..., 3) ``transl`` -> location of the wrist's pose bone, which moves in its own rest axes (3, 3)."""
    return frames.points_to_blender(transl) @ wrist_axes


def transl_of_location(locations: np.ndarray, wrist_axes: np.ndarray) -> np.ndarray:
    """Undoes ``wrist_locations``."""
    return frames.points_to_solver(locations @ wrist_axes.T)
