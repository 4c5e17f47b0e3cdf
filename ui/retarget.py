"""Onto the artist's own rig."""

from __future__ import annotations

import bpy

from .sidebar import Sidebar, begin
from .text import draw_wrapped


class HANDHELD_UL_rig_slots(bpy.types.UIList):
    """Slots of the map, each with the bone in it."""

    def draw_item(self, context, layout, data, item, icon, active_data, active_property) -> None:
        row = layout.split(factor=0.45)
        row.label(text=item.name.replace(".", " ").title())
        target = context.scene.handheld_retarget.target
        if target is None:
            row.prop(item, "bone", text="")
        else:
            row.prop_search(item, "bone", target.data, "bones", text="", icon="BONE_DATA")


class HANDHELD_PT_view3d_retarget(Sidebar, bpy.types.Panel):
    bl_space_type = "VIEW_3D"
    bl_parent_id = "HANDHELD_PT_view3d"
    bl_label = "Onto Your Rig"
    bl_options = {"DEFAULT_CLOSED"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return any(candidate.handheld.role == "HAND" for candidate in context.scene.objects)

    def draw(self, context: bpy.types.Context) -> None:
        layout = begin(self.layout)
        settings = context.scene.handheld_retarget
        layout.prop(settings, "target")
        if settings.target is None:
            return
        row = layout.row(align=True)
        row.operator("handheld.detect_rig", text=settings.map_name or "Detect Bones", icon="VIEWZOOM")
        row.operator("handheld.load_rig_map", text="", icon="FILE_FOLDER")
        row.operator("handheld.save_rig_map", text="", icon="FILE_TICK")
        for name in ("fingers", "wrist", "placement"):
            layout.prop(settings, name)
        layout.operator("handheld.test_retarget", icon="VIS_SEL_11")
        button = layout.column()
        button.scale_y = 1.5
        button.operator("handheld.retarget", icon="ARMATURE_DATA")
        layout.prop(settings, "use_live")
        for note in filter(None, settings.notes.split("\n")):
            draw_wrapped(layout, context, note, "INFO")


class HANDHELD_PT_view3d_rig_bones(Sidebar, bpy.types.Panel):
    bl_space_type = "VIEW_3D"
    bl_parent_id = "HANDHELD_PT_view3d_retarget"
    bl_label = "Bones"
    bl_options = {"DEFAULT_CLOSED"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return context.scene.handheld_retarget.target is not None

    def draw(self, context: bpy.types.Context) -> None:
        settings = context.scene.handheld_retarget
        row = self.layout.row()
        row.template_list("HANDHELD_UL_rig_slots", "", settings, "slots", settings, "active_slot", rows=8)
        row.column(align=True).operator("handheld.add_rig_slot", text="", icon="ADD")


CLASSES = (HANDHELD_UL_rig_slots, HANDHELD_PT_view3d_retarget, HANDHELD_PT_view3d_rig_bones)
