"""What the artist wants of a re-solve: keys of their own and pins, as the solver's constraints."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import bpy
import numpy as np

from ..solver import constraints
from ..solver.constraints import Constraint
from ..solver.hand_model.layout import JOINT_COUNT
from ..solver.observations import KEYPOINT_NAMES
from . import animation, bones, frames, rig
from .edit_properties import HandheldPin
from .hands import LOCATION, keyed_motion, turns_of, wrist_at_rest

# a pose with tolerance 1 is as sure as a careful eye: 3 mm and 3 deg (``constraints.Pose``)
_CAREFUL_MM = 3.0
_UNPINNED = np.full((JOINT_COUNT - 1, 3, 3), np.nan)


def gather(
    root: bpy.types.Object, hands: Mapping[int, bpy.types.Object], first: int, last: int, clip_offset: int
) -> list[Constraint]:
    """All constraints that reach into scene frames ``first`` to ``last``.

    Args:
        hands: armatures by their row in the take.
        clip_offset: what is added to a scene frame to get the clip's.
    """
    rows = {armature.name: row for row, armature in hands.items()}
    wishes = [wish for row, armature in hands.items() for wish in _of_keys(armature, row, first, last, clip_offset)]
    for pin in root.handheld_edit.pins:
        if pin.enabled and is_complete(pin) and pin.frame <= last and last_frame(pin) >= first:
            wishes += _of_pin(pin, rows, clip_offset)
    return wishes


def is_complete(pin: HandheldPin) -> bool:
    """Has it everything that its kind needs? A hand may have been removed since."""
    if pin.kind == "CAMERA":
        return True
    return is_there(pin.hand) and (pin.kind != "TOGETHER" or is_there(pin.other_hand))


def is_there(hand: bpy.types.Object | None) -> bool:
    """Is a pin's hand still in a scene? One that the artist deletes lives on for the pin that names it."""
    return hand is not None and bool(hand.users_collection)


def last_frame(pin: HandheldPin) -> int:
    return max(pin.frame, pin.last_frame) if pin.kind in ("HOLD_STILL", "TOGETHER", "IGNORE") else pin.frame


def is_on_keys(pin: HandheldPin) -> bool:
    """Is the pin nothing but keys of the artist's?"""
    return pin.kind == "CAMERA" or (pin.kind == "POSE" and pin.tolerance_mm == 0)


def _of_keys(
    armature: bpy.types.Object, row: int, first: int, last: int, clip_offset: int
) -> Iterator[constraints.Pose]:
    """A hard pose, of just the joints that were keyed, for each frame in which the artist has keys."""
    artists = animation.artist_frames(armature)
    if not artists:
        return
    placed = _whole(artists.get(LOCATION, ()), first, last)
    turned = [_whole(turn.artist_frames(artists), first, last) for turn in turns_of(armature)]
    keyed = sorted(placed.union(*turned))
    if not keyed:
        return
    motion, rest = keyed_motion(armature, np.array(keyed)), wrist_at_rest(armature)
    for index, frame in enumerate(keyed):
        joints = [joint for joint, there in enumerate(turned) if frame in there]
        fingers = _UNPINNED.copy()
        for joint in joints:
            if joint:
                fingers[joint - 1] = motion.rotations[index, joint]
        yield constraints.Pose(
            row,
            frame + clip_offset,
            global_orient=motion.rotations[index, 0] if 0 in joints else None,
            wrist=motion.transl[index] + rest if frame in placed else None,
            rotations=fingers if any(joints) else None,
        )


def _whole(frames: Iterable[float], first: int, last: int) -> set[int]:
    return {int(frame) for frame in frames if frame == int(frame) and first <= frame <= last}


def _of_pin(pin: HandheldPin, rows: Mapping[str, int], clip_offset: int) -> Iterator[Constraint]:
    row = rows.get(pin.hand.name) if pin.hand else None
    if row is None or is_on_keys(pin):
        return
    frame, end = pin.frame + clip_offset, last_frame(pin) + clip_offset
    keypoint, within_m = keypoint_number(pin.keypoint), pin.tolerance_mm / 1000 or None
    match pin.kind:
        case "POSE":
            yield _of_stored_pose(pin, row, frame)
        case "POINT":
            position = frames.points_to_solver(np.array(pin.position, float))
            yield constraints.Point(row, frame, keypoint, position, within_m)
        case "IMAGE_POINT":
            seen = np.array(pin.position_px, float)
            yield constraints.ImagePoint(row, frame, keypoint, seen, pin.tolerance_mm or None, of_model=True)
        case "HOLD_STILL":
            yield constraints.HoldStill(row, frame, end, keypoint, within_m)
        case "TOGETHER":
            other = rows.get(pin.other_hand.name)
            if other is not None:
                touching = keypoint_number(pin.other_keypoint)
                yield constraints.Together(row, keypoint, other, touching, frame, end, within_m)
        case "IGNORE":
            yield constraints.Ignore(row, frame, end)


def keypoint_number(item: str) -> int:
    return KEYPOINT_NAMES.index(item.lower())


def _of_stored_pose(pin: HandheldPin, row: int, frame: int) -> constraints.Pose:
    axes = rig.bone_axes(pin.hand)
    stored = np.array([*pin.quaternions, *pin.more_quaternions], float).reshape(JOINT_COUNT, 4)
    rotations = bones.rotations_of_pose(stored / np.linalg.norm(stored, axis=-1, keepdims=True), axes)
    wrist = bones.transl_of_location(np.array(pin.wrist_location, float), axes[0]) + wrist_at_rest(pin.hand)
    return constraints.Pose(row, frame, rotations[0], wrist, rotations[1:], pin.tolerance_mm / _CAREFUL_MM)
