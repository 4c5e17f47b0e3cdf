"""Outlines: the artist's masks for a solve, and seeing how well the hands cover the plate."""

from __future__ import annotations

import bpy

from ..addon import scene, solve
from .sidebar import Sidebar, begin, in_both_editors


class _OutlinesPanel(Sidebar):
    bl_label = "Outlines"
    bl_options = {"DEFAULT_CLOSED"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return context.scene.handheld.clip is not None or scene.edited_root(context) is not None

    def draw(self, context: bpy.types.Context) -> None:
        layout, settings = begin(self.layout), context.scene.handheld_outlines
        layout.enabled = not solve.is_running()
        column = layout.column(heading="Masks")
        column.prop(settings, "mask")
        for name in ("matte_left", "matte_right", "matte_hands"):
            column.prop(settings, name)
        if scene.edited_root(context) is None:
            return
        layout.separator()
        row = layout.row(align=True)
        row.prop(settings, "style")
        row.operator("handheld.overlay", text="", icon="RENDER_ANIMATION").style = settings.style
        layout.operator("handheld.worst_outline", icon="NEXT_KEYFRAME")


CLASSES = in_both_editors(_OutlinesPanel, "outlines")
