"""Operators that start and end a solve."""

from __future__ import annotations

import bpy

from ..addon import solve
from ..addon.session import Session, State
from .guards import allows, why_not_now
from .running import RunsSession


class HANDHELD_OT_solve(RunsSession, bpy.types.Operator):
    """Find the hands of the clip and place them, with the camera, in one world"""

    bl_idname = "handheld.solve"
    bl_label = "Solve"
    # UNDO makes the whole solve one step, pushed when it ends
    bl_options = {"UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return allows(cls, why_not_now() or ("" if context.scene.handheld.clip else "Open a clip first"))

    def start(self, context: bpy.types.Context) -> Session:
        return solve.start(context)


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


CLASSES = (HANDHELD_OT_solve, HANDHELD_OT_cancel, HANDHELD_OT_dismiss)
