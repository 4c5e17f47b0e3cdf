"""Operators that take the hands out to other tools, and results of other programs in."""

from __future__ import annotations

from pathlib import Path

import bpy
from bpy.props import BoolProperty, EnumProperty, FloatProperty, StringProperty

from ..addon import exchange, exporting
from .guards import ReadsFile, reported

_FORMATS = (
    ("FBX", "FBX", "Armature, skin and camera"),
    ("GLTF", "glTF", "Armature, skin and camera in one .glb"),
    ("USD", "USD", "Skeleton, skin and camera"),
    ("ALEMBIC", "Alembic", "Moving meshes and camera, no bones"),
    ("BVH", "BVH", "Bones alone, a file per armature"),
)
_TOOLS = (
    ("BLENDER", "Blender", "Blender's own axes and metres"),
    ("UNREAL", "Unreal", "Centimetres"),
    ("UNITY", "Unity", "Metres, Y up"),
    ("MAYA", "Maya", "Centimetres, Y up"),
)
_CONTENTS = (
    ("HANDS_CAMERA", "Hands and Camera", "The solved hands and the camera"),
    ("HANDS", "Hands", "The solved hands"),
    ("CAMERA", "Camera", "The solved camera"),
    ("RIG", "Target Rig", "The rig that the motion was brought onto, with its meshes"),
)


class HANDHELD_OT_export(bpy.types.Operator):
    """Export hands, camera or the target rig with settings that fit another tool"""

    bl_idname = "handheld.export"
    bl_label = "Export Hands"
    bl_options = {"PRESET"}

    filepath: StringProperty(subtype="FILE_PATH", options={"SKIP_SAVE"})
    check_existing: BoolProperty(default=True, options={"HIDDEN"})
    form: EnumProperty(name="Format", items=_FORMATS)
    tool: EnumProperty(name="For", items=_TOOLS)
    contents: EnumProperty(name="What", items=_CONTENTS)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        self.filepath = f"hands{exporting.FORMATS[self.form]}"
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def check(self, context: bpy.types.Context) -> bool:
        path = str(Path(self.filepath).with_suffix(exporting.FORMATS[self.form]))
        changed, self.filepath = path != self.filepath, path
        return changed

    @reported
    def execute(self, context: bpy.types.Context) -> set[str]:
        objects = exporting.chosen(context.scene, self.contents, context.scene.handheld_retarget.target)
        path = Path(bpy.path.abspath(self.filepath)).with_suffix(exporting.FORMATS[self.form])
        frames = exporting.frame_range(objects, context.scene)
        job = exporting.Job(objects, frames, path, self.form, self.tool)
        written = exporting.export(context, job)
        self.report({"INFO"}, f"Wrote {', '.join(path.name for path in written)}")
        for note in exporting.notes(context.scene, job):
            self.report({"WARNING"}, note)
        return {"FINISHED"}


class HANDHELD_OT_export_parameters(bpy.types.Operator):
    """Export the solved hands, as they are now, as MANO parameters or as a take"""

    bl_idname = "handheld.export_parameters"
    bl_label = "Export MANO Parameters"
    bl_options = {"PRESET"}

    filepath: StringProperty(subtype="FILE_PATH", default="hands.npz", options={"SKIP_SAVE"})
    check_existing: BoolProperty(default=True, options={"HIDDEN"})
    filter_glob: StringProperty(default="*.npz", options={"HIDDEN", "SKIP_SAVE"})
    form: EnumProperty(
        name="Form",
        items=(
            ("smplx", "smplx", "global_orient, hand_pose, betas, transl; flat mean"),
            ("dyn-hamr", "Dyn-HaMR", "As Dyn-HaMR's world_results.npz"),
            ("take", "Take", "Handheld's own"),
        ),
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    @reported
    def execute(self, context: bpy.types.Context) -> set[str]:
        path = Path(bpy.path.abspath(self.filepath)).with_suffix(".npz")
        exchange.export_parameters(context, path, self.form)
        return {"FINISHED"}


class HANDHELD_OT_import_result(ReadsFile, bpy.types.Operator):
    """Hands and camera from a result of Dyn-HaMR, HaWoR, HaMeR or WiLoR, or from MANO parameters"""

    bl_idname = "handheld.import_result"
    bl_label = "Import Hand Result"
    bl_options = {"REGISTER", "UNDO"}

    filter_glob: StringProperty(default="*.npz;*.pth;*.pt;*.pkl;*.json;*.npy;*.joblib", options={"HIDDEN", "SKIP_SAVE"})
    use_clip: BoolProperty(
        name="Scene's Clip", default=True, description="The result is of the scene's clip: its size, rate and frames"
    )
    focal_px: FloatProperty(
        name="Focal Length (px)",
        min=0.0,
        description="Of the clip, in its pixels. 0: the result's own, which HaMeR and WiLoR only make up",
    )

    @reported
    def execute(self, context: bpy.types.Context) -> set[str]:
        path = Path(bpy.path.abspath(self.filepath))
        notes = exchange.import_result(context, path, self.use_clip, self.focal_px or None)
        for note in notes:
            self.report({"WARNING"}, note)
        return {"FINISHED"}


CLASSES = (HANDHELD_OT_export, HANDHELD_OT_export_parameters, HANDHELD_OT_import_result)
