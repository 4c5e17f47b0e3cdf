"""Pins, cleared keys and baked copies: what an artist asks for happens, and nothing else."""

import bpy
import numpy as np
import pytest
from bl_ext.user_default.handheld.addon import animation, hands, pinned_camera, pins, rig
from bl_ext.user_default.handheld.addon.hands import hands_of
from mathutils import Vector
from solved import all_keys, hand, resolve

LOCATION = 'pose.bones["wrist"].location'


def points(armature, frame):
    bpy.context.scene.frame_set(frame)
    return hands.keypoints(armature)


def test_a_dragged_fingertip_is_followed(solved):
    left = hand("left")
    target = points(left, 540)[8] + np.array([0.01, 0.005, -0.01])
    bpy.ops.handheld.pin_fingertip("EXEC_DEFAULT", hand=left.name, keypoint="INDEX_TIP", position=target)
    resolve(frames="AROUND")
    assert np.linalg.norm(points(left, 540)[8] - target) < 1e-3
    assert not animation.has_artist_keys(left)


def test_pins_move_with_the_root(solved):
    solved.location, solved.scale = (1.0, 2.0, 0.5), (2.0, 2.0, 2.0)
    bpy.context.view_layer.update()
    left = hand("left")
    target = points(left, 540)[8] + np.array([0.02, 0.0, -0.02])
    bpy.ops.handheld.pin_fingertip("EXEC_DEFAULT", hand=left.name, keypoint="INDEX_TIP", position=target)
    resolve(frames="AROUND")
    assert np.linalg.norm(points(left, 540)[8] - target) < 2e-3


def test_a_point_in_the_picture_leaves_the_depth_free(solved):
    left = hand("left")
    scene = bpy.context.scene
    target = Vector(points(left, 540)[8] + np.array([0.01, 0.0, 0.0]))
    seen = pins.pixel_of(scene, solved, target)
    bpy.ops.handheld.pin_fingertip(
        "EXEC_DEFAULT", hand=left.name, keypoint="INDEX_TIP", position=target, keep="PICTURE"
    )
    resolve(frames="AROUND")
    assert (
        np.linalg.norm(pins.pixel_of(scene, solved, Vector(points(left, 540)[8])) - seen) < 5
    )  # the difference between tip and landmark is taken to first order


def test_a_pinned_pose_is_made_of_keys_and_goes_again(solved):
    left = hand("left")
    index = left.pose.bones["index2"]
    index.rotation_quaternion = (0.9, 0.43, 0.0, 0.0)
    bpy.ops.handheld.pin_pose("EXEC_DEFAULT", hand=left.name)
    pose = index.rotation_quaternion.copy()
    resolve(frames="AROUND")
    bpy.context.scene.frame_set(540)
    assert index.rotation_quaternion == pose
    assert {len(frames) for frames in animation.artist_frames(left).values()} == {1}
    bpy.ops.handheld.remove_pin("EXEC_DEFAULT")
    assert not animation.has_artist_keys(left) and not solved.handheld_edit.pins
    resolve(frames="AROUND")
    bpy.context.scene.frame_set(540)
    assert index.rotation_quaternion.rotation_difference(pose).angle > 0.1


def test_a_pose_with_a_tolerance_pulls(solved):
    left = hand("left")
    wrist = left.pose.bones["wrist"]
    before = wrist.location.copy()
    wrist.location = before + Vector((0.03, 0.0, 0.0))
    bpy.ops.handheld.pin_pose("EXEC_DEFAULT", hand=left.name, tolerance_mm=6.0)
    resolve(frames="AROUND")
    bpy.context.scene.frame_set(540)
    assert not animation.has_artist_keys(left)
    assert 0.002 < (wrist.location - before).length < 0.0299


def test_held_still(solved):
    left = hand("left")
    bpy.context.scene.handheld_editing.first, bpy.context.scene.handheld_editing.last = 530, 545

    def travel():
        return np.ptp([points(left, frame)[8] for frame in range(530, 546)], axis=0).max()

    before = travel()
    bpy.ops.handheld.hold_still(
        "EXEC_DEFAULT", hand=left.name, keypoint="INDEX_TIP", first=530, last=545, tolerance_mm=0
    )
    resolve(frames="AROUND")
    bpy.context.scene.frame_set(540)
    assert travel() < min(0.005, 0.2 * before)


def test_together(solved):
    left = hand("left")
    bpy.ops.handheld.together("EXEC_DEFAULT", hand=left.name, first=538, last=542, tolerance_mm=0)
    resolve(frames="RANGE")
    for frame in (538, 540, 542):
        thumb, index = points(left, frame)[[4, 8]]
        assert np.linalg.norm(thumb - index) < 2e-3


def test_ignored_footage_is_filled_in(solved):
    left = hand("left")
    keyed = np.arange(525, 556)
    before = hands.keyed_motion(left, keyed)
    bpy.ops.handheld.ignore("EXEC_DEFAULT", hand=left.name, first=530, last=550)
    resolve(frames="RANGE")
    after = hands.keyed_motion(left, keyed)
    assert np.abs(after.rotations[10:20] - before.rotations[10:20]).max() > 0.01


def test_pins_of_a_hand_that_is_gone_are_no_harm(solved):
    left = hand("left")
    bpy.ops.handheld.ignore("EXEC_DEFAULT", hand=left.name, first=530, last=550)
    bpy.ops.handheld.together("EXEC_DEFAULT", hand=hand("right").name, other_hand=left.name, first=545, last=550)
    bpy.data.objects.remove(left)
    assert resolve(frames="RANGE") == {"FINISHED"}
    assert [pins.described(pin) for pin in solved.handheld_edit.pins][0] == "(hand removed), ignored"


def test_pins_are_saved(solved, tmp_path):
    bpy.ops.handheld.ignore("EXEC_DEFAULT", hand=hand("left").name, first=530, last=550)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "shot.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "shot.blend"))
    (pin,) = bpy.data.objects[hand("left").parent.name].handheld_edit.pins
    assert (pin.kind, pin.hand, pin.frame, pin.last_frame) == ("IGNORE", hand("left"), 530, 550)


def test_without_a_hand_it_says_so(solved):
    bpy.context.view_layer.objects.active = None
    with pytest.raises(RuntimeError, match="Select a hand"):
        bpy.ops.handheld.pin_pose("EXEC_DEFAULT")


@pytest.mark.parametrize(("where", "left_over"), [("ALL", []), ("BEFORE", range(540, 581)), ("AFTER", range(501, 541))])
def test_cleared_keys(solved, where, left_over):
    bpy.ops.handheld.clear_keys("EXEC_DEFAULT", where=where)
    assert set(animation.key_frames(hand("left"), LOCATION)) == set(left_over)


def test_clearing_spares_the_artist_s_keys_unless_asked(solved):
    left = hand("left")
    wrist = left.pose.bones["wrist"]
    wrist.location = wrist.location + Vector((0.01, 0.0, 0.0))
    wrist.keyframe_insert("location", frame=540)
    bpy.ops.handheld.clear_keys("EXEC_DEFAULT", where="BETWEEN")
    assert set(animation.key_frames(left, LOCATION)) == {*range(501, 521), 540, *range(561, 581)}
    assert resolve(frames="RANGE") == {"FINISHED"}
    assert len(animation.key_frames(left, LOCATION)) == 80
    bpy.ops.handheld.clear_keys("EXEC_DEFAULT", where="ALL", with_artists=True)
    assert not len(animation.key_frames(left, LOCATION))


def test_a_baked_copy_looks_alike_and_stands_alone(solved):
    solved.location, solved.rotation_euler, solved.scale = (0.3, 0.1, 0.2), (0.1, 0.2, 0.9), (1.5, 1.5, 1.5)
    bpy.context.view_layer.update()
    originals = {side: points(hand(side), 512) for side in ("left", "right")}
    before = all_keys(hand("left"))
    bpy.ops.handheld.bake("EXEC_DEFAULT")
    copies = [thing for thing in bpy.data.collections[f"{solved.name} Baked"].objects if thing.type == "ARMATURE"]
    bpy.context.scene.frame_set(512)
    for copy in copies:
        np.testing.assert_allclose(hands.keypoints(copy), originals[copy.handheld.side], atol=1e-5)
        assert copy.parent is None and set(np.round(copy.matrix_world.to_euler(), 6)) == {0.0}
        types = {key.type for curve in animation.curves(copy) for key in curve.keyframe_points}
        assert types == {"KEYFRAME"}
        assert rig.mesh_of(copy).modifiers[0].object == copy
    assert len(copies) == 2 and all((all_keys(hand("left"))[curve] == keys).all() for curve, keys in before.items())


def test_a_hand_with_bones_of_the_artists_is_baked_as_it_is_seen(solved):
    """One above the wrist, one between two joints, neither posed."""
    left = hand("left")
    bpy.context.view_layer.objects.active = left
    bpy.ops.object.mode_set(mode="EDIT")
    for name, below in (("arm", "wrist"), ("knuckle", "index1")):
        bone, child = left.data.edit_bones.new(name), left.data.edit_bones[below]
        bone.head, bone.tail, bone.parent = child.head, child.head + Vector((0.01, 0.02, 0.0)), child.parent
        child.use_connect, child.parent = False, bone
    bpy.ops.object.mode_set(mode="OBJECT")
    seen = points(left, 512)
    bpy.ops.handheld.bake("EXEC_DEFAULT")
    copy = next(
        thing for thing in bpy.data.collections[f"{solved.name} Baked"].objects if thing.data.name.startswith("Left")
    )
    bpy.context.scene.frame_set(512)
    np.testing.assert_allclose(hands.keypoints(copy), seen, atol=1e-5)


def test_what_one_call_was_told_is_not_what_the_next_one_means(solved):
    """Buttons call with what was used last, unless told otherwise: pins would land on the former hand."""
    left, right = hand("left"), hand("right")
    bpy.ops.handheld.hold_still("EXEC_DEFAULT", True, hand=left.name, keypoint="INDEX_TIP", first=530, last=545)
    bpy.context.view_layer.objects.active = right
    bpy.ops.handheld.hold_still("INVOKE_DEFAULT", True)
    bpy.ops.handheld.pin_fingertip("EXEC_DEFAULT", True, hand=left.name, position=(0.0, 0.0, 0.0))
    bpy.ops.handheld.pin_fingertip("EXEC_DEFAULT", True, position=(0.0, 0.0, 0.0))
    held, again, dragged, last = solved.handheld_edit.pins
    assert [pin.hand for pin in (held, again, dragged, last)] == [left, right, left, right]
    assert again.keypoint == "WRIST"
    bpy.ops.handheld.remove_pin("EXEC_DEFAULT", True, number=0)
    solved.handheld_edit.active_pin = 2
    bpy.ops.handheld.remove_pin("EXEC_DEFAULT", True)
    assert [pin.hand for pin in solved.handheld_edit.pins] == [right, left]


def test_clearing_the_artist_s_keys_is_asked_for_each_time(solved):
    left = hand("left")
    bpy.ops.handheld.clear_keys("EXEC_DEFAULT", True, where="BEFORE", with_artists=True, with_camera=True)
    left.pose.bones["wrist"].keyframe_insert("location", frame=550)
    animation.claim(left, [LOCATION], 550)
    bpy.ops.handheld.clear_keys("EXEC_DEFAULT", True, where="ALL")
    assert list(animation.key_frames(left, LOCATION)) == [550]


def test_a_pin_gives_back_only_the_keys_that_it_brought(solved):
    left, camera = hand("left"), pinned_camera.of_root(solved)
    left.pose.bones["index2"].rotation_quaternion = (0.9, 0.43, 0.0, 0.0)
    left.pose.bones["index2"].keyframe_insert("rotation_quaternion", frame=540)
    camera.location = camera.location + Vector((0.01, 0.0, 0.0))
    camera.keyframe_insert("location", frame=540)
    own = animation.artist_frames(left), animation.artist_frames(camera)
    for _ in range(2):  # the second time over the first
        bpy.ops.handheld.pin_pose("EXEC_DEFAULT", hand=left.name)
        bpy.ops.handheld.pin_camera("EXEC_DEFAULT")
    while solved.handheld_edit.pins:
        bpy.ops.handheld.remove_pin("EXEC_DEFAULT", number=0)
    assert (animation.artist_frames(left), animation.artist_frames(camera)) == own
    assert list(own[0]) == ['pose.bones["index2"].rotation_quaternion'] and list(own[1]) == ["location"]


def test_frames_outside_the_take_are_refused(solved):
    bpy.context.view_layer.objects.active = hands_of(solved)[0]
    bpy.context.scene.frame_set(2)
    for pin in (bpy.ops.handheld.pin_pose, bpy.ops.handheld.pin_camera, bpy.ops.handheld.pin_fingertip):
        with pytest.raises(RuntimeError, match="Frame 2 is outside the take"):
            pin()
    for pin in (bpy.ops.handheld.hold_still, bpy.ops.handheld.together, bpy.ops.handheld.ignore):
        with pytest.raises(RuntimeError, match="The frames 1 to 9 are outside the take"):
            pin(first=1, last=9)
    assert not solved.handheld_edit.pins
    assert not any(animation.has_artist_keys(hand) for hand in hands_of(solved))
