"""Saying what the tracker got wrong about hands: none here, the other side's, one was missed."""

from __future__ import annotations

import bpy
from bpy.props import FloatVectorProperty, IntProperty, StringProperty

from ..addon import hands, hints, scene, take_files
from ..addon.hands import hands_of
from .guards import ChangesClip, ChangesSolved, reported


class _AboutHand(ChangesSolved):
    hand: StringProperty(
        name="Hand", description="Name of the hand's armature; empty: the active one", options={"SKIP_SAVE"}
    )

    def say(self, context: bpy.types.Context, what: str) -> bpy.types.Object:
        root = scene.edited_root(context)
        chosen = hands.chosen(context, root, self.hand)
        hints.about_hand(root, take_files.of_root(root), chosen, what, context.scene.frame_current)
        return chosen


class HANDHELD_OT_delete_hand(_AboutHand, bpy.types.Operator):
    """This is no hand: remove it, and leave it out of every further solve of the clip"""

    bl_idname = "handheld.delete_hand"
    bl_label = "Delete False Hand"

    @reported
    def execute(self, context: bpy.types.Context) -> set[str]:
        scene.remove_tree(self.say(context, "drop"))
        return {"FINISHED"}


class HANDHELD_OT_swap_hand(_AboutHand, bpy.types.Operator):
    """This is the other side's hand: the next solve of the clip takes it for that"""

    bl_idname = "handheld.swap_hand"
    bl_label = "Swap Left and Right"

    @reported
    def execute(self, context: bpy.types.Context) -> set[str]:
        self.say(context, "swap")
        self.report({"INFO"}, "Solve the clip again: what was found is kept, only the fit is new.")
        return {"FINISHED"}


# what the overlay draws while a box is dragged: two corners in px of the clip editor
dragged: list[tuple[int, int]] = []


class HANDHELD_OT_box_hand(ChangesClip, bpy.types.Operator):
    """Draw a box around a hand that was missed; the next solve of the clip looks there"""

    bl_idname = "handheld.box_hand"
    bl_label = "Box a Missed Hand"

    corners: FloatVectorProperty(size=4, description="x0, y0, x1, y1 in shares of the picture, from its lower left")

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if context.area.type != "CLIP_EDITOR":
            self.report({"ERROR"}, "Draw the box in the Movie Clip Editor.")
            return {"CANCELLED"}
        context.window_manager.modal_handler_add(self)
        context.workspace.status_text_set("Drag a box around the hand that was missed    Esc: none")
        context.window.cursor_modal_set("CROSSHAIR")
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        at = (event.mouse_region_x, event.mouse_region_y)
        if event.type in ("ESC", "RIGHTMOUSE"):
            return self._end(context, {"CANCELLED"})
        if event.type == "LEFTMOUSE" and event.value == "PRESS":
            dragged[:] = [at, at]
        elif dragged and event.type == "MOUSEMOVE":
            dragged[1] = at
            context.region.tag_redraw()
        elif dragged and event.type == "LEFTMOUSE" and event.value == "RELEASE":
            to_view = context.region.view2d.region_to_view
            self.corners = (*to_view(*dragged[0]), *to_view(*at))
            return self._end(context, self.execute(context))
        return {"RUNNING_MODAL"}

    def _end(self, context: bpy.types.Context, result: set[str]) -> set[str]:
        dragged.clear()
        context.workspace.status_text_set(None)
        context.window.cursor_modal_restore()
        context.region.tag_redraw()
        return result

    @reported
    def execute(self, context: bpy.types.Context) -> set[str]:
        hints.here_is_one(scene.edited_clip(context), context.scene.frame_current, tuple(self.corners))
        self.report({"INFO"}, "Solve the clip again: the hand is looked for in the box.")
        return {"FINISHED"}


class HANDHELD_OT_clear_hints(ChangesClip, bpy.types.Operator):
    """Forget what was said about false, swapped and missed hands of this clip"""

    bl_idname = "handheld.clear_hints"
    bl_label = "Forget"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return super().poll(context) and len(scene.edited_clip(context).handheld.hints) > 0

    def execute(self, context: bpy.types.Context) -> set[str]:
        scene.edited_clip(context).handheld.hints.clear()
        return {"FINISHED"}


class _OnHint(ChangesClip):
    """One of what was said about hands of the clip that is edited."""

    number: IntProperty(name="Number", description="In the list", options={"SKIP_SAVE"})

    def chosen(self, context: bpy.types.Context) -> bpy.types.PropertyGroup | None:
        said = scene.edited_clip(context).handheld.hints
        return said[self.number] if 0 <= self.number < len(said) else None


class HANDHELD_OT_remove_hint(_OnHint, bpy.types.Operator):
    """Take back what was said here; the next solve of the clip doesn't heed it"""

    bl_idname = "handheld.remove_hint"
    bl_label = "Remove Hint"

    def execute(self, context: bpy.types.Context) -> set[str]:
        if self.chosen(context) is None:
            return {"CANCELLED"}
        scene.edited_clip(context).handheld.hints.remove(self.number)
        return {"FINISHED"}


class HANDHELD_OT_go_to_hint(_OnHint, bpy.types.Operator):
    """Show the frame that this is about"""

    bl_idname = "handheld.go_to_hint"
    bl_label = "Go to Hint"
    bl_options = {"INTERNAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        if (found := self.chosen(context)) is None:
            return {"CANCELLED"}
        context.scene.frame_set(hints.scene_frame(scene.edited_clip(context), found))
        return {"FINISHED"}


class HANDHELD_OT_remove_hand(ChangesSolved, bpy.types.Operator):
    """Remove a hand that is not in the take, with the keys that you set on it"""

    bl_idname = "handheld.remove_hand"
    bl_label = "Remove Hand"

    hand: StringProperty(name="Hand", description="Name of the hand's armature", options={"SKIP_SAVE"})

    def execute(self, context: bpy.types.Context) -> set[str]:
        for found in hands_of(scene.edited_root(context)):
            if found.name == self.hand:
                scene.remove_tree(found)
                return {"FINISHED"}
        return {"CANCELLED"}


CLASSES = (
    HANDHELD_OT_remove_hint,
    HANDHELD_OT_go_to_hint,
    HANDHELD_OT_remove_hand,
    HANDHELD_OT_delete_hand,
    HANDHELD_OT_swap_hand,
    HANDHELD_OT_box_hand,
    HANDHELD_OT_clear_hints,
)
