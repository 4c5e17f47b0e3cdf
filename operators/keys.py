"""Taking keys away, and handing a plain copy over."""

from __future__ import annotations

import math

import bpy
from bpy.props import BoolProperty, EnumProperty

from ..addon import baking, clearing, hands, scene, shifting, solve
from ..solver.wording import counted
from .guards import ChangesSolved, WritesKeys, reported

_WHERE = (
    ("ALL", "Everywhere", "In all frames"),
    ("BEFORE", "Before", "Before the current frame"),
    ("AFTER", "After", "After the current frame"),
    ("BETWEEN", "Range", "In the range to work on"),
)


class HANDHELD_OT_clear_keys(WritesKeys, bpy.types.Operator):
    """Remove keys that the solver wrote. Your own stay, unless you say otherwise"""

    bl_idname = "handheld.clear_keys"
    bl_label = "Clear Keys"
    bl_options = {"REGISTER", "UNDO"}

    where: EnumProperty(name="Where", items=_WHERE)
    # asked for anew each time: what was wanted once must not take the artist's keys the next time
    with_artists: BoolProperty(
        name="My Keys Too", description="Remove keys that you set yourself as well", options={"SKIP_SAVE"}
    )
    with_camera: BoolProperty(name="Camera Too", description="Remove the camera's keys as well", options={"SKIP_SAVE"})

    @reported
    def execute(self, context: bpy.types.Context) -> set[str]:
        editing, now = context.scene.handheld_editing, context.scene.frame_current
        within = {
            "ALL": (-math.inf, math.inf),
            "BEFORE": (-math.inf, now - 1e-3),
            "AFTER": (now + 1e-3, math.inf),
            "BETWEEN": (min(editing.first, editing.last), max(editing.first, editing.last)),
        }[self.where]
        root = scene.edited_root(context)
        for hand in hands.hands_of(root):
            hands.require_own_motion(hand)
        count = clearing.clear(root, within, self.with_artists, self.with_camera)
        self.report({"INFO"}, f"Removed {counted(count, 'key')}.")
        return {"FINISHED"}


class HANDHELD_OT_follow_clip(ChangesSolved, bpy.types.Operator):
    """Move all keys and pins in time to where the clip is now, as when a shot is to start at frame 1001"""

    bl_idname = "handheld.follow_clip"
    bl_label = "Move Keys Along"

    @reported
    def execute(self, context: bpy.types.Context) -> set[str]:
        moved = shifting.follow(context.scene, scene.edited_root(context))
        solve.dismiss()
        self.report({"INFO"}, f"Moved by {counted(moved, 'frame')}.")
        return {"FINISHED"}


class HANDHELD_OT_bake(WritesKeys, bpy.types.Operator):
    """Make a copy of hands and camera with ordinary keys in every frame and the root's transform in them"""

    bl_idname = "handheld.bake"
    bl_label = "Bake a Copy"
    bl_options = {"REGISTER", "UNDO"}

    hide_original: BoolProperty(
        name="Hide Original", default=True, description="Hide the hands that the copy was made of in this view layer"
    )

    @reported
    def execute(self, context: bpy.types.Context) -> set[str]:
        root = scene.edited_root(context)
        collection = baking.bake(context.scene, root)
        if self.hide_original:
            baking.hide_original(root, context.view_layer)
        hidden = "; the original hands are hidden" if self.hide_original else ""
        self.report({"INFO"}, f"The copy is in the collection {collection.name}{hidden}.")
        return {"FINISHED"}


CLASSES = (HANDHELD_OT_clear_keys, HANDHELD_OT_follow_clip, HANDHELD_OT_bake)
