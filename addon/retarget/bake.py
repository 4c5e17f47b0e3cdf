"""Retargeting in a scene: what is asked for, the pose of one frame as a test, and the whole motion as a new action."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import bpy
import numpy as np
from mathutils import Matrix

from ...solver.errors import SolverError
from ...solver.hand_model.rotations import angle_between
from ...solver.wording import counted
from .. import animation, channels
from . import checks, compute, measuring, sources, target
from .compute import ArmBones, Job, Placed, Poses, Twist
from .rig_map import RigMap
from .skeleton import Skeleton
from .source import HandMotion

_MADE = "handheld_retarget"
_LARGEST_DEVIATION = np.radians(2.0)
_LARGEST_MISS_M = 0.005


@dataclass(frozen=True)
class Options:
    """Attributes:
    fingers: one of ``compute.FINGER_MODES``.
    wrist: one of ``compute.WRIST_MODES``, or "AUTO".
    placement: "WORLD": where the solved hands are. "HERE": moved so that the hands start from where the rig's are now.
    """

    fingers: str = "ANGLES"
    wrist: str = "AUTO"
    placement: str = "WORLD"


@dataclass(frozen=True, eq=False)
class Outcome:
    """Attributes:
    poses: of each side that was retargeted.
    notes: what the person should know.
    """

    poses: dict[str, Poses]
    notes: tuple[str, ...] = ()


def test(
    context: bpy.types.Context,
    hands: Iterable[bpy.types.Object],
    armature: bpy.types.Object | None,
    rig_map: RigMap,
    options: Options,
) -> Outcome:
    """Pose the target as the solved hands are in this frame, without keys. Arguments and errors as ``retarget``."""
    scene = context.scene
    motions = {hand.handheld.side: sources.pose_now(hand, scene.frame_current) for hand in _one_a_side(hands)}
    outcome = _solved(context, motions, armature, rig_map, options)
    _set_switches(armature, rig_map, options)
    for poses in outcome.poses.values():
        for name, pose in poses.bones.items():
            _set_pose(armature.pose.bones[name], pose, 0)
    context.view_layer.update()
    return Outcome(outcome.poses, (*outcome.notes, *_deviations(armature, outcome.poses, 0)))


def retarget(
    context: bpy.types.Context,
    hands: Iterable[bpy.types.Object],
    armature: bpy.types.Object | None,
    rig_map: RigMap,
    options: Options,
) -> Outcome:
    """Bake the solved hands' motion onto the target, as an action of its own.

    An action that the target has is copied and stays as it is. An action of an earlier retargeting is written again:
    the artist's keys in it stay. Everything is computed before anything is written.

    Args:
        context: scene and view layer.
        hands: armatures of solved hands; the first one of each side counts.
        armature: the target.
        rig_map: what its bones are.
        options: how.

    Raises:
        SolverError: those of ``checks``, and ``no-hands``, ``no-motion``, ``no-hand-found``.
    """
    scene = context.scene
    motions = {}
    for hand in _one_a_side(hands):
        frames = sources.frames_of(hand)
        if len(frames):
            motions[hand.handheld.side] = sources.motion_of(hand, scene, frames)
    if not motions:
        raise SolverError("no-motion", "The solved hands have no keys.", "Solve the clip first, or import a take.")
    outcome = _solved(context, motions, armature, rig_map, options)
    _write(armature, rig_map, outcome.poses, options)
    scene.frame_set(scene.frame_current, subframe=scene.frame_subframe)
    return outcome


def _one_a_side(hands: Iterable[bpy.types.Object]) -> list[bpy.types.Object]:
    first: dict[str, bpy.types.Object] = {}
    for hand in hands:
        first.setdefault(hand.handheld.side, hand)
    if not first:
        raise SolverError("no-hands", "There are no solved hands.", "Solve a clip, or import a take.")
    return list(first.values())


# --- from the scene to arrays -----------------------------------------------------------------------------------------


def _solved(
    context: bpy.types.Context,
    motions: dict[str, HandMotion],
    armature: bpy.types.Object | None,
    rig_map: RigMap,
    options: Options,
) -> Outcome:
    checks.target(armature, context.view_layer)
    sides = [side for side in rig_map.sides() if side in motions]
    if not sides:
        raise SolverError(
            "no-hand-found",
            f"{armature.name} has no {' or '.join(motions)} hand in its map.",
            "Detect its bones, or enter the hand's and the fingers' bones by hand.",
        )
    modes = {side: wrist_mode(armature, rig_map, side, options) for side in sides}
    posed = [name for side in sides for name in posed_bones(rig_map, side, modes[side])]
    checks.bones(armature, rig_map, posed)
    checks.movable(
        armature, [_hand_bone(rig_map, side, mode) for side, mode in modes.items() if mode in ("IK", "FREE")]
    )
    jobs = _jobs(context, armature, rig_map, options, modes, motions)
    poses = {side: compute.poses(jobs[side], motions[side]) for side in sides}
    return Outcome(poses, tuple(_notes(rig_map, motions, poses)))


def wrist_mode(armature: bpy.types.Object, rig_map: RigMap, side: str, options: Options) -> str:
    """How the wrist gets to its place: what is asked for, or the best that the rig has."""
    has_arm = rig_map.bone(f"{side}.upper_arm") and rig_map.bone(f"{side}.forearm")
    if options.wrist == "IK" and rig_map.bone(f"{side}.hand_ik"):
        return "IK"
    if options.wrist == "ARM" and has_arm:
        return "ARM"
    if options.wrist in ("FREE", "TURN"):
        return options.wrist
    if rig_map.bone(f"{side}.hand_ik"):
        return "IK"
    if has_arm:
        return "ARM"
    return "TURN" if checks.is_held(armature, rig_map.bone(f"{side}.hand")) else "FREE"


def _hand_bone(rig_map: RigMap, side: str, mode: str) -> str:
    return rig_map.bone(f"{side}.hand_ik" if mode == "IK" else f"{side}.hand")


def posed_bones(rig_map: RigMap, side: str, mode: str) -> list[str]:
    """The bones of a side that get keys."""
    bones = [_hand_bone(rig_map, side, mode)]
    if mode == "ARM":
        bones += [rig_map.bone(f"{side}.upper_arm"), rig_map.bone(f"{side}.forearm")]
    if mode in ("ARM", "TURN"):
        bones += rig_map.twists(side)
    return bones + [bone for chain in rig_map.fingers(side).values() for bone in chain]


def _jobs(
    context: bpy.types.Context,
    armature: bpy.types.Object,
    rig_map: RigMap,
    options: Options,
    modes: dict[str, str],
    motions: dict[str, HandMotion],
) -> dict[str, Job]:
    skeleton = measuring.skeleton(armature)
    posed = {name for side, mode in modes.items() for name in posed_bones(rig_map, side, mode)}
    resting = {name for name in rig_map.rest if name in armature.pose.bones}
    switches = measuring.switch_values(rig_map, armature, "IK" in modes.values())
    read = posed | {name for name in rig_map.bones.values() if name in armature.pose.bones}
    now = {side: _place(armature, _hand_bone(rig_map, side, mode)) for side, mode in modes.items()}
    measured, axes_of = measuring.at_zero(armature, posed | resting, switches, read)
    roots = {
        side: rig_map.bone(f"{side}.upper_arm") if mode == "ARM" else _hand_bone(rig_map, side, mode)
        for side, mode in modes.items()
    }
    offset = _offset(context, now, motions) if options.placement == "HERE" else np.zeros(3)
    jobs = {}
    moving = measuring.is_moving(armature, posed | resting)
    for side, mode in modes.items():
        root = roots[side]
        place = np.array([armature.matrix_world], float), measured.matrices[root][None], axes_of[root][None]
        if moving:
            place = measuring.over_time(armature, root, context.scene, motions[side].frames)
        hand = target.measure(rig_map, side, _hand_bone(rig_map, side, mode), skeleton, measured)
        arm = _arm_bones(armature, rig_map, side, skeleton, measured) if mode in ("ARM", "TURN") else None
        jobs[side] = Job(hand, Placed(*place, offset), mode, options.fingers, arm)
    return jobs


def _place(armature: bpy.types.Object, bone: str) -> np.ndarray:
    """(3,) where a bone's head is now, in the world."""
    return np.array((armature.matrix_world @ armature.pose.bones[bone].matrix).translation, float)


def _offset(context: bpy.types.Context, now: dict[str, np.ndarray], motions: dict[str, HandMotion]) -> np.ndarray:
    """(3,) from the solved wrists to the rig's at this frame; one for both hands, which so keep their distance."""
    frame = context.scene.frame_current
    ways = []
    for side, place in now.items():
        motion = motions[side]
        row = int(np.abs(motion.frames - frame).argmin())
        ways.append(place - motion.joints[row, 0])
    return np.mean(ways, axis=0)


def _arm_bones(
    armature: bpy.types.Object, rig_map: RigMap, side: str, skeleton: Skeleton, measured: target.Measured
) -> ArmBones | None:
    upper, forearm, hand = (rig_map.bone(f"{side}.{part}") for part in ("upper_arm", "forearm", "hand"))
    if not (upper and forearm):
        return None
    elbow = measured.matrices[forearm][:3, 3]
    way = measured.matrices[hand][:3, 3] - elbow
    places = {
        name: float((measured.matrices[name][:3, 3] - elbow) @ way / (way @ way)) for name in rig_map.twists(side)
    }
    twists: list[Twist] = []
    for name in sorted(places, key=places.get):
        twists.append(Twist(name, places[name], _carrier(name, twists, forearm, skeleton)))
    down = np.linalg.inv(np.array(armature.matrix_world.to_3x3(), float)) @ [0.0, 0.0, -1.0]
    carrier = _carrier(hand, twists, forearm, skeleton)
    return ArmBones(upper, forearm, tuple(twists), carrier, down / np.linalg.norm(down))


def _carrier(name: str, twists: list[Twist], forearm: str, skeleton: Skeleton) -> str:
    """Of the twist bones, the last one above a bone; else the forearm."""
    above = [twist.name for twist in twists if skeleton.is_below(name, twist.name)]
    return above[-1] if above else forearm


def _notes(rig_map: RigMap, motions: dict[str, HandMotion], poses: dict[str, Poses]) -> Iterable[str]:
    for side in motions:
        if side not in poses:
            yield f"The rig has no {side} hand: the solved one was left out."
        elif rig_map.missing_fingers(side):
            yield f"The rig's {side} hand has no {' or '.join(rig_map.missing_fingers(side))}: left out."
    for side, result in poses.items():
        if len(result.missed) and result.missed.max() > _LARGEST_MISS_M:
            count, most = int((result.missed > _LARGEST_MISS_M).sum()), result.missed.max() * 100
            yield (
                f"The {side} arm doesn't reach the hand in {counted(count, 'frame')}, by up to {most:.0f} cm."
                " Move or scale the root above the solved hands, or choose Start from Rig's Hands."
            )


# --- from arrays to the scene -----------------------------------------------------------------------------------------


def _set_pose(bone: bpy.types.PoseBone, pose: compute.Pose, row: int) -> None:
    setattr(bone, channels.path(bone.rotation_mode), channels.values(pose.rotations, bone.rotation_mode)[row])
    if pose.location is not None:
        bone.location = pose.location[row]


def _set_switches(armature: bpy.types.Object, rig_map: RigMap, options: Options) -> None:
    modes = {wrist_mode(armature, rig_map, side, options) for side in rig_map.sides()}
    for (bone, name), value in measuring.switch_values(rig_map, armature, "IK" in modes).items():
        holder = armature.pose.bones[bone]
        holder[name] = type(holder[name])(value)
    for name in rig_map.rest:
        if name in armature.pose.bones:
            armature.pose.bones[name].matrix_basis = Matrix.Identity(4)
    armature.update_tag()


def _deviations(armature: bpy.types.Object, poses: dict[str, Poses], row: int) -> Iterable[str]:
    """What the rig shows against what was asked of it: constraints and drivers may have the last word."""
    for result in poses.values():
        for name, wanted in result.wanted.items():  # carriers first: what they carry is off because of them
            bone = armature.pose.bones[name]
            shown = np.array(bone.matrix.to_quaternion().to_matrix(), float)
            angle = float(angle_between(wanted[row], shown))
            if angle > _LARGEST_DEVIATION:
                kinds = [
                    constraint.type.replace("_", " ").title() for constraint in bone.constraints if not constraint.mute
                ]
                because = f" (constraints: {', '.join(kinds)})" if kinds else ""
                yield (
                    f"{name} does not follow{because}: it is {np.degrees(angle):.0f}\N{DEGREE SIGN} off."
                    " Mute what holds it, or map the rig's controls instead."
                )
                break


def _write(armature: bpy.types.Object, rig_map: RigMap, poses: dict[str, Poses], options: Options) -> None:
    written = {name for result in poses.values() for name in result.bones}
    resting = [name for name in rig_map.rest if name in armature.pose.bones]
    _use_own_action(armature, {*written, *resting})
    first = min(int(result.frames[0]) for result in poses.values())
    for result in poses.values():
        animation.write(armature, _pose_channels(armature, result))
    animation.write(armature, _still_channels(armature, rig_map, resting, options, first))


def _pose_channels(armature: bpy.types.Object, result: Poses) -> list[animation.Channel]:
    out = []
    for name, pose in result.bones.items():
        bone = armature.pose.bones[name]
        path = f'pose.bones["{bpy.utils.escape_identifier(name)}"].'
        if pose.location is not None:
            out += animation.vector_channels(f"{path}location", name, result.frames, pose.location)
        turned = channels.values(pose.rotations, bone.rotation_mode)
        out += animation.vector_channels(path + channels.path(bone.rotation_mode), name, result.frames, turned)
    return out


def _still_channels(
    armature: bpy.types.Object, rig_map: RigMap, resting: list[str], options: Options, frame: int
) -> list[animation.Channel]:
    """One key each: bones that stay at rest, and the switches."""
    out, at = [], np.array([frame])
    for name in resting:
        mode = armature.pose.bones[name].rotation_mode
        path = f'pose.bones["{bpy.utils.escape_identifier(name)}"].'
        at_rest = channels.values(np.eye(3)[None], mode)
        for property_name, values in (
            (channels.path(mode), at_rest),
            ("location", np.zeros((1, 3))),
            ("scale", np.ones((1, 3))),
        ):
            out += animation.vector_channels(path + property_name, name, at, values)
    modes = {wrist_mode(armature, rig_map, side, options) for side in rig_map.sides()}
    for (bone, name), value in measuring.switch_values(rig_map, armature, "IK" in modes).items():
        path = f'pose.bones["{bpy.utils.escape_identifier(bone)}"]["{bpy.utils.escape_identifier(name)}"]'
        out.append(animation.Channel(path, 0, bone, at, np.array([value]), "CONSTANT"))
    return out


def _use_own_action(armature: bpy.types.Object, bones: set[str]) -> None:
    """Give the target an action that is the retargeting's; one that it had is copied, and kept as it was."""
    data = armature.animation_data or armature.animation_data_create()
    action = data.action
    if action is not None and action.get(_MADE):
        return
    if action is None:
        data.action = bpy.data.actions.new(f"{armature.name} Hands")
    else:
        _replace_by_copy(armature, action, bones)
    data.action[_MADE] = True


def _replace_by_copy(armature: bpy.types.Object, action: bpy.types.Action, bones: set[str]) -> None:
    data = armature.animation_data
    slot = getattr(data, "action_slot", None)
    handle = slot.handle if slot is not None else None
    action.use_fake_user = True
    copied = action.copy()
    copied.name = f"{armature.name} Hands"
    copied.use_fake_user = False
    data.action = copied
    if handle is not None:
        data.action_slot = next(slot for slot in copied.slots if slot.handle == handle)
    animation.remove_curves(armature, tuple(f'pose.bones["{bpy.utils.escape_identifier(name)}"].' for name in bones))
