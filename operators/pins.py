"""Operators that set and remove pins."""

from __future__ import annotations

import bpy
from bpy.props import BoolProperty, EnumProperty, FloatProperty, FloatVectorProperty, IntProperty, StringProperty
from bpy_extras import view3d_utils
from mathutils import Vector

from ..addon import hands, pins, ranges, resolve, scene
from ..addon.edit_properties import KEYPOINTS
from ..addon.hands import hands_of
from ..solver.errors import SolverError
from ..solver.observations import KEYPOINT_NAMES
from .guards import ChangesSolved, reported
from .running import redraw

_KEEPS = (
    ("PLACE", "Place", "The point stays where it was put, at the depth that it had"),
    ("PICTURE", "Place in the Picture", "The point is seen there; the solver finds the depth"),
)
# how near the mouse must be to a joint to take it, in px of the interface at scale 1
_REACH_PX = 30.0


class _OnHand(ChangesSolved):
    """... of one hand: the active one, unless it is named."""

    # what one call was told is not what the next one means: SKIP_SAVE
    hand: StringProperty(
        name="Hand", description="Name of the hand's armature; empty: the active one", options={"SKIP_SAVE"}
    )

    def chosen_hand(self, context: bpy.types.Context) -> bpy.types.Object:
        return hands.chosen(context, scene.edited_root(context), self.hand)


class HANDHELD_OT_pin_pose(_OnHand, bpy.types.Operator):
    """Hold the pose of this hand in this frame, as it is now"""

    bl_idname = "handheld.pin_pose"
    bl_label = "Pin Pose"

    tolerance_mm: FloatProperty(
        name="Tolerance",
        min=0.0,
        soft_max=50.0,
        description="How far it may be off, in mm and degrees; 0 holds exactly",
    )

    @reported
    def execute(self, context: bpy.types.Context) -> set[str]:
        root, frame = scene.edited_root(context), context.scene.frame_current
        ranges.require_in_take(root, frame, frame)
        pins.pin_pose(root, self.chosen_hand(context), frame, self.tolerance_mm)
        return {"FINISHED"}


class HANDHELD_OT_pin_camera(_OnHand, bpy.types.Operator):
    """Hold the camera in this frame where it is now; before and after it is led in and out smoothly"""

    bl_idname = "handheld.pin_camera"
    bl_label = "Pin Camera"

    @reported
    def execute(self, context: bpy.types.Context) -> set[str]:
        root, frame = scene.edited_root(context), context.scene.frame_current
        ranges.require_in_take(root, frame, frame)
        pins.pin_camera(root, frame)
        return {"FINISHED"}


class HANDHELD_OT_pin_fingertip(_OnHand, bpy.types.Operator):
    """Drag a fingertip or joint to where it belongs in this frame; the hand follows. Esc leaves it where it was"""

    bl_idname = "handheld.pin_fingertip"
    bl_label = "Pin Fingertip"

    keypoint: EnumProperty(name="Joint", items=KEYPOINTS, default="INDEX_TIP", options={"SKIP_SAVE"})
    position: FloatVectorProperty(name="Position", size=3, subtype="TRANSLATION", unit="LENGTH")
    keep: EnumProperty(name="Keep", items=_KEEPS)
    use_resolve: BoolProperty(name="Re-solve", default=True, description="Solve the frames around at once")

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if context.region_data is None:
            self.report({"ERROR"}, "Use this in a 3D viewport.")
            return {"CANCELLED"}
        self._grabbed: Vector | None = None
        context.window_manager.modal_handler_add(self)
        context.workspace.status_text_set("Drag a fingertip or joint to its place    Esc: leave it")
        context.window.cursor_modal_set("CROSSHAIR")
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if event.type in ("ESC", "RIGHTMOUSE"):
            return self._end(context, {"CANCELLED"})
        at = Vector((event.mouse_region_x, event.mouse_region_y))
        if event.type == "LEFTMOUSE" and event.value == "PRESS":
            self._grab(context, at)
        elif event.type == "MOUSEMOVE" and self._grabbed is not None:
            self._drag(context, at)
        elif event.type == "LEFTMOUSE" and event.value == "RELEASE" and self._grabbed is not None:
            self._drag(context, at)
            return self._place(context)
        elif self._grabbed is None:
            return {"PASS_THROUGH"}
        return {"RUNNING_MODAL"}

    def _place(self, context: bpy.types.Context) -> set[str]:
        result = self._end(context, self.execute(context))
        if self.use_resolve and result == {"FINISHED"}:
            bpy.ops.handheld.resolve("INVOKE_DEFAULT", frames="AROUND")
        return result

    @reported
    def execute(self, context: bpy.types.Context) -> set[str]:
        root, hand = scene.edited_root(context), self.chosen_hand(context)
        ranges.require_in_take(root, context.scene.frame_current, context.scene.frame_current)
        pins.pin_point(context.scene, root, hand, self.keypoint, Vector(self.position), self.keep)
        return {"FINISHED"}

    def _grab(self, context: bpy.types.Context, at: Vector) -> None:
        """Take the joint that is nearest to the mouse, if one is near."""
        reach = _REACH_PX * context.preferences.system.ui_scale
        best = None
        for hand in hands_of(scene.edited_root(context)):
            for number, point in enumerate(hands.keypoints(hand)):
                seen = view3d_utils.location_3d_to_region_2d(context.region, context.region_data, Vector(point))
                distance = (seen - at).length if seen is not None else reach
                if distance < reach and (best is None or distance < best[0]):
                    best = (distance, hand, number, Vector(point))
        if best is not None:
            _, hand, number, self._grabbed = best
            self.hand, self.keypoint = hand.name, KEYPOINT_NAMES[number].upper()
            self.position = self._grabbed
            dragged.update(hand=hand.name, start=self._grabbed.copy(), end=self._grabbed.copy())

    def _drag(self, context: bpy.types.Context, at: Vector) -> None:
        self.position = view3d_utils.region_2d_to_location_3d(context.region, context.region_data, at, self._grabbed)
        dragged["end"] = Vector(self.position)
        redraw(context)

    def _end(self, context: bpy.types.Context, result: set[str]) -> set[str]:
        dragged.clear()
        context.workspace.status_text_set(None)
        context.window.cursor_modal_restore()
        redraw(context)
        return result


# what the overlay draws while a fingertip is dragged: start and end in Blender's world
dragged: dict[str, object] = {}


class _OverRange(_OnHand):
    """Pins over the range to work on; selected bones say which joint."""

    first: IntProperty(name="From")
    last: IntProperty(name="To")

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        self.take_range(context)
        return self.execute(context)

    def root_in_range(self, context: bpy.types.Context) -> bpy.types.Object:
        """The root. Raises SolverError when the range lies outside its take."""
        root = scene.edited_root(context)
        ranges.require_in_take(root, self.first, self.last)
        return root

    def warn_of_absence(self, root: bpy.types.Object, *whose: bpy.types.Object) -> None:
        """A pin that no frame of the range can heed is kept, since the range may change; but it is told."""
        if not resolve.together_in(root, whose, self.first, self.last):
            who = " and ".join(sorted({hand.name for hand in whose}))
            how = "are in no frame" if len(set(whose)) > 1 else "is in no frame"
            then = " together" if len(set(whose)) > 1 else ""
            self.report({"WARNING"}, f"{who} {how} from {self.first} to {self.last}{then}: the pin does nothing there.")

    def take_range(self, context: bpy.types.Context) -> None:
        editing = context.scene.handheld_editing
        self.first, self.last = min(editing.first, editing.last), max(editing.first, editing.last)


class HANDHELD_OT_hold_still(_OverRange, bpy.types.Operator):
    """The selected joint, or the wrist, does not move in the world over the range: it rests on something"""

    bl_idname = "handheld.hold_still"
    bl_label = "Hold Still"

    keypoint: EnumProperty(name="Joint", items=KEYPOINTS, default="WRIST", options={"SKIP_SAVE"})
    tolerance_mm: FloatProperty(name="Tolerance", default=0.2, min=0.0, description="mm per frame; 0 holds exactly")

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        chosen = pins.chosen_keypoints(context)
        if chosen:
            self.hand, self.keypoint = chosen[0][0].name, chosen[0][1]
        return super().invoke(context, event)

    @reported
    def execute(self, context: bpy.types.Context) -> set[str]:
        root, hand = self.root_in_range(context), self.chosen_hand(context)
        pins.add(
            root, "HOLD_STILL", self.first, last_frame=self.last, hand=hand, keypoint=self.keypoint,
            tolerance_mm=self.tolerance_mm,
        )  # fmt: skip
        self.warn_of_absence(root, hand)
        return {"FINISHED"}


class HANDHELD_OT_together(_OverRange, bpy.types.Operator):
    """Two fingertips touch over the range: the two selected ones, or thumb and index of this hand"""

    bl_idname = "handheld.together"
    bl_label = "Together"

    keypoint: EnumProperty(name="Joint", items=KEYPOINTS, default="THUMB_TIP", options={"SKIP_SAVE"})
    other_hand: StringProperty(name="Other Hand", description="Empty: the same hand", options={"SKIP_SAVE"})
    other_keypoint: EnumProperty(name="Other Joint", items=KEYPOINTS, default="INDEX_TIP", options={"SKIP_SAVE"})
    tolerance_mm: FloatProperty(name="Tolerance", default=3.0, min=0.0, description="mm; 0 holds exactly")

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        chosen = pins.chosen_keypoints(context)
        if len(chosen) == 2:
            (hand, self.keypoint), (other, self.other_keypoint) = chosen
            self.hand, self.other_hand = hand.name, other.name
        return super().invoke(context, event)

    @reported
    def execute(self, context: bpy.types.Context) -> set[str]:
        root, hand = self.root_in_range(context), self.chosen_hand(context)
        other = next((found for found in hands_of(root) if found.name == self.other_hand), hand)
        if other == hand and self.keypoint == self.other_keypoint:
            raise SolverError("same-joint", "A joint touches itself already.", "Choose two joints.")
        pins.add(
            root, "TOGETHER", self.first, last_frame=self.last, hand=hand, keypoint=self.keypoint,
            other_hand=other, other_keypoint=self.other_keypoint, tolerance_mm=self.tolerance_mm,
        )  # fmt: skip
        self.warn_of_absence(root, hand, other)
        return {"FINISHED"}


class HANDHELD_OT_ignore(_OverRange, bpy.types.Operator):
    """Distrust the footage for this hand over the range: its motion is filled in from both sides"""

    bl_idname = "handheld.ignore"
    bl_label = "Ignore Footage"

    @reported
    def execute(self, context: bpy.types.Context) -> set[str]:
        root, hand = self.root_in_range(context), self.chosen_hand(context)
        pins.add(root, "IGNORE", self.first, last_frame=self.last, hand=hand)
        self.warn_of_absence(root, hand)
        return {"FINISHED"}


class HANDHELD_OT_remove_pin(ChangesSolved, bpy.types.Operator):
    """Remove this pin; keys that it stands for become the solver's again"""

    bl_idname = "handheld.remove_pin"
    bl_label = "Remove Pin"

    number: IntProperty(name="Number", default=-1, description="In the list; -1: the chosen one", options={"SKIP_SAVE"})

    def execute(self, context: bpy.types.Context) -> set[str]:
        root = scene.edited_root(context)
        edit = root.handheld_edit
        number = edit.active_pin if self.number < 0 else self.number
        if not 0 <= number < len(edit.pins):
            return {"CANCELLED"}
        pins.remove(root, number)
        return {"FINISHED"}


class HANDHELD_OT_go_to_pin(ChangesSolved, bpy.types.Operator):
    """Show the chosen pin's frame"""

    bl_idname = "handheld.go_to_pin"
    bl_label = "Go to Pin"
    bl_options = {"INTERNAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        edit = scene.edited_root(context).handheld_edit
        if 0 <= edit.active_pin < len(edit.pins):
            context.scene.frame_set(edit.pins[edit.active_pin].frame)
        return {"FINISHED"}


CLASSES = (
    HANDHELD_OT_pin_pose,
    HANDHELD_OT_pin_camera,
    HANDHELD_OT_pin_fingertip,
    HANDHELD_OT_hold_still,
    HANDHELD_OT_together,
    HANDHELD_OT_ignore,
    HANDHELD_OT_remove_pin,
    HANDHELD_OT_go_to_pin,
)
