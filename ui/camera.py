"""What is known of the camera before a solve, and the handles on the world after one."""

from __future__ import annotations

import bpy

from ..addon import clip, scene, solve
from .sidebar import Sidebar, begin, in_both_editors
from .text import draw_wrapped


class _CameraPanel(Sidebar):
    bl_label = "Camera"
    bl_options = {"DEFAULT_CLOSED"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return context.scene.handheld.clip is not None

    def draw(self, context: bpy.types.Context) -> None:
        layout = begin(self.layout)
        layout.active = not solve.is_running()
        settings = context.scene.handheld
        layout.prop(settings, "camera_source", text="Motion")
        if settings.camera_source == "OBJECT":
            layout.prop(settings, "camera", text="Object")
        if settings.camera_source == "FILE":
            _draw_file(layout, context)
        if _is_of_others(settings):
            _draw_scale(layout, context)
        if settings.camera_source != "OBJECT":
            layout.prop(settings, "focal_source")
            if settings.focal_source == "VALUE":
                layout.prop(settings, "focal_mm", text=" ")
            layout.prop(settings, "use_scene_camera")
        if settings.clip.handheld_lens.differs:
            words = "The clip's camera has another lens than the solve, so the clip is shown as it was filmed."
            draw_wrapped(layout, context, words, "INFO")
            layout.operator("handheld.use_solved_lens", icon="CAMERA_DATA")


def _is_of_others(settings: bpy.types.PropertyGroup) -> bool:
    """Will a camera be used that was not solved here?"""
    if settings.camera_source == "AUTO":
        return clip.has_reconstruction(settings.clip)
    return settings.camera_source in ("CLIP", "OBJECT", "FILE")


def _draw_file(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    settings = context.scene.handheld_camera
    if not settings.file:
        layout.operator("handheld.choose_camera_file", icon="FILE_FOLDER")
        return
    layout.prop(settings, "file", text="File")
    if settings.problem:
        text = layout.column()
        text.alert = True
        draw_wrapped(text, context, settings.problem, "ERROR")
        return
    draw_wrapped(layout, context, settings.about, "INFO")
    layout.prop(settings, "offset")
    layout.prop(settings, "frame_rate")
    if settings.file.lower().endswith(".chan"):
        layout.prop(settings, "order")


def _draw_scale(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    settings = context.scene.handheld_camera
    layout.prop(settings, "scale_source")
    if settings.scale_source == "VALUE":
        layout.prop(settings, "scale", text=" ")


class _WorldPanel(Sidebar):
    bl_label = "World"
    bl_options = {"DEFAULT_CLOSED"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return scene.edited_root(context) is not None

    def draw(self, context: bpy.types.Context) -> None:
        layout = begin(self.layout)
        world = scene.edited_root(context).handheld_world
        row = layout.row(align=True)
        row.operator("handheld.set_floor")
        row.operator("handheld.set_origin")
        layout.prop(world, "scale")
        if world.told and world.scaled_by == "NONE":
            draw_wrapped(layout, context, world.told, "INFO")
        column = layout.column(align=True)
        column.operator("handheld.set_scale", icon="ARROW_LEFTRIGHT")
        column.operator("handheld.set_hand_length", icon="VIEW_PAN")
        column.operator("handheld.set_camera_height", icon="CAMERA_DATA")
        if world.is_placed or world.scaled_by != "NONE":
            words = {"NONE": "", "SCENE": "Its size was measured in the scene. ", "HAND": "Its size is a hand's. "}
            draw_wrapped(layout, context, f"{words[world.scaled_by]}The next solve keeps this world.", "INFO")
            layout.operator("handheld.reset_world", icon="LOOP_BACK")


CLASSES = (*in_both_editors(_CameraPanel, "camera"), *in_both_editors(_WorldPanel, "world"))
