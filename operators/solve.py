"""Operators that start and end a solve."""

from __future__ import annotations

import bpy

from ..addon import solve
from ..addon.session import Session, State

TICK_SECONDS = 0.1
_SHOWN_IN = ("VIEW_3D", "CLIP_EDITOR")
_timer: bpy.types.Timer | None = None


class HANDHELD_OT_solve(bpy.types.Operator):
    """Find the hands of the clip and place them, with the camera, in one world"""

    bl_idname = "handheld.solve"
    bl_label = "Solve"
    # UNDO makes the whole solve one step, pushed when it ends
    bl_options = {"UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if solve.is_running():
            cls.poll_message_set("A solve is running already; wait for it, or cancel it")
            return False
        cls.poll_message_set("Open a clip first")
        return context.scene.handheld.clip is not None

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Blocks until the end: background mode and scripts."""
        session = solve.start(context)
        while session.is_active:
            session.pump(timeout=TICK_SECONDS)
        return self._report(session)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if bpy.app.background:
            return self.execute(context)
        session = solve.start(context)
        if not session.is_active:
            return self._report(session)
        _add_timer(context)
        context.window_manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        # Esc is left to the artist, who goes on working meanwhile; the panel has a Cancel button.
        session = solve.current()
        if session is None:
            remove_timer()
            return {"CANCELLED"}
        if event.type != "TIMER":
            return {"PASS_THROUGH"}
        is_over = session.pump()
        _redraw(context)
        if not is_over:
            return {"PASS_THROUGH"}
        remove_timer()
        return self._report(session)

    def cancel(self, context: bpy.types.Context) -> None:
        """Blender drops the operator: another file, a closed window, the end."""
        remove_timer()
        solve.abandon()

    def _report(self, session: Session) -> set[str]:
        if session.state is State.FAILED:
            self.report({"ERROR"}, str(session.problem))
            return {"CANCELLED"}
        self.report({"INFO"}, session.summary if bpy.app.background else session.outcome)
        return {"FINISHED"}


class HANDHELD_OT_cancel(bpy.types.Operator):
    """Stop solving and keep what there is"""

    bl_idname = "handheld.cancel"
    bl_label = "Cancel"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        cls.poll_message_set("Nothing is running")
        return solve.is_running() and solve.current().state is not State.CANCELLING

    def execute(self, context: bpy.types.Context) -> set[str]:
        solve.current().cancel()
        return {"FINISHED"}


class HANDHELD_OT_dismiss(bpy.types.Operator):
    """Clear the message"""

    bl_idname = "handheld.dismiss"
    bl_label = "Dismiss"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return solve.current() is not None and not solve.is_running()

    def execute(self, context: bpy.types.Context) -> set[str]:
        solve.dismiss()
        return {"FINISHED"}


def _add_timer(context: bpy.types.Context) -> None:
    global _timer
    remove_timer()
    _timer = context.window_manager.event_timer_add(TICK_SECONDS, window=context.window)


def remove_timer() -> None:
    """Stop the ticking, if there is any."""
    global _timer
    if _timer is not None:
        bpy.context.window_manager.event_timer_remove(_timer)
        _timer = None


def _redraw(context: bpy.types.Context) -> None:
    for window in context.window_manager.windows:
        for area in window.screen.areas:
            if area.type in _SHOWN_IN:
                area.tag_redraw()


CLASSES = (HANDHELD_OT_solve, HANDHELD_OT_cancel, HANDHELD_OT_dismiss)
