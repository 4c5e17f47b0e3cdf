"""Pins: wishes of the artist's that outlive the session, kept on the root. ``wishes`` tells the solver of them."""

from __future__ import annotations

import bpy
import numpy as np
from mathutils import Vector

from ..solver.errors import SolverError
from ..solver.hand_model.layout import JOINT_NAMES, KEYPOINT_JOINTS
from ..solver.hand_model.rotations import quaternion_from_matrix
from ..solver.observations import KEYPOINT_NAMES
from . import animation, camera_lens, hands, pinned_camera, take_files, turns
from .edit_properties import HandheldPin
from .wishes import is_on_keys, is_there


def add(root: bpy.types.Object, kind: str, frame: int, **fields: object) -> HandheldPin:
    """A new pin, chosen in the list; one of the same kind, frame, hand and joint gives way."""
    edit = root.handheld_edit
    same = ("kind", "frame", *(name for name in ("hand", "keypoint") if name in fields))
    wanted = {"kind": kind, "frame": frame, **fields}
    for number in reversed(range(len(edit.pins))):
        if all(getattr(edit.pins[number], name) == wanted[name] for name in same):
            edit.pins.remove(number)
    pin = edit.pins.add()
    for name, value in wanted.items():
        setattr(pin, name, value)
    edit.active_pin = len(edit.pins) - 1
    return pin


def remove(root: bpy.types.Object, number: int) -> None:
    """Take a pin away. Keys that it stands for become the solver's again, so the next re-solve may move them.

    Those that the artist had set before the pin stay the artist's.
    """
    edit = root.handheld_edit
    pin = edit.pins[number]
    if pin.kind == "POSE" and pin.hand is not None:
        animation.release(pin.hand, _lent_paths(pin, _pose_paths(pin.hand)), pin.frame)
    ours = pinned_camera.of_root(root)
    if pin.kind == "CAMERA" and ours is not None:
        animation.release(ours, _lent_paths(pin, pinned_camera.motion_paths(ours)), pin.frame)
    edit.pins.remove(number)
    edit.active_pin = max(0, min(number, len(edit.pins) - 1))


def pin_pose(root: bpy.types.Object, hand: bpy.types.Object, frame: int, tolerance_mm: float) -> HandheldPin:
    """Hold the pose that the hand shows now: by keys of the artist's, or, with a tolerance, by what the pin stores.

    Raises:
        SolverError: ``bone-missing``, or as ``hands.require_own_motion``.
    """
    hands.require_own_motion(hand)
    turned, wrist = hands.turns_of(hand), hand.pose.bones["wrist"]
    quaternions = quaternion_from_matrix(np.array([turn.now() for turn in turned])).ravel()
    pin = add(
        root, "POSE", frame, hand=hand, tolerance_mm=tolerance_mm, wrist_location=wrist.location,
        quaternions=quaternions[:32], more_quaternions=quaternions[32:],
        own_paths=_own_paths(root, "POSE", hand, frame),
    )  # fmt: skip
    if tolerance_mm == 0:
        wrist.keyframe_insert("location", frame=frame)
        for turn in turned:
            turn.key(frame)
        animation.claim(hand, (hands.LOCATION, *(turn.path for turn in turned)), frame)
    return pin


def pin_camera(root: bpy.types.Object, frame: int) -> HandheldPin:
    """Hold the camera where it is now, by keys of the artist's.

    Raises:
        SolverError: ``camera-not-ours``, ``camera-removed``, the take can't be read, or as
            ``hands.require_own_motion``.
    """
    ours = pinned_camera.of_root(root)
    if ours is None and take_files.of_root(root).camera_kind == "given":
        raise SolverError(
            "camera-not-ours", "The camera of this take is your own.", "Animate it, and solve the clip again."
        )
    if ours is None:
        raise SolverError(
            "camera-removed", "The solved camera is not in the scene any more.", "Undo, or solve the clip again."
        )
    hands.require_own_motion(ours)
    own_paths = _own_paths(root, "CAMERA", ours, frame)
    turn = turns.of_object(ours)
    ours.keyframe_insert("location", frame=frame)
    turn.key(frame)
    animation.claim(ours, ("location", turn.path), frame)
    return add(root, "CAMERA", frame, own_paths=own_paths)


def _own_paths(root: bpy.types.Object, kind: str, target: bpy.types.Object, frame: int) -> str:
    """What the artist has keyed in a frame without a pin's help, as ``HandheldPin.own_paths``."""
    for pin in root.handheld_edit.pins:
        is_same = pin.kind == kind and pin.frame == frame and pin.hand == (target if kind == "POSE" else None)
        if is_same and is_on_keys(pin):
            return pin.own_paths
    return "\n".join(path for path, frames in animation.artist_frames(target).items() if frame in frames)


def _lent_paths(pin: HandheldPin, paths: tuple[str, ...]) -> tuple[str, ...]:
    own = pin.own_paths.splitlines()
    return tuple(path for path in paths if path not in own)


def pin_point(
    scene: bpy.types.Scene, root: bpy.types.Object, hand: bpy.types.Object, keypoint: str, position: Vector, keep: str
) -> HandheldPin:
    """Hold a joint or fingertip at a place in the current frame.

    Args:
        keypoint: as in ``edit_properties.KEYPOINTS``.
        position: in Blender's world.
        keep: "PLACE", or "PICTURE" to leave the depth to the solver.

    Raises:
        SolverError: ``no-camera``, if the picture is asked for and the scene has none.
    """
    local = hand.matrix_world.inverted() @ position
    fields = {"hand": hand, "keypoint": keypoint, "position": local}
    if keep == "PLACE":
        return add(root, "POINT", scene.frame_current, **fields)
    return add(root, "IMAGE_POINT", scene.frame_current, position_px=pixel_of(scene, root, position), **fields)


def pixel_of(scene: bpy.types.Scene, root: bpy.types.Object, position: Vector) -> np.ndarray:
    """(2,) where the scene's camera sees a point of Blender's world, in px of the clip.

    Raises:
        SolverError: ``no-camera``, or the take can't be read.
    """
    if scene.camera is None:
        raise SolverError("no-camera", "The scene has no camera to see the point with.", "Choose the scene's camera.")
    size = take_files.of_root(root).size
    aspect = camera_lens.pixel_aspect(scene.render)
    fx, fy, cx, cy = camera_lens.intrinsics(scene.camera.data, size, aspect)
    seen = scene.camera.matrix_world.normalized().inverted() @ position
    return np.array([cx + fx * seen.x / -seen.z, cy - fy * seen.y / -seen.z])


def place_of(pin: HandheldPin) -> Vector:
    """A point pin in Blender's world."""
    return pin.hand.matrix_world @ Vector(pin.position)


def keypoint_of_bone(name: str) -> str:
    """The joint that a bone stands for: a finger's last bone for its tip, any other for its head."""
    joint = JOINT_NAMES.index(name)
    numbers = [number for number, carrier in enumerate(KEYPOINT_JOINTS) if carrier == joint]
    return KEYPOINT_NAMES[numbers[-1]].upper()


def chosen_keypoints(context: bpy.types.Context) -> list[tuple[bpy.types.Object, str]]:
    """Hand and joint of each selected bone."""
    bones = context.selected_pose_bones or ()
    return [
        (bone.id_data, keypoint_of_bone(bone.name))
        for bone in bones
        if bone.id_data.handheld.role == "HAND" and bone.name in JOINT_NAMES
    ]


def described(pin: HandheldPin) -> str:
    """A pin in a few words."""
    joint = pin.keypoint.replace("_", " ").lower()
    who = pin.hand.name if is_there(pin.hand) else ("Camera" if pin.kind == "CAMERA" else "(hand removed)")
    match pin.kind:
        case "POSE":
            return f"{who}, pose"
        case "IGNORE":
            return f"{who}, ignored"
        case "POINT" | "IMAGE_POINT" | "HOLD_STILL":
            return f"{who}, {joint}"
        case "TOGETHER":
            other = pin.other_hand.name if is_there(pin.other_hand) else "(hand removed)"
            other_joint = pin.other_keypoint.replace("_", " ").lower()
            return f"{who} {joint} + {other} {other_joint}"
    return who


def _pose_paths(hand: bpy.types.Object) -> tuple[str, ...]:
    return (hands.LOCATION, *(path for turn in hands.turns_of(hand) for path in turn.all_paths))
