"""Operators about the camera and the world that it moves in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import bpy
from bpy.props import EnumProperty, FloatProperty, StringProperty

from ..addon import camera, camera_export, camera_world, keys_along, solve, take_files
from ..addon.scene import edited_root
from ..solver.errors import SolverError


class _WorldHandle:
    """Moves what was solved; ``_done`` says what the artist should know."""

    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if solve.is_running():
            cls.poll_message_set("A solve is running; wait for it, or cancel it")
            return False
        cls.poll_message_set("Solve a clip first")
        return any(candidate.handheld.role == "ROOT" for candidate in context.scene.objects)

    def _run(self, action: Callable[..., bpy.types.Object], *arguments: object) -> set[str]:
        try:
            action(*arguments)
        except SolverError as problem:
            self.report({"ERROR"}, str(problem))
            return {"CANCELLED"}
        return {"FINISHED"}


class HANDHELD_OT_set_floor(_WorldHandle, bpy.types.Operator):
    """Make the plane through three selected points (vertices, bones, empties), or below the active hand, the floor"""

    bl_idname = "handheld.set_floor"
    bl_label = "Set Floor"

    def execute(self, context: bpy.types.Context) -> set[str]:
        return self._run(camera_world.set_floor, context)


class HANDHELD_OT_set_origin(_WorldHandle, bpy.types.Operator):
    """Make the selected point (a vertex, bone or empty) the world's origin"""

    bl_idname = "handheld.set_origin"
    bl_label = "Set Origin"

    def execute(self, context: bpy.types.Context) -> set[str]:
        return self._run(camera_world.set_origin, context)


class _Measure(_WorldHandle):
    """Asks for a length and starts from what it is now; ``_measured`` gives that."""

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        try:
            self.distance = type(self).measured(context)
        except SolverError as problem:
            self.report({"ERROR"}, str(problem))
            return {"CANCELLED"}
        return context.window_manager.invoke_props_dialog(self)


class HANDHELD_OT_set_scale(_Measure, bpy.types.Operator):
    """Scale what was solved so that the two selected points (vertices, bones, empties) are so far from each other"""

    bl_idname = "handheld.set_scale"
    bl_label = "Set Scale"

    distance: FloatProperty(name="Distance", default=1.0, min=1e-4, unit="LENGTH", subtype="DISTANCE")
    measured = staticmethod(camera_world.picked_distance)

    def execute(self, context: bpy.types.Context) -> set[str]:
        return self._run(camera_world.set_length, context, self.distance)


class HANDHELD_OT_set_hand_length(_Measure, bpy.types.Operator):
    """Scale what was solved so that the hand is so long, from the wrist to the tip of the middle finger"""

    bl_idname = "handheld.set_hand_length"
    bl_label = "Known Hand Length"

    distance: FloatProperty(name="Hand Length", default=0.18, min=0.02, max=1.0, unit="LENGTH", subtype="DISTANCE")
    measured = staticmethod(camera_world.active_hand_length)

    def execute(self, context: bpy.types.Context) -> set[str]:
        return self._run(camera_world.set_hand_length, context, self.distance)


class HANDHELD_OT_set_camera_height(_Measure, bpy.types.Operator):
    """Scale what was solved so that the camera is so high above the floor in this frame"""

    bl_idname = "handheld.set_camera_height"
    bl_label = "Known Camera Height"

    distance: FloatProperty(name="Camera Height", default=1.6, min=1e-3, unit="LENGTH", subtype="DISTANCE")
    measured = staticmethod(camera_world.camera_height)

    def execute(self, context: bpy.types.Context) -> set[str]:
        return self._run(camera_world.set_camera_height, context, self.distance)


class HANDHELD_OT_reset_world(_WorldHandle, bpy.types.Operator):
    """Put everything back to where the solver had it, and forget what was measured"""

    bl_idname = "handheld.reset_world"
    bl_label = "Reset World"

    def execute(self, context: bpy.types.Context) -> set[str]:
        return self._run(camera_world.reset, context)


class HANDHELD_OT_bring_keys(_WorldHandle, bpy.types.Operator):
    """Move the keys that you set in the world of the take before to where hands and camera are now"""

    bl_idname = "handheld.bring_keys"
    bl_label = "Bring Keys Along"

    def execute(self, context: bpy.types.Context) -> set[str]:
        return self._run(keys_along.bring, edited_root(context))


class HANDHELD_OT_leave_keys(_WorldHandle, bpy.types.Operator):
    """The keys that you set in the world of the take before are right where they are"""

    bl_idname = "handheld.leave_keys"
    bl_label = "Leave Keys"

    def execute(self, context: bpy.types.Context) -> set[str]:
        return self._run(keys_along.leave, edited_root(context))


class HANDHELD_OT_use_solved_lens(_WorldHandle, bpy.types.Operator):
    """Give the clip's tracking camera the lens that the solve used, in place of the one that was set there"""

    bl_idname = "handheld.use_solved_lens"
    bl_label = "Use Solved Lens"

    def execute(self, context: bpy.types.Context) -> set[str]:
        return self._run(lambda root: camera.use_solved_lens(root, take_files.of_root(root)), edited_root(context))


class HANDHELD_OT_choose_camera_file(bpy.types.Operator):
    """Choose a camera that another program has solved: .chan, COLMAP (any file of the model), or .npz"""

    bl_idname = "handheld.choose_camera_file"
    bl_label = "Choose Camera File"
    bl_options = {"REGISTER", "UNDO"}

    filepath: StringProperty(subtype="FILE_PATH", options={"SKIP_SAVE"})
    filter_glob: StringProperty(default="*.chan;*.npz;cameras.*;images.*;points3D.*", options={"HIDDEN", "SKIP_SAVE"})

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if self.filepath:
            return self.execute(context)
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        context.scene.handheld.camera_source = "FILE"
        settings = context.scene.handheld_camera
        settings.file = self.filepath
        if settings.problem:
            self.report({"ERROR"}, settings.problem)
            return {"CANCELLED"}
        return {"FINISHED"}


class HANDHELD_OT_export_camera(bpy.types.Operator):
    """Write the camera's motion over the scene's frame range for another program"""

    bl_idname = "handheld.export_camera"
    bl_label = "Export Camera"

    filepath: StringProperty(subtype="FILE_PATH", options={"SKIP_SAVE"})
    file_format: EnumProperty(name="Format", items=camera_export.FORMATS)

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        cls.poll_message_set("Add a camera, or solve a clip first")
        return any(candidate.type == "CAMERA" for candidate in context.scene.objects)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        self.filepath = self._with_suffix(bpy.path.display_name_from_filepath(bpy.data.filepath) or "camera")
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def check(self, context: bpy.types.Context) -> bool:
        before, self.filepath = self.filepath, self._with_suffix(self.filepath)
        return before != self.filepath

    def execute(self, context: bpy.types.Context) -> set[str]:
        path = Path(bpy.path.abspath(self._with_suffix(self.filepath)))
        try:
            self.report({"INFO"}, camera_export.export(context, path, self.file_format))
        except SolverError as problem:
            self.report({"ERROR"}, str(problem))
            return {"CANCELLED"}
        return {"FINISHED"}

    def _with_suffix(self, path: str) -> str:
        known = tuple(suffix for suffix in camera_export.SUFFIXES.values() if suffix)
        stem = path[: path.rindex(".")] if path.lower().endswith(known) else path
        return stem + camera_export.SUFFIXES[self.file_format]


CLASSES = (
    HANDHELD_OT_set_floor, HANDHELD_OT_set_origin, HANDHELD_OT_set_scale, HANDHELD_OT_set_hand_length,
    HANDHELD_OT_set_camera_height, HANDHELD_OT_reset_world, HANDHELD_OT_bring_keys, HANDHELD_OT_leave_keys,
    HANDHELD_OT_use_solved_lens,
    HANDHELD_OT_choose_camera_file,
    HANDHELD_OT_export_camera,
)  # fmt: skip
