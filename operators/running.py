"""A solve or re-solve in progress, as an operator: blocking without a window, ticking in one."""

from __future__ import annotations

import bpy

from ..addon import solve
from ..addon.session import Session, State

_SHOWN_IN = ("VIEW_3D", "CLIP_EDITOR", "DOPESHEET_EDITOR")
_timer: bpy.types.Timer | None = None


class RunsSession:
    """Mix-in of operators that start a session; ``start`` says which."""

    tick_seconds = 0.1
    # is Esc for this operator, or for whatever the artist does meanwhile?
    takes_escape = False

    def start(self, context: bpy.types.Context) -> Session:
        raise NotImplementedError

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Blocks until the end: background mode and scripts."""
        session = self.start(context)
        while session.is_active:
            session.pump(timeout=self.tick_seconds)
        return self._report(session)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if bpy.app.background:
            return self.execute(context)
        session = self.start(context)
        if not session.is_active:
            redraw(context)  # whoever asked by a shortcut sees the words in the panel, too
            return self._report(session)
        _add_timer(context, self.tick_seconds)
        context.window_manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        session = solve.current()
        if session is None:
            remove_timer()
            return {"CANCELLED"}
        if self.takes_escape and event.type == "ESC" and event.value == "PRESS":
            session.cancel()
            return {"RUNNING_MODAL"}
        if event.type != "TIMER":
            return {"PASS_THROUGH"}
        is_over = session.pump()
        redraw(context)
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
        for warning in session.warnings if bpy.app.background else ():
            self.report({"WARNING"}, warning.sentence)
        self.report({"INFO"}, session.summary if bpy.app.background else session.outcome)
        return {"FINISHED"}


def _add_timer(context: bpy.types.Context, seconds: float) -> None:
    global _timer
    remove_timer()
    _timer = context.window_manager.event_timer_add(seconds, window=context.window)


def remove_timer() -> None:
    """Stop the ticking, if there is any."""
    global _timer
    if _timer is not None:
        bpy.context.window_manager.event_timer_remove(_timer)
        _timer = None


def redraw(context: bpy.types.Context) -> None:
    """Draw again every editor that shows anything of ours."""
    for window in context.window_manager.windows:
        for area in window.screen.areas:
            if area.type in _SHOWN_IN:
                area.tag_redraw()
