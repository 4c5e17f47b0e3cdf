"""Solved hands onto artists' rigs: every kind of rig, what must be exact, and what must be refused."""

import bpy
import numpy as np
import pytest
import rigs
from bl_ext.user_default.handheld.addon import rig, scene
from bl_ext.user_default.handheld.addon.retarget import (
    anatomy,
    bake,
    detect,
    measuring,
    sources,
    transfer,
)
from bl_ext.user_default.handheld.addon.retarget.bake import Options
from hand_poses import NAMES, five_poses

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


def finger_frames(armature, found, side, finger, shape):
    """(n, 3, 3) anatomical frames of what deforms, in the world, as the rig shows them now."""
    frames = anatomy.zero(shape).fingers[finger]
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


@pytest.mark.parametrize("kind", rigs.RIGS)
def test_five_poses_on_every_rig(kind):
    armature = rigs.RIGS[kind]()
    found = found_map(armature)
    hands = solved_hands()
    outcome = bake.retarget(bpy.context, hands, armature, found, Options())
    for side in found.sides():
        hand = hands[("left", "right").index(side)]
        shape = rest_shape(armature, found, side)
        for row, _ in enumerate(bpy_frames(FRAMES)):
            solved = sources.pose_now(hand, int(FRAMES[row]))
            zero = anatomy.zero(solved.shape)
            for finger in found.fingers(side):
                frames = finger_frames(armature, found, side, finger, shape)
                want = solved.finger(zero, finger)[0]
                assert angle_deg(frames[-1][:, 1], want[-1][:, 1]) < 2.0, (side, finger, NAMES[row])
                assert angle_deg(frames[0][:, 1], want[0][:, 1]) < 2.0, (side, finger, NAMES[row])
                if NAMES[row] == "fist" and finger != "thumb":
                    assert all(bends(frames)), (side, finger)
            place = deforming(armature, found.bone(f"{side}.hand"))
            head = np.array((armature.matrix_world @ place.matrix).translation)
            assert 1e3 * np.linalg.norm(head - solved.joints[0, 0]) < 1.0
    assert not [note for note in outcome.notes if "reach" in note]


def bpy_frames(frames):
    for frame in frames:
        bpy.context.scene.frame_set(int(frame))
        yield frame


def bends(frames):
    """Whether each joint turns towards the palm: the next bone leans to the bone's Z."""
    return [after[:, 1] @ before[:, 2] > 0.2 for before, after in zip(frames, frames[1:], strict=False)]


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


@pytest.mark.parametrize("kind", [kind for kind in rigs.RIGS if kind != "rigify"])
def test_detection(kind):
    found = found_map(rigs.RIGS[kind]())
    assert found.name == EXPECTED.get(kind, "Found by its shape")
    assert found.sides() == (("right",) if kind == "single_hand" else ("left", "right"))
    for side in found.sides():
        missing = ("ring",) if kind == "cartoon" else ()
        assert found.missing_fingers(side) == missing
        count = 2 if kind == "cartoon" else 3
        assert {len(chain) for chain in found.fingers(side).values()} == {count}


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


@pytest.mark.parametrize("kind", ["rigify", "unreal", "human_metarig"])
def test_no_twist_in_what_deforms(kind):
    armature = rigs.RIGS[kind]()
    found = found_map(armature)
    bake.retarget(bpy.context, solved_hands(poses=twisted_poses), armature, found, Options())
    for _ in bpy_frames(FRAMES):
        for side in found.sides():
            zero = anatomy.zero(rest_shape(armature, found, side))
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


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize(
    ("size", "factors"),
    [(0.8, {}), (1.3, {}), (1.0, {"thumb": 0.85}), (0.8, {"index": 1.25}), (1.3, {"thumb": 1.15, "index": 0.85})],
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
