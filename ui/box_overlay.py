"""The box that is being dragged around a missed hand, in the clip editor."""

from __future__ import annotations

import bpy
import gpu
from gpu_extras.batch import batch_for_shader

from ..operators.hints import dragged

_COLOUR = (1.0, 0.85, 0.2, 1.0)
_handlers: list[object] = []


def _draw() -> None:
    if not dragged:
        return
    (left, low), (right, high) = dragged
    corners = [(left, low), (right, low), (right, high), (left, high), (left, low)]
    shader = gpu.shader.from_builtin("UNIFORM_COLOR")
    shader.uniform_float("color", _COLOUR)
    batch_for_shader(shader, "LINE_STRIP", {"pos": corners}).draw(shader)


def register() -> None:
    _handlers.append(bpy.types.SpaceClipEditor.draw_handler_add(_draw, (), "WINDOW", "POST_PIXEL"))


def unregister() -> None:
    while _handlers:
        bpy.types.SpaceClipEditor.draw_handler_remove(_handlers.pop(), "WINDOW")


CLASSES = ()
