"""A copy to hand over: plain keys, the root's transform in them, nothing that needs this extension."""

from __future__ import annotations

import bpy
import numpy as np
from mathutils import Matrix

from ..solver.hand_model.layout import JOINT_NAMES
from ..solver.hand_model.rotations import quaternion_from_matrix
from . import animation, frames, hands, pinned_camera, ranges, rig, take_files
from .hands import hands_of
from .scene import stepping


def bake(scene: bpy.types.Scene, root: bpy.types.Object) -> bpy.types.Collection:
    """Copy hands and camera into a collection of their own, keyed in every frame as they are seen.

    Drivers, constraints and the root's motion are in the keys. The originals stay.

    Raises:
        SolverError: the take can't be read, or ``bone-missing``.
    """
    first, last = ranges.take_range(root, take_files.of_root(root))
    numbers = np.arange(first, last + 1)
    sources = [*hands_of(root), *filter(None, [pinned_camera.of_root(root)])]
    for hand in hands_of(root):
        rig.require_bones(hand)
    seen = _matrices(scene, numbers, sources)
    collection = bpy.data.collections.new(f"{root.name} Baked")
    scene.collection.children.link(collection)
    scale = root.matrix_world.to_scale()[0]
    for source in sources:
        if source.type == "ARMATURE":
            _bake_hand(source, seen[source.name], numbers, scale, collection)
        else:
            _bake_camera(source, seen[source.name], numbers, collection)
    return collection


def hide_original(root: bpy.types.Object, layer: bpy.types.ViewLayer) -> None:
    """Hide the hands that were baked, where the copy would lie on them: with the eye, in one view layer."""
    for hand in hands_of(root):
        for thing in filter(None, (hand, rig.mesh_of(hand))):
            if thing.name in layer.objects:
                thing.hide_set(True, view_layer=layer)


def _matrices(
    scene: bpy.types.Scene, numbers: np.ndarray, sources: list[bpy.types.Object]
) -> dict[str, list[tuple[Matrix, ...]]]:
    """Per object and frame: where it is in the world, and for a hand each bone's pose in its own rest axes."""
    seen: dict[str, list[tuple[Matrix, ...]]] = {source.name: [] for source in sources}
    for _ in stepping(scene, numbers):
        depsgraph = bpy.context.evaluated_depsgraph_get()
        for source in sources:
            shown = source.evaluated_get(depsgraph)
            bones = [shown.pose.bones[name].matrix.copy() for name in JOINT_NAMES] if shown.pose else []
            seen[source.name].append((shown.matrix_world.copy(), *bones))
    return seen


def _bake_hand(
    source: bpy.types.Object,
    seen: list[tuple[Matrix, ...]],
    numbers: np.ndarray,
    scale: float,
    collection: bpy.types.Collection,
) -> None:
    baked = _copied(source, collection)
    baked.matrix_world = Matrix.Scale(scale, 4)
    rests = [source.data.bones[name].matrix_local for name in JOINT_NAMES]
    to_world = [baked.matrix_world.inverted() @ world for world, *_ in seen]
    wrists = np.array(
        [rests[0].inverted() @ world @ bones[0] for world, (_, *bones) in zip(to_world, seen, strict=True)]
    )
    quaternions = _local_quaternions(source, seen)
    quaternions[:, 0] = quaternion_from_matrix(_rigid(wrists[:, :3, :3]))
    quaternions = frames.continuous_signs(quaternions)
    channels = animation.vector_channels(hands.LOCATION, "wrist", numbers, wrists[:, :3, 3])
    for joint, name in enumerate(JOINT_NAMES):
        baked.pose.bones[name].rotation_mode = "QUATERNION"
        path = f'pose.bones["{name}"].rotation_quaternion'
        channels += animation.vector_channels(path, name, numbers, quaternions[:, joint])
    animation.write_plain(baked, channels)
    mesh = rig.mesh_of(source)
    if mesh is not None:
        skin = _copied(mesh, collection, keeps_keys=True)
        skin.parent = baked
        for modifier in skin.modifiers:
            if modifier.type == "ARMATURE":
                modifier.object = baked


def _local_quaternions(source: bpy.types.Object, seen: list[tuple[Matrix, ...]]) -> np.ndarray:
    """(n, 16, 4) each bone's turn in its own rest axes."""
    bones, out = source.data.bones, []
    for _, *posed in seen:
        by_name = dict(zip(JOINT_NAMES, posed, strict=True))
        row = []
        for name in JOINT_NAMES:
            parent = bones[name].parent
            rest = parent.matrix_local.inverted() @ bones[name].matrix_local if parent else bones[name].matrix_local
            local = _pose(parent, by_name).inverted() @ by_name[name] if parent else by_name[name]
            row.append(np.array((rest.inverted() @ local).to_3x3()))
        out.append(row)
    return quaternion_from_matrix(_rigid(np.array(out, float)))


def _pose(bone: bpy.types.Bone, known: dict[str, Matrix]) -> Matrix:
    """Of a joint as it was seen; bones that the artist added between joints stay at rest in the copy."""
    if bone.name in known:
        return known[bone.name]
    if bone.parent is None:
        return bone.matrix_local
    return _pose(bone.parent, known) @ bone.parent.matrix_local.inverted() @ bone.matrix_local


def _bake_camera(
    source: bpy.types.Object, seen: list[tuple[Matrix, ...]], numbers: np.ndarray, collection: bpy.types.Collection
) -> None:
    baked = _copied(source, collection)
    baked.rotation_mode = "QUATERNION"
    matrices = np.array([world for (world,) in seen], float)
    rotation = frames.continuous_signs(quaternion_from_matrix(_rigid(matrices[:, :3, :3])))
    baked.matrix_world = Matrix()
    baked.location, baked.rotation_quaternion = matrices[0, :3, 3], rotation[0]
    channels = animation.vector_channels("location", "Camera", numbers, matrices[:, :3, 3])
    channels += animation.vector_channels("rotation_quaternion", "Camera", numbers, rotation)
    animation.write_plain(baked, channels)


def _copied(source: bpy.types.Object, collection: bpy.types.Collection, keeps_keys: bool = False) -> bpy.types.Object:
    """An object of its own with its own data and, unless the keys are kept, no animation of the object."""
    copy = source.copy()
    copy.name = f"{source.name} Baked"
    copy.data = source.data.copy()
    copy.animation_data_clear()
    if keeps_keys and source.animation_data and source.animation_data.action:
        _share_action(source, copy)
    copy.parent = None
    copy.constraints.clear()
    copy.handheld.role, copy.handheld.take = "NONE", ""
    collection.objects.link(copy)
    return copy


def _share_action(source: bpy.types.Object, copy: bpy.types.Object) -> None:
    animated = copy.animation_data_create()
    animated.action = source.animation_data.action.copy()
    if hasattr(animated, "action_slot"):
        animated.action_slot = animated.action.slots[0]


def _rigid(turns: np.ndarray) -> np.ndarray:
    """(..., 3, 3) without the scale of the axes."""
    return turns / np.linalg.norm(turns, axis=-2, keepdims=True)
