"""Panels, menus and file handlers. They draw what ``addon`` knows and call operators; they decide nothing."""

import bpy

from . import menus, panels

CLASSES = (*panels.CLASSES, *menus.CLASSES)


def register() -> None:
    for cls in CLASSES:
        bpy.utils.register_class(cls)
    menus.register()


def unregister() -> None:
    menus.unregister()
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
