"""Reads an armature: at rest, with the bones that will be posed at zero, and over time. Leaves it as it was."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import bpy
import numpy as np
from mathutils import Matrix

from .. import animation
from ..scene import stepping
from .rig_map import RigMap
from .skeleton import Skeleton
from .target import Measured

_HAS_SLOTS = bpy.app.version >= (4, 4, 0)


def skeleton(armature: bpy.types.Object) -> Skeleton:
    """The rest pose."""
    bones = list(armature.data.bones)
    number = {bone.name: index for index, bone in enumerate(bones)}
    return Skeleton(
        names=tuple(number),
        parents=np.array([number[bone.parent.name] if bone.parent else -1 for bone in bones], int),
        matrices=np.array([bone.matrix_local for bone in bones], float).reshape(-1, 4, 4),
        tails=np.array([bone.tail_local for bone in bones], float).reshape(-1, 3),
        connected=np.array([bone.use_connect for bone in bones], bool),
    )


def at_zero(
    armature: bpy.types.Object, posed: Iterable[str], switches: dict[tuple[str, str], float], read: Iterable[str]
) -> tuple[Measured, dict[str, np.ndarray]]:
    """Pose matrices with some bones at zero and switches set; the armature is put back before this returns.

    Args:
        armature: the target, checked.
        posed: bones to put at zero.
        switches: value by (bone, property).
        read: bones whose matrices are wanted.

    Returns:
        the matrices, and by bone the (3, 3) axes in which its location counts, in the armature's space.
    """
    with _set_aside(armature, posed, switches):
        bpy.context.view_layer.update()
        matrices = {name: _rigid(armature.pose.bones[name].matrix) for name in read}
        location_axes = {name: _location_axes(armature.pose.bones[name]) for name in read}
    bpy.context.view_layer.update()
    return Measured(matrices), location_axes


@contextmanager
def _set_aside(
    armature: bpy.types.Object, posed: Iterable[str], switches: dict[tuple[str, str], float]
) -> Iterator[None]:
    bones = armature.pose.bones
    bases = {name: bones[name].matrix_basis.copy() for name in posed}
    channels = {name: _channels(bones[name]) for name in bases}
    values = {(bone, name): bones[bone][name] for bone, name in switches}
    with _without_animation(armature):
        try:
            for name in bases:
                bones[name].matrix_basis = Matrix.Identity(4)
            for (bone, name), value in switches.items():
                bones[bone][name] = type(values[bone, name])(value)
            armature.update_tag()
            yield
        finally:
            for (bone, name), value in values.items():
                bones[bone][name] = value
            for name, kept in channels.items():
                _restore(bones[name], kept)
            armature.update_tag()


_PROPERTIES = ("location", "rotation_quaternion", "rotation_euler", "rotation_axis_angle", "scale")


def _channels(bone: bpy.types.PoseBone) -> dict[str, tuple[float, ...]]:
    """A pose to the bit: a matrix would lose full turns and the modes that aren't used."""
    return {name: tuple(getattr(bone, name)) for name in _PROPERTIES}


def _restore(bone: bpy.types.PoseBone, kept: dict[str, tuple[float, ...]]) -> None:
    for name, value in kept.items():
        setattr(bone, name, value)


@contextmanager
def _without_animation(armature: bpy.types.Object) -> Iterator[None]:
    data = armature.animation_data
    if data is None:
        yield
        return
    action, use_nla = data.action, data.use_nla
    slot = data.action_slot if _HAS_SLOTS else None
    data.use_nla = False
    if action is not None:
        data.action = None
    try:
        yield
    finally:
        data.use_nla = use_nla
        if action is not None:
            data.action = action
            if slot is not None:
                data.action_slot = slot


def _rigid(matrix: Matrix) -> np.ndarray:
    """(4, 4) without scale and shear."""
    location, rotation, _ = matrix.decompose()
    return np.array(Matrix.LocRotScale(location, rotation, None), float)


def _location_axes(bone: bpy.types.PoseBone) -> np.ndarray:
    """(3, 3): the bone's own, or without Local Location its parent's (the armature's, if it has none)."""
    if bone.bone.use_local_location:
        return _rigid(bone.matrix @ bone.matrix_basis.inverted_safe())[:3, :3]
    return _rigid(bone.parent.matrix)[:3, :3] if bone.parent else np.eye(3)


def is_moving(armature: bpy.types.Object, posed: set[str]) -> bool:
    """Does anything but the bones that will be posed move the armature or its bones?"""
    above = armature.parent
    while above is not None:
        if above.animation_data is not None or above.constraints:
            return True
        above = above.parent
    if armature.constraints:
        return True
    data = armature.animation_data
    if data is None:
        return False
    ours = tuple(f'pose.bones["{bpy.utils.escape_identifier(name)}"]' for name in posed)
    foreign = [curve for curve in animation.curves(armature) if not curve.data_path.startswith(ours)]
    return bool(foreign) or any(not track.mute and track.strips for track in data.nla_tracks)


def over_time(
    armature: bpy.types.Object, root: str, scene: bpy.types.Scene, frames: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """An armature and one of its bones while something else moves them.

    Returns:
        (T, 4, 4) of the armature in the world, (T, 4, 4) of the bone as it would be at zero, and (T, 3, 3) the axes in
        which its location counts, both in the armature's space.
    """
    world, unposed, axes = [], [], []
    bone = armature.pose.bones[root]
    for _ in stepping(scene, frames):
        world.append(np.array(armature.matrix_world, float))
        unposed.append(_rigid(bone.matrix @ bone.matrix_basis.inverted_safe()))
        axes.append(_location_axes(bone))
    return np.array(world), np.array(unposed), np.array(axes)


def switch_values(rig_map: RigMap, armature: bpy.types.Object, use_ik: bool) -> dict[tuple[str, str], float]:
    """By (bone, property): the value for the wrist's mode, of switches that the rig has."""
    bones = armature.pose.bones
    return {
        (switch.bone, switch.name): switch.ik if use_ik else switch.fk
        for switch in rig_map.switches
        if switch.bone in bones and switch.name in bones[switch.bone]
    }
