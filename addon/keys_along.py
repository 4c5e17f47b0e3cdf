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
    for thing, path, frame in _keyed(root):
        row = int(np.abs(shown - frame).argmin())
        by = to[row] - from_[row] if thing.type == "CAMERA" else _of_wrist(thing, frame, from_[row], to[row], growth)
        shift = frames.points_to_blender(by) @ (np.eye(3) if thing.type == "CAMERA" else rig.bone_axes(thing)[0])
        if np.linalg.norm(shift) > _SEEN_M:
            key = f"{thing.name}\n{path}\n{frame:g}"
            behind[key] = (np.array(behind.get(key, (0.0, 0.0, 0.0))) + shift).tolist()
    root.handheld_world.keys_behind = json.dumps(behind) if behind else ""


def count(root: bpy.types.Object) -> int:
    """How many keys stayed behind; all components of a place are one."""
    return len(_behind(root))


def bring(root: bpy.types.Object) -> None:
    """Move the keys that stayed behind, and are still there, to where hands and camera are now."""
    behind = _behind(root)
    for thing, path, frame in list(_keyed(root)):
        shift = behind.get(f"{thing.name}\n{path}\n{frame:g}")
        if shift is not None:
            animation.move_keys(thing, path, frame, shift)
    root.handheld_world.keys_behind = ""


def leave(root: bpy.types.Object) -> None:
    """The keys are right where they are."""
    root.handheld_world.keys_behind = ""


def _behind(root: bpy.types.Object) -> dict[str, list[float]]:
    """What is added to each key's place, by object, path and frame."""
    return json.loads(root.handheld_world.keys_behind or "{}")


def _keyed(root: bpy.types.Object) -> Iterator[tuple[bpy.types.Object, str, float]]:
    """The artist's keys of places."""
    camera = pinned_camera.of_root(root)
    places = [(hand, hands.LOCATION) for hand in hands_of(root)] + ([(camera, "location")] if camera else [])
    for thing, path in places:
        for frame in animation.artist_frames(thing).get(path, ()):
            yield thing, path, float(frame)


def _of_wrist(hand: bpy.types.Object, frame: float, from_: np.ndarray, to: np.ndarray, growth: float) -> np.ndarray:
    """(3,) solver axes, how a keyed wrist would go with a camera ``from_`` one centre ``to`` another."""
    location = animation.values_at(hand, hands.LOCATION, [frame], (0.0, 0.0, 0.0))
    wrist = bones.transl_of_location(location, rig.bone_axes(hand)[0])[0] + hands.wrist_at_rest(hand)
    return to + growth * (wrist - from_) - wrist
