"""Whatever happens while a stretch is re-solved, or before: nothing of the artist's is lost, and words say it."""

import os
import shutil
import signal

import bpy
import numpy as np
import pytest
from bl_ext.user_default.handheld.addon import animation, hands, pinned_camera, rig, solve, take_to_scene
from bl_ext.user_default.handheld.addon.hands import hands_of
from bl_ext.user_default.handheld.addon.resolve import Stretch
from bl_ext.user_default.handheld.addon.session import State
from mathutils import Vector
from movies import write_movie
from solved import all_keys, hand, resolve, root


@pytest.fixture
def running(solved):
    """A re-solve of everything that has begun and gets no further."""
    resolve(frames="RANGE")
    bpy.ops.ed.undo_push(message="Re-solved")
    process = solve.current()._process
    os.kill(process.pid, signal.SIGSTOP)
    yield solve.start_resolve(bpy.context, Stretch(501, 580))
    if process.is_alive:
        os.kill(process.pid, signal.SIGCONT)


def go_on(session):
    os.kill(session._process.pid, signal.SIGCONT)
    while session.is_active:
        session.pump(0.05)
    return session


def same(first, second):
    return first.keys() == second.keys() and all(np.array_equal(first[curve], second[curve]) for curve in first)


def test_a_killed_solver_is_said_and_the_next_re_solve_has_another(running):
    before = all_keys(hand("left"))
    os.kill(running._process.pid, signal.SIGKILL)
    while running.is_active:
        running.pump(0.05)
    assert running.problem.code == "re-solve-died" and same(all_keys(hand("left")), before)
    assert resolve(frames="RANGE") == {"FINISHED"}


def test_escape_gives_back_a_pose_that_was_not_keyed(solved):
    left = hand("left")
    wrist = left.pose.bones["wrist"]
    wrist.location = wrist.location + Vector((0.1, 0.0, 0.0))
    posed = rig.shown_pose(left)
    session = solve.start_resolve(bpy.context, Stretch(501, 580))
    while session.is_active and rig.shown_pose(left) == posed:
        session.pump(0.01)
    assert session.is_active, "the shown frame moves before the end"
    session.cancel()
    while session.is_active:
        session.pump(0.05)
    assert session.state is State.CANCELLED and rig.shown_pose(left) == posed


def test_an_undo_meanwhile_abandons(running):
    bpy.ops.ed.undo()
    before = all_keys(hand("left"))
    assert go_on(running).state is State.CANCELLED
    assert same(all_keys(hand("left")), before)


def test_a_hand_that_is_deleted_meanwhile(running):
    bpy.data.objects.remove(hand("left"))
    before = all_keys(hand("right"))
    assert go_on(running).state is State.FINISHED
    assert not same(all_keys(hand("right")), before)


@pytest.mark.parametrize("collection", ["cameras", "actions"])
def test_what_a_hand_stands_on_is_deleted_meanwhile(running, collection):
    bpy.data.batch_remove(list(getattr(bpy.data, collection)))
    assert go_on(running).state is State.FINISHED
    assert len(animation.key_frames(hand("left"), hands.LOCATION)) == 80


def test_the_scene_is_deleted_meanwhile(running):
    old = bpy.context.scene
    bpy.context.window.scene = bpy.data.scenes.new("Other")
    bpy.data.scenes.remove(old)
    assert go_on(running).problem.code == "scene-gone"


def test_everything_is_renamed_meanwhile(running):
    for number, thing in enumerate(list(bpy.data.objects)):
        thing.name = f"thing {number}"
    bpy.context.scene.name = "Mine"
    before = all_keys(hand("left"))
    assert go_on(running).state is State.FINISHED
    assert not same(all_keys(hand("left")), before)


def test_a_duplicate_of_a_hand_is_the_artist_s_own(solved):
    left = hand("left")
    copy = left.copy()
    copy.animation_data.action = left.animation_data.action.copy()
    solved.users_collection[0].objects.link(copy)
    before = all_keys(copy)
    assert resolve(frames="RANGE") == {"FINISHED"}
    assert hand("left") == left and same(all_keys(copy), before)
    take_to_scene._remove_other_hands(solved, hands_of(solved))
    assert copy.name in bpy.data.objects


def test_motion_in_an_nla_strip_is_said(solved):
    left = hand("left")
    animated = left.animation_data
    animated.nla_tracks.new().strips.new("Mine", 501, animated.action)
    animated.action = None
    for refused in (resolve, bpy.ops.handheld.new_take, lambda: bpy.ops.handheld.pin_pose(hand=left.name)):
        with pytest.raises(RuntimeError, match="Left Hand lies in an NLA strip"):
            refused()
    assert animated.action is None and not solved.handheld_edit.pins


def test_linked_hands_are_said(solved, tmp_path):
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "library.blend"))
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    with bpy.data.libraries.load(str(tmp_path / "library.blend"), link=True) as (there, wanted):
        wanted.objects = list(there.objects)
    for thing in wanted.objects:
        bpy.context.scene.collection.objects.link(thing)
    with pytest.raises(RuntimeError, match=r"is linked from library.blend"):
        resolve(frames="RANGE")
    assert not bpy.ops.handheld.delete_hand.poll() and not bpy.ops.handheld.new_take.poll()


_KEPT_ON_THE_ROOT = {
    **dict.fromkeys(("set_floor", "set_origin", "reset_world", "bring_keys", "leave_keys"), {}),
    **dict.fromkeys(("set_scale", "set_hand_length", "set_camera_height"), {"distance": 0.2}),
    **dict.fromkeys(("ignore", "new_take", "delete_hand", "swap_hand", "remove_hand", "find_take"), {}),
    **dict.fromkeys(("compare_take", "switch_take"), {"number": 0}),
}


def test_overridden_hands_find_their_take_and_are_solved_with_actions_of_their_own(take_path, solved, tmp_path):
    (tmp_path / "shot").mkdir()
    shutil.copy(take_path, tmp_path / "shot" / "take.npz")
    bpy.ops.handheld.find_take(filepath=str(tmp_path / "shot" / "take.npz"))
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "shot" / "library.blend"))
    assert solved.handheld.take == "//take.npz"
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    with bpy.data.libraries.load(str(tmp_path / "shot" / "library.blend"), link=True) as (there, wanted):
        wanted.collections = list(there.collections)
    for collection in wanted.collections:
        collection.override_hierarchy_create(bpy.context.scene, bpy.context.view_layer)
    bpy.context.view_layer.objects.active = hand("left")
    with pytest.raises(RuntimeError, match=r"motion of Left Hand is linked"):
        resolve(frames="ALL")
    with pytest.raises(RuntimeError, match=r"motion of Left Hand is linked"):
        bpy.ops.handheld.clear_keys(where="ALL")
    for operator, options in _KEPT_ON_THE_ROOT.items():  # they would be lost with the next load
        with pytest.raises(RuntimeError, match="library override, which can't keep this: work in its own file"):
            getattr(bpy.ops.handheld, operator)(**options)
    for armature in hands_of(root()):
        armature.animation_data.action = armature.animation_data.action.copy()
    assert resolve(frames="ALL") == {"FINISHED"}


def test_what_is_kept_on_a_linked_clip_is_refused(solved, tmp_path):
    write_movie(tmp_path / "clip.avi", 3)
    solved.handheld.clip = bpy.data.movieclips.load(str(tmp_path / "clip.avi"))
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "library.blend"))
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    with bpy.data.libraries.load(str(tmp_path / "library.blend"), link=True) as (there, wanted):
        wanted.movieclips = list(there.movieclips)
    bpy.context.scene.handheld.clip = wanted.movieclips[0]
    for operator in ("show_keypoints", "box_hand", "remove_hint", "clear_hints", "use_solved_lens"):
        with pytest.raises(RuntimeError, match="clip.avi is linked from library.blend: work in that file"):
            getattr(bpy.ops.handheld, operator)()


def test_of_several_solves_one_has_to_be_meant(solved, take_path, tmp_path):
    shutil.copy(take_path, tmp_path / "other.npz")
    bpy.ops.handheld.import_take(filepath=str(tmp_path / "other.npz"), use_clip=False)
    bpy.context.view_layer.objects.active = None
    for operator in ("resolve", "pin_pose", "set_floor", "next_weak"):
        with pytest.raises(RuntimeError, match="Several clips are solved in this scene: select a hand"):
            getattr(bpy.ops.handheld, operator)()


def test_hands_in_one_scene_of_two(solved):
    here = bpy.context.scene
    other = bpy.data.scenes.new("Other")
    bpy.context.window.scene = other
    assert not bpy.ops.handheld.resolve.poll() and root() is None
    bpy.context.window.scene = here
    assert resolve(frames="RANGE") == {"FINISHED"}


def test_a_camera_that_was_deleted_is_said(solved):
    bpy.data.objects.remove(pinned_camera.of_root(solved))
    with pytest.raises(RuntimeError, match="solved camera is not in the scene"):
        bpy.ops.handheld.pin_camera("EXEC_DEFAULT")
    assert resolve(frames="RANGE") == {"FINISHED"}


def test_a_key_that_is_no_number_is_said(solved):
    wrist = hand("left").pose.bones["wrist"]
    wrist.location.x = float("nan")
    wrist.keyframe_insert("location", frame=540)
    with pytest.raises(RuntimeError, match="Left Hand has keys that are no numbers"):
        resolve(frames="RANGE")
