"""Going through what the solver is not sure of."""

from __future__ import annotations

import bpy
from bpy.props import IntProperty

from ..addon import review, scene
from .guards import ReadsSolved, reported


class HANDHELD_OT_next_weak(ReadsSolved, bpy.types.Operator):
    """Go to where the next stretch begins in which the solver is unsure of a hand or finger"""

    bl_idname = "handheld.next_weak"
    bl_label = "Next Weak Frame"
    bl_options = {"REGISTER"}

    step: IntProperty(default=1, options={"HIDDEN"})

    @reported
    def execute(self, context: bpy.types.Context) -> set[str]:
        below = context.scene.handheld_editing.weak_below
        found = review.next_weak(scene.edited_root(context), below, context.scene.frame_current, self.step)
        if found is None:
            self.report({"INFO"}, f"No weak stretch begins {'after' if self.step > 0 else 'before'} this frame.")
            return {"CANCELLED"}
        context.scene.frame_set(found)
        return {"FINISHED"}


CLASSES = (HANDHELD_OT_next_weak,)
