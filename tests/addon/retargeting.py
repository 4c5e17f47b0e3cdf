"""Solved hands, what is found of a rig, and what is measured on it, for the tests of retargeting."""

import bpy
import numpy as np
from bl_ext.user_default.handheld.addon import rig, scene
from bl_ext.user_default.handheld.addon.retarget import (
    anatomy,
    detect,
    measuring,
)
from hand_poses import NAMES, five_poses

from solver import hand_model

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


def tip_gap_mm(armature, found, side):
    ends = {}
    for finger in ("thumb", "index"):
        bone = armature.pose.bones[found.finger(side, finger)[-1]]
        ends[finger] = np.array(armature.matrix_world @ bone.tail)
    return 1e3 * np.linalg.norm(ends["thumb"] - ends["index"])
