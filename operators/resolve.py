"""Solving a stretch again, heeding the artist's keys and pins."""

from __future__ import annotations

import bpy
from bpy.props import BoolProperty, EnumProperty

from ..addon import ranges, solve
from ..addon.session import Session, State
from ..solver.errors import SolverError
from .guards import WritesKeys
from .running import RunsSession

_RANGES = (
    ("AROUND", "Here", "A second before and after the current frame, or what comes near it"),
    ("RANGE", "Range", "The range to work on"),
    ("KEYS", "Between Keys", "From the key or pin before the current frame to the one after it"),
    ("ALL", "All", "The whole take"),
)


class HANDHELD_OT_resolve(RunsSession, WritesKeys, bpy.types.Operator):
    """Solve these frames again: your own keys and the pins hold, all other frames stay as they are. Esc abandons"""

    bl_idname = "handheld.resolve"
    bl_label = "Re-solve"
    # UNDO makes it one step, pushed when it ends
    bl_options = {"UNDO"}

    tick_seconds = 0.02
    takes_escape = True

    frames: EnumProperty(name="Frames", items=_RANGES, options={"SKIP_SAVE"})
    only_active: BoolProperty(
        name="Only This Hand", description="Leave the other hands as they are", options={"SKIP_SAVE"}
    )

    def start(self, context: bpy.types.Context) -> Session:
        try:
            return solve.start_resolve(context, ranges.stretch(context, self.frames, self.only_active))
        except SolverError as problem:
            return solve.refuse(problem)

    def _report(self, session: Session) -> set[str]:
        super()._report(session)
        return {"FINISHED"} if session.state is State.FINISHED else {"CANCELLED"}


class HANDHELD_OT_set_edit_range(bpy.types.Operator):
    """Set the range to work on"""

    bl_idname = "handheld.set_edit_range"
    bl_label = "Set Range"
    bl_options = {"REGISTER", "UNDO", "INTERNAL"}

    end: EnumProperty(
        items=(
            ("FIRST", "First", "The range begins at the current frame"),
            ("LAST", "Last", "The range ends at the current frame"),
            ("PREVIEW", "Preview", "Take the timeline's preview range"),
        )
    )

    @classmethod
    def description(cls, context: bpy.types.Context, properties: bpy.types.OperatorProperties) -> str:
        return properties.bl_rna.properties["end"].enum_items[properties.end].description

    def execute(self, context: bpy.types.Context) -> set[str]:
        editing, now = context.scene.handheld_editing, context.scene
        match self.end:
            case "FIRST":
                editing.first, editing.last = now.frame_current, max(now.frame_current, editing.last)
            case "LAST":
                editing.first, editing.last = min(now.frame_current, editing.first), now.frame_current
            case "PREVIEW":
                editing.first, editing.last = now.frame_preview_start, now.frame_preview_end
        return {"FINISHED"}


CLASSES = (HANDHELD_OT_resolve, HANDHELD_OT_set_edit_range)
