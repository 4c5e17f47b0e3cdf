"""Operators that bring the solved hands' motion onto an artist's rig."""

from __future__ import annotations

from pathlib import Path

import bpy
from bpy.props import StringProperty

from ..addon.retarget import properties, rig_map, session
from ..solver.errors import SolverError
from ..solver.hand_model.layout import FINGERS
from .guards import reported


class _OnTarget:
    """Needs a target; turns a problem into a report and leaves the rig alone."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        cls.poll_message_set("Choose the armature that shall get the motion")
        return context.scene.handheld_retarget.target is not None

    def execute(self, context: bpy.types.Context) -> set[str]:
        try:
            notes = self.work(context)
        except SolverError as problem:
            context.scene.handheld_retarget.notes = str(problem)
            self.report({"ERROR"}, str(problem))
            return {"CANCELLED"}
        for note in notes:
            self.report({"WARNING"}, note)
        return {"FINISHED"}


class HANDHELD_OT_detect_rig(_OnTarget, bpy.types.Operator):
    """Find out which bones of the target are hands and fingers"""

    bl_idname = "handheld.detect_rig"
    bl_label = "Detect Bones"
    bl_options = {"REGISTER", "UNDO"}

    def work(self, context: bpy.types.Context) -> tuple[str, ...]:
        self.report({"INFO"}, f"Recognised: {session.detect_bones(context)}")
        return ()


class HANDHELD_OT_test_retarget(_OnTarget, bpy.types.Operator):
    """Pose the target as the solved hands are in this frame, without any key"""

    bl_idname = "handheld.test_retarget"
    bl_label = "Test on This Frame"
    bl_options = {"REGISTER", "UNDO"}

    def work(self, context: bpy.types.Context) -> tuple[str, ...]:
        return session.test(context)


class HANDHELD_OT_retarget(_OnTarget, bpy.types.Operator):
    """Bake the solved hands' motion onto the target, as a new action; the action that it has stays as it is"""

    bl_idname = "handheld.retarget"
    bl_label = "Retarget"
    bl_options = {"REGISTER", "UNDO"}

    def work(self, context: bpy.types.Context) -> tuple[str, ...]:
        return session.retarget(context)


class HANDHELD_OT_load_rig_map(bpy.types.Operator):
    """Load a map of a rig's bones"""

    bl_idname = "handheld.load_rig_map"
    bl_label = "Load Map"
    bl_options = {"REGISTER", "UNDO"}

    filepath: StringProperty(subtype="FILE_PATH", options={"SKIP_SAVE"})
    filter_glob: StringProperty(default="*.json", options={"HIDDEN", "SKIP_SAVE"})

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    @reported
    def execute(self, context: bpy.types.Context) -> set[str]:
        loaded = rig_map.read(Path(bpy.path.abspath(self.filepath)))
        properties.store(context.scene.handheld_retarget, loaded)
        return {"FINISHED"}


class HANDHELD_OT_save_rig_map(bpy.types.Operator):
    """Save the map of the rig's bones, for other files and other people"""

    bl_idname = "handheld.save_rig_map"
    bl_label = "Save Map"

    filepath: StringProperty(subtype="FILE_PATH", options={"SKIP_SAVE"})
    check_existing: bpy.props.BoolProperty(default=True, options={"HIDDEN", "SKIP_SAVE"})
    filter_glob: StringProperty(default="*.json", options={"HIDDEN", "SKIP_SAVE"})

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        cls.poll_message_set("Detect the bones first")
        return len(context.scene.handheld_retarget.slots) > 0

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        self.filepath = f"{context.scene.handheld_retarget.map_name}.json"
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    @reported
    def execute(self, context: bpy.types.Context) -> set[str]:
        path = Path(bpy.path.abspath(self.filepath)).with_suffix(".json")
        rig_map.write(path, properties.stored(context.scene.handheld_retarget))
        return {"FINISHED"}


class HANDHELD_OT_add_rig_slot(bpy.types.Operator):
    """Add a slot to the map, to enter a bone that was not found"""

    bl_idname = "handheld.add_rig_slot"
    bl_label = "Add Slot"
    bl_options = {"REGISTER", "UNDO"}
    bl_property = "slot"

    slot: bpy.props.EnumProperty(name="Slot", items=lambda self, context: _free_slots(context))

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        context.window_manager.invoke_search_popup(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        settings = context.scene.handheld_retarget
        settings.slots.add().name = self.slot
        settings.active_slot = len(settings.slots) - 1
        return {"FINISHED"}


_items: list[tuple[str, str, str]] = []  # Blender keeps no reference to what an items callback returns


def _free_slots(context: bpy.types.Context) -> list[tuple[str, str, str]]:
    taken = {item.name for item in context.scene.handheld_retarget.slots}
    parts = [*rig_map.PARTS, *(f"forearm_twist.{n}" for n in range(1, rig_map.MOST_TWISTS + 1))]
    numbers = ["metacarpal", *range(1, rig_map.LONGEST_FINGER + 1), "tip"]
    parts += [f"{finger}.{number}" for finger in FINGERS for number in numbers]
    slots = [f"{side}.{part}" for side in rig_map.SIDES for part in parts]
    _items[:] = [(slot, slot, "") for slot in slots if slot not in taken]
    return _items


CLASSES = (
    HANDHELD_OT_detect_rig,
    HANDHELD_OT_test_retarget,
    HANDHELD_OT_retarget,
    HANDHELD_OT_load_rig_map,
    HANDHELD_OT_save_rig_map,
    HANDHELD_OT_add_rig_slot,
)
