"""The anatomical zero of a hand, from its geometry alone: what "straight", "bent" and "spread" mean on this rig.

Every bone gets a frame (columns). **Y**: along the bone, from its joint to the next. **Z**: to the palm's side, square
to Y (thumb: towards the little finger's base). **X** = Y x Z: a positive turn bends, on both hands. The palm has
one too: Y from the wrist to the middle of the fingers' bases, Z out of the palm. Frames along a finger follow from its
first by the shortest turn, so that a finger that is bent at rest keeps one hinge axis. The same function measures the
solved hand and the target: neither bone rolls nor rest poses matter. NumPy only.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_LINE_OF_BASES = ("index", "middle", "ring", "pinky")
# below this the plane of the palm is given by points almost in a line
_LEAST_SPREAD = 0.05


@dataclass(frozen=True, eq=False)
class Finger:
    """Attributes:
    joints: (n + 1, 3) heads of the n bones that bend, and the fingertip.
    """

    joints: np.ndarray

    @property
    def lengths(self) -> np.ndarray:
        """(n,) of the bones."""
        return np.linalg.norm(np.diff(self.joints, axis=0), axis=1)


@dataclass(frozen=True, eq=False)
class HandShape:
    """A hand in some pose, in any space.

    Attributes:
        side: "left" or "right".
        wrist: (3,).
        fingers: by name, thumb first.
    """

    side: str
    wrist: np.ndarray
    fingers: dict[str, Finger]

    def only(self, names: Sequence[str]) -> HandShape:
        """The same hand as if it had these fingers alone: two hands are compared by what both have."""
        return HandShape(self.side, self.wrist, {name: self.fingers[name] for name in names if name in self.fingers})

    def size(self) -> float:
        """Mean of the fingers' lengths with their way from the wrist."""
        reach = [np.linalg.norm(f.joints[0] - self.wrist) + f.lengths.sum() for f in self.fingers.values()]
        return float(np.mean(reach))


@dataclass(frozen=True, eq=False)
class Zero:
    """Attributes:
    palm: (3, 3) frame of the palm.
    fingers: (n, 3, 3) frames of each finger's bones.
    """

    palm: np.ndarray
    fingers: dict[str, np.ndarray]


def zero(shape: HandShape) -> Zero:
    """The frames of a hand in the pose in which it is given, which should be near a flat or relaxed one."""
    palm = _palm(shape)
    frames = {name: _finger(shape, name, palm) for name in shape.fingers}
    return Zero(palm, frames)


def _palm(shape: HandShape) -> np.ndarray:
    line = [name for name in _LINE_OF_BASES if name in shape.fingers]
    # without two fingers in line the thumb stands in for the first of them
    line = line if len(line) > 1 else [name for name in ("thumb", *line) if name in shape.fingers]
    bases = np.array([shape.fingers[name].joints[0] for name in line]) - shape.wrist
    along = bases.mean(axis=0)
    across = np.cross(bases[0], bases[-1])
    if np.linalg.norm(across) < _LEAST_SPREAD * np.linalg.norm(along) ** 2:
        along, across = _palm_of_bends(shape, along)
    return frame(along, across if shape.side == "right" else -across)


def _palm_of_bends(shape: HandShape, along: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of a hand with a single finger, or one whose bases lie in a line: its plane is square to how the finger bends."""
    joints = max((finger.joints for finger in shape.fingers.values()), key=len)
    ways = np.diff(joints, axis=0)
    bend = ways[-1] - ways[0] * (ways[-1] @ ways[0]) / (ways[0] @ ways[0])
    if np.linalg.norm(bend) < 1e-3 * np.linalg.norm(ways[0]):
        bend = np.eye(3)[np.abs(along).argmin()]
    along = along if np.linalg.norm(along) > 1e-9 else ways[0]
    return along, bend if shape.side == "right" else -bend


def _finger(shape: HandShape, name: str, palm: np.ndarray) -> np.ndarray:
    joints = shape.fingers[name].joints
    ways = np.diff(joints, axis=0)
    side = shape.fingers[name].joints[0] if name == "thumb" else None
    to_palm = palm[:, 2] if side is None else _little_finger(shape) - side
    frames = [frame(ways[0], to_palm)]
    for before, way in itertools.pairwise(ways):
        turned = shortest_turn(before, way) @ frames[-1]
        frames.append(frame(way, turned[:, 2]))
    return np.array(frames)


def _little_finger(shape: HandShape) -> np.ndarray:
    """Base of the finger farthest from the thumb."""
    last = [name for name in _LINE_OF_BASES if name in shape.fingers]
    return shape.fingers[last[-1]].joints[0] if last else shape.wrist


def frame(along: np.ndarray, to_side: np.ndarray) -> np.ndarray:
    """(..., 3, 3) with Y along the first direction and Z as near to the second as it can be."""
    y = along / np.linalg.norm(along, axis=-1, keepdims=True)
    x = np.cross(y, to_side)
    x = x / np.linalg.norm(x, axis=-1, keepdims=True)
    return np.stack([x, y, np.cross(x, y)], axis=-1)


def shortest_turn(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """(..., 3, 3) the rotation by the smallest angle that takes one direction to another (..., 3).

    R = I + [v] + [v]^2 / (1 + c), v = a x b, c = a . b for unit a, b; opposite directions turn about any square axis.
    """
    a = start / np.linalg.norm(start, axis=-1, keepdims=True)
    b = end / np.linalg.norm(end, axis=-1, keepdims=True)
    a, b = np.broadcast_arrays(a, b)
    cosine = (a * b).sum(axis=-1)[..., None, None]
    v = np.cross(a, b)
    skew = np.zeros((*v.shape[:-1], 3, 3))
    skew[..., 0, 1], skew[..., 0, 2], skew[..., 1, 2] = -v[..., 2], v[..., 1], -v[..., 0]
    skew = skew - np.swapaxes(skew, -1, -2)
    turned = np.eye(3) + skew + skew @ skew / np.maximum(1 + cosine, 1e-9)
    opposite = cosine[..., 0, 0] < -1 + 1e-9
    if np.any(opposite):
        square = np.cross(a, np.eye(3)[np.abs(a).argmin(axis=-1)])
        square = square / np.linalg.norm(square, axis=-1, keepdims=True)
        half_turn = 2 * square[..., :, None] * square[..., None, :] - np.eye(3)
        turned = np.where(opposite[..., None, None], half_turn, turned)
    return turned
