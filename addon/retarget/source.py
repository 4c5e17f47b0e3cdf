"""The solved hands' motion as the retargeting needs it: frames of palm and finger bones over time. NumPy only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...solver.hand_model.layout import FINGER_JOINTS, FINGERS, JOINT_COUNT, PARENTS
from . import anatomy
from .anatomy import Finger, HandShape


@dataclass(frozen=True, eq=False)
class Rest:
    """A solved hand's armature at rest, in its own space (Blender's axes).

    Attributes:
        side: "left" or "right".
        joints: (16, 3) MANO order.
        tips: (5, 3) in the order of ``FINGERS``.
    """

    side: str
    joints: np.ndarray
    tips: np.ndarray

    def shape(self) -> HandShape:
        fingers = {
            finger: Finger(np.vstack([self.joints[list(FINGER_JOINTS[finger])], self.tips[row]]))
            for row, finger in enumerate(FINGERS)
        }
        return HandShape(self.side, self.joints[0], fingers)


@dataclass(frozen=True, eq=False)
class HandMotion:
    """One solved hand over T frames in Blender's world.

    Attributes:
        shape: the hand at rest, in the size that it has in the world.
        frames: (T,) scene frames.
        rotations: (T, 16, 3, 3) of each joint against rest.
        joints: (T, 16, 3).
        tips: (T, 5, 3) in the order of ``FINGERS``.
    """

    shape: HandShape
    frames: np.ndarray
    rotations: np.ndarray
    joints: np.ndarray
    tips: np.ndarray

    def palm(self, zero: anatomy.Zero) -> np.ndarray:
        """(T, 3, 3) frame of the palm."""
        return self.rotations[:, 0] @ zero.palm

    def finger(self, zero: anatomy.Zero, name: str) -> np.ndarray:
        """(T, 3, 3, 3) frames of a finger's three bones."""
        return self.rotations[:, list(FINGER_JOINTS[name])] @ zero.fingers[name]

    def tip(self, name: str) -> np.ndarray:
        """(T, 3)."""
        return self.tips[:, FINGERS.index(name)]

    def at(self, rows: np.ndarray) -> HandMotion:
        """Some of the frames."""
        return HandMotion(self.shape, self.frames[rows], self.rotations[rows], self.joints[rows], self.tips[rows])


def motion_of(rest: Rest, frames: np.ndarray, local: np.ndarray, wrist: np.ndarray, world: np.ndarray) -> HandMotion:
    """Forward kinematics, then into the world.

    Args:
        rest: of the hand's armature.
        frames: (T,).
        local: (T, 16, 3, 3) rotations of each joint against its parent, armature's axes.
        wrist: (T, 3) where the wrist is, armature's space.
        world: (4, 4) or (T, 4, 4) of the armature; rotation, translation and one scale.
    """
    turned = np.array(local, float)
    joints = np.empty((len(frames), JOINT_COUNT, 3))
    joints[:, 0] = wrist
    for joint in range(1, JOINT_COUNT):
        parent = PARENTS[joint]
        turned[:, joint] = turned[:, parent] @ turned[:, joint]
        joints[:, joint] = joints[:, parent] + turned[:, parent] @ (rest.joints[joint] - rest.joints[parent])
    last = [FINGER_JOINTS[finger][2] for finger in FINGERS]
    tips = joints[:, last] + np.einsum("tfij,fj->tfi", turned[:, last], rest.tips - rest.joints[last])
    return in_world(rest, frames, turned, joints, tips, world)


def in_world(
    rest: Rest, frames: np.ndarray, turned: np.ndarray, joints: np.ndarray, tips: np.ndarray, world: np.ndarray
) -> HandMotion:
    """A posed hand of the armature's space in the world; arguments as in ``motion_of``."""
    world = np.broadcast_to(np.asarray(world, float), (len(frames), 4, 4))
    scale = float(np.cbrt(np.linalg.det(world[0, :3, :3]))) if len(frames) else 1.0
    turn = world[:, None, :3, :3]
    shape = Rest(rest.side, rest.joints * scale, rest.tips * scale).shape()
    joints = (turn @ joints[..., None])[..., 0] + world[:, None, :3, 3]
    tips = (turn @ tips[..., None])[..., 0] + world[:, None, :3, 3]
    return HandMotion(shape, np.asarray(frames), turn / scale @ turned, joints, tips)
