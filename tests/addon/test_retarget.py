"""Solved hands onto artists' rigs: every kind of rig, what must be exact, and what must be refused."""

import bpy
import numpy as np
import pytest
import rigs
from bl_ext.user_default.handheld.addon import animation, channels, judgement, rig, scene
from bl_ext.user_default.handheld.addon.retarget import (
    anatomy,
    bake,
    detect,
    measuring,
    rig_map,
    session,
    sources,
    transfer,
)
from bl_ext.user_default.handheld.addon.retarget.bake import Options
from bl_ext.user_default.handheld.solver.errors import SolverError
from hand_poses import NAMES, five_poses
from mathutils import Euler

from solver import hand_model
from solver.hand_model import layout
from solver.hand_model import rotations as so3

FRAMES = np.arange(1, len(NAMES) + 1)
REACH = {"left": np.array([0.58, -1.35, 0.05]), "right": np.array([-0.58, -1.35, 0.05])}


def solved_hands(sides=("left", "right"), poses=None):
    root = scene.build_root(bpy.context.scene, None, "Root", "ROOT")
    hands = []
    for side in sides:
        shaped = hand_model.load(side, "open").with_shape(np.zeros(10))
        armature = rig.build(f"{side} hand", shaped, root.users_collection[0], root)
        armature.handheld.role = "HAND"
        rotations, transl = (poses or five_poses)(side, REACH[side])
        rig.write_motion(armature, rig.HandMotion(np.arange(1, len(rotations) + 1), rotations, transl))
        hands.append(armature)
    return hands


def found_map(armature):
    bpy.context.view_layer.update()
    return detect.find(measuring.skeleton(armature))


def deforming(armature, bone):
    """What the skin hangs on: the bone itself, or what it drives in a rig with controls."""
    bones = armature.pose.bones
    driven = {"hand_fk.": "DEF-hand.", "c_hand_fk.": "hand."}.get(bone[:-1])
    return bones.get(f"DEF-{bone}") or (bones[driven + bone[-1]] if driven else bones[bone])


def turn_of(armature, bone):
    """(3, 3) of a pose bone against rest, in the world."""
    world = np.array(armature.matrix_world.to_quaternion().to_matrix(), float)
    now = np.array(bone.matrix.to_quaternion().to_matrix(), float)
    return world @ now @ np.array(bone.bone.matrix_local.to_3x3(), float).T


def finger_frames(armature, found, side, finger, at_rest):
    """(n, 3, 3) anatomical frames of what deforms, in the world, as the rig shows them now."""
    frames = at_rest.fingers[finger]
    bones = found.finger(side, finger)
    return [turn_of(armature, deforming(armature, name)) @ rest for name, rest in zip(bones, frames, strict=True)]


def rest_shape(armature, found, side):
    """The hand at rest by the test's own reckoning: joints from rest heads, the tip from what deforms or marks it."""
    data = armature.data.bones
    fingers = {}
    for finger, names in found.fingers(side).items():
        tip = data.get(found.bone(f"{side}.{finger}.tip"))
        heads = [data[name].head_local for name in names]
        deform = deforming(armature, names[-1]).bone
        is_along = (deform.tail_local - deform.head_local).angle(heads[-1] - heads[-2]) < 1.0
        end = tip.head_local if tip else deform.tail_local if is_along else heads[-1] + 0.8 * (heads[-1] - heads[-2])
        fingers[finger] = anatomy.Finger(np.array([*heads, end], float))
    return anatomy.HandShape(side, np.array(data[found.bone(f"{side}.hand")].head_local, float), fingers)


def angle_deg(first, second):
    return np.degrees(np.arctan2(np.linalg.norm(np.cross(first, second)), first @ second))


EXPECTED = {
    "rigify": "Rigify, controls",
    "rigify_deform": "Rigify, deform bones",
    "auto_rig_pro": "Auto-Rig Pro, controls",
    "mixamo": "Mixamo",
    "unreal": "Unreal Engine, Manny / MetaHuman",
    "vrm_0": "VRM 0",
    "vrm_1": "VRM 1",
    "human_metarig": "Blender's human meta-rig",
}


@pytest.mark.parametrize("kind", rigs.RIGS)
def test_five_poses_on_every_rig(kind):
    armature = rigs.RIGS[kind]()
    found = found_map(armature)
    assert_found(kind, found)
    hands = solved_hands()
    outcome = bake.retarget(bpy.context, hands, armature, found, Options())
    for side in found.sides():
        hand = hands[("left", "right").index(side)]
        at_rest = anatomy.zero(rest_shape(armature, found, side))
        for row, _ in enumerate(bpy_frames(FRAMES)):
            solved = sources.pose_now(hand, int(FRAMES[row]))
            zero = anatomy.zero(solved.shape)
            for finger in found.fingers(side):
                frames = finger_frames(armature, found, side, finger, at_rest)
                want = solved.finger(zero, finger)[0]
                assert angle_deg(frames[-1][:, 1], want[-1][:, 1]) < 2.0, (side, finger, NAMES[row])
                assert angle_deg(frames[0][:, 1], want[0][:, 1]) < 2.0, (side, finger, NAMES[row])
                if NAMES[row] == "fist" and finger != "thumb":
                    assert all(bends(frames)), (side, finger)
            place = deforming(armature, found.bone(f"{side}.hand"))
            head = np.array((armature.matrix_world @ place.matrix).translation)
            assert 1e3 * np.linalg.norm(head - solved.joints[0, 0]) < 1.0
    assert not [note for note in outcome.notes if "reach" in note]


def assert_found(kind, found):
    assert found.name == EXPECTED.get(kind, "Found by its shape")
    assert found.sides() == (("right",) if kind == "single_hand" else ("left", "right"))
    for side in found.sides():
        assert found.missing_fingers(side) == (("ring",) if kind == "cartoon" else ())
        count = 2 if kind == "cartoon" else 3
        assert {len(chain) for chain in found.fingers(side).values()} == {count}


def bpy_frames(frames):
    for frame in frames:
        bpy.context.scene.frame_set(int(frame))
        yield frame


def bends(frames):
    """Whether each joint turns towards the palm: the next bone leans to the bone's Z."""
    return [after[:, 1] @ before[:, 2] > 0.2 for before, after in zip(frames, frames[1:], strict=False)]


# --- twist ------------------------------------------------------------------------------------------------------------


def twisted_poses(side, wrist):
    """Bends and spreads, and at each finger's base a twist that no finger can do."""
    rotations, transl = five_poses(side, wrist)
    hand = hand_model.load(side, "open").with_shape(np.zeros(10))
    for finger in ("index", "middle", "ring", "pinky"):
        joints = layout.FINGER_JOINTS[finger]
        along = hand.joints_rest[joints[1]] - hand.joints_rest[joints[0]]
        rotations[:, joints[0]] = rotations[:, joints[0]] @ so3.exp(np.radians(20) * along / np.linalg.norm(along))
    return rotations, transl


@pytest.mark.parametrize("kind", ["rigify", "unreal"])
def test_no_twist_in_what_deforms(kind):
    armature = rigs.RIGS[kind]()
    found = found_map(armature)
    bake.retarget(bpy.context, solved_hands(poses=twisted_poses), armature, found, Options())
    at_rest = {side: anatomy.zero(rest_shape(armature, found, side)) for side in found.sides()}
    for _ in bpy_frames(FRAMES):
        for side, zero in at_rest.items():
            hand = turn_of(armature, deforming(armature, found.bone(f"{side}.hand")))
            for finger in ("index", "middle", "ring", "pinky"):
                before = hand
                for number, name in enumerate(found.finger(side, finger)):
                    turn = turn_of(armature, deforming(armature, name))
                    frame = zero.fingers[finger][number]
                    relative = frame.T @ before.T @ turn @ frame
                    assert abs(twist_deg(relative, is_swung=number == 0 and kind == "rigify")) < 0.5, (name, finger)
                    before = turn


def twist_deg(relative, is_swung):
    """Of a turn in the bone's own frame: about Y after the shortest swing, or after bend (X) and spread (Z)."""
    if is_swung:
        return np.degrees(transfer.twist_angle(relative[None], np.array([0.0, 1.0, 0.0]))[0])
    bend, spread = np.arctan2(relative[2, 1], relative[1, 1]), -np.arcsin(relative[0, 1])
    rest = (so3.exp(np.array([bend, 0, 0])) @ so3.exp(np.array([0, 0, spread]))).T @ relative
    return np.degrees(np.arctan2(rest[0, 2], rest[0, 0]))


def test_forearm_shares_the_roll_of_the_wrist():
    armature = rigs.unreal()
    found = found_map(armature)

    def rolled(side, wrist):
        rotations, transl = five_poses(side, wrist)
        rotations[:, 0] = so3.exp(np.linspace(0, 2.0, len(rotations))[:, None] * np.array([1.0, 0, 0]))
        return rotations, transl[:1] + np.zeros((len(rotations), 3))

    bake.retarget(bpy.context, solved_hands(poses=rolled), armature, found, Options())
    rolls = {}
    for frame in bpy_frames(FRAMES[[0, -1]]):
        forearm = turn_of(armature, armature.pose.bones["lowerarm_l"])
        axis = np.array(armature.data.bones["hand_l"].head_local - armature.data.bones["lowerarm_l"].head_local)
        for name in ("lowerarm_twist_02_l", "lowerarm_twist_01_l", "hand_l"):
            turn = forearm.T @ turn_of(armature, armature.pose.bones[name])
            rolls[name, frame] = np.degrees(transfer.twist_angle(turn[None], axis / np.linalg.norm(axis))[0])
    grown = {name: rolls[name, 5] - rolls[name, 1] for name in ("lowerarm_twist_02_l", "lowerarm_twist_01_l", "hand_l")}
    assert 100 < abs(grown["hand_l"]) < 120
    assert grown["lowerarm_twist_02_l"] / grown["hand_l"] == pytest.approx(0.33, abs=0.02)
    assert grown["lowerarm_twist_01_l"] / grown["hand_l"] == pytest.approx(0.67, abs=0.02)


# --- fingertips -------------------------------------------------------------------------------------------------------


def tip_gap_mm(armature, found, side):
    ends = {}
    for finger in ("thumb", "index"):
        bone = armature.pose.bones[found.finger(side, finger)[-1]]
        ends[finger] = np.array(armature.matrix_world @ bone.tail)
    return 1e3 * np.linalg.norm(ends["thumb"] - ends["index"])


@pytest.mark.parametrize(
    ("side", "size", "factors"),
    [
        ("left", 0.8, {}),
        ("right", 1.0, {"thumb": 0.85}),
        ("left", 0.8, {"index": 1.25}),
        ("right", 1.3, {"thumb": 1.15, "index": 0.85}),
    ],
)
def test_a_pinch_stays_a_pinch(side, size, factors):
    armature = rigs.scaled_fingers(side, factors, size)
    found = found_map(armature)
    hands = solved_hands((side,))
    gaps = {}
    for fingers in ("ANGLES", "PINCH", "TIPS"):
        bake.retarget(bpy.context, hands, armature, found, Options(fingers=fingers))
        bpy.context.scene.frame_set(1 + NAMES.index("pinch"))
        gaps[fingers] = tip_gap_mm(armature, found, side)
    assert gaps["PINCH"] < 2.0
    assert gaps["TIPS"] < 2.0
    assert gaps["ANGLES"] > 5.0 or not factors


def opening(side, wrist):
    """A pinch that opens slowly into a flat hand, and stays flat."""
    rotations, transl = five_poses(side, wrist)
    start, end = rotations[NAMES.index("pinch")], rotations[NAMES.index("flat")]
    turn = so3.log(np.swapaxes(start, -1, -2) @ end)
    share = np.clip(np.arange(60) / 40, 0, 1)[:, None, None]
    return start @ so3.exp(turn * share), np.repeat(transl[:1], 60, axis=0)


def test_pinches_open_without_jumps_and_open_hands_are_left_alone():
    armature = rigs.scaled_fingers("left", {"thumb": 0.85, "index": 1.15}, 1.1)
    found = found_map(armature)
    hands = solved_hands(("left",), opening)
    shown, steps = {}, {}
    for fingers in ("ANGLES", "PINCH"):
        bake.retarget(bpy.context, hands, armature, found, Options(fingers=fingers))
        frames = [np.array([bone.matrix_basis for bone in armature.pose.bones]) for _ in bpy_frames(range(1, 61))]
        shown[fingers] = np.array(frames)[:, :, :3, :3]
        steps[fingers] = np.degrees(so3.angle_between(shown[fingers][:-1], shown[fingers][1:])).max()
    np.testing.assert_allclose(shown["PINCH"][50:], shown["ANGLES"][50:], atol=1e-4)
    assert steps["PINCH"] < steps["ANGLES"] + 3.0


# --- what the artist has stays ----------------------------------------------------------------------------------------


def everything(armature):
    """All that a retargeting could touch: poses, rest, transforms, action, switches."""
    bones = [
        (*bone.location, *bone.rotation_quaternion, *bone.rotation_euler, *bone.scale, bone.rotation_mode)
        for bone in armature.pose.bones
    ]
    rest = [
        (*bone.head_local, *bone.tail_local, *sum(map(list, bone.matrix_local), [])) for bone in armature.data.bones
    ]
    action = armature.animation_data.action if armature.animation_data else None
    own = {bone.name: dict(bone.items()) for bone in armature.pose.bones if "IK_FK" in bone}
    switches = {name: values["IK_FK"] for name, values in own.items()}
    return bones, rest, sum(map(list, armature.matrix_world), []), action and action.name, switches


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


# --- maps and operators -----------------------------------------------------------------------------------------------


def test_maps_are_files(tmp_path):
    armature = rigs.rigify()
    settings = bpy.context.scene.handheld_retarget
    settings.target = armature
    assert bpy.ops.handheld.detect_rig() == {"FINISHED"}
    next(item for item in settings.slots if item.name == "left.index.3").bone = ""
    bpy.ops.handheld.save_rig_map(filepath=str(tmp_path / "mine.json"))
    saved = rig_map.read(tmp_path / "mine.json")
    assert saved.finger("left", "index") == ("f_index.01.L", "f_index.02.L")
    assert saved.switches and saved.rest and saved.swing_only
    bpy.ops.handheld.detect_rig()
    bpy.ops.handheld.load_rig_map(filepath=str(tmp_path / "mine.json"))
    assert "left.index.3" not in {item.name for item in settings.slots}
    (tmp_path / "bad.json").write_text('{"format": "handheld-rig-map", "version": 1, "bones": {"left.tail": "x"}}')
    with pytest.raises(RuntimeError, match=r"left\.tail"):
        bpy.ops.handheld.load_rig_map(filepath=str(tmp_path / "bad.json"))


def test_operators_and_live_link():
    armature = rigs.unreal()
    hands = solved_hands()
    settings = bpy.context.scene.handheld_retarget
    settings.target = armature
    bpy.context.view_layer.update()
    assert bpy.ops.handheld.test_retarget() == {"FINISHED"}
    assert bpy.ops.handheld.retarget() == {"FINISHED"}
    assert settings.map_name == "Unreal Engine, Manny / MetaHuman"
    settings.use_live = True
    bpy.context.scene.frame_set(1)
    before = armature.pose.bones["index_01_l"].matrix.copy()
    rotations, transl = five_poses("left", REACH["left"])
    rig.write_motion(hands[0], rig.HandMotion(FRAMES, rotations[[1, 1, 1, 1, 1]], transl))
    bpy.context.scene.frame_set(1)
    hands[0].update_tag()
    bpy.context.view_layer.update()
    session.refresh_pending()
    bpy.context.scene.frame_set(1)
    turned = before.to_quaternion().rotation_difference(armature.pose.bones["index_01_l"].matrix.to_quaternion()).angle
    assert turned > 0.5


def test_an_armature_without_hands_is_said():
    armature = rigs.build(
        "Snake", [rigs.Bone("a", "", np.zeros(3), np.ones(3)), rigs.Bone("b", "a", np.ones(3), 2 * np.ones(3))]
    )
    bpy.context.scene.handheld_retarget.target = armature
    bpy.context.view_layer.update()
    with pytest.raises(RuntimeError, match="No hand was found"):
        bpy.ops.handheld.detect_rig()


@pytest.mark.parametrize("order", ["XYZ", "XZY", "YXZ", "YZX", "ZXY", "ZYX"])
def test_euler_angles_are_blenders(order):
    rng = np.random.default_rng(2)
    rotations = np.concatenate([so3.exp(rng.normal(0, 2, (20, 3))), so3.exp(np.eye(3) * np.pi / 2)])
    for rotation, angles in zip(rotations, channels.euler(rotations, order), strict=True):
        np.testing.assert_allclose(np.array(Euler(angles, order).to_matrix()), rotation, atol=1e-6)
    smooth = so3.exp(np.linspace(0, 20, 400)[:, None] * np.array([0.2, 0.9, 0.4]))
    values = channels.values(smooth, order)
    for rotation, angles in zip(smooth, values, strict=True):
        np.testing.assert_allclose(np.array(Euler(angles, order).to_matrix()), rotation, atol=1e-6)
    assert np.abs(np.diff(values, axis=0)).max() < 1.0
