"""Changing what was solved: the range, Re-solve, pins, keys."""

from __future__ import annotations

import bpy

from ..addon import ghosts, hints, keys_along, pins, scene, shifting, solve, wishes
from ..addon.edit_properties import HandheldPin
from ..addon.hands import hands_of, left_meshes, taken_away
from ..solver.wording import counted
from .sidebar import Sidebar, begin, in_both_editors
from .text import draw_wrapped


class HANDHELD_UL_pins(bpy.types.UIList):
    """A pin a line: kind, whom, when."""

    def draw_item(self, context, layout, data, item, icon, active_data, active_property) -> None:
        row = layout.row(align=True)
        row.alert = not wishes.is_complete(item)
        row.label(text=pins.described(item), icon_value=layout.enum_item_icon(item, "kind", item.kind))
        frames = row.row()
        frames.alignment = "RIGHT"
        end = wishes.last_frame(item)
        frames.label(text=str(item.frame) if end == item.frame else f"{item.frame}-{end}")
        if wishes.is_on_keys(item):  # they hold for as long as they are there: removing the pin gives them back
            row.label(text="", icon="KEYFRAME_HLT")
        else:
            row.prop(item, "enabled", text="")


class _EditPanel(Sidebar):
    bl_label = "Edit"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return scene.edited_root(context) is not None

    def draw(self, context: bpy.types.Context) -> None:
        layout = begin(self.layout)
        layout.enabled = not solve.is_running()
        _draw_shifted(layout, context)
        _draw_keys_behind(layout, context)
        _draw_strays(layout, context)
        _draw_taken_away(layout, context)
        _draw_left_meshes(layout, context)
        _draw_resolve(layout, context)
        _draw_pins(layout, context)
        layout.operator("handheld.show_keypoints", icon="TRACKER")
        row = layout.row(align=True)
        row.operator("handheld.delete_hand", text="No Hand", icon="X")
        row.operator("handheld.swap_hand", text="Swap", icon="ARROW_LEFTRIGHT")
        row.operator("handheld.box_hand", text="Missed", icon="SELECT_SET")
        row.operator("handheld.clear_hints", text="", icon="LOOP_BACK")
        _draw_hints(layout, scene.edited_root(context).handheld.clip)
        row = layout.row(align=True)
        row.operator_menu_enum("handheld.clear_keys", "where", text="Clear Keys")
        row.operator("handheld.bake")


def _draw_shifted(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    moved = shifting.frames_moved(scene.edited_root(context))
    if not moved:
        return
    box = layout.box()
    when = "later" if moved > 0 else "earlier"
    told = f"The clip starts {counted(abs(moved), 'frame')} {when} than when it was solved: the hands don't fit it."
    draw_wrapped(box, context, told, "ERROR")
    box.operator("handheld.follow_clip")


def _draw_keys_behind(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    behind = keys_along.count(scene.edited_root(context))
    if not behind:
        return
    box = layout.box()
    draw_wrapped(box, context, f"Your keys in {counted(behind, 'frame')} were set in the world of the take before. "
                 "They are as you set them, and pull hands out of their place.", "ERROR")  # fmt: skip
    row = box.row(align=True)
    row.operator("handheld.bring_keys")
    row.operator("handheld.leave_keys")


def _draw_resolve(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    editing = context.scene.handheld_editing
    row = layout.row(align=True)
    row.prop(editing, "first", text="Range")
    row.operator("handheld.set_edit_range", text="", icon="TRIA_LEFT_BAR").end = "FIRST"
    row.prop(editing, "last", text="")
    row.operator("handheld.set_edit_range", text="", icon="TRIA_RIGHT_BAR").end = "LAST"
    layout.prop(editing, "smoothness")
    column = layout.column(align=True)
    column.scale_y = 1.2
    column.operator("handheld.resolve", text="Re-solve Here", icon="FILE_REFRESH").frames = "AROUND"
    row = column.split(factor=0.28, align=True)
    row.operator("handheld.resolve", text="Range").frames = "RANGE"
    row = row.split(factor=0.68, align=True)
    row.operator("handheld.resolve", text="Between Keys").frames = "KEYS"
    row.operator("handheld.resolve", text="All").frames = "ALL"


def _draw_strays(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    for hand in hands_of(scene.edited_root(context)):
        if hand.handheld.coverage == 0:
            box = layout.box()
            told = f"{hand.name} is not in this take. It stayed for the keys that you set on it; re-solves pass it by."
            draw_wrapped(box, context, told, "INFO")
            box.operator("handheld.remove_hand").hand = hand.name


def _draw_taken_away(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    root = scene.edited_root(context)
    for thing in taken_away(root):
        told = f"{thing.name} is solved on, but is not parented to {root.name}: it stays behind when that is moved."
        draw_wrapped(layout.box(), context, told, "INFO")


def _draw_left_meshes(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    for mesh in left_meshes(scene.edited_root(context)):
        told = f"{mesh.name} is left of a deleted hand. Delete it too; a Solve that finds the hand takes it over."
        draw_wrapped(layout.box(), context, told, "INFO")


def _draw_hints(layout: bpy.types.UILayout, movie: bpy.types.MovieClip | None) -> None:
    """What was said about hands of the clip, to be heeded by its next solve."""
    if movie is None or not movie.handheld.hints:
        return
    box = layout.box().column(align=True)
    for number, hint in enumerate(movie.handheld.hints):
        row = box.row(align=True)
        row.label(
            text=hints.described(hint), icon={"drop": "X", "swap": "ARROW_LEFTRIGHT"}.get(hint.what, "SELECT_SET")
        )
        row.operator("handheld.go_to_hint", text=str(hints.scene_frame(movie, hint)), emboss=False).number = number
        row.operator("handheld.remove_hint", text="", icon="REMOVE").number = number
    box.label(text="The next Solve heeds these.", icon="INFO")


def _draw_pins(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    root = scene.edited_root(context)
    edit = root.handheld_edit
    grid = layout.grid_flow(columns=2, align=True, even_columns=True, row_major=True)
    for operator, icon in (
        ("pin_pose", "ARMATURE_DATA"),
        ("pin_fingertip", "EMPTY_AXIS"),
        ("pin_camera", "CAMERA_DATA"),
        ("hold_still", "PINNED"),
        ("together", "LINKED"),
        ("ignore", "HIDE_ON"),
    ):
        grid.operator(f"handheld.{operator}", icon=icon)
    if not edit.pins:
        return
    row = layout.row()
    row.template_list("HANDHELD_UL_pins", "", edit, "pins", edit, "active_pin", rows=3)
    column = row.column(align=True)
    column.operator("handheld.remove_pin", text="", icon="REMOVE")
    column.operator("handheld.go_to_pin", text="", icon="TIME")
    column.prop(context.scene.handheld_editing, "show_pins", text="", icon="OVERLAY", toggle=True)
    if 0 <= edit.active_pin < len(edit.pins):
        _draw_pin(layout, edit.pins[edit.active_pin])


def _draw_pin(layout: bpy.types.UILayout, pin: HandheldPin) -> None:
    column = layout.column()
    column.active = pin.enabled
    if pin.kind == "CAMERA":
        return
    if pin.kind in ("HOLD_STILL", "TOGETHER", "IGNORE"):
        row = column.row(align=True)
        row.prop(pin, "frame", text="Frames")
        row.prop(pin, "last_frame", text="")
    if pin.kind == "POINT":
        column.prop(pin, "position")
    if pin.kind != "IGNORE":
        unit = {"IMAGE_POINT": "px", "HOLD_STILL": "mm per Frame"}.get(pin.kind, "mm")
        column.prop(pin, "tolerance_mm", text=f"Tolerance ({unit})")


class _TakesPanel(Sidebar):
    bl_label = "Takes"
    bl_options = {"DEFAULT_CLOSED"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return scene.edited_root(context) is not None

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.enabled = not solve.is_running()
        root = scene.edited_root(context)
        edit, wires = root.handheld_edit, ghosts.shown(root)
        for number, take in enumerate(edit.takes):
            row = layout.row(align=True)
            is_shown = number == edit.active_take
            row.operator(
                "handheld.switch_take", text="", icon="RADIOBUT_ON" if is_shown else "RADIOBUT_OFF"
            ).number = number
            row.prop(take, "name", text="")
            if not is_shown:
                compared = bool(take.path) and take.path == wires
                icon = "GHOST_ENABLED" if compared else "GHOST_DISABLED"
                row.operator("handheld.compare_take", text="", icon=icon, depress=compared).number = number
                row.operator("handheld.remove_take", text="", icon="X").number = number
        layout.operator("handheld.new_take", icon="DUPLICATE")
        if edit.takes and not edit.takes[edit.active_take].path:
            draw_wrapped(layout, context, "This take is new: press Solve to fill it.", "INFO")


CLASSES = (HANDHELD_UL_pins, *in_both_editors(_EditPanel, "edit"), *in_both_editors(_TakesPanel, "takes"))
