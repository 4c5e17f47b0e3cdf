"""A solve from the artist's side: states, endings, and everything that can go wrong around it."""

import os
import sys
import threading
import time
from pathlib import Path

import bpy
import numpy as np
import pytest
from bl_ext.user_default.handheld.addon import animation, frames, process, request, rig, scene, solve
from bl_ext.user_default.handheld.addon.hands import hands_of
from bl_ext.user_default.handheld.addon.session import State
from movies import write_movie
from takes import moving_take

from solver import take as takes
from solver.hand_model import rotations as so3

REPOSITORY = Path(__file__).resolve().parents[2]
SCRIPTED = Path(__file__).parent / "scripted_solver.py"
SolverError = sys.modules["bl_ext.user_default.handheld.solver.errors"].SolverError
SECONDS = 120  # only ever waited for when something is broken


@pytest.fixture
def movie(tmp_path):
    clip = bpy.data.movieclips.load(str(write_movie(tmp_path / "手 clip.mp4")))
    bpy.context.scene.handheld.clip = clip
    return clip


@pytest.fixture
def script(monkeypatch, tmp_path, movie):
    """Choose what the solver will do."""

    def choose(name, take=None):
        path = tmp_path / "scripted.npz"
        takes.save(take or moving_take(), path)
        command = [sys.executable, "-I", str(SCRIPTED), str(REPOSITORY), name, str(path)]
        monkeypatch.setattr(solve, "command", lambda context: command)

    return choose


def pump_until(reached, session):
    deadline = time.monotonic() + SECONDS
    while not reached() and time.monotonic() < deadline:
        session.pump(0.05)
    assert reached()


def pump_to_end(session):
    pump_until(lambda: not session.is_active, session)
    return session


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def root():
    return scene.find_root(bpy.context.scene, bpy.context.scene.handheld.clip)


def hands():
    return hands_of(root()) if root() else []


def previewed_hands():
    return [o for o in bpy.context.scene.objects if o.handheld.role == "HAND"]


def key_counts(armature):
    return {len(c.keyframe_points) for c in animation.curves(armature) if c.data_path.startswith("pose.")}


def shows(take):
    """Every hand stands in the scene as it does in the take."""
    for row, armature in enumerate(hands()):
        for t in np.flatnonzero(take.status[row] != takes.MISSING)[::7]:
            bpy.context.scene.frame_set(int(take.frames[t]))
            rotations, transl = rig.read_pose(armature)
            assert np.degrees(so3.angle_between(take.rotations[row, t], rotations)).max() < 0.01
            np.testing.assert_allclose(transl, take.transl[row, t], atol=1e-5)
    assert tuple(hand.handheld.side for hand in hands()) == take.sides
    return True


def test_the_operator_blocks_in_background_and_builds_the_take(script):
    take = moving_take()
    script("finish", take)
    assert bpy.ops.handheld.solve() == {"FINISHED"}
    session = solve.current()
    assert session.state is State.FINISHED and session.problem is None
    assert bpy.context.scene.frame_current == 1
    assert shows(take)
    assert Path(session.take_path).is_file() and "手 clip." in Path(session.take_path).name
    assert root().handheld.take == session.take_path
    assert [warning.code for warning in session.warnings] == ["focal-guessed"]
    assert bpy.context.scene.camera.parent == root()
    assert 0 < hands()[0].handheld.coverage < 1 == hands()[1].handheld.coverage


def test_nothing_runs_on_after_the_end(script):
    script("finish")
    pump_to_end(session := solve.start(bpy.context))
    assert not session._process.is_alive and threading.active_count() == 1


def test_hands_move_while_it_runs(script):
    take = moving_take()
    script("slow", take)
    session = solve.start(bpy.context)
    pump_until(lambda: len(previewed_hands()) == 2 and min(key_counts(previewed_hands()[1])) > 3, session)
    assert session.is_active and session.state is State.RUNNING
    assert session.stage == "Fitting the hands" and 0 < session.progress < 1
    right = previewed_hands()[1]
    frame = bpy.context.scene.frame_current
    assert frame > 1  # the scene follows
    rotations, transl = rig.read_pose(right)
    assert np.degrees(so3.angle_between(take.rotations[1, frame - 1], rotations)).max() < 0.01
    np.testing.assert_allclose(transl, take.transl[1, frame - 1], atol=1e-5)
    assert {key.type for curve in animation.curves(right) for key in curve.keyframe_points} == {"GENERATED"}


def test_a_moving_camera_is_seen_while_it_runs(script):
    take = moving_take(camera_kind="given")
    script("slow", take)
    session = solve.start(bpy.context)
    pump_until(lambda: bpy.context.scene.camera is not None, session)
    assert session.is_active and session.state is State.RUNNING
    for row in (0, 17):
        bpy.context.scene.frame_set(int(take.frames[row]))
        found = frames.camera_to_solver(np.array(bpy.context.scene.camera.matrix_world))
        np.testing.assert_allclose(found, take.world_from_camera[row], atol=1e-5)


def test_the_scene_stays_where_it_is_if_it_shall_not_follow(script):
    bpy.context.scene.handheld.use_follow = False
    script("finish")
    pump_to_end(solve.start(bpy.context))
    assert bpy.context.scene.frame_current == 1


def test_cancel_keeps_what_is_there(script):
    script("slow")
    session = solve.start(bpy.context)
    pump_until(lambda: len(previewed_hands()) == 2, session)
    assert bpy.ops.handheld.cancel() == {"FINISHED"}
    assert session.state is State.CANCELLING and not bpy.ops.handheld.cancel.poll()
    pump_to_end(session)
    assert session.state is State.CANCELLED and session.problem is None
    assert len(hands()) == 2 and not session._process.is_alive


def test_a_solver_that_hears_no_cancel_is_ended(script, monkeypatch):
    monkeypatch.setattr(process, "CANCEL_GRACE_SECONDS", 0.2)
    monkeypatch.setattr(process, "STOP_GRACE_SECONDS", 0.2)
    script("deaf")
    session = solve.start(bpy.context)
    pump_until(lambda: [key_counts(hand) for hand in previewed_hands()] == [{3}, {3}], session)
    pid = session._process.pid
    session.cancel()
    pump_to_end(session)
    assert session.state is State.CANCELLED and session.problem is None
    assert not is_alive(pid)
    assert len(hands()) == 2 and key_counts(hands()[1]) == {3}


def test_failure_carries_its_repair_and_raises_for_scripts(script):
    script("fail")
    with pytest.raises(RuntimeError, match="There is no hand in the clip. Choose another clip."):
        bpy.ops.handheld.solve()
    problem = solve.current().problem
    assert solve.current().state is State.FAILED
    assert (problem.code, problem.repair) == ("no-hands-found", "Choose another clip.")
    assert root() is None


def test_a_killed_solver_is_noticed(script):
    script("die")
    session = pump_to_end(solve.start(bpy.context))
    assert session.state is State.FAILED and session.problem.code == "solver-died"
    assert "SIGKILL" in session.problem.sentence and "Segmentation fault of some library" in session.problem.sentence
    assert len(hands()) == 2 and key_counts(hands()[1]) == {5}


def test_a_solver_that_leaves_without_a_word(script):
    script("silent_exit")
    session = pump_to_end(solve.start(bpy.context))
    assert session.problem.code == "solver-died" and "exit status 3" in session.problem.sentence


def test_poses_that_are_refined_replace_the_earlier_ones(script):
    """The solver streams a frame again when it knows better, and frames in any order."""
    script("refine", take := moving_take())
    session = solve.start(bpy.context)
    pump_until(lambda: session.stage == "Refined", session)
    right = previewed_hands()[1]
    assert key_counts(right) == {30}
    motion = rig.read_motion(right, bpy.context.scene, take.frames)
    assert np.degrees(so3.angle_between(take.rotations[1], motion.rotations)).max() < 0.01
    np.testing.assert_allclose(motion.transl, take.transl[1], atol=1e-5)


def test_garbage_on_stdout_is_no_harm(script):
    take = moving_take()
    script("garbage", take)
    session = pump_to_end(solve.start(bpy.context))
    assert session.state is State.FINISHED and shows(take)
    assert any("a library that prints" in line for line in session._process.log)


def test_a_solver_of_another_version_is_refused(script):
    script("newer")
    session = pump_to_end(solve.start(bpy.context))
    assert session.problem.code == "protocol-mismatch" and not session._process.is_alive


def test_a_failed_second_solve_leaves_the_first_ones_result(script):
    take = moving_take()
    script("finish", take)
    pump_to_end(solve.start(bpy.context))
    objects, seen_by = set(bpy.context.scene.objects.keys()), bpy.context.scene.camera
    for failing in ("die", "truncated_take", "fail"):
        script(failing, moving_take(seed=9))
        session = pump_to_end(solve.start(bpy.context))
        assert session.state is State.FAILED
        assert set(bpy.context.scene.objects.keys()) == objects and bpy.context.scene.camera == seen_by
        assert shows(take)
    assert len(bpy.data.collections) == 1 and len(bpy.data.armatures) == 2


def test_a_second_solve_updates_the_result(script):
    script("finish")
    pump_to_end(solve.start(bpy.context))
    before = hands()
    again = moving_take(seed=4)
    script("finish", again)
    pump_to_end(solve.start(bpy.context))
    assert hands() == before and shows(again)
    assert len(bpy.data.actions) == 3  # two armatures, one mesh that is hidden at times


def test_a_hand_that_the_result_would_not_fit_is_said_before_the_solve(script):
    script("finish")
    pump_to_end(solve.start(bpy.context))
    hand = next(thing for thing in bpy.data.objects if thing.type == "ARMATURE")
    hand.data.bones["thumb3"].name = "mine"
    session = solve.start(bpy.context)
    assert session.state is State.FAILED and session.problem.code == "bone-missing"
    hand.data.bones["mine"].name = "thumb3"
    action, animated = hand.animation_data.action, hand.animation_data
    animated.nla_tracks.new().strips.new("Mine", 1, action)
    animated.action = None
    session = solve.start(bpy.context)
    assert session.state is State.FAILED and session.problem.code == "motion-in-nla" and animated.action is None
    animated.nla_tracks[0].mute = True
    animation.assign(hand, action)
    assert pump_to_end(solve.start(bpy.context)).state is State.FINISHED


def test_one_solve_at_a_time(script):
    script("slow")
    session = solve.start(bpy.context)
    assert not bpy.ops.handheld.solve.poll()
    with pytest.raises(SolverError, match="running already"):
        solve.start(bpy.context)
    assert solve.current() is session and session.is_active


def test_loading_a_file_ends_the_solve(script):
    script("slow")
    session = solve.start(bpy.context)
    pump_until(lambda: len(previewed_hands()) == 2, session)
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    assert not session._process.is_alive and solve.current() is None
    assert not bpy.context.scene.objects


def test_undo_while_it_runs(script):
    take = moving_take()
    bpy.ops.ed.undo_push(message="Before")
    script("slow", take)
    session = solve.start(bpy.context)
    pump_until(lambda: len(previewed_hands()) == 2, session)
    bpy.ops.ed.undo_push(message="The artist does something")
    pump_until(lambda: min(key_counts(previewed_hands()[1])) > 8, session)
    bpy.ops.ed.undo()
    assert not previewed_hands()
    pump_until(lambda: len(previewed_hands()) == 2, session)
    session.cancel()
    pump_to_end(session)
    assert shows(take)


def test_a_finished_solve_is_one_undo_step(script, movie):
    take = moving_take()
    script("finish", take)
    bpy.ops.ed.undo_push(message="Before")
    bpy.ops.handheld.solve("EXEC_DEFAULT", True)
    assert len(hands()) == 2
    bpy.ops.ed.undo()
    assert not bpy.context.scene.objects and bpy.context.scene.handheld.clip is not None
    bpy.ops.ed.redo()
    assert shows(take)


def ours_before_load(module):
    return sum(handler.__module__.startswith(module) for handler in bpy.app.handlers.load_pre)


def test_disabling_the_extension_ends_the_solve(script):
    module = process.__name__.removesuffix(".addon.process")
    script("slow")
    session = solve.start(bpy.context)
    pump_until(lambda: len(previewed_hands()) == 2, session)
    assert ours_before_load(module) > 0
    try:
        bpy.ops.preferences.addon_disable(module=module)
        assert not session._process.is_alive
        assert ours_before_load(module) == 0
        assert not hasattr(bpy.types.Scene, "handheld") and not hasattr(bpy.types, "HANDHELD_OT_solve")
    finally:
        bpy.ops.preferences.addon_enable(module=module)


def test_a_removed_scene_is_no_crash(script):
    script("slow")
    session = solve.start(bpy.context)
    pump_until(lambda: len(previewed_hands()) == 2, session)
    gone = bpy.context.scene
    bpy.context.window.scene = bpy.data.scenes.new("Other")
    bpy.data.scenes.remove(gone)
    session.pump(0.1)
    session.cancel()
    assert pump_to_end(session).problem.code == "scene-gone"
    assert session.request.output in session.problem.repair and Path(session.request.output).is_file()


def refusal():
    session = solve.start(bpy.context)
    assert session.state is State.FAILED
    return session.problem.code


def test_missing_file(script, movie):
    script("finish")
    Path(movie.filepath).unlink()
    assert refusal() == "clip-missing"
    with pytest.raises(RuntimeError, match="Find the file"):
        bpy.ops.handheld.solve()


def test_found_again(script, movie, tmp_path):
    script("finish")
    moved = Path(movie.filepath).rename(tmp_path / "moved.mp4")
    assert refusal() == "clip-missing"
    assert bpy.ops.handheld.find_clip(filepath=str(moved)) == {"FINISHED"}
    assert solve.current() is None
    assert pump_to_end(solve.start(bpy.context)).state is State.FINISHED


def test_no_clip(script):
    script("finish")
    bpy.context.scene.handheld.clip = None
    assert not bpy.ops.handheld.solve.poll()
    assert refusal() == "no-clip"


def test_a_folder_that_is_gone(script, tmp_path):
    script("finish")
    folder = tmp_path / "project"
    folder.mkdir()
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / "shot.blend"))
    (folder / "shot.blend").unlink()
    folder.rmdir()
    assert refusal() == "folder-not-writable"


def test_the_take_lies_beside_the_saved_file(script, tmp_path):
    script("finish")
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "shot.blend"))
    session = pump_to_end(solve.start(bpy.context))
    assert Path(session.take_path) == tmp_path / "shot.手 clip.handheld.npz"


def test_no_solve_writes_over_a_take_that_something_may_still_show(script, tmp_path):
    """Undo brings the earlier take back; another .blend in the folder has its own."""
    script("finish", moving_take())
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "one.blend"))
    first = pump_to_end(solve.start(bpy.context)).take_path
    bpy.ops.ed.undo_push(message="Solved")
    script("finish", again := moving_take(seed=4))
    second = pump_to_end(solve.start(bpy.context)).take_path
    assert Path(second).name == "one.手 clip.2.handheld.npz" and shows(again)
    bpy.ops.ed.undo_push(message="Solved again")
    bpy.ops.ed.undo()
    assert root().handheld.take == f"//{Path(first).name}" and shows(moving_take())
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "two.blend"))
    assert pump_to_end(solve.start(bpy.context)).take_path not in (first, second)


def test_a_part_of_a_second_solve_is_not_kept(script):
    script("finish", moving_take())
    first = pump_to_end(solve.start(bpy.context)).take_path
    script("slow", moving_take(seed=4))
    session = solve.start(bpy.context)
    pump_until(lambda: len(previewed_hands()) == 4, session)
    session.cancel()
    pump_to_end(session)
    assert session.state is State.CANCELLED and root().handheld.take == first and shows(moving_take())
    assert not Path(session.request.output).exists()


def test_clips_of_one_name_have_takes_of_their_own(movie, tmp_path):
    """Unsaved files share a folder, and one .blend may hold two clips of one name."""
    (tmp_path / "other").mkdir()
    other = bpy.data.movieclips.load(str(write_movie(tmp_path / "other" / "手 clip.mp4")))
    assert len({request.take_path(movie), request.take_path(other)}) == 2
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "shot.blend"))
    assert len({request.take_path(movie), request.take_path(other)}) == 2
    assert request.take_path(movie).parent == tmp_path


def test_a_python_that_does_not_exist(script, monkeypatch):
    monkeypatch.setattr(solve, "command", lambda context: ["/nowhere/python3", "-I"])
    assert refusal() == "solver-not-started"


def test_the_command_is_isolated_and_the_preference_counts():
    command = solve.command(bpy.context)
    assert command[0] == sys.executable and command[1] == "-I"
    assert Path(command[2]).is_file() and command[3:] == ["serve"]
    preferences = bpy.context.preferences.addons[process.__name__.removesuffix(".addon.process")].preferences
    preferences.solver_python = "/other/python"
    assert solve.command(bpy.context)[0] == "/other/python"
    preferences.solver_python = ""


def test_takes_lie_side_by_side(script):
    """Another take with other settings; back and forth, nothing of either is lost."""
    first, second = moving_take(), moving_take(seed=4, sides=("right",), camera_kind="given")
    script("finish", first)
    pump_to_end(solve.start(bpy.context))
    hands()[0].pose.bones["index1"].keyframe_insert("scale", frame=3)
    bpy.ops.handheld.new_take()
    bpy.context.scene.handheld.quality = "FINAL"
    script("finish", second)
    pump_to_end(solve.start(bpy.context))
    takes_of = root().handheld_edit.takes
    assert [take.name for take in takes_of] == ["Take 1", "Take 2"] and takes_of[0].path != takes_of[1].path
    bpy.ops.handheld.switch_take(number=0)
    assert shows(first) and bpy.context.scene.handheld.quality == "BALANCED"
    assert not any(hand.hide_viewport for hand in hands())
    bpy.ops.handheld.switch_take(number=1)
    assert bpy.context.scene.handheld.quality == "FINAL" and root().handheld.take == takes_of[1].path
    assert [hand.handheld.side for hand in hands() if not hand.hide_viewport] == ["right"]
    bpy.context.scene.frame_set(9)
    right = next(hand for hand in hands() if hand.handheld.side == "right")
    np.testing.assert_allclose(rig.read_pose(right)[1], second.transl[0, 8], atol=1e-5)
    np.testing.assert_allclose(
        np.array(bpy.context.scene.camera.matrix_local)[:3, 3],
        frames.WORLD @ second.world_from_camera[8, :3, 3],
        atol=1e-5,
    )


def test_a_take_of_the_list_that_is_gone(script):
    script("finish", moving_take())
    pump_to_end(solve.start(bpy.context))
    bpy.ops.handheld.new_take()
    pump_to_end(solve.start(bpy.context))
    Path(root().handheld_edit.takes[0].path).unlink()
    with pytest.raises(RuntimeError, match="is not there"):
        bpy.ops.handheld.switch_take(number=0)
    assert root().handheld_edit.active_take == 1 and shows(moving_take())


def test_a_new_take_that_is_not_solved_yet_is_no_trap(script):
    script("finish", take := moving_take())
    pump_to_end(solve.start(bpy.context))
    bpy.ops.handheld.new_take()
    with pytest.raises(RuntimeError, match="a new take already"):
        bpy.ops.handheld.new_take()
    hands()[0].pose.bones["index1"].keyframe_insert("scale", frame=3)
    mine = hands()[0].animation_data.action
    bpy.ops.handheld.switch_take(number=0)
    assert shows(take) and hands()[0].animation_data.action != mine
    bpy.ops.handheld.switch_take(number=1)
    assert hands()[0].animation_data.action == mine and root().handheld_edit.takes[1].path == ""
    for number in (-1, 7):
        with pytest.raises(RuntimeError, match="no take"):
            bpy.ops.handheld.switch_take(number=number)
