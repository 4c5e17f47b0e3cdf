"""File > Import, and files dropped into the window."""

from __future__ import annotations

import bpy

from ..operators.clip import MOVIE_SUFFIXES


class HANDHELD_FH_clip(bpy.types.FileHandler):
    bl_idname = "HANDHELD_FH_clip"
    bl_label = "Video of Hands"
    bl_import_operator = "handheld.open_clip"
    bl_file_extensions = MOVIE_SUFFIXES

    @classmethod
    def poll_drop(cls, context: bpy.types.Context) -> bool:
        return context.area is not None and context.area.type in ("VIEW_3D", "CLIP_EDITOR")


CLASSES = (HANDHELD_FH_clip,)


def _draw_import(menu: bpy.types.Menu, _: bpy.types.Context) -> None:
    menu.layout.operator("handheld.open_clip", text="Video of Hands (Handheld)")
    menu.layout.operator("handheld.import_take", text="Handheld Take (.npz)")
    menu.layout.operator("handheld.import_result", text="Hands of Dyn-HaMR, HaWoR, HaMeR, WiLoR, MANO (Handheld)")


def _draw_export(menu: bpy.types.Menu, _: bpy.types.Context) -> None:
    menu.layout.operator("handheld.export", text="Hands for Unreal, Unity, Maya (Handheld)")
    menu.layout.operator("handheld.export_parameters", text="Hands as MANO Parameters (.npz)")


def register() -> None:
    bpy.types.TOPBAR_MT_file_import.append(_draw_import)
    bpy.types.TOPBAR_MT_file_export.append(_draw_export)


def unregister() -> None:
    bpy.types.TOPBAR_MT_file_export.remove(_draw_export)
    bpy.types.TOPBAR_MT_file_import.remove(_draw_import)
