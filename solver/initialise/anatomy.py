"""The hand as hinges: which joint turns about which anatomical axis, how far, and what is usual.

MANO's 15 finger joints have 45 rotation parameters; a hand has about 24 degrees of freedom. One camera does not see the
others, so the fit turns hinges and writes full rotation matrices. Axes come from the model's own rest joints, so that
any model in MANO layout works: ``bone`` points to the next joint, ``palmward`` out of the palm.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..hand_model.layout import FINGER_JOINTS, FINGERS, KEYPOINT_JOINTS, PARENTS

_THUMB = 13
# Where the thumb bends to, in (finger, palmward, radial) palm axes of the open hand: chosen so that the thumb's tip
# meets the little finger's base in full flexion. A model with another rest thumb keeps it approximately.
_THUMB_FLEXION = (0.10, 0.90, 0.40)


@dataclass(frozen=True)
class HingeKind:
    """Limits and usual values of one kind of hinge, degrees.

    Limits: range-of-motion tables of clinical handbooks (MCP 90 flexion / 45 extension / 20 to each side, PIP 0..100,
    DIP 0..90, thumb MCP -10..55, IP -20..80), widened by about 10 deg because they are averages. Usual values are
    deliberately vague (standard deviations near half the range): they hold what no camera sees.
    """

    axis: str
    low_deg: float
    high_deg: float
    mean_deg: float
    sigma_deg: float


_MCP = (
    HingeKind("abduction", -25, 25, 0, 10),
    HingeKind("flexion", -30, 100, 18, 40),
    HingeKind("twist", -10, 10, 0, 4),
)
_PIP = (HingeKind("flexion", -10, 115, 25, 40),)
_DIP = (HingeKind("flexion", -15, 90, 15, 25),)
_THUMB_CMC = (
    HingeKind("abduction", -40, 40, 0, 18),
    HingeKind("flexion", -30, 60, 8, 22),
    HingeKind("twist", -30, 40, 0, 12),
)
_THUMB_MCP = (HingeKind("abduction", -15, 15, 0, 7), HingeKind("flexion", -30, 75, 12, 25))
_THUMB_IP = (HingeKind("flexion", -30, 95, 15, 30),)


@dataclass(frozen=True)
class Hinges:
    """All hinges of one hand in the order in which they turn (proximal to distal, the kinds' order within a joint).

    Attributes:
        joint: (d,) MANO joint index.
        axis: (d, 3) unit axes in the rest frame.
        low, high, mean, sigma: (d,) rad.
        order: (d,) rank of the hinge within its joint.
        flexion: (15,) index of the flexion hinge of joints 1..15.
        moves: (2, p) pairs (keypoint, hinge) of every keypoint with every hinge that moves it.
    """

    joint: np.ndarray
    axis: np.ndarray
    low: np.ndarray
    high: np.ndarray
    mean: np.ndarray
    sigma: np.ndarray
    order: np.ndarray
    flexion: np.ndarray
    moves: np.ndarray

    def __len__(self) -> int:
        return len(self.joint)


def hinges_of(rest_joints: np.ndarray, rest_tips: np.ndarray, side: str) -> Hinges:
    """Anatomical hinges of a hand at rest.

    Args:
        rest_joints: (16, 3) MANO order; rest_tips: (5, 3) thumb first, as the 21 keypoints.
        side: "left" or "right": the handedness of the palm's normal.
    """
    palm = palm_axes(rest_joints[0], rest_joints[1], rest_joints[4], rest_joints[7], side)
    table = [
        (joint, kind, _axis(kind.axis, joint, _bone(joint, rest_joints, rest_tips), palm, side))
        for joint in range(1, 16)
        for kind in _kinds(joint)
    ]
    kinds = [kind for _, kind, _ in table]
    joints = np.array([joint for joint, _, _ in table])
    return Hinges(
        joint=joints,
        axis=np.array([axis for _, _, axis in table]),
        low=np.radians([kind.low_deg for kind in kinds]),
        high=np.radians([kind.high_deg for kind in kinds]),
        mean=np.radians([kind.mean_deg for kind in kinds]),
        sigma=np.radians([kind.sigma_deg for kind in kinds]),
        order=np.concatenate([np.arange(len(_kinds(joint))) for joint in range(1, 16)]),
        flexion=np.array([i for i, kind in enumerate(kinds) if kind.axis == "flexion"]),
        moves=np.array([(k, i) for k, carrier in enumerate(KEYPOINT_JOINTS) for i in _above(carrier, joints)]).T,
    )


def palm_axes(wrist: np.ndarray, index: np.ndarray, middle: np.ndarray, pinky: np.ndarray, side: str) -> np.ndarray:
    """Rows: towards the fingers, out of the palm, towards the thumb. Points (..., 3); result (..., 3, 3)."""
    chirality = 1.0 if side == "right" else -1.0
    palmward = _unit(chirality * np.cross(index - wrist, pinky - wrist))
    fingers = middle - wrist
    fingers = _unit(fingers - (fingers * palmward).sum(-1, keepdims=True) * palmward)
    return np.stack([fingers, palmward, chirality * np.cross(fingers, palmward)], axis=-2)


def _above(carrier: int, joints: np.ndarray) -> list[int]:
    """Hinges on the way from the wrist to a joint, the joint's own included."""
    return [hinge for hinge, joint in enumerate(joints) if joint in _lineage(carrier)]


def _lineage(joint: int) -> tuple[int, ...]:
    """The joint and all its ancestors."""
    return () if joint < 0 else (joint, *_lineage(PARENTS[joint]))


def _kinds(joint: int) -> tuple[HingeKind, ...]:
    kinds = (_THUMB_CMC, _THUMB_MCP, _THUMB_IP) if joint >= _THUMB else (_MCP, _PIP, _DIP)
    return kinds[(joint - 1) % 3]


def _bone(joint: int, joints: np.ndarray, tips: np.ndarray) -> np.ndarray:
    """Unit direction from a joint to the next one of its finger, or to the tip."""
    if joint % 3:
        return _unit(joints[joint + 1] - joints[joint])
    finger = [FINGER_JOINTS[name][-1] for name in FINGERS].index(joint)
    return _unit(tips[finger] - joints[joint])


def _axis(kind: str, joint: int, bone: np.ndarray, palm: np.ndarray, side: str) -> np.ndarray:
    """Unit axis about which a positive angle flexes, spreads towards the thumb, or twists about the bone."""
    chirality = 1.0 if side == "right" else -1.0
    flexion = _thumb_flexion(palm, chirality) if joint >= _THUMB else np.cross(bone, palm[1])
    flexion = _unit(flexion - (flexion @ bone) * bone)
    return {"flexion": flexion, "twist": bone * chirality, "abduction": np.cross(bone, flexion) * chirality}[kind]


def _thumb_flexion(palm: np.ndarray, chirality: float) -> np.ndarray:
    return chirality * np.asarray(_THUMB_FLEXION) @ palm


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / np.maximum(np.linalg.norm(vector, axis=-1, keepdims=True), 1e-12)
