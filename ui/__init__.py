"""Panels, menus and file handlers. They draw what ``addon`` knows and call operators; they decide nothing."""

import bpy

from . import box_overlay, camera, edit, export, menus, overlay, pins_overlay, retarget, review, solve

# a file a feature; sub-panels after the main panel, in the order on screen
_FEATURES = (solve, edit, review, camera, overlay, pins_overlay, retarget, export, menus)
CLASSES = tuple(cls for feature in _FEATURES for cls in feature.CLASSES)


def register() -> None:
    for cls in CLASSES:
        bpy.utils.register_class(cls)
    menus.register()
    review.register()
    pins_overlay.register()
    box_overlay.register()


def unregister() -> None:
    box_overlay.unregister()
    pins_overlay.unregister()
    review.unregister()
    menus.unregister()
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
