"""Runs inside Blender's window: the panels *Onto Your Rig* and *Export* in their states, with pictures.

``blender --factory-startup --python retarget.py``; pictures and ``result.txt`` go to /session.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import bpy
from mathutils import Matrix

sys.path.insert(0, str(Path(__file__).parent))

from window import WORK, addon, area, install, invoke, open_sidebar, picture, region, run, until, window  # noqa: E402

_PANELS = ("retarget", "rig_bones", "export")


def open_panels() -> None:
    """Blender has no word for opening a panel that is closed at first."""
    for name in _PANELS:
        panel = getattr(bpy.types, f"HANDHELD_PT_view3d_{name}")
        bpy.utils.unregister_class(panel)
        panel.bl_options = set()
        bpy.utils.register_class(panel)


def turned(name: str, before: Matrix) -> float:
    """Radians between a bone of the target and where it was."""
    now = bpy.context.scene.handheld_retarget.target.pose.bones[name].matrix
    return before.to_quaternion().rotation_difference(now.to_quaternion()).angle


def steps() -> Iterator[float]:
    import rigs
    from takes import moving_take

    from solver import take as takes

    yield 1.0
    install()
    bpy.ops.object.select_all(action="SELECT")
    bpy.ops.object.delete()
    takes.save(moving_take(frames=30), WORK / "take.npz")
    bpy.ops.handheld.import_take(filepath=str(WORK / "take.npz"), use_clip=False)
    open_panels()
    yield from open_sidebar("VIEW_3D")
    picture("retarget_1_no_target")

    settings = bpy.context.scene.handheld_retarget
    settings.target = rigs.mixamo()
    yield 0.3
    picture("retarget_2_target")
    assert invoke(bpy.ops.handheld.detect_rig) == {"FINISHED"}
    settings.placement = "HERE"
    yield 0.5
    picture("retarget_3_detected")
    assert invoke(bpy.ops.handheld.test_retarget) == {"FINISHED"}
    assert settings.target.animation_data is None
    yield 0.5
    picture("retarget_4_tested")

    bpy.ops.ed.undo_push(message="before")
    with bpy.context.temp_override(window=window(), area=area("VIEW_3D"), region=region("VIEW_3D", "WINDOW")):
        assert bpy.ops.handheld.retarget("EXEC_DEFAULT", True) == {"FINISHED"}  # True: as a button, with its undo step
    assert bpy.context.scene.handheld_retarget.target.animation_data.action is not None
    yield 0.5
    picture("retarget_5_done")
    bpy.ops.ed.undo()
    data = bpy.context.scene.handheld_retarget.target.animation_data
    assert data is None or data.action is None  # one step
    bpy.ops.ed.redo()
    assert bpy.context.scene.handheld_retarget.target.animation_data.action is not None

    settings = bpy.context.scene.handheld_retarget
    settings.use_live = True
    hand = next(o for o in bpy.context.scene.objects if o.handheld.role == "HAND")
    name = next(s.bone for s in settings.slots if s.name == f"{hand.handheld.side}.index.1")
    before = settings.target.pose.bones[name].matrix.copy()
    bone = hand.pose.bones["index1"]
    bone.rotation_quaternion = (0.7, 0.7, 0.0, 0.0)
    bone.keyframe_insert("rotation_quaternion", frame=bpy.context.scene.frame_current)
    yield from until(lambda: turned(name, before) > 0.1)  # the link waits for a quiet moment
    yield 0.5
    bpy.context.scene.handheld_retarget.use_live = False

    settings.target.scale = (0.01, 0.02, 0.01)
    yield 0.3
    try:
        invoke(bpy.ops.handheld.retarget)
    except RuntimeError as problem:
        assert "unevenly" in str(problem)
    yield 0.5
    picture("retarget_6_refused")
    assert invoke(bpy.ops.handheld.export) == {"RUNNING_MODAL"}
    yield 1.0
    picture("retarget_7_export")
    addon("retarget.session").refresh_pending()


run(steps())
