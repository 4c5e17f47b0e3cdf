"""What stands in the way of posing an armature, said before anything is touched."""

from __future__ import annotations

import bpy
import numpy as np

from ...solver.errors import SolverError
from ...solver.wording import counted
from .rig_map import RigMap

_LARGEST_SKEW = 0.01


def target(armature: bpy.types.Object | None, layer: bpy.types.ViewLayer) -> None:
    """Raises:
    SolverError: ``rig-missing``, ``rig-not-shown``, ``rig-is-source``, ``rig-linked``, ``rig-edited``,
        ``rig-rest-position``, ``rig-scale``.
    """
    if armature is None or armature.type != "ARMATURE":
        raise SolverError("rig-missing", "No armature is chosen.", "Choose the armature that shall get the motion.")
    name = armature.name
    if layer.objects.get(name) != armature:
        sentence = f"{name} is not in this view layer, so that it can't be evaluated."
        raise SolverError("rig-not-shown", sentence, "Add it to the scene, or enable its collection.")
    if armature.handheld.role == "HAND":
        raise SolverError("rig-is-source", f"{name} is one of the solved hands.", "Choose your own armature.")
    if armature.library is not None or (armature.override_library and armature.override_library.is_system_override):
        sentence = f"{name} is linked from another file and can't be animated here."
        raise SolverError("rig-linked", sentence, "Make a library override of it (Object > Library Override > Make).")
    if armature.mode == "EDIT":
        raise SolverError("rig-edited", f"{name} is in edit mode.", "Leave edit mode first.")
    if armature.data.pose_position == "REST":
        sentence = f"{name} shows its rest position, in which no pose can be seen."
        raise SolverError("rig-rest-position", sentence, "Set Armature > Pose to Pose Position.")
    _require_even_scale(armature)


def _require_even_scale(armature: bpy.types.Object) -> None:
    axes = np.array(armature.matrix_world.to_3x3(), float)
    lengths = np.linalg.norm(axes, axis=0)
    if lengths.min() < 1e-6:
        raise SolverError("rig-scale", f"{armature.name} is scaled to nothing.", "Give it a scale other than zero.")
    gram = axes.T @ axes / lengths.mean() ** 2
    if np.abs(gram - np.eye(3)).max() > 2 * _LARGEST_SKEW:
        sentence = f"{armature.name} is scaled unevenly, or its parents are: hands would be sheared."
        raise SolverError("rig-scale", sentence, "Give it one scale for all axes (or set it to 1).")
    if np.linalg.det(axes) < 0:
        sentence = f"{armature.name} has a negative scale, which makes left hands of right ones."
        raise SolverError("rig-scale", sentence, "Make its scale positive, and mirror the rig itself.")


def bones(armature: bpy.types.Object, rig_map: RigMap, posed: list[str]) -> None:
    """Are all bones that would be posed there, and free?

    Raises:
        SolverError: ``rig-map-stale``, ``rig-locked``.
    """
    absent = [name for name in {*rig_map.bones.values(), *posed} if name not in armature.pose.bones]
    if absent:
        sentence = f"{armature.name} has no bone {sorted(absent)[0]}, which its map names."
        raise SolverError("rig-map-stale", sentence, "Detect the bones again, or correct the map.")
    locked = [name for name in posed if _is_locked(armature.pose.bones[name])]
    if locked:
        sentence = f"The rotation of {_some(locked)} is locked."
        raise SolverError("rig-locked", sentence, "Unlock it (Item > Transform), or choose another bone in the map.")


def movable(armature: bpy.types.Object, hands: list[str]) -> None:
    """Can these bones be moved, as the wrist's mode wants it?

    Raises:
        SolverError: ``rig-hand-held``.
    """
    held = [name for name in hands if is_held(armature, name)]
    if held:
        sentence = f"{held[0]} can't be moved: it is connected to its parent, or its location is locked."
        raise SolverError("rig-hand-held", sentence, "Set Wrist to Arm or Turn Only, or free the bone.")


def is_held(armature: bpy.types.Object, name: str) -> bool:
    """Does a bone stay where its parent holds it?"""
    return armature.data.bones[name].use_connect or all(armature.pose.bones[name].lock_location)


def _is_locked(bone: bpy.types.PoseBone) -> bool:
    return all(bone.lock_rotation)


def _some(names: list[str]) -> str:
    more = f" and {counted(len(names) - 1, 'more bone')}" if len(names) > 1 else ""
    return f"{names[0]}{more}"
