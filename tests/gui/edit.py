"""Runs inside Blender's window: the artist's loop with the real solver and a real mouse, a picture of each state.

Needs WORK/clip.mp4 and its take, WORK/take.npz (``python -m solver solve``); see ``drive.py`` for the rest.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import bpy
from bpy_extras import view3d_utils
from mathutils import Vector

sys.path.insert(0, str(Path(__file__).parent))

from window import (
    WORK,
    addon,
    area,
    begin,
    hands,
    invoke,
    open_sidebar,
    picture,
    region,
    run,
    running,
    until,
    window,
)  # noqa: E402, E501

AT = 60


def steps() -> Iterator[float]:
    yield 1.0
    begin()
    _open("review")
    _open("takes")
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
    assert pin.kind == "POINT" and (_pinned_tip(pin) - addon("pins").place_of(pin)).length < 5e-3

    bpy.ops.ed.undo()
    yield 0.3
    assert len(_pins()) == 1 and (_tip(hands()[0]) - before).length < 1e-5
    picture("e3_undone")
    bpy.ops.ed.redo()
    yield 0.3

    yield from _key_as_it_stands()
    invoke(bpy.ops.handheld.pin_pose, hand=hands()[0].name)
    invoke(bpy.ops.handheld.hold_still, hand=hands()[0].name)
    invoke(bpy.ops.handheld.ignore, hand=hands()[-1].name)
    yield 0.3
    picture("e4_pins")
    invoke(bpy.ops.handheld.swap_hand, hand=hands()[1].name)
    yield 0.5
    picture("e14_hints")
    invoke(bpy.ops.handheld.remove_hint, number=0)
    yield from _escape()

    _root().handheld.take = "/nowhere/take.npz"
    with contextlib.suppress(RuntimeError):  # what an artist sees as a report
        invoke(bpy.ops.handheld.resolve, frames="AROUND")
    yield 0.5
    picture("e7_take_gone")
    _root().handheld.take = str(WORK / "there.npz")

    invoke(bpy.ops.handheld.resolve, frames="ALL")
    yield from until(lambda: not running())
    yield 0.3
    picture("e8_re_solved")
    os.kill(addon("warm").process(addon("solve").command(bpy.context)).pid, signal.SIGSTOP)
    invoke(bpy.ops.handheld.resolve, frames="ALL")
    os.kill(addon("solve").current()._process.pid, signal.SIGKILL)
    yield from until(lambda: not running())
    yield 0.5
    picture("e9_solver_died")

    edit_panel = bpy.types.HANDHELD_PT_view3d_edit
    bpy.utils.unregister_class(edit_panel)  # room for the panels below it
    bpy.ops.handheld.dismiss()
    invoke(bpy.ops.handheld.next_weak, step=-1)
    yield 0.5
    picture("e10_review")
    pinned = _keys()
    invoke(bpy.ops.handheld.new_take)
    yield 0.5
    picture("e11_new_take")
    invoke(bpy.ops.handheld.compare_take, number=0)
    yield 0.5
    assert addon("ghosts").shown(_root())
    picture("e13_compared")
    invoke(bpy.ops.handheld.switch_take, number=0)
    yield 0.5
    assert _keys() == pinned
    assert not addon("ghosts").shown(_root())
    picture("e12_switched_back")
    bpy.utils.register_class(edit_panel)


def _escape() -> Iterator[float]:
    """A solver that hangs, and Esc: what was there is there, an unkeyed pose too."""
    hand = hands()[0]
    wrist = hand.pose.bones["wrist"]
    wrist.location.x += 0.02  # posed, not keyed
    keys, posed = _keys(), tuple(wrist.location)
    process = addon("warm").process(addon("solve").command(bpy.context))
    os.kill(process.pid, signal.SIGSTOP)
    assert invoke(bpy.ops.handheld.resolve, frames="ALL") == {"RUNNING_MODAL"}
    yield 1.0
    assert running()
    picture("e5_re_solving")
    subprocess.run(["xdotool", "key", "Escape"], check=True)
    yield 1.0
    assert addon("solve").current().state.name == "CANCELLING"
    os.kill(process.pid, signal.SIGCONT)
    yield from until(lambda: not running())
    yield 0.3
    picture("e6_abandoned")
    assert addon("solve").current().state.name == "CANCELLED"
    assert _keys() == keys and tuple(hands()[0].pose.bones["wrist"].location) == posed


def _key_as_it_stands() -> Iterator[float]:
    """The key I over the viewport, on a wrist that is right: from then on it is the artist's, undone and redone too."""
    hand = hands()[0]
    bpy.context.view_layer.objects.active = hand
    with bpy.context.temp_override(window=window(), area=area("VIEW_3D"), region=region("VIEW_3D", "WINDOW")):
        bpy.ops.object.mode_set(mode="POSE")
        bpy.ops.pose.select_all(action="DESELECT")
    wrist = hand.pose.bones["wrist"]
    (wrist if bpy.app.version >= (5, 0, 0) else wrist.bone).select = True
    hand.data.bones.active = hand.data.bones["wrist"]
    _select_column(hands()[1])
    bpy.ops.ed.undo_push(message="Pose mode")
    yield 0.5
    shown = region("VIEW_3D", "WINDOW")
    x, y = shown.x + shown.width // 2, window().height - shown.y - shown.height // 2
    subprocess.Popen(["xdotool", *f"mousemove {x} {y} sleep 0.4 mousemove_relative 3 3 sleep 0.4 key i".split()])
    yield from until(lambda: addon("animation").has_artist_keys(hand))
    yield 1.0
    assert _held() == [AT] and not addon("animation").has_artist_keys(hands()[1])
    bpy.ops.ed.undo_push(message="Something else")
    bpy.ops.ed.undo()
    assert _held() == [AT]
    bpy.ops.ed.undo()
    assert _held() == []
    with bpy.context.temp_override(window=window(), area=area("VIEW_3D"), region=region("VIEW_3D", "WINDOW")):
        bpy.ops.object.mode_set(mode="OBJECT")


def _select_column(hand: bpy.types.Object) -> None:
    """Its keys of this frame, as a click into the dope sheet does: a key inserted on another hand is none of them."""
    for curve in addon("animation").curves(hand):
        for key in curve.keyframe_points:
            key.select_control_point = key.co[0] == AT


def _held() -> list[float]:
    found = addon("animation").artist_frames(hands()[0])
    return sorted(found.get(addon("hands").LOCATION, ()))


def _open(name: str) -> None:
    """Let a panel be open from the start."""
    kind = getattr(bpy.types, f"HANDHELD_PT_view3d_{name}")
    bpy.utils.unregister_class(kind)
    kind.bl_options = set()
    bpy.utils.register_class(kind)


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


def _drag(start: Vector, by: tuple[int, int]) -> Iterator[float]:
    shown = region("VIEW_3D", "WINDOW")
    x, y = view3d_utils.location_3d_to_region_2d(shown, area("VIEW_3D").spaces[0].region_3d, start)
    x, y = int(shown.x + x), int(bpy.context.window_manager.windows[0].height - shown.y - y)
    moves = [f"mousemove {x} {y} sleep 0.5 mousemove_relative 1 1 sleep 0.5 mousedown 1 sleep 0.4"]
    moves += [f"mousemove_relative {by[0] // 4} {by[1] // 4} sleep 0.2"] * 4
    subprocess.Popen(["xdotool", *" ".join([*moves, "mouseup 1"]).split()])
    yield 3.0


run(steps())
