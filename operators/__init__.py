"""Thin operators: each calls one function of ``addon`` and reports its result."""

import bpy

from . import clip, solve, take

CLASSES = (*clip.CLASSES, *solve.CLASSES, *take.CLASSES)


def register() -> None:
    for cls in CLASSES:
        bpy.utils.register_class(cls)


def unregister() -> None:
    solve.remove_timer()
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
