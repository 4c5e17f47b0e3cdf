"""Taking keys away: the solver's, or on request the artist's too, in a part of the scene's time."""

from __future__ import annotations

import bpy

from . import animation, held_keys, pinned_camera
from .hands import hands_of


def clear(root: bpy.types.Object, within: tuple[float, float], with_artists: bool, with_camera: bool) -> int:
    """Remove motion keys of all hands (and of our camera) in scene frames ``within``; gives how many keys went."""
    held_keys.notice()
    count = sum(
        animation.clear(hand, within, with_artists, lambda path: path.startswith("pose.bones"))
        for hand in hands_of(root)
    )
    ours = pinned_camera.of_root(root)
    if with_camera and ours is not None:
        motion = pinned_camera.motion_paths(ours)
        count += animation.clear(ours, within, with_artists, lambda path: path in motion)
    return count
