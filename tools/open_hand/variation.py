"""Spreads the sampled hands as adults' hands vary: size, finger lengths, width, thickness.

MakeHuman's own hands vary less than that. The spreads below are hand-authored (a length of 184 mm with a standard
deviation of about 11, and so on), not fitted to scans.
"""

from __future__ import annotations

import numpy as np

from solver.hand_model.layout import FINGER_JOINTS, FINGERS, JOINT_COUNT

from .canonical import FlatHands

_LENGTH = 0.184  # metres, wrist joint to the end of the middle finger
_SIZE, _FINGER_LENGTH, _WIDTH, _THICKNESS = 0.062, 0.035, 0.04, 0.05  # relative standard deviations
_SEED = 1


def spread(hands: FlatHands, weights: np.ndarray) -> FlatHands:
    """The same people with hands of human variety; number 0 gets the mean size and keeps its proportions."""
    rng = np.random.default_rng(_SEED)
    count = len(hands.vertices)
    factors = 1 + rng.standard_normal((count, 3 + len(FINGERS))) * (
        [_SIZE, _THICKNESS, _WIDTH] + [_FINGER_LENGTH] * len(FINGERS)
    )
    factors = np.clip(factors, 0.84, 1.16)
    factors[0] = 1
    length = np.linalg.norm(hands.tips[:, FINGERS.index("middle")] - hands.joints[:, 0], axis=-1)
    axes = (
        np.stack([np.ones(count), factors[:, 1], factors[:, 2]], axis=-1) * (_LENGTH / length * factors[:, 0])[:, None]
    )
    stretched = _stretch_fingers(hands, weights, factors[:, 3:])
    return FlatHands(*(axes[:, None] * array for array in (stretched.vertices, stretched.joints, stretched.tips)))


def _stretch_fingers(hands: FlatHands, weights: np.ndarray, factors: np.ndarray) -> FlatHands:
    """Each finger's bones longer by its factor (N, 5); vertices stretch along the bones that carry them."""
    joints, tips = hands.joints.copy(), hands.tips.copy()
    stretch = np.zeros((*joints.shape[:2], 3, 3))
    for finger, name in enumerate(FINGERS):
        chain, extra = FINGER_JOINTS[name], factors[:, finger, None] - 1
        ends = [*(hands.joints[:, joint] for joint in chain[1:]), hands.tips[:, finger]]
        shift = np.zeros((len(joints), 3))
        for joint, end in zip(chain, ends, strict=True):
            bone = end - hands.joints[:, joint]
            joints[:, joint] += shift
            shift = shift + extra * bone
            along = bone / np.linalg.norm(bone, axis=-1, keepdims=True)
            stretch[:, joint] = extra[..., None] * along[:, :, None] * along[:, None, :]
        tips[:, finger] += shift
    vertices = hands.vertices.copy()
    for joint in range(JOINT_COUNT):
        arms = hands.vertices - hands.joints[:, joint, None]
        moved = arms @ stretch[:, joint] + (joints - hands.joints)[:, joint, None]
        vertices += weights[:, joint, None] * moved
    return FlatHands(vertices, joints, tips)
