"""Operators about seeing how well hands cover the plate."""

from __future__ import annotations

import bpy
from bpy.props import EnumProperty

from ..addon import overlay, scene, take_files
from ..addon.overlay_properties import STYLES
from ..solver.errors import SolverError
from .guards import ReadsSolved, reported


class HANDHELD_OT_overlay(ReadsSolved, bpy.types.Operator):
    """Draw the hands, as solved, over the plate, as a movie beside the take; shown in the clip editor. Esc stops"""

    bl_idname = "handheld.overlay"
    bl_label = "Draw Overlay"
    bl_options = {"REGISTER"}

    style: EnumProperty(name="Style", items=STYLES, default="OUTLINE")

    _run: overlay.OverlayRun | None = None
    _timer: bpy.types.Timer | None = None

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Blocks until the end: background mode and scripts."""
        if not self._start(context):
            return {"CANCELLED"}
        self._run.wait()
        return self._end(context)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if bpy.app.background:
            return self.execute(context)
        if not self._start(context):
            return {"CANCELLED"}
        self._timer = context.window_manager.event_timer_add(0.2, window=context.window)
        context.window_manager.modal_handler_add(self)
        context.workspace.status_text_set("Drawing the overlay; Esc stops")
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if event.type == "ESC" and event.value == "PRESS":
            self.cancel(context)
            return {"CANCELLED"}
        if event.type != "TIMER" or self._run.is_running:
            return {"PASS_THROUGH"}
        self._leave(context)
        return self._end(context)

    def cancel(self, context: bpy.types.Context) -> None:
        self._leave(context)
        self._run.stop()

    def _start(self, context: bpy.types.Context) -> bool:
        try:
            self._run = overlay.start(context, scene.edited_root(context), self.style.lower())
        except SolverError as problem:
            self.report({"ERROR"}, str(problem))
            return False
        return True

    def _leave(self, context: bpy.types.Context) -> None:
        context.window_manager.event_timer_remove(self._timer)
        context.workspace.status_text_set(None)

    def _end(self, context: bpy.types.Context) -> set[str]:
        problem, movie = self._run.problem(), self._run.movie
        self._run.stop()
        root = scene.edited_root(context)
        if problem or root is None:
            self.report({"ERROR"}, problem or "The hands are gone.")
            return {"CANCELLED"}
        overlay.show(context, movie, root)
        self.report({"INFO"}, f"Drawn to {movie}")
        return {"FINISHED"}


class HANDHELD_OT_worst_outline(ReadsSolved, bpy.types.Operator):
    """Go to the next of the frames in which a hand covers its mask worst"""

    bl_idname = "handheld.worst_outline"
    bl_label = "Next Poor Outline"
    bl_options = {"REGISTER", "UNDO"}

    @reported
    def execute(self, context: bpy.types.Context) -> set[str]:
        root = scene.edited_root(context)
        take = take_files.of_root(root)
        frame = overlay.worst_frame(take, root.handheld.clip, context.scene.frame_current)
        if frame is None:
            self.report({"WARNING"}, "This take knows no outlines. Solve with quality Final, or with masks")
            return {"CANCELLED"}
        context.scene.frame_set(frame)
        return {"FINISHED"}


CLASSES = (HANDHELD_OT_overlay, HANDHELD_OT_worst_outline)
