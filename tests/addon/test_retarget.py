"""Solved hands onto artists' rigs: every kind of rig, what must be exact, and what must be refused."""

import bpy
import numpy as np
import pytest
import rigs
from bl_ext.user_default.handheld.addon import animation, rig, scene
from bl_ext.user_default.handheld.addon.retarget import anatomy, bake, detect, measuring, rig_map, session, sources
from bl_ext.user_default.handheld.addon.retarget.bake import Options
from bl_ext.user_default.handheld.solver.errors import SolverError
from hand_poses import NAMES, five_poses

from solver import hand_model
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
