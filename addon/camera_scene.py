"""What a solve leaves beside the camera: the sparse points as a mesh to line up with, the camera's path as a curve."""

from __future__ import annotations

import hashlib

import bpy
import numpy as np

from . import frames

ERROR = "error_px"
_DIGEST = "handheld_digest"


def show_points(root: bpy.types.Object, points: np.ndarray, errors_px: np.ndarray) -> bpy.types.Object | None:
    """A mesh of vertices alone, with the reprojection error as the point attribute ``error_px``.

    An earlier one is replaced; what the artist did to its mesh is kept in the file. None when there are no points.

    Args:
        points: (N, 3) in the solver's world. errors_px: (N,), or (0,) when unknown.
    """
    known = _child(root, "POINTS")
    before = known.data if known is not None else None
    if not len(points):
        if known is not None:
            bpy.data.objects.remove(known)
            _drop(before)
        return None
    mesh = bpy.data.meshes.new("Scene Points")
    mesh.vertices.add(len(points))
    mesh.vertices.foreach_set("co", frames.points_to_blender(points).astype(np.float32).ravel())
    if len(errors_px) == len(points):
        mesh.attributes.new(ERROR, "FLOAT", "POINT").data.foreach_set("value", errors_px.astype(np.float32))
    mesh.update()
    mesh[_DIGEST] = _digest(mesh)
    if known is None:
        return _new_child(root, "Scene Points", mesh, "POINTS")
    known.data = mesh
    _drop(before)
    return known


def points_of(root: bpy.types.Object) -> bpy.types.Object | None:
    """The object that ``show_points`` made."""
    return _child(root, "POINTS")


def read_points(shown: bpy.types.Object) -> tuple[np.ndarray, np.ndarray]:
    """(N, 3) in the scene's world, Blender's axes, and (N,) errors in px: as the artist left them."""
    mesh = shown.data
    places, errors = np.zeros(3 * len(mesh.vertices)), np.zeros(len(mesh.vertices))
    mesh.vertices.foreach_get("co", places)
    if ERROR in mesh.attributes:
        mesh.attributes[ERROR].data.foreach_get("value", errors)
    matrix = np.array(shown.matrix_world, float)
    return places.reshape(-1, 3) @ matrix[:3, :3].T + matrix[:3, 3], errors


def show_path(root: bpy.types.Object, world_from_camera: np.ndarray) -> bpy.types.Object | None:
    """A curve through the camera's places, a point a frame; None, and none left, for a camera that stays in place."""
    known = _child(root, "PATH")
    if not np.ptp(world_from_camera[:, :3, 3], axis=0).max() > 0:
        if known is not None:
            bpy.data.objects.remove(known)
        return None
    shown = known or _new_child(root, "Camera Path", bpy.data.curves.new("Camera Path", "CURVE"), "PATH")
    curve = shown.data
    curve.dimensions = "3D"
    curve.splines.clear()
    spline = curve.splines.new("POLY")
    spline.points.add(len(world_from_camera) - 1)
    places = frames.points_to_blender(world_from_camera[:, :3, 3])
    spline.points.foreach_set("co", np.concatenate([places, np.ones((len(places), 1))], axis=1).ravel())
    curve.update_tag()
    return shown


def _child(root: bpy.types.Object, role: str) -> bpy.types.Object | None:
    return next((child for child in root.children if child.handheld.role == role), None)


def _new_child(root: bpy.types.Object, name: str, data: bpy.types.ID, role: str) -> bpy.types.Object:
    child = bpy.data.objects.new(name, data)
    child.handheld.role = role
    child.parent = root
    child.hide_render = True
    root.users_collection[0].objects.link(child)
    return child


def _drop(mesh: bpy.types.Mesh) -> None:
    """Remove a mesh that nobody uses or has touched; an edited one stays in the file."""
    if mesh.get(_DIGEST) != _digest(mesh):
        mesh.use_fake_user = True
    elif mesh.users == 0:
        bpy.data.meshes.remove(mesh)


def _digest(mesh: bpy.types.Mesh) -> str:
    places = np.zeros(3 * len(mesh.vertices), np.float32)
    mesh.vertices.foreach_get("co", places)
    return hashlib.sha256(places.tobytes() + bytes(len(mesh.edges))).hexdigest()[:16]
