"""Operators about takes that lie on disk."""

from __future__ import annotations

import bpy
from bpy.props import BoolProperty, IntProperty, StringProperty

from ..addon import ghosts, imports, scene, solve, take_files, take_list
from .guards import ChangesSolved, ReadsFile, reported


class HANDHELD_OT_import_take(ReadsFile, bpy.types.Operator):
    """Build hands and camera from a take that was solved before"""

    bl_idname = "handheld.import_take"
    bl_label = "Import Take"
    bl_options = {"REGISTER", "UNDO"}

    filter_glob: StringProperty(default="*.npz", options={"HIDDEN", "SKIP_SAVE"})
    use_clip: BoolProperty(
        name="Load Clip", default=True, description="Load the clip that was solved and put it behind the camera"
    )

    @reported
    def execute(self, context: bpy.types.Context) -> set[str]:
        notes = imports.import_take(context, bpy.path.abspath(self.filepath), self.use_clip)
        for note in notes:
            self.report({"WARNING"}, note)
        return {"FINISHED"}


class HANDHELD_OT_find_take(ChangesSolved, bpy.types.Operator):
    """Tell the hands where the take is that they were made from; they stay as they are"""

    bl_idname = "handheld.find_take"
    bl_label = "Find Take"

    filepath: StringProperty(subtype="FILE_PATH", options={"SKIP_SAVE"})
    filter_glob: StringProperty(default="*.npz", options={"HIDDEN", "SKIP_SAVE"})

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    @reported
    def execute(self, context: bpy.types.Context) -> set[str]:
        take_files.relink(scene.edited_root(context), bpy.path.abspath(self.filepath))
        solve.dismiss()
        return {"FINISHED"}


class _OnListedTake(ChangesSolved):
    number: IntProperty(name="Number", description="In the list of takes")


class HANDHELD_OT_new_take(ChangesSolved, bpy.types.Operator):
    """Put this take aside, to solve the clip again with other settings; switch back whenever you like"""

    bl_idname = "handheld.new_take"
    bl_label = "New Take"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return super().poll(context) and bool(scene.edited_root(context).handheld.take)

    @reported
    def execute(self, context: bpy.types.Context) -> set[str]:
        take_list.begin_another(context.scene, scene.edited_root(context))
        return {"FINISHED"}


class HANDHELD_OT_switch_take(_OnListedTake, bpy.types.Operator):
    """Show this take, with the settings that it was solved with"""

    bl_idname = "handheld.switch_take"
    bl_label = "Switch Take"

    @reported
    def execute(self, context: bpy.types.Context) -> set[str]:
        root = scene.edited_root(context)
        take_list.switch(context, root, self.number)
        if ghosts.shown(root) == root.handheld.take:
            ghosts.hide(root)
        return {"FINISHED"}


class HANDHELD_OT_remove_take(_OnListedTake, bpy.types.Operator):
    """Take this one off the list; its file stays on disk"""

    bl_idname = "handheld.remove_take"
    bl_label = "Remove Take"

    @reported
    def execute(self, context: bpy.types.Context) -> set[str]:
        root = scene.edited_root(context)
        path = take_list.listed(root.handheld_edit, self.number).path
        take_list.remove(root, self.number)
        if ghosts.shown(root) == path:
            ghosts.hide(root)
        return {"FINISHED"}


class HANDHELD_OT_compare_take(_OnListedTake, bpy.types.Operator):
    """Show this take's hands as wires beside those that are shown, to look at; again: take them away"""

    bl_idname = "handheld.compare_take"
    bl_label = "Compare Take"

    @reported
    def execute(self, context: bpy.types.Context) -> set[str]:
        root = scene.edited_root(context)
        path = take_list.listed(root.handheld_edit, self.number).path
        if path and ghosts.shown(root) == path:
            ghosts.hide(root)
        else:
            ghosts.show(context, root, self.number)
        return {"FINISHED"}


CLASSES = (
    HANDHELD_OT_compare_take,
    HANDHELD_OT_import_take,
    HANDHELD_OT_find_take,
    HANDHELD_OT_new_take,
    HANDHELD_OT_switch_take,
    HANDHELD_OT_remove_take,
)
