"""Operators about the clip: open, find again, match the scene to it."""

from __future__ import annotations

import bpy
from bpy.props import BoolProperty

from ..addon import clip, scene, solve
from .guards import ReadsFile, reported

MOVIE_SUFFIXES = ".mp4;.mov;.m4v;.avi;.mkv;.webm;.mpg;.mpeg;.mts;.m2ts;.ogv;.wmv;.flv"


class _ReadsClipFile(ReadsFile):
    """The file selector shows movies and images."""

    filter_folder: BoolProperty(default=True, options={"HIDDEN", "SKIP_SAVE"})
    filter_movie: BoolProperty(default=True, options={"HIDDEN", "SKIP_SAVE"})
    filter_image: BoolProperty(default=True, options={"HIDDEN", "SKIP_SAVE"})


class HANDHELD_OT_open_clip(_ReadsClipFile, bpy.types.Operator):
    """Open a video of hands, or the first image of a numbered sequence"""

    bl_idname = "handheld.open_clip"
    bl_label = "Open Video of Hands"  # also what the menu says when a video is dropped into a viewport
    bl_options = {"REGISTER", "UNDO"}

    @reported
    def execute(self, context: bpy.types.Context) -> set[str]:
        movie = clip.load(bpy.path.abspath(self.filepath))
        context.scene.handheld.clip = movie
        if context.area is not None and context.area.type == "CLIP_EDITOR":
            context.space_data.clip = movie
        solve.dismiss()
        if not bpy.app.background and scene.differences(context.scene, movie):
            bpy.ops.handheld.match_scene("INVOKE_DEFAULT")
        return {"FINISHED"}


class HANDHELD_OT_find_clip(_ReadsClipFile, bpy.types.Operator):
    """Tell the clip where its file is now; its tracking data stay"""

    bl_idname = "handheld.find_clip"
    bl_label = "Find Clip File"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return context.scene.handheld.clip is not None

    @reported
    def execute(self, context: bpy.types.Context) -> set[str]:
        clip.relocate(context.scene.handheld.clip, self.filepath, context.view_layer)
        solve.dismiss()
        return {"FINISHED"}


class HANDHELD_OT_use_clip(bpy.types.Operator):
    """Solve the hands of the clip that this editor shows"""

    bl_idname = "handheld.use_clip"
    bl_label = "Use This Clip"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return getattr(context, "edit_movieclip", None) is not None

    def execute(self, context: bpy.types.Context) -> set[str]:
        context.scene.handheld.clip = context.edit_movieclip
        solve.dismiss()
        return {"FINISHED"}


class HANDHELD_OT_match_scene(bpy.types.Operator):
    """Give the scene the clip's frame rate, size and frame range"""

    bl_idname = "handheld.match_scene"
    bl_label = "Match Scene to Clip"
    bl_options = {"REGISTER", "UNDO"}

    use_rate: BoolProperty(name="Frame Rate", default=True)
    use_size: BoolProperty(name="Resolution", default=True)
    use_frames: BoolProperty(name="Frame Range", default=True)

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        cls.poll_message_set("Open a clip first")
        return context.scene.handheld.clip is not None

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        return context.window_manager.invoke_props_dialog(self, width=400)

    def draw(self, context: bpy.types.Context) -> None:
        now = scene.SceneSetup.of_scene(context.scene)
        clips = scene.SceneSetup.of_clip(context.scene.handheld.clip, context.scene)
        for name, old, new in zip(
            ("use_rate", "use_size", "use_frames"), now.described(), clips.described(), strict=True
        ):
            row = self.layout.row()
            row.active = old != new
            row.prop(self, name)
            row.label(text=f"{old}  \N{RIGHTWARDS ARROW}  {new}" if old != new else f"{new} (same)")

    def execute(self, context: bpy.types.Context) -> set[str]:
        scene.match(context.scene, context.scene.handheld.clip, self.use_rate, self.use_size, self.use_frames)
        return {"FINISHED"}


CLASSES = (HANDHELD_OT_open_clip, HANDHELD_OT_find_clip, HANDHELD_OT_use_clip, HANDHELD_OT_match_scene)
