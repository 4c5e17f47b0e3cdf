"""From frames of a solved hand to poses of a rig's bones. NumPy only; T frames at once.

A bone's frame (``anatomy``) shall be the solved bone's frame, in the world. So directions, bends and spreads are the
solved hand's whatever the rig's rest pose and rolls are. Fingers are not twisted; the thumb is, as thumbs are. Bones
whose twist gets lost on the way to what they deform are swung only; the next bone, whose pose is computed from its true
carrier, makes up for it.
"""

from __future__ import annotations

import numpy as np

from ...solver.hand_model.rotations import exp, log
from .anatomy import shortest_turn
from .target import HandTarget

_X, _Y, _Z = np.eye(3)


def untwisted(target: HandTarget, finger: str, palm: np.ndarray, frames: np.ndarray) -> np.ndarray:
    """Frames of a finger with the same directions and no twist, which no finger has but solved ones may.

    Each bone is bent about the X that its carrier gives it by f, then spread about its own Z by s:
    y = Rx(f) Rz(s) (0, 1, 0) = (-sin s, cos s cos f, cos s sin f), which is regular for every bend. The rig's own zero
    counts, so that nothing twists against its rest pose. Bones that only swing take the shortest way.

    Args:
        target: the hand.
        finger: its name.
        palm: (T, 3, 3) frame of the palm.
        frames: (T, n, 3, 3) of the finger's n bones.
    """
    out = np.empty_like(frames)
    carrier, carrier_zero = palm, target.zero.palm
    for number, (bone, at_zero) in enumerate(zip(target.fingers[finger], target.zero.fingers[finger], strict=True)):
        unposed = carrier @ carrier_zero.T @ at_zero
        way = (np.swapaxes(unposed, -1, -2) @ frames[:, number, :, 1, None])[..., 0]
        out[:, number] = unposed @ (shortest_turn(_Y, way) if bone in target.swing_only else _bend_and_spread(way))
        carrier, carrier_zero = out[:, number], at_zero
    return out


def _bend_and_spread(way: np.ndarray) -> np.ndarray:
    """(T, 3, 3) turns that take Y to directions (T, 3) without twist."""
    x, y, z = np.moveaxis(way, -1, 0)
    bend, spread = np.arctan2(z, y), -np.arcsin(np.clip(x, -1.0, 1.0))
    return exp(bend[:, None] * _X) @ exp(spread[:, None] * _Z)


def resampled(frames: np.ndarray, count: int) -> np.ndarray:
    """(T, 3, 3, 3) frames of three bones -> (T, count, 3, 3): the first and the last stay, the rest lies between.

    Two-bone fingers so bend in their one joint by what the solved finger bends in two.
    """
    if count == frames.shape[1]:
        return frames
    places = np.linspace(0.0, frames.shape[1] - 1.0, count) if count > 1 else np.array([(frames.shape[1] - 1) / 2])
    below = np.minimum(places.astype(int), frames.shape[1] - 2)
    start, end = frames[:, below], frames[:, below + 1]
    turn = log(np.swapaxes(start, -1, -2) @ end)
    return start @ exp(turn * (places - below)[:, None])


def finger_poses(target: HandTarget, finger: str, frames: np.ndarray, hand: np.ndarray) -> dict[str, np.ndarray]:
    """Rotations of a finger's pose bones.

    Args:
        target: the hand.
        finger: its name.
        frames: (T, n, 3, 3) wanted frames of its n bones, armature space.
        hand: (T, 3, 3) axes of the hand's bone as it will be, armature space.

    Returns:
        by bone: (T, 3, 3), in the bone's own rest axes (``PoseBone.matrix_basis``).
    """
    poses = {}
    carrier, axes = target.hand, hand
    for number, bone in enumerate(target.fingers[finger]):
        unposed = axes @ target.measured.between(carrier, bone)[:3, :3]
        wanted = frames[:, number] @ target.bone_from_frame(bone, target.zero.fingers[finger][number])
        basis = np.swapaxes(unposed, -1, -2) @ wanted
        if bone in target.swing_only:
            basis = shortest_turn(_Y, basis[..., :, 1])
        poses[bone] = basis
        carrier, axes = bone, unposed @ basis
    return poses


def twist_angle(rotations: np.ndarray, axis: np.ndarray) -> np.ndarray:
    """(T,) radians by which rotations (T, 3, 3) turn about an axis (3,), after their swing (swing-twist split)."""
    swung = shortest_turn(axis, rotations @ axis)
    return log(np.swapaxes(swung, -1, -2) @ rotations) @ axis
