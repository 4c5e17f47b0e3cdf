"""A hand in the scene: an armature with MANO's joints as bones and a skinned mesh, read and written as rotations.

The armature object stays where the root is; the wrist bone carries the hand through space. Bone axes: ``bones.py``.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import bpy
import numpy as np
from mathutils import Vector

from ..solver.errors import SolverError
from ..solver.hand_model.layout import JOINT_COUNT, JOINT_NAMES
from ..solver.hand_model.model import ShapedHand
from ..solver.hand_model.rotations import matrix_from_quaternion
from . import animation, bones, channels, frames, turns
from .scene import stepping

# one tint a side, so that a swapped hand is seen at once
_COLOURS = {"left": (0.24, 0.45, 0.80, 1.0), "right": (0.83, 0.42, 0.24, 1.0)}


@dataclass(frozen=True)
class HandMotion:
    """One hand over time in the solver's world; only frames in which it is there.

    Attributes:
        frames: (n,) scene frames, rising.
        rotations: (n, 16, 3, 3) local, solver axes.
        transl: (n, 3) metres.
    """

    frames: np.ndarray
    rotations: np.ndarray
    transl: np.ndarray


def build(
    name: str,
    shaped: ShapedHand,
    collection: bpy.types.Collection,
    root: bpy.types.Object,
    left_mesh: bpy.types.Object | None = None,
) -> bpy.types.Object:
    """Make armature and mesh of a hand below ``root``; returns the armature. ``left_mesh``: see ``give_mesh``."""
    armature = bpy.data.objects.new(name, bpy.data.armatures.new(name))
    armature.parent = root
    armature.show_in_front = True
    armature.data.display_type = "STICK"
    armature.handheld.side = shaped.model.side
    collection.objects.link(armature)
    _set_rest(armature, shaped)
    give_mesh(armature, shaped, left_mesh)
    return armature


def give_mesh(armature: bpy.types.Object, shaped: ShapedHand, left: bpy.types.Object | None) -> None:
    """A new skinned mesh, or the one that was ``left`` of a hand whose armature was deleted, with all that the artist
    made of it."""
    mesh = left or _build_mesh(f"{armature.name} Mesh", shaped, armature.users_collection[0])
    mesh.parent = armature
    for modifier in mesh.modifiers:
        if modifier.type == "ARMATURE" and modifier.object is None:
            modifier.object = armature
    _reshape_mesh(mesh, shaped)


def reshape(armature: bpy.types.Object, shaped: ShapedHand) -> None:
    """Give an existing hand another person's shape (or another model's mesh). Its keys must be written anew."""
    if np.allclose(armature.handheld.betas, shaped.betas) and armature.handheld.model_sha256 == shaped.model.sha256:
        return
    _set_rest(armature, shaped)
    mesh = mesh_of(armature)
    if mesh is not None:
        _reshape_mesh(mesh, shaped)


def mesh_of(armature: bpy.types.Object) -> bpy.types.Object | None:
    """The skinned mesh of a hand, unless the artist removed it."""
    return next((child for child in armature.children if child.type == "MESH"), None)


def require_bones(armature: bpy.types.Object) -> None:
    """Bones are known by their names, which an artist may change.

    Raises:
        SolverError: ``bone-missing``.
    """
    missing = [name for name in JOINT_NAMES if name not in armature.data.bones]
    if missing:
        raise SolverError(
            "bone-missing",
            f"{armature.name} has no bone named {', '.join(missing)}.",
            "Give the bones their names back, or delete this hand and solve the clip again.",
        )


def bone_axes(armature: bpy.types.Object) -> np.ndarray:
    """(16, 3, 3) rest axes of the bones in MANO order, in the armature's space, as columns.

    Raises:
        SolverError: ``bone-missing``.
    """
    require_bones(armature)
    return np.array([armature.data.bones[name].matrix_local.to_3x3() for name in JOINT_NAMES], float)


def write_motion(armature: bpy.types.Object, motion: HandMotion, within: tuple[float, float] | None = None) -> None:
    """Replace the solver's keys of all bones, everywhere or from one scene frame to another."""
    require_bones(armature)
    for name in JOINT_NAMES:
        turn = turns.of_bone(armature, name)
        turn.forget_others() if within is None else turn.carry_over(name)
    animation.write(armature, _motion_channels(armature, motion), within)


def append_motion(armature: bpy.types.Object, motion: HandMotion, previous: np.ndarray | None) -> np.ndarray:
    """Add keys of a few frames, with the signs that continue from the quaternions ``previous`` (16, 4).

    Returns:
        (16, 4) quaternions of the last frame.
    """
    quaternions = bones.pose_quaternions(motion.rotations, bone_axes(armature))
    quaternions = frames.continuous_signs(quaternions, previous)
    animation.append(armature, _channels(armature, motion, quaternions))
    return quaternions[-1]


def write_visibility(armature: bpy.types.Object, scene_frames: np.ndarray, is_there: np.ndarray) -> None:
    """Hide the mesh, in viewport and render, while the hand is missing; its bones stay at hand for the artist."""
    mesh = mesh_of(armature)
    if mesh is None:
        return
    changes = np.flatnonzero(np.diff(is_there.astype(int), prepend=-1))
    hidden = 1.0 - is_there[changes].astype(float)
    always_there = len(changes) == 1 and is_there.all()
    for path in ("hide_viewport", "hide_render"):
        animation.remove_generated(mesh, path)
        setattr(mesh, path, False)  # without keys the last frame's would stay
        if not always_there:
            channel = animation.Channel(path, 0, "Visibility", scene_frames[changes], hidden, "CONSTANT")
            animation.write(mesh, [channel])


def read_pose(armature: bpy.types.Object) -> tuple[np.ndarray, np.ndarray]:
    """The pose as it stands, constraints and the artist's edits included, in the root's space.

    Returns:
        rotations (16, 3, 3) and transl (3,), solver axes.
    """
    evaluated = armature.evaluated_get(bpy.context.evaluated_depsgraph_get())
    in_root = evaluated.matrix_local
    posed = np.array([in_root @ evaluated.pose.bones[name].matrix for name in JOINT_NAMES], float)
    rests = np.array([armature.data.bones[name].matrix_local for name in JOINT_NAMES], float)
    turned = posed[:, :3, :3] @ np.swapaxes(rests[:, :3, :3], 1, 2)
    rotations = frames.rotations_to_solver(bones.local_rotations(turned))
    return rotations, frames.points_to_solver(posed[0, :3, 3] - rests[0, :3, 3])


def read_motion(armature: bpy.types.Object, scene: bpy.types.Scene, scene_frames: np.ndarray) -> HandMotion:
    """The motion as the artist sees it, in the solver's terms: what ``write_motion`` wrote, or what became of it."""
    poses = [read_pose(armature) for _ in stepping(scene, scene_frames)]
    rotations, transl = zip(*poses, strict=True) if poses else ((), ())
    return HandMotion(
        np.asarray(scene_frames), np.reshape(rotations, (-1, JOINT_COUNT, 3, 3)), np.reshape(transl, (-1, 3))
    )


def _motion_channels(armature: bpy.types.Object, motion: HandMotion) -> list[animation.Channel]:
    quaternions = bones.pose_quaternions(motion.rotations, bone_axes(armature))
    return _channels(armature, motion, frames.continuous_signs(quaternions))


def _channels(armature: bpy.types.Object, motion: HandMotion, quaternions: np.ndarray) -> list[animation.Channel]:
    location = bones.wrist_locations(motion.transl, bone_axes(armature)[0])
    written = animation.vector_channels('pose.bones["wrist"].location', "wrist", motion.frames, location)
    for joint, name in enumerate(JOINT_NAMES):
        turn = turns.of_bone(armature, name)
        if turn.mode == "QUATERNION":
            written += animation.vector_channels(turn.path, name, motion.frames, quaternions[:, joint])
        else:
            written += turn.written(name, motion.frames, matrix_from_quaternion(quaternions[:, joint]))
    return written


def pose(armature: bpy.types.Object, rotations: np.ndarray, transl: np.ndarray) -> None:
    """Give the bones the solver's pose (16, 3, 3), (3,) without a key."""
    axes = bone_axes(armature)
    quaternions = bones.pose_quaternions(rotations, axes)
    for name, quaternion in zip(JOINT_NAMES, quaternions, strict=True):
        bone = armature.pose.bones[name]
        if bone.rotation_mode == "QUATERNION":
            bone.rotation_quaternion = quaternion
        else:
            turns.of_bone(armature, name).pose(matrix_from_quaternion(quaternion))
    armature.pose.bones["wrist"].location = bones.wrist_locations(transl, axes[0])


def shown_pose(armature: bpy.types.Object) -> dict[tuple[str, str], tuple[float, ...]]:
    """What the bones' properties say, keyed or not, for ``put_back``: by bone and property."""
    turned = {(bone.name, channels.path(bone.rotation_mode)) for bone in armature.pose.bones}
    wanted = turned | {("wrist", "location")}
    return {(bone, name): tuple(getattr(armature.pose.bones[bone], name)) for bone, name in wanted}


def put_back(armature: bpy.types.Object, shown: dict[tuple[str, str], tuple[float, ...]]) -> None:
    """Give the bones what ``shown_pose`` told of them."""
    for (bone, name), values in shown.items():
        if bone in armature.pose.bones:
            setattr(armature.pose.bones[bone], name, values)


def _set_rest(armature: bpy.types.Object, shaped: ShapedHand) -> None:
    known = set(armature.data.bones.keys())
    with _editing(armature) as edit_bones:
        for rest in bones.rest_bones(shaped):
            _set_edit_bone(edit_bones, rest)
    for pose_bone in armature.pose.bones:
        if pose_bone.name not in known:  # what the artist chose for the others stays
            pose_bone.rotation_mode = "QUATERNION"
    armature.handheld.betas = shaped.betas
    armature.handheld.model_sha256 = shaped.model.sha256


@contextmanager
def _editing(armature: bpy.types.Object) -> Iterator[bpy.types.ArmatureEditBones]:
    """Edit bones, which exist in edit mode only. Entered in a scene of its own: the artist's modes stay as they are."""
    scene = bpy.data.scenes.new("Handheld Rest Pose")
    scene.collection.objects.link(armature)
    layer = scene.view_layers[0]
    layer.objects.active = armature
    try:
        with bpy.context.temp_override(scene=scene, view_layer=layer, active_object=armature, object=armature):
            bpy.ops.object.mode_set(mode="EDIT")
            yield armature.data.edit_bones
            bpy.ops.object.mode_set(mode="OBJECT")
    finally:
        bpy.data.scenes.remove(scene)


def _set_edit_bone(edit_bones: bpy.types.ArmatureEditBones, rest: bones.BoneRest) -> None:
    bone = edit_bones.get(rest.name) or edit_bones.new(rest.name)
    bone.parent = edit_bones.get(rest.parent)
    bone.use_connect = rest.is_connected
    bone.head, bone.tail = rest.head, rest.tail
    bone.align_roll(Vector(rest.bend_side))


def _build_mesh(name: str, shaped: ShapedHand, collection: bpy.types.Collection) -> bpy.types.Object:
    data = bpy.data.meshes.new(name)
    data.from_pydata(frames.points_to_blender(shaped.vertices_rest).tolist(), [], shaped.model.faces.tolist())
    data.shade_smooth()
    data.materials.append(_material(shaped.model.side))
    mesh = bpy.data.objects.new(name, data)
    collection.objects.link(mesh)
    _add_weights(mesh, shaped.model.weights)
    mesh.modifiers.new("Armature", "ARMATURE").use_bone_envelopes = False
    return mesh


def _reshape_mesh(mesh: bpy.types.Object, shaped: ShapedHand) -> None:
    if len(mesh.data.vertices) == len(shaped.model.v_template):
        vertices = frames.points_to_blender(shaped.vertices_rest)
        mesh.data.vertices.foreach_set("co", vertices.astype(np.float32).ravel())
        mesh.data.update()


def _add_weights(mesh: bpy.types.Object, weights: np.ndarray) -> None:
    for joint, name in enumerate(JOINT_NAMES):
        group = mesh.vertex_groups.new(name=name)
        for vertex in np.flatnonzero(weights[:, joint]):
            group.add([int(vertex)], float(weights[vertex, joint]), "REPLACE")


def _material(side: str) -> bpy.types.Material:
    name = f"{side.title()} Hand"
    known = bpy.data.materials.get(name)
    if known is not None:
        return known
    material = bpy.data.materials.new(name)
    material.diffuse_color = _COLOURS[side]
    material.roughness = 0.6
    if material.node_tree is None:  # from 5.0 on it is always there, and asking for use_nodes is deprecated
        material.use_nodes = True
    shader = next(node for node in material.node_tree.nodes if node.type == "BSDF_PRINCIPLED")
    shader.inputs["Base Color"].default_value = _COLOURS[side]
    shader.inputs["Roughness"].default_value = 0.6
    return material
