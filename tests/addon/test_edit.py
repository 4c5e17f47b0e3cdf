"""The artist's loop with the real solver: change something, re-solve a stretch, undo, save, go on."""

import bpy
import numpy as np
import pytest
from bl_ext.user_default.handheld.addon import (
    animation,
    hands,
    held_keys,
    pinned_camera,
    ranges,
    rig,
    solve,
    take_files,
    warm,
)
from bl_ext.user_default.handheld.addon.resolve import Stretch
from bl_ext.user_default.handheld.addon.session import State
from mathutils import Quaternion, Vector
from solved import all_keys, hand, resolve, root

FIRST, LAST = 521, 560
LOCATION = 'pose.bones["wrist"].location'


def key_wrist(armature, frame, shift):
    """Move the wrist as an artist does: pose, then key."""
    bpy.context.scene.frame_set(frame)
    wrist = armature.pose.bones["wrist"]
    wrist.location = wrist.location + shift
    wrist.keyframe_insert("location", frame=frame)


def outside_is_untouched(before, after):
    for curve, keys in before.items():
        old = keys[(keys[:, 0] < FIRST) | (keys[:, 0] > LAST)]
        now = after[curve]
        now = now[(now[:, 0] < FIRST) | (now[:, 0] > LAST)]
        assert np.array_equal(old, now), curve
    return True


def test_a_key_is_kept_and_its_neighbours_follow(solved):
    left = hand("left")
    before = all_keys(left)
    key_wrist(left, 540, Vector((0.02, 0.0, 0.0)))
    keyed = all_keys(left)
    assert resolve(frames="RANGE") == {"FINISHED"}
    after = all_keys(left)
    for index in range(3):
        row = after[LOCATION, index][:, 0] == 540
        assert np.array_equal(after[LOCATION, index][row], keyed[LOCATION, index][row])
    moved = after[LOCATION, 0][:, 1] - before[LOCATION, 0][:, 1]
    frames = after[LOCATION, 0][:, 0]
    assert moved[frames == 538] > 0.005 and moved[frames == 542] > 0.005
    assert outside_is_untouched(before, after)


def test_ten_re_solves_keep_every_key_of_the_artist(solved):
    left = hand("left")
    camera = pinned_camera.of_root(solved)
    key_wrist(left, 540, Vector((0.01, 0.0, 0.005)))
    index = left.pose.bones["index2"]
    index.rotation_quaternion = index.rotation_quaternion @ Quaternion((1, 0, 0), 0.3)
    index.keyframe_insert("rotation_quaternion", frame=540)
    camera.location = camera.location + Vector((0.01, 0.0, 0.0))
    camera.keyframe_insert("location", frame=545)
    artists = artists_keys(left), artists_keys(camera)
    for _ in range(10):
        assert resolve(frames="RANGE") == {"FINISHED"}
        for target, kept in zip((left, camera), artists, strict=True):
            keys = all_keys(target)
            for (path, component, frame), bits in kept.items():
                values = keys[path, component]
                assert values[values[:, 0] == frame].tobytes() == bits


def artists_keys(target):
    artists = animation.artist_frames(target)
    return {
        (*curve, frame): keys[keys[:, 0] == frame].tobytes()
        for curve, keys in all_keys(target).items()
        for frame in artists.get(curve[0], ())
    }


def test_the_ends_have_no_jump(solved):
    """Velocity changes no more where the stretch meets its neighbours than it does elsewhere in the clip."""
    left = hand("left")
    usual = np.percentile(velocity_changes(left), 99)
    key_wrist(left, 540, Vector((0.015, 0.0, 0.0)))
    resolve(frames="RANGE")
    changes = dict(zip(range(502, 580), velocity_changes(left), strict=True))
    for end in (FIRST, LAST):
        assert max(changes[frame] for frame in (end - 1, end, end + 1)) <= usual


def velocity_changes(armature):
    """Metres per frame^2 of the wrist in frames 502 to 579."""
    path = hands.keyed_motion(armature, np.arange(501, 581)).transl
    return np.linalg.norm(np.diff(path, n=2, axis=0), axis=-1)


def test_undo_and_redo(solved):
    """Scene, take and constraints agree after each: the next re-solve answers from what is seen."""
    first = all_keys(hand("left"))
    resolve(frames="RANGE")
    plain = all_keys(hand("left"))
    bpy.ops.ed.undo()
    assert same(all_keys(hand("left")), first)
    key_wrist(hand("left"), 540, Vector((0.02, 0.0, 0.0)))
    bpy.ops.ed.undo_push(message="Key")
    resolve(frames="RANGE")
    edited = all_keys(hand("left"))
    bpy.ops.ed.undo()
    bpy.ops.ed.undo()
    assert same(all_keys(hand("left")), first) and not animation.has_artist_keys(hand("left"))
    resolve(frames="RANGE")
    assert same(all_keys(hand("left")), plain)
    bpy.ops.ed.undo()
    assert take_files.of_root(root()).frames[0] == 501
    bpy.ops.ed.redo()
    assert same(all_keys(hand("left")), plain)
    assert not same(edited, plain, 1e-2)


def same(first, second, within=0.0):
    return first.keys() == second.keys() and all(
        first[curve].shape == second[curve].shape and np.abs(first[curve] - second[curve]).max() <= within
        for curve in first
    )


def test_one_re_solve_is_one_undo_step(solved):
    before = all_keys(hand("right"))
    resolve(frames="ALL")
    assert not same(all_keys(hand("right")), before)
    bpy.ops.ed.undo()
    assert same(all_keys(hand("right")), before)


def test_saved_reloaded_re_solved(solved, tmp_path):
    """A new session goes on where the old one stopped: its next answer is the one that the old one would have had."""
    key_wrist(hand("left"), 540, Vector((0.02, 0.0, 0.0)))
    resolve(frames="RANGE")
    kept = artists_keys(hand("left"))
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "shot.blend"))
    saved = all_keys(hand("left"))
    resolve(frames="RANGE")
    answer = all_keys(hand("left"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "shot.blend"))
    warm.stop()
    assert solve.current() is None
    assert same(all_keys(hand("left")), saved) and artists_keys(hand("left")) == kept
    assert resolve(frames="RANGE") == {"FINISHED"}
    assert artists_keys(hand("left")) == kept
    assert same(all_keys(hand("left")), answer)


def test_a_take_that_is_gone_is_said_and_found_again(solved, take_path, tmp_path):
    solved.handheld.take = str(tmp_path / "moved.npz")
    before = all_keys(hand("left"))
    with pytest.raises(RuntimeError, match="is not there"):
        resolve(frames="RANGE")
    assert solve.current().problem.code == "take-missing" and same(all_keys(hand("left")), before)
    assert bpy.ops.handheld.find_take(filepath=str(take_path)) == {"FINISHED"}
    assert resolve(frames="RANGE") == {"FINISHED"}


def test_the_process_stays_between_re_solves(solved):
    resolve(frames="RANGE")
    pid = solve.current()._process.pid
    resolve(frames="AROUND")
    assert solve.current()._process.pid == pid


def test_a_process_that_has_filled_its_files_is_replaced(solved, monkeypatch):
    resolve(frames="RANGE")
    worn = solve.current()._process
    assert 1000 < worn.bytes_said < warm.MOST_BYTES
    monkeypatch.setattr(warm, "MOST_BYTES", 1000)
    assert resolve(frames="RANGE") == {"FINISHED"}
    assert solve.current()._process.pid != worn.pid and not worn.is_alive


def test_escape_leaves_the_former_result(solved):
    before = all_keys(hand("left"))
    bpy.context.scene.frame_set(540)
    pose = rig.read_pose(hand("left"))
    session = solve.start_resolve(bpy.context, Stretch(501, 580))
    while session.state is State.STARTING:
        session.pump(0.05)
    session.cancel()
    while session.is_active:
        session.pump(0.05)
    assert session.state is State.CANCELLED and session._process.is_alive
    assert session.summary == "The hands are as they were."
    assert same(all_keys(hand("left")), before)
    np.testing.assert_array_equal(rig.read_pose(hand("left"))[0], pose[0])


def test_keys_in_a_gap_bring_the_hand_back(solved):
    """The right hand is away from 531 to 540; the artist keys it there once."""
    right = hand("right")
    key_wrist(right, 535, Vector((0.0, 0.0, 0.0)))
    assert resolve(frames="RANGE") == {"FINISHED"}
    keyed = animation.key_frames(right, LOCATION)
    assert set(range(501, 581)) == set(keyed)
    bpy.context.scene.frame_set(536)
    assert not rig.mesh_of(right).hide_viewport
    bpy.ops.ed.undo()
    bpy.context.scene.frame_set(536)
    assert rig.mesh_of(hand("right")).hide_viewport


def test_from_key_to_key(solved):
    assert (ranges.stretch(bpy.context, "KEYS").first, ranges.stretch(bpy.context, "KEYS").last) == (501, 580)
    key_wrist(hand("left"), 530, Vector((0.01, 0.0, 0.0)))
    key_wrist(hand("left"), 550, Vector((0.01, 0.0, 0.0)))
    bpy.context.scene.frame_set(540)
    assert (ranges.stretch(bpy.context, "KEYS").first, ranges.stretch(bpy.context, "KEYS").last) == (530, 550)
    bpy.context.scene.frame_set(550)
    assert (ranges.stretch(bpy.context, "KEYS").first, ranges.stretch(bpy.context, "KEYS").last) == (530, 580)
    bpy.context.scene.frame_set(503)
    assert (ranges.stretch(bpy.context, "AROUND").first, ranges.stretch(bpy.context, "AROUND").last) == (501, 532)


def test_a_camera_key_is_led_in_and_out(solved):
    camera = pinned_camera.of_root(solved)
    place = camera.location.copy()
    camera.location = place + Vector((0.02, 0.0, 0.0))
    camera.keyframe_insert("location", frame=540)
    before = hands.keyed_motion(hand("left"), np.array([540])).transl[0]
    resolve(frames="RANGE")
    path = pinned_camera.keyed_path(camera, np.arange(501, 581))[:, 0, 3]
    assert path[39] == pytest.approx(0.02, abs=1e-6)
    np.testing.assert_allclose(path[[0, 19, 60, 79]], 0.0, atol=1e-6)
    assert np.abs(np.diff(path)).max() < 0.0021
    after = hands.keyed_motion(hand("left"), np.array([540])).transl[0]
    assert after[0] - before[0] == pytest.approx(0.02, abs=0.012)


def test_an_empty_range_is_said(solved):
    bpy.context.scene.handheld_editing.first, bpy.context.scene.handheld_editing.last = 1, 20
    with pytest.raises(RuntimeError, match="hold none of the take's"):
        resolve(frames="RANGE")


@pytest.mark.parametrize("frames", ["AROUND", "KEYS"])
def test_a_frame_outside_the_take_is_said(solved, frames):
    """An own key out there is no end to solve from either."""
    key_wrist(hand("left"), 900, Vector((0.01, 0.0, 0.0)))
    with pytest.raises(RuntimeError, match=r"Frame 900 is not one of the take's \(501 to 580\)"):
        resolve(frames=frames)
    bpy.context.scene.frame_set(570)
    assert (ranges.stretch(bpy.context, "KEYS").first, ranges.stretch(bpy.context, "KEYS").last) == (501, 580)


def test_one_hand_alone_is_asked_for_each_time(solved):
    bpy.context.view_layer.objects.active = hand("left")
    resolve(frames="RANGE", only_active=True)
    before = all_keys(hand("right"))
    resolve(frames="ALL")
    assert not same(all_keys(hand("right")), before)


def test_a_bone_that_was_renamed_is_said(solved):
    left = hand("left")
    left.data.bones["index2"].name = "mine"
    said = "Left Hand has no bone named index2. Give the bones their names back"
    with pytest.raises(RuntimeError, match=said):
        resolve(frames="RANGE")
    assert solve.current().problem.code == "bone-missing"
    with pytest.raises(RuntimeError, match=said):
        bpy.ops.handheld.pin_pose("EXEC_DEFAULT", hand=left.name)
    with pytest.raises(RuntimeError, match=said):
        bpy.ops.handheld.bake("EXEC_DEFAULT")
    left.data.bones["mine"].name = "index2"
    assert resolve(frames="RANGE") == {"FINISHED"}


def test_a_key_set_as_it_stands_is_the_artists(solved):
    """Blender changes nothing of such a key but its selection; see ``held_keys``. ``tests/gui`` presses the button."""
    left = hand("left")
    before = all_keys(left)
    key_wrist(left, 540, Vector())
    key_wrist(left, 545, Vector())  # this one is only selected
    bpy.context.scene.frame_set(540)
    assert not animation.has_artist_keys(left)
    bpy.ops.ed.undo_push(message="Key")
    held_keys.claim_inserted(bpy.context.scene, 540, set())
    assert animation.artist_frames(left) == {LOCATION: [540]}
    bpy.ops.ed.undo_push(message="Something else")
    bpy.ops.ed.undo()
    assert animation.artist_frames(hand("left")) == {LOCATION: [540]}
    resolve(frames="RANGE", only_active=False)
    after = all_keys(hand("left"))
    for index in range(3):
        row = before[LOCATION, index][:, 0] == 540
        assert np.array_equal(after[LOCATION, index][row], before[LOCATION, index][row])
    assert not same(after, before)
    bpy.ops.ed.undo()
    bpy.ops.ed.undo()
    assert not animation.has_artist_keys(hand("left"))


@pytest.mark.parametrize("bones", [(), ("wrist",)])
def test_keys_that_were_selected_before_an_insertion_elsewhere_stay_the_solvers(solved, bones):
    """As a column of the dope sheet; but on bones that are selected they are inserted."""
    left = hand("left")
    for frame in (540, 541):
        for curve in animation.curves(left):
            for key in (key for key in curve.keyframe_points if key.co[0] == frame):
                key.select_control_point = True
    bpy.context.view_layer.objects.active = left
    bpy.ops.object.mode_set(mode="POSE")
    for bone in left.pose.bones:
        (bone if bpy.app.version >= (5, 0, 0) else bone.bone).select = bone.name in bones
    before = held_keys.selected(bpy.context.scene, 540)
    assert len(before) >= 3 + 4 * 16 and not held_keys.selected(bpy.context.scene, 542)
    key_wrist(hand("right"), 540, Vector())
    held_keys.claim_inserted(bpy.context.scene, 540, before)
    assert animation.artist_frames(hand("right")) == {LOCATION: [540]}
    wrist = {LOCATION: [540], LOCATION.replace("location", "rotation_quaternion"): [540]}
    assert animation.artist_frames(left) == (wrist if bones else {})


def test_the_solvers_keys_are_not_selected(solved):
    left = hand("left")
    bpy.context.scene.frame_set(530)
    animation.clear(left, (530, 535), False, lambda path: True)
    resolve(frames="RANGE")
    assert not any(key.select_control_point for curve in animation.curves(left) for key in curve.keyframe_points)


def test_a_hand_of_which_all_footage_is_ignored_stays(solved):
    """As it stands, and not sure; what may be done is said."""
    before, other = all_keys(hand("left")), all_keys(hand("right"))
    bpy.ops.handheld.ignore(first=501, last=580, hand=hand("left").name)
    bpy.ops.ed.undo_push(message="Ignore")
    assert resolve(frames="ALL") == {"FINISHED"}
    after = all_keys(hand("left"))
    assert all(np.array_equal(after[curve], before[curve]) for curve in before if "pose.bones" in curve[0])
    assert after['["confidence"]', 0][:, 1].max() == 0 and not same(all_keys(hand("right")), other)
    (told,) = solve.current().warnings
    assert told.sentence == "All footage of the left hand is ignored: it was left as it stood."
    bpy.ops.ed.undo()
    assert same(all_keys(hand("left")), before)


def test_what_is_locked_is_not_touched(solved):
    """Its keys hold as the artist's do, and are the solver's again when it is unlocked."""
    left = hand("left")
    key_wrist(left, 540, Vector((0.02, 0.0, 0.0)))
    curves = [curve for curve in animation.curves(left) if "index1" in curve.data_path]
    path, before = curves[0].data_path, all_keys(left)
    curves[0].lock = True
    resolve(frames="RANGE")
    after = all_keys(left)
    assert all(np.array_equal(after[path, index], before[path, index]) for index in range(4))
    assert not np.array_equal(after[LOCATION, 0], before[LOCATION, 0])
    assert set(animation.artist_frames(left)) == {path, LOCATION}
    bpy.ops.handheld.clear_keys(where="ALL", with_artists=True)
    assert {curve.data_path for curve in animation.curves(left) if "pose" in curve.data_path} == {path}
    next(curve for curve in animation.curves(left) if curve.data_path == path).lock = False
    assert not animation.has_artist_keys(left)
