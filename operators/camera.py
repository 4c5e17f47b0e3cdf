"""Operators about the camera and the world that it moves in."""

from __future__ import annotations

from pathlib import Path

import bpy
from bpy.props import EnumProperty, FloatProperty, StringProperty

from ..addon import camera, camera_export, camera_world, keys_along, scene, take_files
from .guards import ChangesClip, ChangesSolved, ReadsFile, reported


class HANDHELD_OT_set_floor(ChangesSolved, bpy.types.Operator):
    """Make the plane through three selected points (vertices, bones, empties), or below the active hand, the floor"""

    bl_idname = "handheld.set_floor"
    bl_label = "Set Floor"

    @reported
    def execute(self, context: bpy.types.Context) -> set[str]:
        camera_world.set_floor(context)
        return {"FINISHED"}


class HANDHELD_OT_set_origin(ChangesSolved, bpy.types.Operator):
    """Make the selected point (a vertex, bone or empty) the world's origin"""

    bl_idname = "handheld.set_origin"
    bl_label = "Set Origin"

    @reported
    def execute(self, context: bpy.types.Context) -> set[str]:
        camera_world.set_origin(context)
        return {"FINISHED"}


class _Measure(ChangesSolved):
    """Asks for a length and starts from what it is now; ``_measured`` gives that."""

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        return self._ask(context)

    @reported
    def _ask(self, context: bpy.types.Context) -> set[str]:
        self.distance = type(self).measured(context)
        return context.window_manager.invoke_props_dialog(self)


class HANDHELD_OT_set_scale(_Measure, bpy.types.Operator):
    """Scale what was solved so that the two selected points (vertices, bones, empties) are so far from each other"""

    bl_idname = "handheld.set_scale"
    bl_label = "Set Scale"

    distance: FloatProperty(name="Distance", default=1.0, min=1e-4, unit="LENGTH", subtype="DISTANCE")
    measured = staticmethod(camera_world.picked_distance)

    @reported
    def execute(self, context: bpy.types.Context) -> set[str]:
        camera_world.set_length(context, self.distance)
        return {"FINISHED"}


class HANDHELD_OT_set_hand_length(_Measure, bpy.types.Operator):
    """Scale what was solved so that the hand is so long, from the wrist to the tip of the middle finger"""

    bl_idname = "handheld.set_hand_length"
    bl_label = "Known Hand Length"

    distance: FloatProperty(name="Hand Length", default=0.18, min=0.02, max=1.0, unit="LENGTH", subtype="DISTANCE")
    measured = staticmethod(camera_world.active_hand_length)

    @reported
    def execute(self, context: bpy.types.Context) -> set[str]:
        camera_world.set_hand_length(context, self.distance)
        return {"FINISHED"}


class HANDHELD_OT_set_camera_height(_Measure, bpy.types.Operator):
    """Scale what was solved so that the camera is so high above the floor in this frame"""

    bl_idname = "handheld.set_camera_height"
    bl_label = "Known Camera Height"

    distance: FloatProperty(name="Camera Height", default=1.6, min=1e-3, unit="LENGTH", subtype="DISTANCE")
    measured = staticmethod(camera_world.camera_height)

    @reported
    def execute(self, context: bpy.types.Context) -> set[str]:
        camera_world.set_camera_height(context, self.distance)
        return {"FINISHED"}


class HANDHELD_OT_reset_world(ChangesSolved, bpy.types.Operator):
    """Put everything back to where the solver had it, and forget what was measured"""

    bl_idname = "handheld.reset_world"
    bl_label = "Reset World"

    @reported
    def execute(self, context: bpy.types.Context) -> set[str]:
        camera_world.reset(context)
        return {"FINISHED"}


class HANDHELD_OT_bring_keys(ChangesSolved, bpy.types.Operator):
    """Move the keys that you set in the world of the take before to where hands and camera are now"""

    bl_idname = "handheld.bring_keys"
    bl_label = "Bring Keys Along"

    @reported
    def execute(self, context: bpy.types.Context) -> set[str]:
        keys_along.bring(scene.edited_root(context))
        return {"FINISHED"}


class HANDHELD_OT_leave_keys(ChangesSolved, bpy.types.Operator):
    """The keys that you set in the world of the take before are right where they are"""

    bl_idname = "handheld.leave_keys"
    bl_label = "Leave Keys"

    @reported
    def execute(self, context: bpy.types.Context) -> set[str]:
        keys_along.leave(scene.edited_root(context))
        return {"FINISHED"}


class HANDHELD_OT_use_solved_lens(ChangesClip, bpy.types.Operator):
    """Give the clip's tracking camera the lens that the solve used, in place of the one that was set there"""

    bl_idname = "handheld.use_solved_lens"
    bl_label = "Use Solved Lens"

    @reported
    def execute(self, context: bpy.types.Context) -> set[str]:
        root = scene.require_root(context)
        camera.use_solved_lens(root, take_files.of_root(root))
        return {"FINISHED"}


class HANDHELD_OT_choose_camera_file(ReadsFile, bpy.types.Operator):
    """Choose a camera that another program has solved: .chan, COLMAP (any file of the model), or .npz"""

    bl_idname = "handheld.choose_camera_file"
    bl_label = "Choose Camera File"
    bl_options = {"REGISTER", "UNDO"}

    filter_glob: StringProperty(default="*.chan;*.npz;cameras.*;images.*;points3D.*", options={"HIDDEN", "SKIP_SAVE"})

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

    @reported
    def execute(self, context: bpy.types.Context) -> set[str]:
        path = Path(bpy.path.abspath(self._with_suffix(self.filepath)))
        self.report({"INFO"}, camera_export.export(context, path, self.file_format))
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
