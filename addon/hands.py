"""Which armature of the scene is which hand of the take, and where its joints are."""

from __future__ import annotations

from collections import Counter

import bpy
import numpy as np

from ..solver.errors import SolverError
from ..solver.hand_model.layout import FINGER_JOINTS, FINGERS, JOINT_NAMES
from ..solver.take import Take
from . import animation, bones, frames, rig, turns
from .scene import members

LOCATION = 'pose.bones["wrist"].location'


def hands_of(root: bpy.types.Object) -> list[bpy.types.Object]:
    """The armatures of a root's hands. Of one and its duplicates, the first of ``scene.members`` is meant."""
    found: dict[tuple[str, int], bpy.types.Object] = {}
    for hand in members(root, "HAND"):
        found.setdefault((hand.handheld.side, hand.handheld.ordinal), hand)
    return list(found.values())


def taken_away(root: bpy.types.Object) -> list[bpy.types.Object]:
    """Hands and cameras that an artist parented elsewhere: they are solved, but don't go where the root goes."""
    return [thing for thing in (*hands_of(root), *members(root, "CAMERA")[:1]) if thing.parent != root]


def left_meshes(root: bpy.types.Object) -> list[bpy.types.Object]:
    """Meshes of hands whose armatures the artist deleted, also where one lives on for the pins that name it."""
    return [skin for skin in members(root, "SKIN") if skin.parent is None or not skin.parent.users_collection]


def ordinals(sides: tuple[str, ...]) -> list[int]:
    """Each hand's number among those of its side."""
    counters: Counter[str] = Counter()
    numbers = []
    for side in sides:
        numbers.append(counters[side])
        counters[side] += 1
    return numbers


def by_row(root: bpy.types.Object, take: Take) -> dict[int, bpy.types.Object]:
    """The armature of each of the take's hands; hands that the artist removed are absent."""
    known = {(hand.handheld.side, hand.handheld.ordinal): hand for hand in hands_of(root)}
    keys = enumerate(zip(take.sides, ordinals(take.sides), strict=True))
    return {row: known[key] for row, key in keys if key in known}


def active(context: bpy.types.Context, root: bpy.types.Object | None) -> bpy.types.Object | None:
    """The hand that the artist works on: the active object's, or the only one."""
    found = hands_of(root) if root else []
    chosen = context.active_object
    while chosen is not None and chosen not in found:
        chosen = chosen.parent
    return chosen or (found[0] if len(found) == 1 else None)


def chosen(context: bpy.types.Context, root: bpy.types.Object, name: str) -> bpy.types.Object:
    """The hand of this name, else the active one. Raises SolverError ``no-hand-chosen``."""
    found = next((hand for hand in hands_of(root) if hand.name == name), None) or active(context, root)
    if found is None:
        raise SolverError("no-hand-chosen", "It is not clear which hand is meant.", "Select a hand's armature.")
    return found


def require_editable(thing: bpy.types.Object) -> None:
    """Raises SolverError ``object-linked``: what lies in another file can't be changed from here."""
    if thing.library is not None:
        raise SolverError(
            "object-linked",
            f"{thing.name} is linked from {thing.library.name}.",
            "Work in that file, or make it local (Object > Relations > Make Local > All).",
        )


def require_own_motion(thing: bpy.types.Object) -> None:
    """Can a hand's or camera's keys be read and written?

    Raises:
        SolverError: ``object-linked``, ``action-linked``, or ``motion-in-nla``.
    """
    require_editable(thing)
    animated = thing.animation_data
    if animated is None:
        return
    if animated.action is not None and animated.action.library is not None:
        raise SolverError(
            "action-linked",
            f"The motion of {thing.name} is linked from {animated.action.library.name}.",
            "Make its action a single-user copy, or make it local.",
        )
    if animated.action is None and any(not track.mute and track.strips for track in animated.nla_tracks):
        raise SolverError(
            "motion-in-nla",
            f"The motion of {thing.name} lies in an NLA strip.",
            "Select the strip and press Tab in the NLA editor, or choose its action and mute the strip.",
        )


def turns_of(armature: bpy.types.Object) -> list[turns.Turn]:
    """Of the 16 bones in MANO order.

    Raises:
        SolverError: ``bone-missing``.
    """
    rig.require_bones(armature)
    return [turns.of_bone(armature, name) for name in JOINT_NAMES]


def keyed_motion(armature: bpy.types.Object, scene_frames: np.ndarray) -> rig.HandMotion:
    """What the curves give in these frames, in the solver's terms; drivers and constraints have no say."""
    axes = rig.bone_axes(armature)
    location = animation.values_at(armature, LOCATION, scene_frames, armature.pose.bones["wrist"].location)
    basis = np.stack([turn.seen(scene_frames) for turn in turns_of(armature)], axis=1)
    return rig.HandMotion(
        np.asarray(scene_frames),
        bones.rotations_of_basis(basis, axes),
        bones.transl_of_location(location, axes[0]),
    )


def wrist_at_rest(armature: bpy.types.Object) -> np.ndarray:
    """(3,) the wrist joint at rest, solver axes: what stands between ``transl`` and the joint's position."""
    return frames.points_to_solver(np.array(armature.data.bones["wrist"].head_local, float))


def keypoints(armature: bpy.types.Object) -> np.ndarray:
    """(21, 3) where the keypoints are in the current frame, in Blender's world."""
    evaluated = armature.evaluated_get(bpy.context.evaluated_depsgraph_get())
    posed = evaluated.pose.bones
    points = [posed["wrist"].head]
    for finger in FINGERS:
        chain = [JOINT_NAMES[joint] for joint in FINGER_JOINTS[finger]]
        points += [*(posed[name].head for name in chain), posed[chain[-1]].tail]
    return np.array([evaluated.matrix_world @ point for point in points], float)
