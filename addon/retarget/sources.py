"""The solved hands of a scene as motion: from their F-curves where those alone move them, else frame by frame."""

from __future__ import annotations

import bpy
import numpy as np

from ...solver.hand_model.layout import FINGER_JOINTS, FINGERS, JOINT_NAMES
from ...solver.hand_model.rotations import matrix_from_quaternion
from .. import animation, bones
from ..rig import bone_axes
from ..scene import stepping
from . import source
from .source import HandMotion, Rest

_LAST_BONES = [JOINT_NAMES[FINGER_JOINTS[finger][2]] for finger in FINGERS]
_CONFIDENCE = '["confidence"]'


def rest_of(armature: bpy.types.Object) -> Rest:
    """A solved hand's armature at rest."""
    data = armature.data.bones
    joints = np.array([data[name].head_local for name in JOINT_NAMES], float)
    return Rest(armature.handheld.side, joints, np.array([data[name].tail_local for name in _LAST_BONES], float))


def frames_of(armature: bpy.types.Object) -> np.ndarray:
    """(T,) whole frames, first key to last, without those in which the hand is missing (confidence 0)."""
    curves = animation.curves(armature)
    keyed = [_keys(curve)[:, 0] for curve in curves if curve.data_path.startswith("pose.bones")]
    keyed = np.concatenate([keys for keys in keyed if len(keys)] or [np.empty(0)])
    if not len(keyed):
        return np.empty(0, int)
    frames = np.arange(int(np.floor(keyed.min())), int(np.ceil(keyed.max())) + 1)
    confidence = next((curve for curve in curves if curve.data_path == _CONFIDENCE), None)
    if confidence is None:
        return frames
    missing = _keys(confidence)
    return frames[~np.isin(frames, missing[missing[:, 1] <= 0, 0])]


def _keys(curve: bpy.types.FCurve) -> np.ndarray:
    """(n, 2) frame and value."""
    flat = np.empty(2 * len(curve.keyframe_points), np.float32)
    curve.keyframe_points.foreach_get("co", flat)
    return flat.reshape(-1, 2)


def motion_of(armature: bpy.types.Object, scene: bpy.types.Scene, frames: np.ndarray) -> HandMotion:
    """A solved hand as the artist sees it, in the world."""
    return _from_curves(armature, frames) if _is_plain(armature) else _by_stepping(armature, scene, frames)


def _is_plain(armature: bpy.types.Object) -> bool:
    """Do keys of its own action alone move its bones, and nothing the object?"""
    above = armature
    while above is not None:
        if above.constraints or (above is not armature and above.animation_data is not None):
            return False
        above = above.parent
    data = armature.animation_data
    if data is None or data.drivers or any(track.strips for track in data.nla_tracks):
        return False
    own = ("pose.bones", '["')  # bones and custom properties
    is_free = not any(bone.constraints or bone.rotation_mode != "QUATERNION" for bone in armature.pose.bones)
    return is_free and all(curve.data_path.startswith(own) for curve in animation.curves(armature))


def _from_curves(armature: bpy.types.Object, frames: np.ndarray) -> HandMotion:
    curves = {(curve.data_path, curve.array_index): curve for curve in animation.curves(armature)}

    def channel(path: str, index: int, still: float) -> np.ndarray:
        curve = curves.get((path, index))
        return np.full(len(frames), still) if curve is None else _values(curve, frames)

    pose = armature.pose.bones
    quaternions = np.empty((len(frames), len(JOINT_NAMES), 4))
    for joint, name in enumerate(JOINT_NAMES):
        path, still = f'pose.bones["{name}"].rotation_quaternion', pose[name].rotation_quaternion
        quaternions[:, joint] = np.stack([channel(path, index, still[index]) for index in range(4)], axis=1)
    location = [channel('pose.bones["wrist"].location', i, pose["wrist"].location[i]) for i in range(3)]
    axes, rest = bone_axes(armature), rest_of(armature)
    local = axes @ matrix_from_quaternion(quaternions) @ np.swapaxes(axes, 1, 2)
    wrist = rest.joints[0] + np.stack(location, axis=1) @ axes[0].T
    return source.motion_of(rest, frames, local, wrist, np.array(armature.matrix_world, float))


def _values(curve: bpy.types.FCurve, frames: np.ndarray) -> np.ndarray:
    """A curve's values; where every frame has its key those are the keys themselves."""
    keys = _keys(curve)
    rows = np.minimum(np.searchsorted(keys[:, 0], frames), max(len(keys) - 1, 0))
    if len(keys) and np.array_equal(keys[rows, 0], frames) and not curve.modifiers:
        return keys[rows, 1].astype(float)
    return np.array([curve.evaluate(float(frame)) for frame in frames])


def _by_stepping(armature: bpy.types.Object, scene: bpy.types.Scene, frames: np.ndarray) -> HandMotion:
    posed, worlds = [], []
    for _ in stepping(scene, frames):
        evaluated = armature.evaluated_get(bpy.context.evaluated_depsgraph_get())
        posed.append([np.array(evaluated.pose.bones[name].matrix, float) for name in JOINT_NAMES])
        worlds.append(np.array(evaluated.matrix_world, float))
    return _of_matrices(armature, frames, np.array(posed), np.array(worlds))


def pose_now(armature: bpy.types.Object, frame: int) -> HandMotion:
    """One frame: the hand as it stands, whatever moves it."""
    evaluated = armature.evaluated_get(bpy.context.evaluated_depsgraph_get())
    posed = np.array([[evaluated.pose.bones[name].matrix for name in JOINT_NAMES]], float)
    return _of_matrices(armature, np.array([frame]), posed, np.array([evaluated.matrix_world], float))


def _of_matrices(armature: bpy.types.Object, frames: np.ndarray, posed: np.ndarray, worlds: np.ndarray) -> HandMotion:
    """Of (T, 16, 4, 4) pose matrices and (T, 4, 4) of the object."""
    rest, axes = rest_of(armature), bone_axes(armature)
    posed = posed.reshape(-1, len(JOINT_NAMES), 4, 4)
    turned = posed[..., :3, :3] @ np.swapaxes(axes, 1, 2)
    local = bones.local_rotations(turned)
    return source.motion_of(rest, frames, local, posed[:, 0, :3, 3], worlds.reshape(-1, 4, 4))
