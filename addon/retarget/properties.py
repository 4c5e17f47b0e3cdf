"""What is stored in the .blend about retargeting: the target, its map, and how it is to be done."""

from __future__ import annotations

import json

import bpy
from bpy.props import BoolProperty, CollectionProperty, EnumProperty, IntProperty, PointerProperty, StringProperty

from .bake import Options
from .rig_map import FORMAT, VERSION, RigMap, as_content, parse

FINGER_ITEMS = (
    ("ANGLES", "Joint Angles", "Fingers point and bend as the solved ones do"),
    ("TIPS", "Fingertips", "Fingertips are where the solved ones are, in sizes of the hand; pinches close"),
    ("PINCH", "Pinches", "As Joint Angles; where the thumb meets a finger it does so on this rig too"),
)
WRIST_ITEMS = (
    ("AUTO", "Automatic", "By the IK hand if the rig has one, else by turning the arm, else by moving the hand itself"),
    ("IK", "IK Hand", "Key the rig's IK hand, and switch its arm to IK"),
    ("ARM", "Arm (FK)", "Turn upper arm, forearm and hand so that the wrist gets to its place"),
    ("FREE", "Move Hand", "Move and turn the hand's bone itself"),
    ("TURN", "Turn Only", "Turn the hand; the arm stays the artist's"),
)
PLACEMENT_ITEMS = (
    ("WORLD", "Solved Hands", "Hands go where the solved hands are"),
    ("HERE", "Rig's Hands", "The motion starts from where the rig's hands are in this frame"),
)


def _is_armature(_: bpy.types.PropertyGroup, candidate: bpy.types.Object) -> bool:
    return candidate.type == "ARMATURE" and candidate.handheld.role != "HAND"


class HandheldRigSlot(bpy.types.PropertyGroup):
    """A slot of the map and the bone in it."""

    name: StringProperty(name="Slot")
    bone: StringProperty(name="Bone", description="Bone of the target armature")


class HandheldRetarget(bpy.types.PropertyGroup):
    """Settings of the scene's retargeting."""

    target: PointerProperty(
        type=bpy.types.Object, name="Target", poll=_is_armature, description="Armature that gets the hands' motion"
    )
    map_name: StringProperty(name="Map")
    slots: CollectionProperty(type=HandheldRigSlot)
    active_slot: IntProperty()
    extras: StringProperty(description="The parts of the map that name no slot, as JSON")
    fingers: EnumProperty(name="Fingers", items=FINGER_ITEMS, description="What of the fingers is kept")
    wrist: EnumProperty(name="Wrist", items=WRIST_ITEMS, description="How the wrist gets to its place")
    placement: EnumProperty(name="Start From", items=PLACEMENT_ITEMS, description="Where the motion takes place")
    use_live: BoolProperty(
        name="Live", default=False, description="Retarget again whenever the solved hands change, as in a re-solve"
    )
    notes: StringProperty(description="What the last retargeting had to say, one note a line")


def options(settings: HandheldRetarget) -> Options:
    return Options(settings.fingers, settings.wrist, settings.placement)


def store(settings: HandheldRetarget, rig_map: RigMap) -> None:
    """Put a map into the scene, where the artist edits it."""
    settings.map_name = rig_map.name
    settings.slots.clear()
    for slot, bone in rig_map.bones.items():
        item = settings.slots.add()
        item.name, item.bone = slot, bone
    content = as_content(rig_map)
    settings.extras = json.dumps({key: content[key] for key in ("swing_only", "rest", "switches")})


def stored(settings: HandheldRetarget) -> RigMap:
    """The scene's map, with the artist's corrections.

    Raises:
        SolverError: ``rig-map-not-readable``.
    """
    bones = {item.name: item.bone for item in settings.slots if item.bone}
    extras = json.loads(settings.extras or "{}")
    content = {"format": FORMAT, "version": VERSION, "name": settings.map_name, "bones": bones, **extras}
    return parse(content, settings.map_name)


CLASSES = (HandheldRigSlot, HandheldRetarget)


def register() -> None:
    for cls in CLASSES:
        bpy.utils.register_class(cls)
    bpy.types.Scene.handheld_retarget = PointerProperty(type=HandheldRetarget)


def unregister() -> None:
    del bpy.types.Scene.handheld_retarget
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
