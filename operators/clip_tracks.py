"""The 2D keypoints in the Movie Clip Editor."""

from __future__ import annotations

import bpy

from ..addon import clip_tracks, scene, take_files
from .guards import ChangesClip, reported


class HANDHELD_OT_show_keypoints(ChangesClip, bpy.types.Operator):
    """Make tracks of the clip from the hands' 2D keypoints. Move, disable or track them anew; a re-solve obeys them"""

    bl_idname = "handheld.show_keypoints"
    bl_label = "Keypoints as Tracks"

    @reported
    def execute(self, context: bpy.types.Context) -> set[str]:
        root = scene.require_root(context)
        clip_tracks.write(root.handheld.clip, root, take_files.of_root(root))
        return {"FINISHED"}


CLASSES = (HANDHELD_OT_show_keypoints,)
