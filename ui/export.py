"""Out to other tools."""

from __future__ import annotations

import bpy

from .sidebar import Sidebar, begin


class HANDHELD_PT_view3d_export(Sidebar, bpy.types.Panel):
    bl_space_type = "VIEW_3D"
    bl_parent_id = "HANDHELD_PT_view3d"
    bl_label = "Export"
    bl_options = {"DEFAULT_CLOSED"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return any(candidate.handheld.role in ("HAND", "CAMERA") for candidate in context.scene.objects)

    def draw(self, context: bpy.types.Context) -> None:
        column = begin(self.layout).column()
        column.operator("handheld.export", text="FBX, glTF, USD, Alembic, BVH", icon="EXPORT")
        column.operator("handheld.export_parameters", icon="FILE")
        column.operator("handheld.export_camera", icon="CAMERA_DATA")


CLASSES = (HANDHELD_PT_view3d_export,)
