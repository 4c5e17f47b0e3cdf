"""Runs inside Blender's window: the artist's loop with the real solver and a real mouse, a picture of each state.

Needs WORK/clip.mp4 and its take, WORK/take.npz (``python -m solver solve``); see ``drive.py`` for the rest.
"""

from __future__ import annotations

import contextlib
import dataclasses
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import bpy
from bpy_extras import view3d_utils
from mathutils import Vector

sys.path.insert(0, str(Path(__file__).parent))

from window import (
    REPOSITORY,
    WORK,
    addon,
    area,
    hands,
    install,
    invoke,
    open_sidebar,
    picture,
    region,
    run,
    running,
    until,
)  # noqa: E402, E501

AT = 60


def steps() -> Iterator[float]:
    yield 1.0
    install()
    for thing in list(bpy.data.objects):
        bpy.data.objects.remove(thing)
    command = [str(REPOSITORY / ".venv/bin/python"), "-I", str(REPOSITORY / "solver/launch.py"), "serve"]
    addon("solve").command = lambda context: command
    yield from open_sidebar("VIEW_3D")
    from solver import take as takes

    bpy.context.scene.handheld.clip = bpy.data.movieclips.load(str(WORK / "clip.mp4"))
    bpy.ops.handheld.match_scene()
    take = dataclasses.replace(takes.load(WORK / "take.npz"), clip_path=str(WORK / "clip.mp4"))
    takes.save(take, WORK / "there.npz")
    bpy.ops.handheld.import_take(filepath=str(WORK / "there.npz"))
    bpy.context.scene.handheld.use_scene_camera = True
    view = area("VIEW_3D").spaces[0]
    view.shading.color_type = "MATERIAL"
    view.region_3d.view_perspective = "CAMERA"
    bpy.context.scene.frame_set(AT)
    bpy.ops.ed.undo_push(message="Solved")
    yield 1.0
    _open_panel_scrolled()
    yield 0.5
    picture("e1_solved")

    hand = hands()[0]
    before = _tip(hand)
    assert invoke(bpy.ops.handheld.pin_fingertip) == {"RUNNING_MODAL"}
    yield 0.5
    yield from _drag(before, (40, 25))
    yield from until(lambda: bool(_pins()) and not running())
    yield 0.7
    picture("e2_dragged_and_re_solved")
    pin = _pins()[0]
    assert pin.kind == "POINT" and (_pinned_tip(pin) - addon("pins").place_of(_root(), pin)).length < 5e-3

    bpy.ops.ed.undo()
    yield 0.3
    assert len(_pins()) == 1 and (_tip(hands()[0]) - before).length < 1e-5
    picture("e3_undone")
    bpy.ops.ed.redo()
    yield 0.3

    invoke(bpy.ops.handheld.pin_pose, hand=hands()[0].name)
    invoke(bpy.ops.handheld.hold_still, hand=hands()[0].name)
    invoke(bpy.ops.handheld.ignore, hand=hands()[-1].name)
    yield 0.3
    picture("e4_pins")
    keys = _keys()
    assert invoke(bpy.ops.handheld.resolve, frames="ALL") == {"RUNNING_MODAL"}
    yield 0.2
    picture("e5_re_solving")
    subprocess.run(["xdotool", "key", "Escape"], check=True)
    yield from until(lambda: not running())
    yield 0.3
    picture("e6_abandoned")
    assert addon("solve").current().state.name in ("CANCELLED", "FINISHED")
    if addon("solve").current().state.name == "CANCELLED":
        assert _keys() == keys

    _root().handheld.take = "/nowhere/take.npz"
    with contextlib.suppress(RuntimeError):  # what an artist sees as a report
        invoke(bpy.ops.handheld.resolve, frames="AROUND")
    yield 0.5
    picture("e7_take_gone")
    _root().handheld.take = str(WORK / "there.npz")
    invoke(bpy.ops.handheld.next_weak)
    yield 0.5
    picture("e8_review")


def _root() -> bpy.types.Object:
    return addon("scene").edited_root(bpy.context)


def _pins():
    return _root().handheld_edit.pins


def _tip(hand: bpy.types.Object) -> Vector:
    return Vector(addon("hands").keypoints(hand)[8])


def _pinned_tip(pin) -> Vector:
    return Vector(addon("hands").keypoints(pin.hand)[addon("wishes").keypoint_number(pin.keypoint)])


def _keys() -> bytes:
    return b"".join(
        bytes(str([tuple(key.co) for key in curve.keyframe_points]), "utf8")
        for hand in hands()
        for curve in addon("animation").curves(hand)
    )


def _open_panel_scrolled() -> None:
    """The panels that this is about, open."""
    for kind in ("edit", "review"):
        getattr(bpy.types, f"HANDHELD_PT_view3d_{kind}").bl_options = set()


def _drag(start: Vector, by: tuple[int, int]) -> Iterator[float]:
    shown = region("VIEW_3D", "WINDOW")
    x, y = view3d_utils.location_3d_to_region_2d(shown, area("VIEW_3D").spaces[0].region_3d, start)
    x, y = int(shown.x + x), int(bpy.context.window_manager.windows[0].height - shown.y - y)
    moves = [f"mousemove {x} {y} sleep 0.5 mousemove_relative 1 1 sleep 0.5 mousedown 1 sleep 0.4"]
    moves += [f"mousemove_relative {by[0] // 4} {by[1] // 4} sleep 0.2"] * 4
    subprocess.Popen(["xdotool", *" ".join([*moves, "mouseup 1"]).split()])
    yield 3.0


run(steps())
