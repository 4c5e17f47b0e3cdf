"""What is kept in the .blend about cameras: a camera file and how it fits the clip, lenses, and known measures."""

from __future__ import annotations

import bpy
from bpy.props import BoolProperty, EnumProperty, FloatProperty, IntProperty, PointerProperty, StringProperty

from . import camera_file, camera_world

SCALES = (
    ("AUTO", "Automatic", "Metres, where the camera is meant to be in metres; else found by the hands"),
    ("METRES", "Metres", "One unit of the camera is one metre"),
    ("HANDS", "By the Hands", "Find the camera's scale by how large the hands are seen, and by what they touch"),
    ("VALUE", "Value", "Enter how many metres one unit of the camera is"),
)
ORDERS = tuple(
    (order, order, f"Turns about {order[0]} first, then {order[1]}, then {order[2]}")
    for order in ("ZXY", "XYZ", "XZY", "YXZ", "YZX", "ZYX")
)


def _file_changed(settings: HandheldCamera, context: bpy.types.Context) -> None:
    camera_file.inspect(settings, context.scene.handheld.clip)


class HandheldCamera(bpy.types.PropertyGroup):
    """How a camera that was solved elsewhere belongs to the clip."""

    file: StringProperty(
        name="Camera File",
        subtype="FILE_PATH",
        update=_file_changed,
        description="A .chan file of Nuke, one of the files of a COLMAP model, or an .npz camera",
    )
    about: StringProperty(description="What the camera file holds, in words")
    problem: StringProperty(description="Why the camera file can't be used, in words")
    offset: IntProperty(
        name="Offset", default=0, description="Frames that the camera starts later than the clip", update=_file_changed
    )
    frame_rate: FloatProperty(
        name="Frame Rate", default=0.0, min=0.0, max=1000.0, description="Of the camera file; 0: the clip's",
        update=_file_changed,
    )  # fmt: skip
    scale_source: EnumProperty(name="Scale", items=SCALES, description="How large the camera's path is")
    scale: FloatProperty(
        name="Metres per Unit", default=1.0, min=1e-6, soft_max=100.0, description="Of the camera that is used"
    )
    order: EnumProperty(
        name="Rotation Order",
        items=ORDERS,
        update=_file_changed,
        description="Of a .chan file; Nuke writes ZXY by default",
    )


class HandheldLens(bpy.types.PropertyGroup):
    """What was done to a clip's tracking camera."""

    written: StringProperty(description="The lens that was written here; another one is the artist's")
    only_distortion: BoolProperty(description="Focal length and principal point were the artist's already")
    differs: BoolProperty(description="The camera was solved with another lens than the clip's, which is the artist's")


class HandheldWorld(bpy.types.PropertyGroup):
    """What an artist has measured in a solved world; the next solve heeds it."""

    scale: FloatProperty(
        name="Scale",
        get=camera_world.scale_of,
        set=camera_world.slide_scale,
        min=1e-6,
        soft_min=0.1,
        soft_max=10.0,
        description="Size of everything that was solved; the next solve makes the camera's path so large",
    )
    scaled_by: EnumProperty(
        name="Scaled By",
        items=(
            ("NONE", "Nothing", "The solver's own scale"),
            ("SCENE", "Scene", "A length in the scene, the camera's height, or the slider"),
            ("HAND", "Hand", "The length of a hand"),
        ),
    )
    hand_length: FloatProperty(name="Hand Length", unit="LENGTH", description="Wrist to middle fingertip; 0: not known")
    settled: StringProperty(description="The take whose size was taken over last")
    left_behind: StringProperty(description="Keys that were set in an earlier world, see ``keys_along``")
    told: StringProperty(description="What the solver says of the size of the camera's path")
    is_placed: BoolProperty(description="The floor or the origin was set: the next solve keeps the world where it is")


CLASSES = (HandheldCamera, HandheldLens, HandheldWorld)
_OWNERS = (
    (bpy.types.Scene, "handheld_camera", HandheldCamera),
    (bpy.types.MovieClip, "handheld_lens", HandheldLens),
    (bpy.types.Object, "handheld_world", HandheldWorld),
)


def register() -> None:
    for cls in CLASSES:
        bpy.utils.register_class(cls)
    for owner, name, cls in _OWNERS:
        setattr(owner, name, PointerProperty(type=cls))


def unregister() -> None:
    for owner, name, _ in _OWNERS:
        delattr(owner, name)
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
