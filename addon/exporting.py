"""Hands, camera and rigs out to other tools, through Blender's own exporters with settings that fit the tool."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix

from ..solver.errors import SolverError
from . import animation, clip
from .scene import SceneSetup

FORMATS = {"FBX": ".fbx", "GLTF": ".glb", "USD": ".usdc", "ALEMBIC": ".abc", "BVH": ".bvh"}
TOOLS = ("BLENDER", "UNREAL", "UNITY", "MAYA")
CONTENTS = ("HANDS", "HANDS_CAMERA", "CAMERA", "RIG")

_Y_UP = {"axis_forward": "-Z", "axis_up": "Y"}
_FBX = {
    "object_types": {"ARMATURE", "MESH", "CAMERA", "EMPTY"},
    "add_leaf_bones": False,
    "bake_anim_use_nla_strips": False,
    "bake_anim_use_all_actions": False,
    "bake_anim_simplify_factor": 0.0,
    "bake_anim_step": 1.0,
    "use_armature_deform_only": False,
    "armature_nodetype": "NULL",
    **_Y_UP,
}
_GLTF = {
    "export_format": "GLB",
    "export_animation_mode": "ACTIVE_ACTIONS",
    "export_force_sampling": True,
    "export_frame_range": True,
    "export_optimize_animation_size": False,
    "export_cameras": True,
    "export_def_bones": False,
    "export_yup": True,
}
_USD = {"export_animation": True, "export_armatures": True, "convert_orientation": True, "export_materials": True}
_USD_Y_UP = {"export_global_forward_selection": "NEGATIVE_Z", "export_global_up_selection": "Y"}
_USD_Z_UP = {"export_global_forward_selection": "Y", "export_global_up_selection": "Z"}
# By tool: units and axes as its importer takes them without being told. FBX states its unit, which Unity and Maya read;
# Unreal takes a file's numbers for centimetres. BVH and Alembic state none.
SETTINGS: dict[str, dict[str, dict[str, Any]]] = {
    "BLENDER": {
        "FBX": {**_FBX, "apply_scale_options": "FBX_SCALE_NONE"},
        "GLTF": _GLTF,
        "USD": {**_USD, **_USD_Z_UP},
        "ALEMBIC": {"global_scale": 1.0},
        "BVH": {"global_scale": 1.0},
    },
    "UNREAL": {
        "FBX": {**_FBX, "apply_scale_options": "FBX_SCALE_NONE"},
        "GLTF": _GLTF,
        "USD": {**_USD, **_USD_Z_UP},
        "ALEMBIC": {"global_scale": 100.0},
        "BVH": {"global_scale": 100.0},
    },
    "UNITY": {
        "FBX": {**_FBX, "apply_scale_options": "FBX_SCALE_ALL"},
        "GLTF": _GLTF,
        "USD": {**_USD, **_USD_Y_UP},
        "ALEMBIC": {"global_scale": 1.0},
        "BVH": {"global_scale": 1.0},
    },
    "MAYA": {
        "FBX": {**_FBX, "apply_scale_options": "FBX_SCALE_ALL"},
        "GLTF": _GLTF,
        "USD": {**_USD, **_USD_Y_UP},
        "ALEMBIC": {"global_scale": 100.0},
        "BVH": {"global_scale": 100.0},
    },
}
# Blender's own axes in a BVH for Blender; everybody else's are Y up
_BVH_UPRIGHT = Matrix.Rotation(-np.pi / 2, 4, "X")


@dataclass(frozen=True)
class Job:
    """Attributes:
    objects: what is written.
    frames: first and last.
    path: the file; a BVH of several armatures becomes a file each, named after them.
    form: one of FORMATS.
    tool: one of TOOLS.
    """

    objects: tuple[bpy.types.Object, ...]
    frames: tuple[int, int]
    path: Path
    form: str
    tool: str


def chosen(scene: bpy.types.Scene, contents: str, rig: bpy.types.Object | None) -> tuple[bpy.types.Object, ...]:
    """The objects that an export is about.

    Raises:
        SolverError: ``nothing-to-export``.
    """
    by_role = {"HANDS": ("HAND",), "HANDS_CAMERA": ("HAND", "CAMERA"), "CAMERA": ("CAMERA",), "RIG": ()}[contents]
    tops = [candidate for candidate in scene.objects if candidate.handheld.role in by_role]
    if contents == "RIG" and rig is not None:
        tops = [rig]
    if not tops:
        sentence = "There is nothing of that kind in the scene."
        raise SolverError("nothing-to-export", sentence, "Solve a clip, import a take, or choose a target rig first.")
    skins = [child for top in tops for child in top.children_recursive if child.type == "MESH"]
    bound = [candidate for candidate in scene.objects if _is_bound_to(candidate, tops)]
    return tuple(dict.fromkeys([*tops, *skins, *bound]))


def _is_bound_to(candidate: bpy.types.Object, armatures: Sequence[bpy.types.Object]) -> bool:
    return any(modifier.type == "ARMATURE" and modifier.object in armatures for modifier in candidate.modifiers)


def frame_range(objects: Sequence[bpy.types.Object], scene: bpy.types.Scene) -> tuple[int, int]:
    """From the first key to the last; the scene's range where nothing is keyed."""
    ends = [curve.range() for candidate in objects for curve in animation.curves(candidate)]
    if not ends:
        return scene.frame_start, scene.frame_end
    return int(np.floor(min(first for first, _ in ends))), int(np.ceil(max(last for _, last in ends)))


def notes(scene: bpy.types.Scene, job: Job) -> list[str]:
    """What the person should know of a file: what its format left out, and of the frame rate that the scene gave it."""
    left_out = []
    if job.form == "BVH" and any(candidate.type == "CAMERA" for candidate in job.objects):
        left_out = ["A BVH holds no camera. Export the camera by itself, or choose FBX, glTF or USD."]
    return left_out + _rate_notes(scene)


def _rate_notes(scene: bpy.types.Scene) -> list[str]:
    setup, movie = SceneSetup.of_scene(scene), scene.handheld.clip
    if movie is None or clip.frame_rate(movie, scene) == setup.rate:
        return []
    played = f"at {float(setup.rate):.5g} fps, the scene's rate, and the clip has {float(movie.fps):.5g}"
    return [f"The file plays {played}. Use Match Scene and export again to keep the clip's timing."]


def export(context: bpy.types.Context, job: Job) -> list[Path]:
    """Write the file or files; selection, frame range and mode are put back.

    Raises:
        SolverError: ``export-failed``, ``export-no-armature``, ``export-no-mesh``.
    """
    settings = SETTINGS[job.tool][job.form]
    with _arranged(context, job):
        try:
            job.path.parent.mkdir(parents=True, exist_ok=True)
            return _EXPORTERS[job.form](context, job, settings)
        except (RuntimeError, OSError) as error:
            raise SolverError(
                "export-failed",
                f"{job.path.name} could not be written: {str(error).strip()}",
                "Enable Blender's exporter for this format, and choose a folder that you may write to.",
            ) from error


def _run(operator, settings: dict[str, Any], **more: Any) -> None:
    """Call an exporter with those of the settings that this Blender's has."""
    known = operator.get_rna_type().properties
    operator(**{name: value for name, value in {**settings, **more}.items() if name in known})


def _fbx(_: bpy.types.Context, job: Job, settings: dict[str, Any]) -> list[Path]:
    _run(bpy.ops.export_scene.fbx, settings, filepath=str(job.path), use_selection=True)
    return [job.path]


def _gltf(_: bpy.types.Context, job: Job, settings: dict[str, Any]) -> list[Path]:
    _run(bpy.ops.export_scene.gltf, settings, filepath=str(job.path), use_selection=True)
    return [job.path]


def _usd(_: bpy.types.Context, job: Job, settings: dict[str, Any]) -> list[Path]:
    _run(bpy.ops.wm.usd_export, settings, filepath=str(job.path), selected_objects_only=True)
    return [job.path]


def _alembic(_: bpy.types.Context, job: Job, settings: dict[str, Any]) -> list[Path]:
    if not any(candidate.type in ("MESH", "CAMERA") for candidate in job.objects):
        sentence = "An Alembic file holds no bones, and nothing else was chosen."
        raise SolverError("export-no-mesh", sentence, "Choose FBX, glTF or USD, or give the rig a mesh.")
    first, last = job.frames
    frames = {"start": first, "end": last}
    with job.path.open("ab"):  # Blender's exporter says that it finished where it could not write
        pass
    _run(bpy.ops.wm.alembic_export, settings, filepath=str(job.path), selected=True, evaluation_mode="RENDER", **frames)
    return [job.path]


def _bvh(context: bpy.types.Context, job: Job, settings: dict[str, Any]) -> list[Path]:
    armatures = [candidate for candidate in job.objects if candidate.type == "ARMATURE"]
    if not armatures:
        raise SolverError("export-no-armature", "A BVH holds an armature; there is none.", "Export hands or a rig.")
    paths = []
    for armature in armatures:
        single = len(armatures) == 1
        path = job.path if single else job.path.with_name(f"{job.path.stem} {armature.name}{job.path.suffix}")
        with _standing_alone(context, armature, Matrix.Identity(4) if job.tool == "BLENDER" else _BVH_UPRIGHT):
            first, last = job.frames
            _run(bpy.ops.export_anim.bvh, settings, filepath=str(path), frame_start=first, frame_end=last)
        paths.append(path)
    return paths


_EXPORTERS = {"FBX": _fbx, "GLTF": _gltf, "USD": _usd, "ALEMBIC": _alembic, "BVH": _bvh}


@contextmanager
def _standing_alone(context: bpy.types.Context, armature: bpy.types.Object, turn: Matrix) -> Iterator[None]:
    """A copy of an armature whose place and axes are in its bones, active: a BVH knows no object."""
    copied = armature.copy()
    copied.data = armature.data.copy()
    data = copied.data
    copied.parent = None
    copied.matrix_world = Matrix.Identity(4)
    context.scene.collection.objects.link(copied)
    data.transform(turn @ armature.matrix_world)
    context.view_layer.objects.active = copied
    context.view_layer.update()
    try:
        with context.temp_override(active_object=copied, object=copied, selected_objects=[copied]):
            yield
    finally:
        bpy.data.objects.remove(copied)
        bpy.data.armatures.remove(data)


@contextmanager
def _arranged(context: bpy.types.Context, job: Job) -> Iterator[None]:
    """Only the job's objects are selected, and the scene's range is the job's; put back at the end."""
    scene, layer = context.scene, context.view_layer
    if layer.objects.active is not None and layer.objects.active.mode != "OBJECT":
        raise SolverError("export-mode", "An object is being edited or posed.", "Go to object mode and export again.")
    active, frame = layer.objects.active, scene.frame_current
    selected = [candidate for candidate in scene.objects if candidate.select_get()]
    before = scene.frame_start, scene.frame_end
    for candidate in selected:
        candidate.select_set(False)
    shown = [candidate for candidate in job.objects if layer.objects.get(candidate.name) == candidate]
    hidden = {candidate: candidate.hide_get() for candidate in shown}
    for candidate in shown:
        candidate.hide_set(False)
        candidate.select_set(True)
    layer.objects.active = shown[0] if shown else None
    scene.frame_start, scene.frame_end = job.frames
    try:
        yield
    finally:
        scene.frame_start, scene.frame_end = before
        for candidate in shown:
            candidate.select_set(False)
            candidate.hide_set(hidden[candidate])
        for candidate in selected:
            candidate.select_set(True)
        layer.objects.active = active
        scene.frame_set(frame)
