"""A sampler of plausible finger poses, for the pose mean and components and for training the pose blend shapes.

Its ranges and synergies are hand-authored: fingers close together more than alone, distal joints follow middle ones.
They are no measurement, and coefficients of the components are not those of MANO.
"""

from __future__ import annotations

import numpy as np

from solver.hand_model.layout import FINGER_JOINTS, FINGERS, JOINT_COUNT
from solver.hand_model.rotations import exp, log

from .anatomy import Bending
from .canonical import shortest_rotation

_PALM = np.array([0.0, -1.0, 0.0])


def bending_frames(joints: np.ndarray, tips: np.ndarray, bending: Bending) -> np.ndarray:
    """(16, 3, 3) columns: along the bone, sideways, and the axis about which a positive angle bends to the palm.

    For the flat right hand with ``joints`` (16, 3) and ``tips`` (5, 3). The wrist's is the identity.
    """
    frames = np.tile(np.eye(3), (JOINT_COUNT, 1, 1))
    for tip, finger in zip(tips, FINGERS, strict=True):
        chain = FINGER_JOINTS[finger]
        for joint, end in zip(chain, [*joints[list(chain[1:])], tip], strict=True):
            along = (end - joints[joint]) / np.linalg.norm(end - joints[joint])
            frames[joint] = _frame(along, _thumb_axis(along, bending) if finger == "thumb" else np.cross(along, _PALM))
    return frames


def sample_poses(count: int, frames: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(count, 15, 3) rotation vectors of the finger joints, flat hand = 0."""
    angles = np.deg2rad(_angles_deg(count, rng))
    bend, swing, twist = (angles[..., k] for k in range(3))
    local = exp(np.stack([twist, 0 * twist, 0 * twist], -1)) @ exp(np.stack([0 * swing, swing, 0 * swing], -1))
    local = local @ exp(np.stack([0 * bend, 0 * bend, bend], -1))
    axes = frames[1:]
    return log(axes @ local @ np.swapaxes(axes, 1, 2))


def _angles_deg(count: int, rng: np.random.Generator) -> np.ndarray:
    """(count, 15, 3) bend, sideways swing, twist of every finger joint in degrees."""
    angles = np.zeros((count, JOINT_COUNT - 1, 3))
    grasp = rng.beta(1.2, 1.6, count)
    for finger in FINGERS[1:]:
        knuckle, middle, outer = (joint - 1 for joint in FINGER_JOINTS[finger])
        own = 0.65 * grasp + 0.35 * rng.beta(1.1, 1.6, count) + 0.12 * rng.standard_normal(count)
        own = np.clip(own, -0.12, 1)
        angles[:, knuckle, 0] = 85 * own - 8 + 6 * rng.standard_normal(count)
        angles[:, knuckle, 1] = rng.normal(0, 6, count) * (1 - 0.7 * own)
        angles[:, knuckle, 2] = rng.normal(0, 3, count)
        angles[:, middle, 0] = 105 * np.clip(own + 0.15 * rng.standard_normal(count), 0, 1)
        angles[:, outer, 0] = 0.62 * angles[:, middle, 0] + 6 * rng.standard_normal(count)
    base, middle, outer = (joint - 1 for joint in FINGER_JOINTS["thumb"])
    own = np.clip(0.5 * grasp + 0.5 * rng.beta(1.2, 1.5, count), 0, 1)
    angles[:, base, 0] = 40 * own - 8 + 9 * rng.standard_normal(count)
    angles[:, base, 1] = -25 * own + 6 + 9 * rng.standard_normal(count)  # away from the palm's plane, to oppose
    angles[:, base, 2] = 15 * own + 8 * rng.standard_normal(count)
    angles[:, middle, 0] = 42 * own + 8 * rng.standard_normal(count)
    angles[:, outer, 0] = 65 * np.clip(own + 0.2 * rng.standard_normal(count), -0.2, 1)
    return angles


def pose_components(poses: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean (45,) and components (45, 45), one per row, most frequent first; each with positive sum of its entries."""
    flat = poses.reshape(len(poses), -1)
    mean = flat.mean(axis=0)
    _, _, components = np.linalg.svd(flat - mean, full_matrices=False)
    return mean, components * np.where(components.sum(axis=1) < 0, -1.0, 1.0)[:, None]


def _thumb_axis(along: np.ndarray, bending: Bending) -> np.ndarray:
    """The rig's bending axis of the thumb, carried over the shortest way to where the thumb points here."""
    return shortest_rotation(bending.thumb_direction[None], along[None])[0] @ bending.thumb_axis


def _frame(along: np.ndarray, axis: np.ndarray) -> np.ndarray:
    axis = axis - along * (axis @ along)
    axis /= np.linalg.norm(axis)
    return np.stack([along, np.cross(axis, along), axis], axis=1)
