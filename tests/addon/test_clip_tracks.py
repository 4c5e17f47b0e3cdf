"""The hands' keypoints as tracks of the clip: written once, and what the artist changes of them comes back."""

import bpy
import numpy as np
import pytest
from bl_ext.user_default.handheld.addon import (
    animation,
    clip_tracks,
    hints,
    request,
    resolve,
    rig,
    scene,
    take_files,
)
from bl_ext.user_default.handheld.addon.hands import LOCATION, hands_of
from movies import write_movie
from takes import moving_take

from solver import take as takes


@pytest.fixture
def tracked(tmp_path):
    """Thirty frames; the left hand is missing in frames 11 to 15."""
    movie = write_movie(tmp_path / "clip.mp4", frames=30, size=(640, 360))
    rng = np.random.default_rng(2)
    points = rng.uniform([100, 100], [300, 250], (2, 30, 21, 2))
    points[0, 10:15] = np.nan
    covariance = np.tile(4 * np.eye(2), (2, 30, 21, 1, 1))
    take = moving_take(clip_path=str(movie), keypoints_px=points, keypoint_covariance_px=covariance)
    takes.save(take, tmp_path / "take.npz")
    bpy.ops.handheld.import_take(filepath=str(tmp_path / "take.npz"))
    assert bpy.ops.handheld.show_keypoints() == {"FINISHED"}
    return bpy.context.scene.handheld.clip


def changed(movie, side=0):
    root = scene.edited_root(bpy.context)
    armature = hands_of(root)[side]
    return list(clip_tracks.changes(movie, take_files.of_root(root), side, armature, 1, 30))


def tracks(movie, side=0):
    return movie.tracking.objects[f"Handheld {hands_of(scene.edited_root(bpy.context))[side].name}"].tracks


def test_each_joint_is_a_track_and_nothing_has_changed(tracked):
    take = take_files.of_root(scene.edited_root(bpy.context))
    assert [track.name for track in tracks(tracked)][:2] == ["wrist", "thumb_cmc"] and len(tracks(tracked)) == 21
    marker = tracks(tracked)["index_tip"].markers.find_frame(7)
    np.testing.assert_allclose([marker.co[0] * 640, (1 - marker.co[1]) * 360], take.keypoints_px[0, 6, 8], atol=1e-3)
    assert tracks(tracked)["wrist"].markers.find_frame(11).mute
    assert changed(tracked, 0) == [] and changed(tracked, 1) == []
    assert len(tracked.tracking.objects["Camera"].tracks) == 0


def test_weights_are_keyed(tracked):
    (curve, *_) = [c for c in _curves(tracked) if "index_tip" in c.data_path]
    assert 0 < curve.evaluate(5) <= 1 and len(curve.keyframe_points) == 25


def _curves(movie):

    return animation.curves(movie)


def test_what_the_artist_does_to_markers_comes_back(tracked):
    track = tracks(tracked, 1)["index_tip"]
    track.markers.find_frame(7).co = (0.5, 0.25)
    track.markers.find_frame(8).mute = True
    track.markers.delete_frame(9)
    moved, muted, deleted = changed(tracked, 1)
    assert (moved.track, moved.frame, moved.keypoint) == (1, 7, 8)
    np.testing.assert_allclose(moved.position_px, [320, 270], atol=1e-3)
    assert moved.deviation == pytest.approx(0.64)
    assert (muted.frame, muted.position_px) == (8, None) and (deleted.frame, deleted.position_px) == (9, None)


def test_a_track_without_weight_counts_for_nothing(tracked):
    for curve in list(_curves(tracked)):
        if "middle_tip" in curve.data_path:
            curve.mute = True
    tracks(tracked, 1)["middle_tip"].weight = 0
    assert [(mark.keypoint, mark.position_px) for mark in changed(tracked, 1)] == [(12, None)] * 30


def test_a_weight_that_the_artist_changed_comes_back(tracked):
    """Keyed in one frame it counts there; without its curve it counts everywhere."""
    movie = tracked
    (curve,) = [c for c in _curves(movie) if 'Right Hand"].tracks["index_tip"' in c.data_path]
    key = next(key for key in curve.keyframe_points if key.co[0] == 7)
    key.co[1] = 0.05
    curve.update()
    (mark,) = changed(movie, 1)
    take = take_files.of_root(scene.edited_root(bpy.context))
    assert (mark.frame, mark.keypoint) == (7, 8)
    np.testing.assert_allclose(mark.position_px, take.keypoints_px[1, 6, 8])
    size = np.ptp(take.keypoints_px[1, 6], axis=0).max()
    assert mark.deviation == pytest.approx(0.04 * size * np.sqrt(19), rel=1e-4)
    movie.animation_data_clear()
    tracks(movie, 1)["index_tip"].weight = 0.05
    by_point = {mark.keypoint for mark in changed(movie, 1) if mark.deviation and mark.deviation > 5}
    assert by_point == {8} and len([mark for mark in changed(movie, 1) if mark.keypoint == 8]) == 30


def test_a_marker_where_the_hand_was_missed(tracked):
    tracks(tracked)["wrist"].markers.insert_frame(13, co=(0.25, 0.5))
    (mark,) = changed(tracked)
    assert mark.frame == 13 and mark.keypoint == 0
    np.testing.assert_allclose(mark.position_px, [160, 180], atol=1e-3)


def test_a_clip_that_was_shifted_since_is_said(tracked):
    start = tracked.frame_start
    tracked.frame_start = start + 10
    with pytest.raises(RuntimeError, match=rf"Start Frame to {start}"):
        bpy.ops.handheld.resolve(frames="ALL")


@pytest.mark.parametrize("by_hand", [False, True])
def test_keys_and_pins_go_to_where_the_clip_is_now(tracked, by_hand):
    """As to frame 1001; keys that the artist has moved there by hand are known as the solver's again."""
    root, (left, right) = scene.edited_root(bpy.context), hands_of(scene.edited_root(bpy.context))
    bpy.context.scene.frame_set(20)
    bpy.ops.handheld.pin_pose(hand=right.name)
    before = animation.key_frames(left, LOCATION)
    tracked.frame_start += 1000
    for curve in animation.curves(left) if by_hand else ():
        for key in curve.keyframe_points:
            key.co[0] += 1000
    assert bpy.ops.handheld.follow_clip() == {"FINISHED"}
    np.testing.assert_array_equal(animation.key_frames(left, LOCATION), before + 1000)
    assert not animation.has_artist_keys(left)
    assert set(np.concatenate(list(animation.artist_frames(right).values()))) == {1020}
    assert root.handheld_edit.pins[0].frame == 1020 and resolve._require_in_place(root) is None
    bpy.context.scene.frame_set(1013)
    assert rig.mesh_of(left).hide_viewport
    assert list(clip_tracks.changes(tracked, take_files.of_root(root), 0, left, 1, 30)) == []
    bpy.ops.handheld.new_take()
    tracked.frame_start -= 1000
    bpy.ops.handheld.follow_clip()
    bpy.ops.handheld.switch_take(number=0)
    np.testing.assert_array_equal(animation.key_frames(left, LOCATION), before)


@pytest.mark.parametrize("by_hand", [False, True])
def test_curves_of_the_artists_alone_go_as_the_hand_does(tracked, by_hand):
    """A key inserted on a bone brings some: of its scale, and of a finger's location."""
    left = hands_of(scene.edited_root(bpy.context))[0]
    left.pose.bones["wrist"].keyframe_insert("scale", frame=20)
    tracked.frame_start += 1000
    for curve in animation.curves(left) if by_hand else ():
        for key in curve.keyframe_points:
            key.co[0] += 1000
    bpy.ops.handheld.follow_clip()
    scale = LOCATION.replace("location", "scale")
    assert {path: list(frames) for path, frames in animation.artist_frames(left).items()} == {scale: [1020]}


def test_showing_them_again_starts_anew(tracked):
    tracks(tracked, 1)["index_tip"].markers.find_frame(7).co = (0.5, 0.25)
    bpy.ops.handheld.show_keypoints()
    assert changed(tracked, 1) == [] and len(tracked.tracking.objects) == 3


def test_a_false_hand_goes_and_the_next_solve_knows(tracked):
    root = scene.edited_root(bpy.context)
    right = hands_of(root)[1]
    bpy.context.scene.frame_set(12)
    bpy.ops.handheld.delete_hand(hand=right.name)
    assert [hand.handheld.side for hand in hands_of(root)] == ["left"]
    ((frame, x, y, what),) = hints.edits(tracked)
    assert (frame, what) == (12, "drop")
    np.testing.assert_allclose((x, y), take_files.of_root(root).keypoints_px[1, 11].mean(axis=0), atol=1e-3)
    assert request.build(bpy.context)[0].options["hand_edits"] == hints.edits(tracked)


def test_a_swapped_hand_and_a_missed_one(tracked):
    left = hands_of(scene.edited_root(bpy.context))[0]
    bpy.context.scene.frame_set(12)  # where it is missing: the nearest frame in which it was seen is meant
    bpy.ops.handheld.swap_hand(hand=left.name)
    assert hints.edits(tracked)[0][0] == 10 and hints.edits(tracked)[0][3] == "swap"
    bpy.ops.handheld.box_hand("EXEC_DEFAULT", corners=(0.75, 0.5, 0.25, 1.5))
    np.testing.assert_allclose(hints.boxes(tracked)[0][:5], [12, 160, 0, 480, 180])
    with pytest.raises(RuntimeError, match="too small"):
        bpy.ops.handheld.box_hand("EXEC_DEFAULT", corners=(0.5, 0.5, 0.5, 0.5))
    bpy.ops.handheld.clear_hints()
    assert not tracked.handheld.hints
