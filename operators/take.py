"""Operators about takes that lie on disk."""

from __future__ import annotations

import bpy
from bpy.props import BoolProperty, IntProperty, StringProperty

from ..addon import ghosts, imports, scene, solve, take_files, take_list
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


class _OnTakes:
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        root = scene.edited_root(context)
        cls.poll_message_set("Solve a clip first" if root is None else "The hands are linked from another file")
        return scene.is_own(root) and not solve.is_running()

    def guarded(self, work, *arguments) -> set[str]:
        try:
            work(*arguments)
        except SolverError as problem:
            self.report({"ERROR"}, str(problem))
            return {"CANCELLED"}
        return {"FINISHED"}


class _OnListedTake(_OnTakes):
    number: IntProperty(name="Number", description="In the list of takes")


class HANDHELD_OT_new_take(_OnTakes, bpy.types.Operator):
    """Put this take aside, to solve the clip again with other settings; switch back whenever you like"""

    bl_idname = "handheld.new_take"
    bl_label = "New Take"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return super().poll(context) and bool(scene.edited_root(context).handheld.take)

    def execute(self, context: bpy.types.Context) -> set[str]:
        return self.guarded(take_list.begin_another, context.scene, scene.edited_root(context))


class HANDHELD_OT_switch_take(_OnListedTake, bpy.types.Operator):
    """Show this take, with the settings that it was solved with"""

    bl_idname = "handheld.switch_take"
    bl_label = "Switch Take"

    def execute(self, context: bpy.types.Context) -> set[str]:
        return self.guarded(self._switch, context, scene.edited_root(context))

    def _switch(self, context: bpy.types.Context, root: bpy.types.Object) -> None:
        take_list.switch(context, root, self.number)
        if ghosts.shown(root) == root.handheld.take:
            ghosts.hide(root)


class HANDHELD_OT_remove_take(_OnListedTake, bpy.types.Operator):
    """Take this one off the list; its file stays on disk"""

    bl_idname = "handheld.remove_take"
    bl_label = "Remove Take"

    def execute(self, context: bpy.types.Context) -> set[str]:
        return self.guarded(self._remove, scene.edited_root(context))

    def _remove(self, root: bpy.types.Object) -> None:
        path = take_list.listed(root.handheld_edit, self.number).path
        take_list.remove(root, self.number)
        if ghosts.shown(root) == path:
            ghosts.hide(root)


class HANDHELD_OT_compare_take(_OnListedTake, bpy.types.Operator):
    """Show this take's hands as wires beside those that are shown, to look at; again: take them away"""

    bl_idname = "handheld.compare_take"
    bl_label = "Compare Take"

    def execute(self, context: bpy.types.Context) -> set[str]:
        return self.guarded(self._toggle, context, scene.edited_root(context))

    def _toggle(self, context: bpy.types.Context, root: bpy.types.Object) -> None:
        path = take_list.listed(root.handheld_edit, self.number).path
        if path and ghosts.shown(root) == path:
            ghosts.hide(root)
        else:
            ghosts.show(context, root, self.number)


CLASSES = (
    HANDHELD_OT_compare_take,
    HANDHELD_OT_import_take,
    HANDHELD_OT_find_take,
    HANDHELD_OT_new_take,
    HANDHELD_OT_switch_take,
    HANDHELD_OT_remove_take,
)
