"""Pins of the current frame in the viewport: where a point is wanted, and how far the hand is from it."""

from __future__ import annotations

import bpy
import gpu
from gpu_extras.batch import batch_for_shader
from mathutils import Vector

from ..addon import hands, pins, scene, wishes
from ..operators.pins import dragged

_WANTED, _OFF = (1.0, 0.85, 0.2, 1.0), (0.95, 0.25, 0.2, 1.0)
_handlers: list[object] = []


def _draw() -> None:
    context = bpy.context
    if not context.scene.handheld_editing.show_pins or not context.space_data.overlay.show_overlays:
        return
    points, lines = [], []
    if dragged:
        points, lines = [dragged["end"]], [dragged["start"], dragged["end"]]
    root = scene.edited_root(context)
    for pin in root.handheld_edit.pins if root else ():
        if pin.kind != "POINT" or not pin.enabled or not wishes.is_complete(pin):
            continue
        if pin.frame == context.scene.frame_current:
            place = pins.place_of(pin)
            points.append(place)
            lines += [place, Vector(hands.keypoints(pin.hand)[wishes.keypoint_number(pin.keypoint)])]
    gpu.state.blend_set("ALPHA")
    gpu.state.point_size_set(9.0 * context.preferences.system.ui_scale)
    _draw_batch("LINES", lines, _OFF)
    _draw_batch("POINTS", points, _WANTED)
    gpu.state.blend_set("NONE")


def _draw_batch(kind: str, points: list[Vector], colour: tuple[float, float, float, float]) -> None:
    if not points:
        return
    shader = gpu.shader.from_builtin("UNIFORM_COLOR")
    shader.uniform_float("color", colour)
    batch_for_shader(shader, kind, {"pos": [tuple(point) for point in points]}).draw(shader)


def register() -> None:
    _handlers.append(bpy.types.SpaceView3D.draw_handler_add(_draw, (), "WINDOW", "POST_VIEW"))


def unregister() -> None:
    while _handlers:
        bpy.types.SpaceView3D.draw_handler_remove(_handlers.pop(), "WINDOW")


CLASSES = ()
