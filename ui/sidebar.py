"""The sidebar tab "Handheld", which the 3D viewport and the clip editor show alike. A feature has a file of its own.

A feature's file declares the body of its panel and lists ``in_both_editors(...)`` in its ``CLASSES``;
``ui/__init__.py`` lists the file, and the order there is the order on screen.
"""

from __future__ import annotations

import bpy

_EDITORS = {"view3d": "VIEW_3D", "clip": "CLIP_EDITOR"}


class Sidebar:
    """Base of all bodies: has ``draw`` and perhaps ``poll``, knows no editor."""

    bl_region_type = "UI"
    bl_category = "Handheld"


def in_both_editors(body: type[Sidebar], name: str = "") -> tuple[type[bpy.types.Panel], ...]:
    """The panel in either editor: a main one without ``name``, else one below the main one."""
    return tuple(_in_editor(body, editor, name) for editor in _EDITORS)


def _in_editor(body: type[Sidebar], editor: str, name: str) -> type[bpy.types.Panel]:
    main = f"HANDHELD_PT_{editor}"
    fields = {"bl_space_type": _EDITORS[editor], "__module__": body.__module__}
    if name:
        fields["bl_parent_id"] = main
    return type(f"{main}_{name}" if name else main, (body, bpy.types.Panel), fields)


def begin(layout: bpy.types.UILayout) -> bpy.types.UILayout:
    """The layout as all our panels have it: labels at the left, no dots for keys."""
    layout.use_property_split = True
    layout.use_property_decorate = False
    return layout
