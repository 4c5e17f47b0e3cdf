"""Solved hands onto artists' rigs: every kind of rig, and what must be exact."""

import bpy
import numpy as np
import pytest
import rigs
from bl_ext.user_default.handheld.addon.retarget import (
    anatomy,
    bake,
    sources,
    transfer,
)
from bl_ext.user_default.handheld.addon.retarget.bake import Options
from hand_poses import NAMES, five_poses
from retargeting import (
    FRAMES,
    angle_deg,
    assert_found,
    bends,
    bpy_frames,
    deforming,
    finger_frames,
    found_map,
    rest_shape,
    solved_hands,
    tip_gap_mm,
    turn_of,
)

from solver import hand_model
from solver.hand_model import layout
from solver.hand_model import rotations as so3


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
