"""A clip that the artist moves in time after it was solved, as to a shot's frame 1001: keys and pins can go with it."""

from __future__ import annotations

import json
from collections.abc import Iterator

import bpy
import numpy as np

from . import animation, clip, hands, pinned_camera, rig
from .properties import UNKNOWN_OFFSET

_WEIGHTS = 'tracking.objects["Handheld '


def frames_moved(root: bpy.types.Object) -> int:
    """By how many scene frames the clip is later than when it was solved. Without one the take's numbers count."""
    solved = root.handheld.clip_offset
    now = int(clip.scene_frames(root.handheld.clip, np.zeros(1, int))[0])
    return 0 if solved == UNKNOWN_OFFSET else solved + now


def follow(scene: bpy.types.Scene, root: bpy.types.Object) -> int:
    """Move keys of all takes, the artist's too, pins and the range to work on to where the clip is; gives the frames.

    Curves whose keys the artist has moved already stay: those with none of the solver's as the others of their action.

    Raises:
        SolverError: as ``hands.require_own_motion``.
    """
    by = frames_moved(root)
    things = list(_animated(root))
    for thing in things:
        hands.require_own_motion(thing)
    kept = {slot.action for entry in root.handheld_edit.takes for slot in entry.slots if slot.action is not None}
    shown = {thing.animation_data.action for thing in things if thing.animation_data}
    actions = [animation.curves(thing) for thing in things]
    actions += [animation.curves_of_action(action) for action in kept - shown]
    movie = root.handheld.clip
    if movie is not None:
        actions.append([curve for curve in animation.curves(movie) if curve.data_path.startswith(_WEIGHTS)])
    for curves in actions:
        animation.shift(curves, by)
    for pin in root.handheld_edit.pins:
        pin.frame, pin.last_frame = pin.frame + by, pin.last_frame + by
    scene.handheld_editing.first += by
    scene.handheld_editing.last += by
    root.handheld_world.left_behind = _labels_moved(root.handheld_world.left_behind, by)
    root.handheld.clip_offset -= by
    scene.frame_set(scene.frame_current, subframe=scene.frame_subframe)
    return by


def _animated(root: bpy.types.Object) -> Iterator[bpy.types.Object]:
    for hand in hands.hands_of(root):
        yield from filter(None, (hand, rig.mesh_of(hand)))
    yield from filter(None, [pinned_camera.of_root(root)])


def _labels_moved(left_behind: str, by: int) -> str:
    """What ``keys_along`` keeps by side, path and frame."""
    moved = {}
    for label, known in json.loads(left_behind or "{}").items():
        whose, path, frame = label.split("\n")
        moved[f"{whose}\n{path}\n{float(frame) + by}"] = known
    return json.dumps(moved) if moved else ""
