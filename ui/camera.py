"""What is known of the camera before a solve."""

from __future__ import annotations

import bpy

from ..addon import solve
from .sidebar import Sidebar, begin, in_both_editors


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
            return
        layout.prop(settings, "focal_source")
        if settings.focal_source == "VALUE":
            layout.prop(settings, "focal_mm", text=" ")
        layout.prop(settings, "use_scene_camera")


CLASSES = in_both_editors(_CameraPanel, "camera")
