"""What an artist's editing keeps in the .blend: pins on the root, and the range to work on in the scene."""

from __future__ import annotations

import bpy
from bpy.props import (
    BoolProperty,
    CollectionProperty,
    EnumProperty,
    FloatProperty,
    FloatVectorProperty,
    IntProperty,
    PointerProperty,
    StringProperty,
)

from ..solver.observations import KEYPOINT_NAMES

PIN_KINDS = (
    ("POSE", "Pose", "The hand has this pose in this frame", "ARMATURE_DATA", 0),
    ("POINT", "Point", "A joint or fingertip is at this place in this frame", "EMPTY_AXIS", 1),
    ("IMAGE_POINT", "Image Point", "A joint or fingertip is seen here, at whatever depth fits", "RESTRICT_VIEW_OFF", 2),
    ("CAMERA", "Camera", "The camera is keyed by hand in this frame", "CAMERA_DATA", 3),
    ("HOLD_STILL", "Hold Still", "A joint or fingertip does not move between two frames", "PINNED", 4),
    ("TOGETHER", "Together", "Two fingertips touch between two frames", "LINKED", 5),
    ("IGNORE", "Ignore", "The footage counts for nothing between two frames", "HIDE_ON", 6),
)
KEYPOINTS = tuple(
    (name.upper(), name.replace("_", " ").title(), "", number) for number, name in enumerate(KEYPOINT_NAMES)
)


def _is_hand(_: HandheldPin, candidate: bpy.types.Object) -> bool:
    return candidate.handheld.role == "HAND"


class HandheldPin(bpy.types.PropertyGroup):
    """One wish of the artist's; which fields count depends on ``kind``."""

    kind: EnumProperty(name="Kind", items=PIN_KINDS)
    enabled: BoolProperty(name="Enabled", default=True, description="Let the re-solve heed this pin")
    hand: PointerProperty(type=bpy.types.Object, name="Hand", poll=_is_hand)
    other_hand: PointerProperty(type=bpy.types.Object, name="Other Hand", poll=_is_hand)
    keypoint: EnumProperty(name="Joint", items=KEYPOINTS, default="INDEX_TIP")
    other_keypoint: EnumProperty(name="Other Joint", items=KEYPOINTS, default="THUMB_TIP")
    frame: IntProperty(name="Frame", description="Scene frame, or the first one")
    last_frame: IntProperty(name="Last Frame", description="Last scene frame")
    position: FloatVectorProperty(
        name="Position", size=3, subtype="TRANSLATION", unit="LENGTH", description="Place in the space of the armature"
    )
    position_px: FloatVectorProperty(
        name="Pixel", size=2, description="Place in the clip's picture, from its upper left corner"
    )
    wrist_location: FloatVectorProperty(size=3)
    quaternions: FloatVectorProperty(size=32)
    more_quaternions: FloatVectorProperty(size=32)
    own_paths: StringProperty(description="Of a pin that is keys: paths, a line each, that the artist had keyed before")
    tolerance_mm: FloatProperty(
        name="Tolerance",
        min=0.0,
        soft_max=50.0,
        description="How far the result may be off, in mm (of a pose: and as many degrees; of an image point: px). "
        "0 holds exactly",
    )


class HandheldTakeSlot(bpy.types.PropertyGroup):
    """The action of one object in one take; ``role`` as ``take_list.role_of`` has it."""

    role: StringProperty()
    action: PointerProperty(type=bpy.types.Action)


class HandheldTake(bpy.types.PropertyGroup):
    """One of several takes of a clip; ``name`` is the artist's to change."""

    path: StringProperty(name="File")
    settings: StringProperty(name="Settings", description="What it was solved with")
    slots: CollectionProperty(type=HandheldTakeSlot)


class HandheldEdit(bpy.types.PropertyGroup):
    """On the root: its takes, and what re-solves have to heed."""

    takes: CollectionProperty(type=HandheldTake)
    active_take: IntProperty(name="Take")
    pins: CollectionProperty(type=HandheldPin)
    active_pin: IntProperty(name="Pin")


class HandheldEditing(bpy.types.PropertyGroup):
    """On the scene: where and how to work."""

    first: IntProperty(name="From", default=1, description="First frame of the range to work on")
    last: IntProperty(name="To", default=60, description="Last frame of the range to work on")
    smoothness: FloatProperty(
        name="Smoothness",
        default=1.0,
        min=0.1,
        soft_max=10.0,
        max=100.0,
        description="1: as solved. Above, the range comes out calmer where the footage allows; pins and contact hold",
    )
    show_pins: BoolProperty(name="Show Pins", default=True, description="Draw the pins in the viewport")
    weak_below: FloatProperty(
        name="Weak Below",
        default=0.5,
        min=0.0,
        max=1.0,
        subtype="FACTOR",
        description="Frames with less confidence than this count as weak",
    )
    show_weak: BoolProperty(
        name="Show in Timeline", default=True, description="Mark weak stretches in timeline and dope sheet"
    )


class HandheldHint(bpy.types.PropertyGroup):
    """Something that the artist said about a hand in the picture; in the clip's own frames and px."""

    what: EnumProperty(
        items=(
            ("drop", "No Hand", "This is no hand"),
            ("swap", "Other Side", "This is the other side's hand"),
            ("box", "Hand Here", "A hand was missed here"),
        )
    )
    frame: IntProperty(name="Frame")
    corners: FloatVectorProperty(size=4, description="Of a box x0, y0, x1, y1; else the place is in the first two")


class HandheldClip(bpy.types.PropertyGroup):
    """On a movie clip: what its next solve has to know."""

    hints: CollectionProperty(type=HandheldHint)


CLASSES = (HandheldHint, HandheldClip, HandheldPin, HandheldTakeSlot, HandheldTake, HandheldEdit, HandheldEditing)


def register() -> None:
    for cls in CLASSES:
        bpy.utils.register_class(cls)
    bpy.types.MovieClip.handheld = PointerProperty(type=HandheldClip)
    bpy.types.Object.handheld_edit = PointerProperty(type=HandheldEdit)
    bpy.types.Scene.handheld_editing = PointerProperty(type=HandheldEditing)


def unregister() -> None:
    del bpy.types.Scene.handheld_editing
    del bpy.types.Object.handheld_edit
    del bpy.types.MovieClip.handheld
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
