"""Armatures as artists have them, made here: names, bones between, rest poses, rolls and scales of the real ones.

Geometry is the open hand's, bent to a rest pose of its own and put at the end of an arm. Each rig rests differently.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from dataclasses import dataclass

import addon_utils
import bpy
import numpy as np
from mathutils import Matrix, Vector

from solver import hand_model
from solver.hand_model import rotations as so3
from solver.hand_model.layout import FINGER_JOINTS, FINGERS

WORLD = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]])
SIDES = ("left", "right")


@dataclass(frozen=True)
class Geometry:
    """A hand's joints in Blender's axes: wrist (3,), and per finger (4, 3) joints and tip."""

    wrist: np.ndarray
    fingers: dict[str, np.ndarray]


def geometry(side: str, bend_deg: float = 8.0, spread_deg: float = 3.0, size: float = 1.0, seed: int = 0) -> Geometry:
    """A relaxed hand, palm down, fingers pointing away from the body along +X (left) or -X, wrist at the arm's end."""
    rng = np.random.default_rng(seed)
    shaped = hand_model.load(side, "open").with_shape(rng.normal(0, 0.5, 10))
    # MANO's flat hand has its fingers along -x (right), palm along -y: a bend is a turn about z
    sign = 1.0 if side == "right" else -1.0
    vectors = np.zeros((16, 3))
    vectors[1:13, 2] = sign * np.radians(bend_deg) * rng.uniform(0.6, 1.4, 12)
    for finger, share in zip(FINGERS[1:], (1.0, 0.3, -0.4, -1.0), strict=True):
        vectors[FINGER_JOINTS[finger][0], 1] = sign * np.radians(spread_deg) * share
    points = shaped.pose(so3.exp(vectors)).keypoints @ WORLD.T
    points = (points - points[0]) * size
    out = 1.0 if side == "left" else -1.0
    wrist = np.array([out * 0.7, 0.0, 1.4])
    fingers = {finger: points[4 * row + 1 : 4 * row + 5] + wrist for row, finger in enumerate(FINGERS)}
    return Geometry(wrist, fingers)


@dataclass(frozen=True)
class Bone:
    name: str
    parent: str
    head: np.ndarray
    tail: np.ndarray
    connected: bool = False


def build(name: str, bones: list[Bone], roll_seed: int | None = None, sideways: bool = False) -> bpy.types.Object:
    """An armature object of these bones. ``sideways``: tails as importers leave them, square to the bone's way."""
    armature = bpy.data.objects.new(name, bpy.data.armatures.new(name))
    bpy.context.scene.collection.objects.link(armature)
    rng = np.random.default_rng(roll_seed)
    with editing(armature) as edit_bones:
        for bone in bones:
            made = edit_bones.new(bone.name)
            made.parent = edit_bones.get(bone.parent)
            way = bone.tail - bone.head
            if sideways:
                way = np.cross(way, [0.3, 0.2, 1.0])
            made.head, made.tail = bone.head, bone.head + way
            made.use_connect = bone.connected and not sideways
            made.roll = rng.uniform(-3, 3) if roll_seed is not None else 0.0
    return armature


@contextlib.contextmanager
def editing(armature: bpy.types.Object):
    bpy.context.view_layer.objects.active = armature
    bpy.ops.object.mode_set(mode="EDIT")
    yield armature.data.edit_bones
    bpy.ops.object.mode_set(mode="OBJECT")


def arm_of(side: str, hand: Geometry) -> dict[str, np.ndarray]:
    out = 1.0 if side == "left" else -1.0
    return {
        "shoulder": np.array([out * 0.16, 0.0, 1.42]),
        "elbow": (np.array([out * 0.16, 0.0, 1.42]) + hand.wrist) / 2 + [0.0, 0.03, -0.01],
        "wrist": hand.wrist,
    }


def body(names: Callable[[str, str], str], **shape) -> list[Bone]:
    """Spine, arms and hands with three bones a finger. ``names(side, part)``: parts are upper_arm, index.1, ..."""
    bones = [Bone(names("", "spine"), "", np.array([0, 0, 1.0]), np.array([0, 0, 1.4]))]
    for side in SIDES:
        hand = geometry(side, **shape)
        arm = arm_of(side, hand)
        knuckles = hand.fingers["middle"][0]
        bones += [
            Bone(names(side, "upper_arm"), names("", "spine"), arm["shoulder"], arm["elbow"]),
            Bone(names(side, "forearm"), names(side, "upper_arm"), arm["elbow"], arm["wrist"], True),
            Bone(names(side, "hand"), names(side, "forearm"), arm["wrist"], knuckles, True),
        ]
        for finger in FINGERS:
            bones += finger_bones(names, side, finger, hand)
    return bones


def finger_bones(names: Callable[[str, str], str], side: str, finger: str, hand: Geometry) -> list[Bone]:
    joints, bones, parent = hand.fingers[finger], [], names(side, "hand")
    metacarpal = names(side, f"{finger}.metacarpal")
    if metacarpal:
        bones.append(Bone(metacarpal, parent, hand.wrist + 0.25 * (joints[0] - hand.wrist), joints[0]))
        parent = metacarpal
    for number in range(3):
        name = names(side, f"{finger}.{number + 1}")
        bones.append(Bone(name, parent, joints[number], joints[number + 1], number > 0))
        parent = name
    tip = names(side, f"{finger}.tip")
    if tip:
        bones.append(Bone(tip, parent, joints[3], joints[3] + 0.3 * (joints[3] - joints[2])))
    return bones


# --- the rigs ---------------------------------------------------------------------------------------------------------


def mixamo() -> bpy.types.Object:
    """As its FBX arrives: centimetres under an object scaled by 0.01 and turned upright, a leaf at each fingertip."""

    def names(side, part):
        word = side.title()
        if "." in part:
            finger, number = part.split(".")
            number = {"tip": "4", "metacarpal": ""}.get(number, number)
            return f"mixamorig:{word}Hand{finger.title()}{number}" if number else ""
        parts = {"spine": "Spine2", "upper_arm": "Arm", "forearm": "ForeArm", "hand": "Hand"}
        return f"mixamorig:{word}{parts[part]}"

    upright = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])
    bones = [
        Bone(b.name, b.parent, 100 * upright @ b.head, 100 * upright @ b.tail, b.connected)
        for b in body(names, bend_deg=4.0, seed=1)
    ]
    armature = build("Mixamo", bones, roll_seed=1)
    armature.rotation_euler = (np.pi / 2, 0, 0)
    armature.scale = (0.01, 0.01, 0.01)
    return armature


def unreal() -> bpy.types.Object:
    """Metacarpals, two twist bones a forearm, and bone axes that don't point along the bones."""

    def names(side, part):
        letter = side[:1]
        if "." in part:
            finger, number = part.split(".")
            if number == "metacarpal":
                return f"{finger}_metacarpal_{letter}" if finger != "thumb" else ""
            return f"{finger}_0{number}_{letter}" if number != "tip" else ""
        parts = {"spine": "spine_05", "upper_arm": "upperarm", "forearm": "lowerarm", "hand": "hand"}
        return parts[part] + (f"_{letter}" if side else "")

    bones = body(names, bend_deg=14.0, spread_deg=6.0, seed=2)
    for side in SIDES:
        elbow, wrist = next((b.head, b.tail) for b in bones if b.name == f"lowerarm_{side[0]}")
        for number, place in (("02", 0.33), ("01", 0.67)):
            head = elbow + place * (wrist - elbow)
            bones.append(
                Bone(f"lowerarm_twist_{number}_{side[0]}", f"lowerarm_{side[0]}", head, head + (wrist - elbow) / 5)
            )
    return build("Unreal", bones, roll_seed=2, sideways=True)


def _vrm(name: str, thumb: tuple[str, str, str], seed: int) -> bpy.types.Object:
    def names(side, part):
        if "." in part:
            finger, number = part.split(".")
            if not number.isdigit():
                return ""
            segments = thumb if finger == "thumb" else ("Proximal", "Intermediate", "Distal")
            return f"{side}{'Little' if finger == 'pinky' else finger.title()}{segments[int(number) - 1]}"
        return side + {"spine": "chest", "upper_arm": "UpperArm", "forearm": "LowerArm", "hand": "Hand"}[part]

    return build(name, body(names, bend_deg=2.0, seed=seed), roll_seed=seed)


def vrm_1() -> bpy.types.Object:
    return _vrm("VRM 1", ("Metacarpal", "Proximal", "Distal"), 3)


def vrm_0() -> bpy.types.Object:
    return _vrm("VRM 0", ("Proximal", "Intermediate", "Distal"), 4)


def auto_rig_pro() -> bpy.types.Object:
    """Controls: an IK and an FK hand, a switch between them, fingers under a hand that follows either."""

    def names(side, part):
        letter = side[:1]
        if "." in part:
            finger, number = part.split(".")
            if number == "metacarpal":
                return f"c_{finger}1_base.{letter}" if finger != "thumb" else ""
            return f"c_{finger}{number}.{letter}" if number != "tip" else ""
        if part == "spine":
            return "c_spine_02.x"
        return {"upper_arm": "c_arm_fk", "forearm": "c_forearm_fk", "hand": "hand"}[part] + f".{letter}"

    bones = []
    for bone in body(names, bend_deg=20.0, spread_deg=8.0, seed=5):
        letter = bone.name[-1]
        if bone.name.startswith("hand."):
            bones.append(Bone(f"c_hand_fk.{letter}", bone.parent, bone.head, bone.tail))
            bones.append(Bone(f"c_hand_ik.{letter}", "", bone.head, bone.tail))
            bones.append(Bone(bone.name, "", bone.head, bone.tail))
        else:
            bones.append(bone)
    armature = build("Auto-Rig Pro", bones, roll_seed=5)
    for letter in ("l", "r"):
        _switch_hand(armature, letter)
    return armature


def _switch_hand(armature: bpy.types.Object, letter: str) -> None:
    armature.pose.bones[f"c_hand_ik.{letter}"]["ik_fk_switch"] = 0.0
    hand = armature.pose.bones[f"hand.{letter}"]
    for control, expression in (("c_hand_fk", "switch"), ("c_hand_ik", "1 - switch")):
        constraint = hand.constraints.new("COPY_TRANSFORMS")
        constraint.target, constraint.subtarget = armature, f"{control}.{letter}"
        driver = constraint.driver_add("influence").driver
        variable = driver.variables.new()
        variable.name = "switch"
        variable.targets[0].id = armature
        variable.targets[0].data_path = f'pose.bones["c_hand_ik.{letter}"]["ik_fk_switch"]'
        driver.expression = expression


def _human_metarig() -> bpy.types.Object:
    """Arms and hands of Blender's own, without the rest: quicker, and all that is asked for here."""
    if not addon_utils.check("rigify")[1]:
        bpy.ops.preferences.addon_enable(module="rigify")
    bpy.ops.object.armature_human_metarig_add()
    metarig = bpy.context.object
    kept = ("spine.003", "shoulder", "upper_arm", "forearm", "hand", "palm", "f_", "thumb")
    with editing(metarig) as edit_bones:
        for bone in list(edit_bones):
            if not bone.name.startswith(kept):
                edit_bones.remove(bone)
    return metarig


def human_metarig() -> bpy.types.Object:
    return _human_metarig()


def rigify() -> bpy.types.Object:
    """A generated rig with all its controls and mechanism."""
    metarig = _human_metarig()
    metarig.pose.bones["spine.003"].rigify_type = "basic.super_copy"
    with contextlib.redirect_stdout(io.StringIO()):
        bpy.ops.pose.rigify_generate()
    rig = bpy.context.object
    bpy.data.objects.remove(metarig)
    return rig


def rigify_deform() -> bpy.types.Object:
    """What goes to a game: the deform bones of a generated rig alone."""
    rig = rigify()
    for bone in rig.pose.bones:
        bone.lock_rotation, bone.lock_location = (False,) * 3, (False,) * 3
        for constraint in list(bone.constraints):
            bone.constraints.remove(constraint)
    rig.animation_data_clear()
    rig.data.animation_data_clear()
    with editing(rig) as edit_bones:
        for bone in list(edit_bones):
            if bone.name.startswith("DEF-hand"):
                bone.parent = edit_bones[bone.name.replace("hand", "forearm") + ".001"]
            elif bone.name.startswith(("DEF-thumb.01", "DEF-palm")):
                bone.parent = edit_bones["DEF-hand." + bone.name[-1]]
            elif bone.name.startswith("DEF-f_") and ".01." in bone.name:
                number = {"index": 1, "middle": 2, "ring": 3, "pinky": 4}[bone.name.split("_")[1].split(".")[0]]
                bone.parent = edit_bones[f"DEF-palm.0{number}." + bone.name[-1]]
        for bone in list(edit_bones):
            if not bone.name.startswith("DEF-"):
                edit_bones.remove(bone)
    return rig


def unnamed() -> bpy.types.Object:
    """Nothing to go by but shape: bones are numbered, rolls are anything, fingers rest half bent."""
    numbers: dict[tuple[str, str], str] = {}

    def names(side, part):
        if part.endswith((".tip", ".metacarpal")):
            return ""
        return numbers.setdefault((side, part), f"Bone.{len(numbers):03}")

    return build("Unnamed", body(names, bend_deg=30.0, seed=6), roll_seed=6)


def words() -> bpy.types.Object:
    """A rig of nobody's convention whose names still say what is what."""

    def names(side, part):
        if part.endswith((".tip", ".metacarpal")):
            return ""
        word = {"upper_arm": "UpArm", "forearm": "LowerArm", "hand": "Palm", "spine": "Chest"}.get(part)
        return f"{word or part.replace('.', '').replace('pinky', 'little').title()}_{side.title()}"

    return build("Words", body(names, bend_deg=10.0, seed=7), roll_seed=7)


def cartoon() -> bpy.types.Object:
    """Three fingers and a thumb, two bones each, a third larger than life, no arms."""
    bones = []
    for side in SIDES:
        hand = geometry(side, bend_deg=12.0, size=1.3, seed=8)
        letter = side[0].upper()
        bones.append(Bone(f"hand.{letter}", "", hand.wrist, hand.fingers["middle"][0]))
        for finger in ("thumb", "index", "middle", "pinky"):
            joints = hand.fingers[finger]
            first = Bone(f"{finger}_a.{letter}", f"hand.{letter}", joints[0], joints[1])
            bones += [first, Bone(f"{finger}_b.{letter}", first.name, joints[1], joints[3], True)]
    return build("Cartoon", bones, roll_seed=8)


def single_hand() -> bpy.types.Object:
    """A right hand alone, with Euler controls of several orders."""
    hand = geometry("right", size=0.8, seed=9)
    bones = [Bone("wrist_R", "", hand.wrist, hand.fingers["middle"][0])]
    orders = ("XYZ", "ZYX", "YXZ", "QUATERNION", "AXIS_ANGLE")

    def names(_, part):
        return (
            "wrist_R"
            if part == "hand"
            else ("" if part.endswith(("tip", "metacarpal")) else f"{part.replace('.', '')}_R")
        )

    for finger in FINGERS:
        bones += finger_bones(names, "right", finger, hand)
    armature = build("Single Hand", bones, roll_seed=9)
    for number, bone in enumerate(armature.pose.bones):
        bone.rotation_mode = orders[number % len(orders)]
    return armature


RIGS = {
    maker.__name__: maker
    for maker in (
        rigify, rigify_deform, auto_rig_pro, mixamo, unreal, vrm_0, vrm_1, human_metarig, words, unnamed, cartoon,
        single_hand,
    )
}  # fmt: skip


def scaled_fingers(side: str, factors: dict[str, float], size: float) -> bpy.types.Object:
    """One hand whose fingers are longer or shorter than its palm would have them."""
    hand = geometry(side, size=size, seed=10)
    fingers = {f: j[0] + (j - j[0]) * factors.get(f, 1.0) for f, j in hand.fingers.items()}
    hand = Geometry(hand.wrist, fingers)

    def names(_, part):
        return "hand" if part == "hand" else ("" if part.endswith(("tip", "metacarpal")) else part.replace(".", "_"))

    bones = [Bone("hand", "", hand.wrist, hand.fingers["middle"][0])]
    for finger in FINGERS:
        bones += finger_bones(names, side, finger, hand)
    return build("Scaled", bones)


def turn_object(armature: bpy.types.Object) -> None:
    """Somewhere else, turned and scaled, as characters stand in scenes."""
    armature.matrix_world = (
        Matrix.LocRotScale(
            Vector((0.3, -1.0, 0.2)),
            Matrix.Rotation(0.7, 3, Vector((0.2, 0.1, 1.0))).to_quaternion(),
            Vector((1.1,) * 3),
        )
        @ armature.matrix_world
    )
