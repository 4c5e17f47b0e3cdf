"""Solved hands onto artists' rigs: what the artist has stays, and what stands in the way is said."""

import bpy
import numpy as np
import pytest
import rigs
from bl_ext.user_default.handheld.addon import animation, judgement
from bl_ext.user_default.handheld.addon.retarget import (
    bake,
    measuring,
    sources,
)
from bl_ext.user_default.handheld.addon.retarget.bake import Options
from bl_ext.user_default.handheld.solver.errors import SolverError
from hand_poses import five_poses
from retargeting import (
    FRAMES,
    bpy_frames,
    everything,
    found_map,
    solved_hands,
)

from solver.hand_model import rotations as so3

# --- what the artist has stays ----------------------------------------------------------------------------------------


def test_test_on_this_frame_keys_nothing_and_the_bake_shows_the_same():
    armature = rigs.mixamo()
    found = found_map(armature)
    hands = solved_hands()
    bpy.context.scene.frame_set(2)
    rest = everything(armature)[1]
    bake.test(bpy.context, hands, armature, found, Options())
    assert not animation.curves(armature)
    tested = np.array([bone.matrix for bone in armature.pose.bones])
    bake.retarget(bpy.context, hands, armature, found, Options())
    np.testing.assert_allclose(np.array([bone.matrix for bone in armature.pose.bones]), tested, atol=1e-3)
    assert everything(armature)[1] == rest


def test_an_action_that_was_there_is_copied_with_the_body_in_it():
    armature = rigs.human_metarig()
    found = found_map(armature)
    spine, hand = armature.pose.bones["spine.003"], armature.pose.bones["hand.L"]
    for frame, angle in ((1, 0.0), (5, 0.3)):
        spine.rotation_quaternion = (np.cos(angle / 2), 0, 0, np.sin(angle / 2))
        spine.keyframe_insert("rotation_quaternion", frame=frame)
        hand.keyframe_insert("rotation_quaternion", frame=frame)
    before = armature.animation_data.action
    count = len(animation.curves(armature))
    hands = solved_hands()
    bake.retarget(bpy.context, hands, armature, found, Options())
    after = armature.animation_data.action
    assert after != before
    assert before.use_fake_user
    armature.animation_data.action = before
    if hasattr(armature.animation_data, "action_slot") and armature.animation_data.action_slot is None:
        armature.animation_data.action_slot = before.slots[0]
    assert len(animation.curves(armature)) == count
    armature.animation_data.action = after
    # the body turns below the hands, and the hands are where they were solved all the same
    for frame in bpy_frames(FRAMES):
        assert spine.matrix_basis.to_quaternion().angle == pytest.approx(0.3 * (frame - 1) / 4, abs=0.05)
        place = np.array((armature.matrix_world @ hand.matrix).translation)
        assert 1e3 * np.linalg.norm(place - sources.pose_now(hands[0], int(frame)).joints[0, 0]) < 12.0


def test_a_second_bake_keeps_the_artists_keys():
    armature = rigs.mixamo()
    found = found_map(armature)
    hands = solved_hands()
    bake.retarget(bpy.context, hands, armature, found, Options())
    action, bone = armature.animation_data.action, armature.pose.bones[found.finger("left", "index")[0]]
    bpy.context.scene.frame_set(2)
    bone.rotation_quaternion = (0.8, 0.6, 0.0, 0.0)
    bone.keyframe_insert("rotation_quaternion", frame=2)
    bake.retarget(bpy.context, hands, armature, found, Options())
    assert armature.animation_data.action == action
    bpy.context.scene.frame_set(2)
    np.testing.assert_allclose(np.abs(bone.rotation_quaternion), (0.8, 0.6, 0.0, 0.0), atol=1e-6)


def test_rotation_modes_stay_and_turn_without_jumps():
    armature = rigs.single_hand()
    found = found_map(armature)
    modes = {bone.name: bone.rotation_mode for bone in armature.pose.bones}

    def turning(side, wrist):
        rotations, transl = five_poses(side, wrist)
        rotations = np.repeat(rotations[:1], 60, axis=0)
        rotations[:, 0] = so3.exp(np.linspace(0, 9, 60)[:, None] * np.array([0.3, 0.9, 0.3]))
        return rotations, np.repeat(transl[:1], 60, axis=0)

    bake.retarget(bpy.context, solved_hands(("right",), turning), armature, found, Options())
    assert {bone.name: bone.rotation_mode for bone in armature.pose.bones} == modes
    for curve in animation.curves(armature):
        keys = np.array([key.co[1] for key in curve.keyframe_points])
        if "rotation" in curve.data_path and "wrist" in curve.data_path:
            assert np.abs(np.diff(keys)).max() < 0.6


def test_a_missing_hand_gets_no_keys():
    armature = rigs.mixamo()
    found = found_map(armature)
    hands = solved_hands()
    for hand in hands:
        sure = np.array([0.9, 0.0, 0.0, 0.9, 0.9])
        judgement.write(hand, FRAMES, sure, np.tile(sure[:, None], 5), np.full(5, np.nan))
    bake.retarget(bpy.context, hands, armature, found, Options())
    name = found.finger("left", "index")[0]
    curve = next(curve for curve in animation.curves(armature) if name in curve.data_path)
    assert [key.co[0] for key in curve.keyframe_points] == [1, 4, 5]


def test_start_from_the_rigs_hands():
    armature = rigs.cartoon()
    found = found_map(armature)
    hands = solved_hands()
    hands[0].parent.location = (3.0, 2.0, 1.0)
    bpy.context.view_layer.update()
    bpy.context.scene.frame_set(1)
    start = {side: np.array(armature.pose.bones[found.bone(f"{side}.hand")].head) for side in found.sides()}
    bake.retarget(bpy.context, hands, armature, found, Options(placement="HERE"))
    now = {side: np.array(armature.pose.bones[found.bone(f"{side}.hand")].head) for side in found.sides()}
    solved = [sources.pose_now(hand, 1).joints[0, 0] for hand in hands]
    np.testing.assert_allclose(sum(now.values()), sum(start.values()), atol=1e-4)
    np.testing.assert_allclose(now["left"] - now["right"], solved[0] - solved[1], atol=1e-4)


# --- what stands in the way -------------------------------------------------------------------------------------------


def uneven(armature):
    armature.scale = (1.0, 1.3, 1.0)


def mirrored(armature):
    armature.scale = (-1.0, 1.0, 1.0)


def locked(armature):
    armature.pose.bones["mixamorig:LeftHandIndex1"].lock_rotation = (True, True, True)


def resting(armature):
    armature.data.pose_position = "REST"


def elsewhere(armature):
    bpy.context.scene.collection.objects.unlink(armature)


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (uneven, "rig-scale"),
        (mirrored, "rig-scale"),
        (locked, "rig-locked"),
        (resting, "rig-rest-position"),
        (elsewhere, "rig-not-shown"),
    ],
)
def test_a_problem_is_said_and_nothing_touched(spoil, code):
    armature = rigs.mixamo()
    found = found_map(armature)
    hands = solved_hands()
    spoil(armature)
    bpy.context.view_layer.update()
    before = everything(armature)
    for work in (bake.test, bake.retarget):
        with pytest.raises(SolverError) as caught:
            work(bpy.context, hands, armature, found, Options())
        assert caught.value.code == code
        assert caught.value.repair.endswith(".")
    assert everything(armature) == before


def test_a_hand_that_is_held_by_its_arm_cannot_be_moved():
    armature = rigs.mixamo()
    found = found_map(armature)
    with pytest.raises(SolverError) as caught:
        bake.retarget(bpy.context, solved_hands(), armature, found, Options(wrist="FREE"))
    assert caught.value.code == "rig-hand-held"


@pytest.mark.parametrize("wrist", ["IK", "ARM"])
def test_the_wrist_of_a_moving_body_by_ik_and_fk(wrist):
    armature = rigs.rigify()
    found = found_map(armature)
    root = armature.pose.bones["root"]
    for frame, place in ((1, 0.0), (5, 0.08)):
        root.location = (0.0, place, 0.0)
        root.keyframe_insert("location", frame=frame)
    hands = solved_hands(("left",))
    bake.retarget(bpy.context, hands, armature, found, Options(wrist=wrist))
    for frame in bpy_frames(FRAMES):
        place = np.array((armature.matrix_world @ armature.pose.bones["DEF-hand.L"].matrix).translation)
        assert 1e3 * np.linalg.norm(place - sources.pose_now(hands[0], int(frame)).joints[0, 0]) < 1.0


def test_measuring_leaves_the_rig_as_it_was():
    armature = rigs.rigify()
    found = found_map(armature)
    armature.pose.bones["f_index.01.L"].rotation_quaternion = (0.9, 0.1, 0.2, 0.3)
    armature.pose.bones["f_index.01_master.L"].scale = (1.0, 0.8, 1.0)
    armature.pose.bones["upper_arm_parent.L"]["IK_FK"] = 0.5
    bpy.context.view_layer.update()
    before = everything(armature)
    posed = bake.posed_bones(found, "left", "IK")
    switches = measuring.switch_values(found, armature, True)
    measuring.at_zero(armature, {*posed, *found.rest}, switches, posed)
    assert everything(armature) == before


def test_a_linked_rig_is_refused_and_its_override_is_not(tmp_path):
    armature = rigs.mixamo()
    name = armature.name
    bpy.data.libraries.write(str(tmp_path / "rig.blend"), {armature})
    bpy.data.objects.remove(armature)
    with bpy.data.libraries.load(str(tmp_path / "rig.blend"), link=True) as (_, wanted):
        wanted.objects = [name]
    linked = wanted.objects[0]
    bpy.context.scene.collection.objects.link(linked)
    found = found_map(linked)
    hands = solved_hands()
    with pytest.raises(SolverError) as caught:
        bake.retarget(bpy.context, hands, linked, found, Options())
    assert caught.value.code == "rig-linked"
    override = linked.override_create(remap_local_usages=True)
    bpy.context.view_layer.update()
    bake.retarget(bpy.context, hands, override, found, Options())
    assert animation.curves(override)


def test_constraints_that_have_the_last_word_are_named():
    armature = rigs.mixamo()
    found = found_map(armature)
    bone = armature.pose.bones[found.finger("left", "middle")[1]]
    constraint = bone.constraints.new("LIMIT_ROTATION")
    constraint.use_limit_x = constraint.use_limit_y = constraint.use_limit_z = True
    constraint.owner_space = "LOCAL"
    bpy.context.scene.frame_set(2)
    outcome = bake.test(bpy.context, solved_hands(), armature, found, Options())
    assert any(bone.name in note and "Limit Rotation" in note for note in outcome.notes)
