"""Camera objects: made from a take, and read for the solver."""

from __future__ import annotations

import bpy
import numpy as np

from ..solver.camera.cameras import CameraPath
from ..solver.errors import SolverError
from ..solver.hand_model.rotations import quaternion_from_matrix
from . import animation, clip, frames
from .clip import KnownCamera
from .scene import stepping

SENSOR_MM = 36.0
_SAME_LENS_PX = 0.1
Movie = bpy.types.MovieClip | None


def build(collection: bpy.types.Collection, root: bpy.types.Object) -> bpy.types.Object:
    """Make a camera object below ``root``; ``update`` gives it its motion."""
    camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    camera.parent = root
    camera.rotation_mode = "QUATERNION"
    camera.handheld.role = "CAMERA"
    collection.objects.link(camera)
    return camera


def update(
    camera: bpy.types.Object, path: CameraPath, size: tuple[int, int], scene_frames: np.ndarray, movie: Movie
) -> None:
    """Give the camera a lens and a motion, and the clip as its plate. Keys only if it moves.

    Args:
        camera: as ``build`` makes it.
        path: T poses and the intrinsics, solver axes.
        size: (width, height) of the clip in px.
        scene_frames: (T,).
        movie: the clip, if it is at hand.
    """
    _set_lens(camera.data, path.intrinsics, size)
    matrices = frames.camera_to_blender(path.world_from_camera)
    location = matrices[:, :3, 3]
    rotation = frames.continuous_signs(quaternion_from_matrix(matrices[:, :3, :3]))
    camera.location, camera.rotation_quaternion = location[0], rotation[0]
    if np.ptp(matrices, axis=0).max() > 0:
        _write_keys(camera, scene_frames, location, rotation)
    else:
        animation.remove_generated(camera, "location")
        animation.remove_generated(camera, "rotation_quaternion")
    if movie is not None:
        _set_plate(camera.data, movie)


def read(
    camera: bpy.types.Object, scene: bpy.types.Scene, movie: bpy.types.MovieClip, root: bpy.types.Object | None
) -> KnownCamera:
    """A camera object's path over the whole clip.

    Args:
        camera: any camera of the scene, however it is animated.
        scene: steps through the frames and is put back.
        movie: the clip that it filmed; its size defines the pixels.
        root: the world is this object's space (None: the scene's).

    Returns:
        KnownCamera, constant if nothing animates the camera.

    Raises:
        SolverError: ``camera-not-perspective`` or ``camera-zooms``.
    """
    numbers, size = clip.all_frames(movie), tuple(movie.size)
    steps = stepping(scene, clip.scene_frames(movie, numbers))
    seen = [(camera.matrix_world.copy(), intrinsics(camera.data, size)) for _ in steps]
    _require_one_lens(camera, np.array([lens for _, lens in seen]))
    matrices = np.array([matrix for matrix, _ in seen], float)
    if root is not None:
        matrices = np.linalg.inv(np.array(root.matrix_world, float)) @ matrices
    return KnownCamera(numbers, frames.camera_to_solver(matrices), seen[0][1])


def _require_one_lens(camera: bpy.types.Object, lenses: np.ndarray) -> None:
    """``lenses`` (T, 4) in px."""
    if camera.data.type != "PERSP":
        sentence = f"{camera.name} is no perspective camera."
        raise SolverError("camera-not-perspective", sentence, "Set its lens type to Perspective, or choose another.")
    if np.ptp(lenses, axis=0).max() > _SAME_LENS_PX:
        sentence = f"The focal length or shift of {camera.name} changes over the clip, which can't be used yet."
        raise SolverError("camera-zooms", sentence, "Remove the animation of its lens, or choose another camera.")


def intrinsics(camera: bpy.types.Camera, size: tuple[int, int]) -> np.ndarray:
    """(4,) fx, fy, cx, cy of a camera datablock in px of an image of ``size``."""
    width, height = size
    vertical = camera.sensor_fit == "VERTICAL"
    sensor = camera.sensor_height if vertical else camera.sensor_width
    fitted = {"HORIZONTAL": width, "VERTICAL": height, "AUTO": max(size)}[camera.sensor_fit]
    focal = camera.lens / sensor * fitted
    return np.array([focal, focal, width / 2 - camera.shift_x * fitted, height / 2 + camera.shift_y * fitted])


def _set_lens(data: bpy.types.Camera, focal_and_centre: np.ndarray, size: tuple[int, int]) -> None:
    """Blender's pinhole has one focal length for both axes: fx's."""
    fx, _, cx, cy = focal_and_centre
    width, height = size
    data.sensor_fit = "HORIZONTAL"
    data.sensor_width = SENSOR_MM
    data.lens = fx * SENSOR_MM / width
    data.shift_x = (width / 2 - cx) / width
    data.shift_y = (cy - height / 2) / width


def _write_keys(camera: bpy.types.Object, scene_frames: np.ndarray, location: np.ndarray, rotation: np.ndarray) -> None:
    channels = animation.vector_channels("location", "Camera", scene_frames, location)
    channels += animation.vector_channels("rotation_quaternion", "Camera", scene_frames, rotation)
    animation.write(camera, channels)


def _set_plate(data: bpy.types.Camera, movie: bpy.types.MovieClip) -> None:
    plates = [image for image in data.background_images if image.source == "MOVIE_CLIP"]
    plate = plates[0] if plates else data.background_images.new()
    plate.source = "MOVIE_CLIP"
    plate.clip = movie
    plate.alpha = 1.0
    data.show_background_images = True
