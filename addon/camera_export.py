"""The camera for other programs: .chan, COLMAP text and .npz by our own writers, the rest by Blender's exporters."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path

import bpy
import numpy as np

from ..solver.camera.formats import KnownCamera, chan, colmap, npz
from ..solver.errors import SolverError
from . import camera, camera_scene, frames, scene

FORMATS = (
    ("CHAN", "Nuke (.chan)", "Place, angles and vertical field of view of each frame; no lens shift, no distortion"),
    ("COLMAP", "COLMAP (text)", "A folder with cameras, images and points3D as text, lens distortion included"),
    ("FBX", "FBX (.fbx)", "By Blender's FBX exporter"),
    ("ALEMBIC", "Alembic (.abc)", "By Blender's Alembic exporter"),
    ("USD", "USD (.usdc)", "By Blender's USD exporter"),
    ("NPZ", "Camera (.npz)", "NumPy arrays, lens distortion included"),
)
SUFFIXES = {"CHAN": ".chan", "COLMAP": "", "FBX": ".fbx", "ALEMBIC": ".abc", "USD": ".usdc", "NPZ": ".npz"}


def camera_to_export(context: bpy.types.Context) -> bpy.types.Object:
    """The active camera object, else the solved one, else the scene's.

    Raises:
        SolverError: ``camera-missing``.
    """
    active, root = context.active_object, scene.edited_root(context)
    solved = scene.members(root, "CAMERA") if root else []
    for candidate in (active, *solved, context.scene.camera):
        if candidate is not None and candidate.type == "CAMERA":
            return candidate
    raise SolverError("camera-missing", "There is no camera to export.", "Select a camera, or solve a clip first.")


def export(context: bpy.types.Context, path: Path, kind: str) -> str:
    """Write the camera's motion over the scene's frame range, as it is in the scene's world; says what was written.

    Raises:
        SolverError: ``camera-...``, ``export-...`` or ``lens-not-exportable``.
    """
    chosen = camera_to_export(context)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _WRITERS[kind](context, chosen, path)
    except OSError as error:
        raise SolverError(
            "export-not-writable", f"{path} could not be written ({error.strerror}).", "Choose another folder."
        ) from error
    target = context.scene
    return f"{chosen.name}, frames {target.frame_start} to {target.frame_end}: {path}"


# --- our own writers --------------------------------------------------------------------------------------------------


def _write_own(write: Callable[[Path, KnownCamera], None]) -> Callable:
    return lambda context, chosen, path: write(path, _known(context, chosen))


def _known(context: bpy.types.Context, chosen: bpy.types.Object) -> KnownCamera:
    """In the scene's world and its frame numbers, which are the clip's where the scene matches it."""
    known = camera.in_render(chosen, context.scene, _numbers(context.scene), context.scene.handheld.clip)
    return dataclasses.replace(known, **_points(scene.root_of(chosen, context.scene)))


def _numbers(target: bpy.types.Scene) -> np.ndarray:
    return np.arange(target.frame_start, target.frame_end + 1)


def _points(root: bpy.types.Object | None) -> dict[str, np.ndarray]:
    shown = camera_scene.points_of(root) if root is not None else None
    if shown is None:
        return {}
    places, errors = camera_scene.read_points(shown)
    return {"points": frames.points_to_solver(places), "point_errors_px": errors}


# --- Blender's exporters ----------------------------------------------------------------------------------------------


def _fbx(context: bpy.types.Context, chosen: bpy.types.Object, path: Path) -> None:
    with _alone(context, chosen):
        bpy.ops.export_scene.fbx(
            filepath=str(path), use_selection=True, object_types={"CAMERA"}, bake_anim=True, bake_anim_step=1.0,
            bake_anim_simplify_factor=0.0, bake_anim_use_nla_strips=False, bake_anim_use_all_actions=False,
            bake_anim_force_startend_keying=True,
        )  # fmt: skip


def _alembic(context: bpy.types.Context, chosen: bpy.types.Object, path: Path) -> None:
    target = context.scene
    with _alone(context, chosen):
        bpy.ops.wm.alembic_export(
            filepath=str(path), selected=True, start=target.frame_start, end=target.frame_end, as_background_job=False
        )


def _usd(context: bpy.types.Context, chosen: bpy.types.Object, path: Path) -> None:
    with _alone(context, chosen):
        bpy.ops.wm.usd_export(filepath=str(path), selected_objects_only=True, export_animation=True)


@contextlib.contextmanager
def _alone(context: bpy.types.Context, chosen: bpy.types.Object) -> Iterator[bpy.types.Object]:
    """A copy of the camera with a key in every frame, without parents, scale or constraints: selected, then gone."""
    target, numbers = context.scene, _numbers(context.scene)
    known = camera.in_render(chosen, target, numbers, None)
    selected, active = list(context.selected_objects), context.view_layer.objects.active
    copy = bpy.data.objects.new(chosen.name, chosen.data.copy())
    copy.rotation_mode = "QUATERNION"
    camera.write_motion(copy, numbers, frames.camera_to_blender(known.world_from_camera))
    target.collection.objects.link(copy)
    for other in selected:
        other.select_set(False)
    copy.select_set(True)
    context.view_layer.objects.active = copy
    try:
        yield copy
    finally:
        scene.remove_tree(copy)
        for other in selected:
            other.select_set(True)
        context.view_layer.objects.active = active


_WRITERS = {
    "CHAN": _write_own(chan.write),
    "COLMAP": _write_own(colmap.write),
    "NPZ": _write_own(npz.write),
    "FBX": _fbx,
    "ALEMBIC": _alembic,
    "USD": _usd,
}
