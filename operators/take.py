"""Operators about takes that lie on disk."""

from __future__ import annotations

import bpy
from bpy.props import BoolProperty, StringProperty

from ..addon import imports, scene, solve, take_files
from ..solver.errors import SolverError


class HANDHELD_OT_import_take(bpy.types.Operator):
    """Build hands and camera from a take that was solved before"""

    bl_idname = "handheld.import_take"
    bl_label = "Import Take"
    bl_options = {"REGISTER", "UNDO"}

    filepath: StringProperty(subtype="FILE_PATH", options={"SKIP_SAVE"})
    filter_glob: StringProperty(default="*.npz", options={"HIDDEN", "SKIP_SAVE"})
    use_clip: BoolProperty(
        name="Load Clip", default=True, description="Load the clip that was solved and put it behind the camera"
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if self.filepath:
            return self.execute(context)
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        try:
            notes = imports.import_take(context, bpy.path.abspath(self.filepath), self.use_clip)
        except SolverError as problem:
            self.report({"ERROR"}, str(problem))
            return {"CANCELLED"}
        for note in notes:
            self.report({"WARNING"}, note)
        return {"FINISHED"}


class HANDHELD_OT_find_take(bpy.types.Operator):
    """Tell the hands where the take is that they were made from; they stay as they are"""

    bl_idname = "handheld.find_take"
    bl_label = "Find Take"
    bl_options = {"REGISTER", "UNDO"}

    filepath: StringProperty(subtype="FILE_PATH", options={"SKIP_SAVE"})
    filter_glob: StringProperty(default="*.npz", options={"HIDDEN", "SKIP_SAVE"})

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return scene.edited_root(context) is not None

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        try:
            take_files.relink(scene.edited_root(context), bpy.path.abspath(self.filepath))
        except SolverError as problem:
            self.report({"ERROR"}, str(problem))
            return {"CANCELLED"}
        solve.dismiss()
        return {"FINISHED"}


CLASSES = (HANDHELD_OT_import_take, HANDHELD_OT_find_take)
