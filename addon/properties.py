"""What is stored in the .blend: settings on the scene, and on each object what it is to Handheld."""

from __future__ import annotations

import bpy
from bpy.props import (
    BoolProperty,
    EnumProperty,
    FloatProperty,
    FloatVectorProperty,
    IntProperty,
    PointerProperty,
    StringProperty,
)

CAMERA_SOURCES = (
    ("AUTO", "Automatic", "Use the clip's own camera solve if it has one, else find out how the camera moved"),
    ("SOLVE", "Solve", "Find out how the camera moved, even if the clip has a camera solve"),
    ("STATIC", "Static", "The camera does not move"),
    ("CLIP", "Clip's Solve", "Use the camera that was solved in the Movie Clip Editor"),
    ("OBJECT", "Camera Object", "Use a camera of this scene; the hands are placed in its world"),
    ("FILE", "Camera File", "Use a camera from a .chan file of Nuke, a COLMAP model, or an .npz camera"),
)
FOCAL_SOURCES = (
    ("AUTO", "Automatic", "Use the clip's tracking camera if it was set, else estimate"),
    ("CLIP", "Clip's Camera", "Use the focal length of the clip's tracking camera"),
    ("VALUE", "Value", "Enter the focal length"),
)
QUALITIES = (
    ("INITIAL", "Each Frame Alone", "Fit every frame by itself; fastest, and jittery"),
    ("DRAFT", "Draft", "Smooth motion from a short optimisation"),
    ("BALANCED", "Balanced", "What most clips need"),
    ("FINAL", "Final", "Most careful, and slowest"),
)
RANGES = (
    ("CLIP", "Whole Clip", "Solve every frame of the clip"),
    ("SCENE", "Scene Range", "Solve the clip's frames that lie in the scene's frame range"),
)
ROLES = (
    ("NONE", "None", "Not made by Handheld"),
    ("ROOT", "Root", "Empty above everything that was solved from one clip"),
    ("PREVIEW", "Preview", "Root of a solve that is still running"),
    ("HAND", "Hand", "Armature of one hand"),
    ("CAMERA", "Camera", "Camera that was solved"),
    ("POINTS", "Scene Points", "Sparse points of the background"),
    ("PATH", "Camera Path", "Where the camera went"),
    ("GHOST", "Ghost", "Hand of another take, to look at"),
    ("SKIN", "Skin", "Mesh of one hand"),
)


def _is_camera(_: HandheldScene, candidate: bpy.types.Object) -> bool:
    return candidate.type == "CAMERA"


class HandheldScene(bpy.types.PropertyGroup):
    """Settings of the next solve."""

    clip: PointerProperty(type=bpy.types.MovieClip, name="Clip", description="Movie clip to solve the hands of")
    camera_source: EnumProperty(name="Camera", items=CAMERA_SOURCES, description="Where the camera's motion comes from")
    camera: PointerProperty(
        type=bpy.types.Object, name="Camera Object", poll=_is_camera, description="Camera that filmed the clip"
    )
    focal_source: EnumProperty(
        name="Focal Length", items=FOCAL_SOURCES, description="Where the focal length comes from"
    )
    focal_mm: FloatProperty(
        name="Millimetres",
        default=28.0,
        min=4.0,
        soft_max=200.0,
        max=2000.0,
        description="Focal length for a sensor 36 mm long on the picture's longer side (full-frame equivalent)",
    )
    frame_range: EnumProperty(name="Frames", items=RANGES, description="Which frames of the clip to solve")
    quality: EnumProperty(
        name="Quality", items=QUALITIES, default="BALANCED", description="How much work goes into the motion"
    )
    prior: StringProperty(
        name="Motion Prior",
        subtype="FILE_PATH",
        description="Trained prior (.npz) that says where fingers are that nothing shows. Leave empty for none",
    )
    use_render: BoolProperty(
        name="Fit Rendering",
        description="In Final, and on masks of your own: after the outlines, fit the hands as rendered to their masks,"
        " pixel by pixel. Most clips gain; hands in fast, blurred ones may come too near",
    )
    use_camera_along: BoolProperty(
        name="Mend Camera by Hands",
        description="Solve the camera's poses and lens together with the hands, as far as its own solve is unsure of"
        " them. For cameras that shake or drift; a camera that was given stays as it is",
    )
    use_follow: BoolProperty(
        name="Follow Solve", default=True, description="Show the frame that was solved last while the solver runs"
    )
    use_scene_camera: BoolProperty(
        name="Make Scene Camera", default=True, description="Make the solved camera the scene's active camera"
    )


# of roots that an earlier version made
UNKNOWN_OFFSET = -(10**9)


class HandheldObject(bpy.types.PropertyGroup):
    """What an object is to Handheld."""

    role: EnumProperty(name="Role", items=ROLES)
    clip: PointerProperty(type=bpy.types.MovieClip, name="Clip")
    take: StringProperty(name="Take", description="File that holds the solved motion")
    blend_folder: StringProperty(description="Where the .blend lay that paths of takes are relative to")
    clip_offset: IntProperty(
        default=UNKNOWN_OFFSET,
        description="Of a root: added to scene frames it gave the clip's when that was solved",
    )
    side: StringProperty(name="Side")
    belongs_to: StringProperty(description="Of a hand, its mesh or a camera: the mark of its root, wherever it is now")
    mark: StringProperty(description="Of a root: tells it from every other")
    ordinal: IntProperty(name="Ordinal", description="Number of this hand among those of its side")
    coverage: FloatProperty(name="Coverage", description="Share of the clip's frames in which the hand is there")
    betas: FloatVectorProperty(name="Betas", size=10)
    model_sha256: StringProperty(name="Hand Model")


CLASSES = (HandheldScene, HandheldObject)


def register() -> None:
    for cls in CLASSES:
        bpy.utils.register_class(cls)
    bpy.types.Scene.handheld = PointerProperty(type=HandheldScene)
    bpy.types.Object.handheld = PointerProperty(type=HandheldObject)


def unregister() -> None:
    del bpy.types.Object.handheld
    del bpy.types.Scene.handheld
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
