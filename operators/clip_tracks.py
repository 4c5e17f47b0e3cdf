"""The 2D keypoints in the Movie Clip Editor."""

from __future__ import annotations

import bpy

from ..addon import clip_tracks, scene, solve, take_files
from ..solver.errors import SolverError


class HANDHELD_OT_show_keypoints(bpy.types.Operator):
    """Make tracks of the clip from the hands' 2D keypoints. Move, disable or track them anew; a re-solve obeys them"""

    bl_idname = "handheld.show_keypoints"
    bl_label = "Keypoints as Tracks"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        cls.poll_message_set("Solve a clip first")
        root = scene.edited_root(context)
        return root is not None and root.handheld.clip is not None and not solve.is_running()

    def execute(self, context: bpy.types.Context) -> set[str]:
        root = scene.edited_root(context)
        try:
            clip_tracks.write(root.handheld.clip, root, take_files.of_root(root))
        except SolverError as problem:
            self.report({"ERROR"}, str(problem))
            return {"CANCELLED"}
        return {"FINISHED"}


CLASSES = (HANDHELD_OT_show_keypoints,)
