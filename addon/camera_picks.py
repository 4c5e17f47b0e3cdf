"""What an artist has selected, as points of the scene: vertices, bones or objects."""

from __future__ import annotations

import bmesh
import bpy
from mathutils import Vector

from ..solver.errors import SolverError
from . import hands

_LAST_PHALANX = "3"


def points(context: bpy.types.Context) -> list[Vector]:
    """World positions of the selected vertices, bones (their joints; of last phalanges the tips) or objects."""
    if context.mode == "EDIT_MESH":
        return [point for mesh in context.objects_in_mode for point in _vertices(mesh)]
    if context.mode == "POSE":
        return [_joint(bone) for bone in context.selected_pose_bones]
    return [chosen.matrix_world.translation.copy() for chosen in context.selected_objects if _is_marker(chosen)]


def contact(context: bpy.types.Context, root: bpy.types.Object) -> list[Vector]:
    """The five fingertips of the active hand: a hand that lies on something."""
    hand = hands.active(context, root)
    tips = [bone for bone in hand.pose.bones if bone.name.endswith(_LAST_PHALANX)] if hand else []
    return [_joint(bone) for bone in tips]


def only_hand(context: bpy.types.Context) -> bpy.types.Object | None:
    """The hand that all picked points belong to; None when they are something else."""
    if context.mode != "POSE":
        return None
    owners = {bone.id_data for bone in context.selected_pose_bones}
    owner = owners.pop() if len(owners) == 1 else None
    return owner if owner is not None and owner.handheld.role == "HAND" else None


def require_hand(context: bpy.types.Context, root: bpy.types.Object) -> bpy.types.Object:
    """The active hand, or the only one.

    Raises:
        SolverError: ``world-no-hand``.
    """
    hand = hands.active(context, root)
    if hand is None:
        raise SolverError("world-no-hand", "No hand is selected.", "Select the hand whose length you know.")
    return hand


def _vertices(mesh: bpy.types.Object) -> list[Vector]:
    return [mesh.matrix_world @ vertex.co for vertex in bmesh.from_edit_mesh(mesh.data).verts if vertex.select]


def _joint(bone: bpy.types.PoseBone) -> Vector:
    """A joint is its bone's head; the fingertip has no bone of its own."""
    end = bone.tail if bone.name.endswith(_LAST_PHALANX) else bone.head
    return bone.id_data.matrix_world @ end


def _is_marker(candidate: bpy.types.Object) -> bool:
    return candidate.handheld.role == "NONE" and candidate.type not in ("CAMERA", "ARMATURE")
