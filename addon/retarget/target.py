"""One hand of the target rig, measured: its bones, how they hang together, its anatomical zero. NumPy only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from . import anatomy
from .anatomy import Finger, HandShape
from .rig_map import RigMap
from .skeleton import Skeleton

# a tail that turns away by more than this from the bone before was not set by a person (imported rigs)
_LARGEST_TURN_OF_TAIL = np.radians(60.0)


@dataclass(frozen=True, eq=False)
class Measured:
    """Pose matrices of the rig with every bone that will be keyed at zero, in the armature's space.

    Attributes:
        matrices: by bone name, (4, 4), scale of the bones left out.
    """

    matrices: Mapping[str, np.ndarray]

    def between(self, carrier: str, bone: str) -> np.ndarray:
        """(4, 4) where a bone at zero lies in the space of the bone that carries it."""
        return np.linalg.inv(self.matrices[carrier]) @ self.matrices[bone]


@dataclass(frozen=True, eq=False)
class HandTarget:
    """Attributes:
    side: "left" or "right".
    hand: the bone that turns the hand; ``hand_ik`` where the wrist goes by IK.
    fingers: bones that bend, by finger, base first.
    shape: the hand at zero, in the armature's space.
    zero: its frames.
    measured: of the rig.
    swing_only: bones that are not twisted.
    """

    side: str
    hand: str
    fingers: dict[str, tuple[str, ...]]
    shape: HandShape
    zero: anatomy.Zero
    measured: Measured
    swing_only: frozenset[str]

    def bone_from_frame(self, bone: str, frame: np.ndarray) -> np.ndarray:
        """(3, 3) the bone's axes seen from an anatomical frame, both at zero."""
        return frame.T @ self.measured.matrices[bone][:3, :3]


def measure(rig_map: RigMap, side: str, hand: str, skeleton: Skeleton, measured: Measured) -> HandTarget:
    """A hand of the rig.

    Args:
        rig_map: what the bones are.
        side: which hand.
        hand: the bone that turns it.
        skeleton: the rig at rest.
        measured: the rig with all keyed bones at zero.
    """
    fingers = rig_map.fingers(side)
    shapes = {finger: Finger(_joints(rig_map, side, finger, skeleton, measured)) for finger in fingers}
    shape = HandShape(side, measured.matrices[hand][:3, 3], shapes)
    return HandTarget(side, hand, fingers, shape, anatomy.zero(shape), measured, rig_map.swing_only)


def _joints(rig_map: RigMap, side: str, finger: str, skeleton: Skeleton, measured: Measured) -> np.ndarray:
    """(n + 1, 3) heads of a finger's bones and its tip."""
    names = rig_map.finger(side, finger)
    heads = np.array([measured.matrices[name][:3, 3] for name in names])
    tip = rig_map.bone(f"{side}.{finger}.tip")
    at_rest = skeleton.head(tip) if tip in skeleton else _end(names, skeleton)
    # carried from rest to the measured pose with the last bone
    last = measured.matrices[names[-1]] @ np.linalg.inv(skeleton.matrices[skeleton.index(names[-1])])
    return np.vstack([heads, last[:3, :3] @ at_rest + last[:3, 3]])


def _end(names: tuple[str, ...], skeleton: Skeleton) -> np.ndarray:
    """(3,) the end of a finger without a tip bone: the last tail, unless it leads elsewhere or nowhere."""
    head, tail = skeleton.head(names[-1]), skeleton.tail(names[-1])
    before = head - skeleton.head(names[-2]) if len(names) > 1 else tail - head
    length, way = np.linalg.norm(before), tail - head
    cosine = way @ before / max(np.linalg.norm(way) * length, 1e-12)
    is_odd = not 0.2 < np.linalg.norm(way) / max(length, 1e-12) < 3.0
    if is_odd or cosine < np.cos(_LARGEST_TURN_OF_TAIL):
        return head + 0.8 * before
    return tail
