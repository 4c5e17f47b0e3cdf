"""Panels, menus and file handlers. They draw what ``addon`` knows and call operators; they decide nothing."""

import bpy

from . import camera, edit, export, menus, overlay, retarget, solve

# a file a feature; sub-panels after the main panel, in the order on screen
_FEATURES = (solve, edit, camera, overlay, retarget, export, menus)
CLASSES = tuple(cls for feature in _FEATURES for cls in feature.CLASSES)


def register() -> None:
    for cls in CLASSES:
        bpy.utils.register_class(cls)
    menus.register()


def unregister() -> None:
    menus.unregister()
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
