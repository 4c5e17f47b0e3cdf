"""Saying what the tracker got wrong about hands: none here, the other side's, one was missed."""

from __future__ import annotations

import bpy
from bpy.props import FloatVectorProperty, IntProperty, StringProperty

from ..addon import hands, hints, scene, solve, take_files
from ..addon.hands import hands_of
from ..solver.errors import SolverError


class _AboutHand:
    bl_options = {"REGISTER", "UNDO"}

    hand: StringProperty(
        name="Hand", description="Name of the hand's armature; empty: the active one", options={"SKIP_SAVE"}
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        root = scene.edited_root(context)
        cls.poll_message_set("Solve a clip first" if root is None else "The hands are linked from another file")
        return scene.is_own(root) and not solve.is_running()

    def say(self, context: bpy.types.Context, what: str) -> bpy.types.Object:
        root = scene.edited_root(context)
        named = next((found for found in hands_of(root) if found.name == self.hand), None)
        chosen = named or hands.active(context, root)
        if chosen is None:
            raise SolverError("no-hand-chosen", "It is not clear which hand is meant.", "Select a hand's armature.")
        hints.about_hand(root, take_files.of_root(root), chosen, what, context.scene.frame_current)
        return chosen


class HANDHELD_OT_delete_hand(_AboutHand, bpy.types.Operator):
    """This is no hand: remove it, and leave it out of every further solve of the clip"""

    bl_idname = "handheld.delete_hand"
    bl_label = "Delete False Hand"

    def execute(self, context: bpy.types.Context) -> set[str]:
        try:
            scene.remove_tree(self.say(context, "drop"))
        except SolverError as problem:
            self.report({"ERROR"}, str(problem))
            return {"CANCELLED"}
        return {"FINISHED"}


class HANDHELD_OT_swap_hand(_AboutHand, bpy.types.Operator):
    """This is the other side's hand: the next solve of the clip takes it for that"""

    bl_idname = "handheld.swap_hand"
    bl_label = "Swap Left and Right"

    def execute(self, context: bpy.types.Context) -> set[str]:
        try:
            self.say(context, "swap")
        except SolverError as problem:
            self.report({"ERROR"}, str(problem))
            return {"CANCELLED"}
        self.report({"INFO"}, "Solve the clip again: what was found is kept, only the fit is new.")
        return {"FINISHED"}


# what the overlay draws while a box is dragged: two corners in px of the clip editor
dragged: list[tuple[int, int]] = []


class HANDHELD_OT_box_hand(bpy.types.Operator):
    """Draw a box around a hand that was missed; the next solve of the clip looks there"""

    bl_idname = "handheld.box_hand"
    bl_label = "Box a Missed Hand"
    bl_options = {"REGISTER", "UNDO"}

    corners: FloatVectorProperty(size=4, description="x0, y0, x1, y1 in shares of the picture, from its lower left")

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        cls.poll_message_set("Open a clip first")
        return context.scene.handheld.clip is not None and not solve.is_running()

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

    def execute(self, context: bpy.types.Context) -> set[str]:
        try:
            hints.here_is_one(context.scene.handheld.clip, context.scene.frame_current, tuple(self.corners))
        except SolverError as problem:
            self.report({"ERROR"}, str(problem))
            return {"CANCELLED"}
        self.report({"INFO"}, "Solve the clip again: the hand is looked for in the box.")
        return {"FINISHED"}


class HANDHELD_OT_clear_hints(bpy.types.Operator):
    """Forget what was said about false, swapped and missed hands of this clip"""

    bl_idname = "handheld.clear_hints"
    bl_label = "Forget"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        movie = context.scene.handheld.clip
        return movie is not None and len(movie.handheld.hints) > 0

    def execute(self, context: bpy.types.Context) -> set[str]:
        context.scene.handheld.clip.handheld.hints.clear()
        return {"FINISHED"}


class _OnHint:
    """One of what was said about hands of the clip that is edited."""

    number: IntProperty(name="Number", description="In the list", options={"SKIP_SAVE"})

    def chosen(self, context: bpy.types.Context) -> tuple[bpy.types.MovieClip, bpy.types.PropertyGroup] | None:
        root = scene.edited_root(context)
        movie = root.handheld.clip if root else context.scene.handheld.clip
        there = movie is not None and 0 <= self.number < len(movie.handheld.hints)
        return (movie, movie.handheld.hints[self.number]) if there else None


class HANDHELD_OT_remove_hint(_OnHint, bpy.types.Operator):
    """Take back what was said here; the next solve of the clip doesn't heed it"""

    bl_idname = "handheld.remove_hint"
    bl_label = "Remove Hint"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        if (found := self.chosen(context)) is None:
            return {"CANCELLED"}
        found[0].handheld.hints.remove(self.number)
        return {"FINISHED"}


class HANDHELD_OT_go_to_hint(_OnHint, bpy.types.Operator):
    """Show the frame that this is about"""

    bl_idname = "handheld.go_to_hint"
    bl_label = "Go to Hint"
    bl_options = {"INTERNAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        if (found := self.chosen(context)) is None:
            return {"CANCELLED"}
        context.scene.frame_set(hints.scene_frame(*found))
        return {"FINISHED"}


class HANDHELD_OT_remove_hand(bpy.types.Operator):
    """Remove a hand that is not in the take, with the keys that you set on it"""

    bl_idname = "handheld.remove_hand"
    bl_label = "Remove Hand"
    bl_options = {"REGISTER", "UNDO"}

    hand: StringProperty(name="Hand", description="Name of the hand's armature", options={"SKIP_SAVE"})

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return scene.is_own(scene.edited_root(context)) and not solve.is_running()

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
