"""What is kept in the .blend about outlines: the style of the overlay, and the artist's masks of the hands."""

from __future__ import annotations

import bpy
from bpy.props import EnumProperty, PointerProperty, StringProperty

STYLES = (
    ("FILLED", "Filled", "Shaded hands over the plate"),
    ("OUTLINE", "Outline", "The hands' outlines over the plate"),
    ("CONFIDENCE", "Confidence", "Hands from red, where they are unsure, to green"),
    ("DIFFERENCE", "Difference", "Red where only the solved hand is, blue where only the picture's is"),
)


class HandheldOutlines(bpy.types.PropertyGroup):
    """Settings of the overlay, and masks for the next solve."""

    style: EnumProperty(name="Overlay", items=STYLES, default="OUTLINE", description="How to draw the hands")
    mask: PointerProperty(
        type=bpy.types.Mask,
        name="Mask",
        description="Mask drawn over the clip. Layers named after a side are of that hand, others of either",
    )
    matte_left: StringProperty(
        name="Left Matte", subtype="FILE_PATH", description="Movie or first image of a sequence, white: left hand"
    )
    matte_right: StringProperty(
        name="Right Matte", subtype="FILE_PATH", description="Movie or first image of a sequence, white: right hand"
    )
    matte_hands: StringProperty(
        name="Hands Matte", subtype="FILE_PATH", description="Movie or first image of a sequence, white: either hand"
    )


CLASSES = (HandheldOutlines,)


def register() -> None:
    for cls in CLASSES:
        bpy.utils.register_class(cls)
    bpy.types.Scene.handheld_outlines = PointerProperty(type=HandheldOutlines)


def unregister() -> None:
    del bpy.types.Scene.handheld_outlines
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
