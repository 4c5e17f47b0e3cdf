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


# what a mask may have in it
_ARMS = "A hand's own forearm may be in it or not; another arm that is in it counts as hand"


class HandheldOutlines(bpy.types.PropertyGroup):
    """Settings of the overlay, and masks for the next solve."""

    style: EnumProperty(name="Overlay", items=STYLES, default="OUTLINE", description="How to draw the hands")
    mask: PointerProperty(
        type=bpy.types.Mask,
        name="Mask",
        description=f"Mask drawn over the clip. Layers named after a side are of that hand, others of either. {_ARMS}",
    )
    matte_left: StringProperty(
        name="Left Matte",
        subtype="FILE_PATH",
        description=f"Movie or first image of a sequence, white: left hand. {_ARMS}",
    )
    matte_right: StringProperty(
        name="Right Matte",
        subtype="FILE_PATH",
        description=f"Movie or first image of a sequence, white: right hand. {_ARMS}",
    )
    matte_hands: StringProperty(
        name="Hands Matte",
        subtype="FILE_PATH",
        description=f"Movie or first image of a sequence, white: either hand. {_ARMS}",
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
