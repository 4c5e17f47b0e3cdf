"""Keys that an artist set on wrists and camera, when a new take puts the world elsewhere or makes it larger.

They stay bit for bit, as all of the artist's keys do; pins, which are no keys, follow by themselves. By how much each
key stayed behind is noted on the root. When the artist says so, they go with the camera of their frame.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import bpy
import numpy as np

from ..solver.take import Take
from . import animation, bones, clip, frames, hands, pinned_camera, rig
from .hands import hands_of

# below this nobody sees that a key stayed behind
_SEEN_M = 2e-3
# by ``_label``: where the key was when it stayed behind, and what is to be added to that
_Behind = dict[str, tuple[list[float], list[float]]]


def note(root: bpy.types.Object, before: Take, take: Take, growth: float) -> None:
    """Remember which keys of the artist's stay behind when ``take`` follows ``before``.

    Args:
        growth: how many times as far from the camera hands are now.
    """
    _, old, new = np.intersect1d(before.frames, take.frames, return_indices=True)
    shown = clip.scene_frames(root.handheld.clip, take.frames[new])
    if not len(shown):
        return
    from_, to = before.world_from_camera[old, :3, 3], take.world_from_camera[new, :3, 3]
    behind = _behind(root)
    for thing, path, frame in list(_keyed(root)):
        row, is_camera = int(np.abs(shown - frame).argmin()), thing.type == "CAMERA"
        at, owed = animation.artist_place(thing, path, frame), _shift(behind, thing, path, frame)
        axes = np.eye(3) if is_camera else rig.bone_axes(thing)[0]
        by = to[row] - from_[row] if is_camera else _of_wrist(thing, at + owed, from_[row], to[row], growth)
        owed = owed + frames.points_to_blender(by) @ axes
        behind.pop(_label(thing, path, frame), None)
        if np.linalg.norm(owed) > _SEEN_M:
            behind[_label(thing, path, frame)] = at.tolist(), owed.tolist()
    _keep(root, behind)


def count(root: bpy.types.Object) -> int:
    """How many keys stayed behind and are still as they were; all components of a place are one."""
    return sum(1 for _ in _left(root, _behind(root)))


def bring(root: bpy.types.Object) -> None:
    """Move the keys that stayed behind to where hands and camera are now; what was set anew since stays."""
    behind = _behind(root)
    for thing, path, frame in list(_left(root, behind)):
        animation.move_keys(thing, path, frame, _shift(behind, thing, path, frame))
        del behind[_label(thing, path, frame)]
    _keep(root, behind)


def leave(root: bpy.types.Object) -> None:
    """The keys are right where they are."""
    behind = _behind(root)
    for thing, path, frame in list(_left(root, behind)):
        del behind[_label(thing, path, frame)]
    _keep(root, behind)


def _behind(root: bpy.types.Object) -> _Behind:
    return json.loads(root.handheld_world.left_behind or "{}")


def _keep(root: bpy.types.Object, behind: _Behind) -> None:
    root.handheld_world.left_behind = json.dumps(behind) if behind else ""


def _label(thing: bpy.types.Object, path: str, frame: float) -> str:
    """By what a thing is: its name is the artist's to change."""
    return f"{thing.handheld.side} {thing.handheld.ordinal}\n{path}\n{frame}"


def _shift(behind: _Behind, thing: bpy.types.Object, path: str, frame: float) -> np.ndarray:
    """(3,) what a key is to be moved by; 0 where none stayed behind, or another stands there: set anew, other take."""
    at, by = behind.get(_label(thing, path, frame), ((), ()))
    stands = len(at) and np.array_equal(animation.artist_place(thing, path, frame), at)
    return np.array(by) if stands else np.zeros(3)


def _left(root: bpy.types.Object, behind: _Behind) -> Iterator[tuple[bpy.types.Object, str, float]]:
    """The keys that stayed behind. Panels ask: only what was noted is looked at."""
    frames_noted = {float(label.split("\n")[-1]) for label in behind}
    for thing, path in _places(root) if behind else ():
        for frame in frames_noted:
            if _shift(behind, thing, path, frame).any():
                yield thing, path, frame


def _places(root: bpy.types.Object) -> list[tuple[bpy.types.Object, str]]:
    """Our things that have a place, and its path."""
    camera = pinned_camera.of_root(root)
    return [(hand, hands.LOCATION) for hand in hands_of(root)] + ([(camera, "location")] if camera else [])


def _keyed(root: bpy.types.Object) -> Iterator[tuple[bpy.types.Object, str, float]]:
    """The artist's keys of places."""
    for thing, path in _places(root):
        for frame in animation.artist_frames(thing).get(path, ()):
            yield thing, path, float(frame)


def _of_wrist(
    hand: bpy.types.Object, location: np.ndarray, from_: np.ndarray, to: np.ndarray, growth: float
) -> np.ndarray:
    """(3,) solver axes, how a wrist would go with a camera ``from_`` one centre ``to`` another."""
    wrist = bones.transl_of_location(location[None], rig.bone_axes(hand)[0])[0] + hands.wrist_at_rest(hand)
    return to + growth * (wrist - from_) - wrist
