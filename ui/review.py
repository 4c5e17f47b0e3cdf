"""What the solver is sure of: the current frame in words, weak stretches as strips in timeline and dope sheet."""

from __future__ import annotations

import bpy
import gpu
from gpu_extras.batch import batch_for_shader

from ..addon import certainty, clip, hands, review, scene, take_files
from ..solver.errors import SolverError
from .sidebar import Sidebar, begin, in_both_editors
from .text import draw_wrapped

_STRIP_PX = 5
_COLOURS = {"left": (0.24, 0.45, 0.80, 0.9), "right": (0.83, 0.42, 0.24, 0.9)}
_handlers: list[object] = []


class _ReviewPanel(Sidebar):
    bl_label = "Review"
    bl_options = {"DEFAULT_CLOSED"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return scene.edited_root(context) is not None

    def draw(self, context: bpy.types.Context) -> None:
        layout = begin(self.layout)
        editing = context.scene.handheld_editing
        row = layout.row(align=True)
        row.operator("handheld.next_weak", text="Previous", icon="TRIA_LEFT").step = -1
        row.operator("handheld.next_weak", text="Next", icon="TRIA_RIGHT").step = 1
        layout.prop(editing, "weak_below")
        layout.prop(editing, "show_weak")
        try:
            _draw_hands(layout, context)
        except SolverError as problem:
            draw_wrapped(layout, context, str(problem), "ERROR")


def _draw_hands(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    root = scene.edited_root(context)
    take = take_files.of_root(root)
    first = int(clip.scene_frames(root.handheld.clip, take.frames[:1])[0])
    now = context.scene.frame_current - first
    reviews = review.of_root(root)
    for row, armature in hands.by_row(root, take).items():
        box = layout.box()
        seen, filled = reviews[row].coverage()
        box.label(text=f"{armature.name}: seen {seen:.0%}, filled in {filled:.0%}", icon="VIEW_PAN")
        if 0 <= now < len(take.frames):
            draw_wrapped(box, context, certainty.described(reviews[row], now))


def _draw_strips() -> None:
    """Weak stretches along the lower border, a line a hand."""
    context = bpy.context
    if not context.scene.handheld_editing.show_weak:
        return
    root = scene.edited_root(context)
    if root is None:
        return
    try:
        runs = review.weak_stretches(root, context.scene.handheld_editing.weak_below)
    except SolverError:
        return  # the panel says it
    scale = context.preferences.system.ui_scale
    for number, (name, stretches) in enumerate(runs.items()):
        side = bpy.data.objects[name].handheld.side
        _draw_runs(context.region, stretches, (2 + 1.4 * number * _STRIP_PX) * scale, _STRIP_PX * scale, _COLOURS[side])


def _draw_runs(
    region: bpy.types.Region, stretches: list[tuple[int, int]], bottom: float, height: float, colour: tuple
) -> None:
    corners, triangles = [], []
    for first, last in stretches:
        left, right = (region.view2d.view_to_region(x, 0, clip=False)[0] for x in (first - 0.5, last + 0.5))
        base = len(corners)
        corners += [(left, bottom), (right, bottom), (right, bottom + height), (left, bottom + height)]
        triangles += [(base, base + 1, base + 2), (base, base + 2, base + 3)]
    if not corners:
        return
    shader = gpu.shader.from_builtin("UNIFORM_COLOR")
    gpu.state.blend_set("ALPHA")
    shader.uniform_float("color", colour)
    batch_for_shader(shader, "TRIS", {"pos": corners}, indices=triangles).draw(shader)
    gpu.state.blend_set("NONE")


def register() -> None:
    space = bpy.types.SpaceDopeSheetEditor
    _handlers.append(space.draw_handler_add(_draw_strips, (), "WINDOW", "POST_PIXEL"))


def unregister() -> None:
    while _handlers:
        bpy.types.SpaceDopeSheetEditor.draw_handler_remove(_handlers.pop(), "WINDOW")


CLASSES = in_both_editors(_ReviewPanel, "review")
