"""Bones and cameras that the artist turned to Euler or axis-angle rotation: their keys hold as any others do."""

import bpy
import numpy as np
import pytest
from bl_ext.user_default.handheld.addon import animation, channels, hands, pinned_camera
from mathutils import Euler, Quaternion
from solved import all_keys, hand, resolve

from solver.hand_model.rotations import angle_between, exp

FRAMES = np.arange(501, 581)
MODES = ("XYZ", "ZYX", "AXIS_ANGLE")


def key_turned(owner, frame, by):
    """Turn as an artist does, in the owner's mode, then key."""
    bpy.context.scene.frame_set(frame)
    name = channels.path(owner.rotation_mode)
    if owner.rotation_mode == "AXIS_ANGLE":
        (axis, angle) = (owner.matrix_basis.to_quaternion() @ by).to_axis_angle()
        owner.rotation_axis_angle = (angle, *axis)
    else:
        turned = (owner.matrix_basis.to_quaternion() @ by).to_euler(owner.rotation_mode)
        owner.rotation_euler = turned
    owner.keyframe_insert(name, frame=frame)


def rotations(armature, name):
    return hands.keyed_motion(armature, FRAMES).rotations[:, list(armature.pose.bones.keys()).index(name)]


def bits(target, path, frame):
    return {curve: keys[keys[:, 0] == frame].tobytes() for curve, keys in all_keys(target).items() if curve[0] == path}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", ["index2", "wrist"])
def test_a_key_in_another_mode_is_a_constraint(solved, mode, name):
    left = hand("left")
    bone = left.pose.bones[name]
    before = rotations(left, name)
    bpy.context.scene.frame_set(540)
    bone.rotation_mode = mode
    key_turned(bone, 540, Quaternion((1, 0, 0), 0.4))
    path = f'pose.bones["{name}"].{channels.path(mode)}'
    keyed, wanted = bits(left, path, 540), rotations(left, name)[39]
    for _ in range(2):
        assert resolve(frames="RANGE") == {"FINISHED"}
    assert keyed == bits(left, path, 540) and len(animation.artist_frames(left)[path]) == 1
    after = rotations(left, name)
    assert angle_between(after[39], wanted) < 1e-5 and angle_between(before[39], wanted) > 0.35
    assert angle_between(after, before)[[37, 41]].min() > 0.05
    outside = (FRAMES < 521) | (FRAMES > 560)
    assert angle_between(after, before)[outside].max() < 1e-5
    for frame in (510, 538, 570):  # what is seen is what the curves of the mode say
        bpy.context.scene.frame_set(frame)
        seen = hands.turns_of(left)[list(left.pose.bones.keys()).index(name)].now()
        shown = np.array(bone.matrix_basis.to_3x3())
        assert np.abs(seen - shown).max() < 1e-5
    values = np.stack([keys[:, 1] for (p, _), keys in all_keys(left).items() if p == path], axis=1)
    assert np.abs(np.diff(values, axis=0)).max() < 1.0  # no flips
    bone.rotation_mode = "QUATERNION"
    np.testing.assert_allclose(rotations(left, name), after, atol=1e-5)


def test_another_order_of_the_same_mode(solved):
    left = hand("left")
    bone, before = left.pose.bones["middle1"], rotations(left, "middle1")
    for mode in ("XYZ", "ZXY"):
        bone.rotation_mode = mode
        assert resolve(frames="RANGE", only_active=False) == {"FINISHED"}
    outside = (FRAMES < 521) | (FRAMES > 560)
    assert angle_between(rotations(left, "middle1"), before)[outside].max() < 1e-5
    bpy.context.scene.frame_set(510)
    shown = Euler(bone.rotation_euler, "ZXY").to_matrix()
    assert np.abs(np.array(bone.matrix_basis.to_3x3()) - np.array(shown)).max() < 1e-6


def test_a_key_that_was_set_before_the_switch_still_holds(solved):
    left = hand("left")
    bone = left.pose.bones["index2"]
    key_quaternion(bone, 535)
    wanted = rotations(left, "index2")[34]
    bone.rotation_mode = "XYZ"
    assert resolve(frames="RANGE") == {"FINISHED"}
    assert angle_between(rotations(left, "index2")[34], wanted) < 1e-5
    frames = animation.artist_frames(left)
    assert {path.rpartition(".")[2] for path in frames} == {"rotation_quaternion", "rotation_euler"}


def key_quaternion(bone, frame):
    bpy.context.scene.frame_set(frame)
    bone.rotation_quaternion = bone.rotation_quaternion @ Quaternion((1, 0, 0), 0.4)
    bone.keyframe_insert("rotation_quaternion", frame=frame)


def test_a_camera_in_euler_angles(solved):
    camera = pinned_camera.of_root(solved)
    camera.rotation_mode = "XYZ"
    bpy.context.view_layer.update()
    key_turned(camera, 540, Quaternion((0, 1, 0), 0.02))
    wanted = pinned_camera.keyed_path(camera, np.array([540]))[0]
    keyed = bits(camera, "rotation_euler", 540)
    assert resolve(frames="RANGE") == {"FINISHED"}
    path = pinned_camera.keyed_path(camera, FRAMES)
    assert bits(camera, "rotation_euler", 540) == keyed
    np.testing.assert_allclose(path[39], wanted, atol=1e-6)
    assert 0.001 < angle_between(path[30, :3, :3], path[0, :3, :3]) < 0.02


def test_a_pinned_pose_of_a_bone_in_euler_angles(solved):
    left = hand("left")
    bone = left.pose.bones["index2"]
    bone.rotation_mode = "XYZ"
    bone.rotation_euler.x += 0.4
    bpy.context.view_layer.update()
    wanted = hands.turns_of(left)[2].now()
    bpy.ops.handheld.pin_pose("EXEC_DEFAULT", hand=left.name)
    resolve(frames="RANGE")
    bpy.context.scene.frame_set(540)
    np.testing.assert_allclose(hands.turns_of(left)[2].now(), wanted, atol=1e-6)
    bpy.ops.handheld.remove_pin("EXEC_DEFAULT")
    assert not animation.has_artist_keys(left)


@pytest.mark.parametrize("mode", ["QUATERNION", "AXIS_ANGLE", *channels.ORDERS])
def test_there_and_back(mode):
    rotation = exp(np.random.default_rng(0).normal(size=(50, 3)))
    np.testing.assert_allclose(channels.rotations(channels.values(rotation, mode), mode), rotation, atol=1e-12)
    if mode in channels.ORDERS:
        np.testing.assert_allclose(
            np.array(Euler(channels.values(rotation[:1], mode)[0], mode).to_matrix()), rotation[0], atol=1e-6
        )
    values = channels.values(exp(np.linspace(0, 3, 50)[:, None] * [0.3, 1.0, 0.2]), mode)
    later = channels.values(exp(np.linspace(1, 3, 30)[:, None] * [0.3, 1.0, 0.2]), mode)
    again = channels.following(later, values[16], mode)
    assert np.abs(again[0] - values[16]).max() < 0.1
