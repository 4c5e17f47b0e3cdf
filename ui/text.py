"""Sentences in panels: Blender's labels don't wrap."""

from __future__ import annotations

import blf
import bpy

_FONT = 0
# margins and icon of a boxed label, in units of the interface scale
_MARGIN = 96


def draw_wrapped(layout: bpy.types.UILayout, context: bpy.types.Context, text: str, icon: str = "NONE") -> None:
    """A paragraph as wide as the region; ``icon`` stands before its first line."""
    column = layout.column(align=True)
    column.scale_y = 0.85
    scale = context.preferences.system.ui_scale
    for number, line in enumerate(wrap(text, context.region.width - _MARGIN * scale, scale)):
        column.label(text=line, icon=icon if number == 0 else ("BLANK1" if icon != "NONE" else "NONE"))


def wrap(text: str, width_px: float, scale: float) -> list[str]:
    """Break a text at spaces so that each line fits; a word that is wider than a line is cut."""
    blf.size(_FONT, 11.0 * scale)
    lines: list[str] = []
    line = ""
    for word in text.split(" "):  # no-break spaces hold
        extended = f"{line} {word}".strip()
        if line and _width(extended) > width_px:
            lines.append(line)
            extended = word
        while _width(extended) > width_px and len(extended) > 8:
            fitting = max(8, int(len(extended) * width_px / _width(extended)))
            lines.append(extended[:fitting])
            extended = extended[fitting:]
        line = extended
    return [*lines, line]


def _width(text: str) -> float:
    return blf.dimensions(_FONT, text)[0]
