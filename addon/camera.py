"""Camera objects: made from a take, and read for the solver."""

from __future__ import annotations

import bpy
import numpy as np

from ..solver.camera.cameras import CameraPath
from ..solver.camera.formats import KnownCamera, LensPart
from ..solver.errors import SolverError
from ..solver.take import Take
from . import animation, camera_lens, clip, frames, turns
from .scene import members, stepping

QUALITY = "solve_error_px"
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


def lens_of(path: CameraPath, size: tuple[int, int]) -> LensPart:
    """The lens that a path was solved with, of a clip of ``size``."""
    return LensPart(path.intrinsics, size, path.distortion, path.distortion_model)


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
    aspect = 1.0 if movie is None else 1.0 / movie.tracking.camera.pixel_aspect
    camera_lens.set_intrinsics(camera.data, path.intrinsics, size, aspect)
    write_motion(camera, scene_frames, frames.camera_to_blender(path.world_from_camera))
    if path.quality_px is not None:
        _write_quality(camera, scene_frames, path.quality_px)
    if movie is not None:
        _set_plate(camera.data, movie, lens_of(path, size))


def use_solved_lens(root: bpy.types.Object, take: Take) -> None:
    """Give the clip the lens that its take was solved with, in place of the artist's, and show the plate with it.

    Raises:
        SolverError: ``no-clip``.
    """
    movie, solved = root.handheld.clip, members(root, "CAMERA")
    if movie is None:
        raise SolverError("no-clip", "These hands have no clip.", "Import the take again, with its clip.")
    camera_lens.write_to_clip(movie, lens_of(take.camera(), take.size))
    for camera in solved:
        _set_plate(camera.data, movie, lens_of(take.camera(), take.size))


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
    aspect = camera_lens.pixel_aspect(scene.render)
    seen = [
        (_matrix(camera), camera_lens.intrinsics(camera.data, size, aspect))
        for _ in stepping(scene, clip.scene_frames(movie, numbers))
    ]
    _require_one_lens(camera, np.array([lens for _, lens in seen]))
    matrices = np.array([matrix for matrix, _ in seen])
    if root is not None:
        matrices = np.linalg.inv(np.array(root.matrix_world, float)) @ matrices
    # a camera object is a pinhole: how the footage is bent is told by the clip
    bent = camera_lens.of_clip(movie)
    lens = LensPart(seen[0][1], size, bent.distortion, bent.model)
    return KnownCamera(numbers.astype(float), frames.camera_to_solver(matrices), lens)


def in_render(camera: bpy.types.Object, scene: bpy.types.Scene, scene_frames: np.ndarray, movie: Movie) -> KnownCamera:
    """As it is in the scene's world, with the lens for pictures of the scene's resolution.

    Args:
        movie: gives the distortion, if the scene is rendered in its size.

    Raises:
        SolverError: ``camera-not-perspective`` or ``camera-zooms``.
    """
    size = (scene.render.resolution_x, scene.render.resolution_y)
    aspect = camera_lens.pixel_aspect(scene.render)
    seen = [(_matrix(camera), camera_lens.intrinsics(camera.data, size, aspect)) for _ in stepping(scene, scene_frames)]
    _require_one_lens(camera, np.array([lens for _, lens in seen]))
    lens = LensPart(seen[0][1], size)
    if movie is not None and tuple(movie.size) == size:
        bent = camera_lens.of_clip(movie)
        lens = LensPart(seen[0][1], size, bent.distortion, bent.model)
    matrices = np.array([matrix for matrix, _ in seen])
    return KnownCamera(scene_frames.astype(float), frames.camera_to_solver(matrices), lens)


def write_motion(camera: bpy.types.Object, scene_frames: np.ndarray, matrices: np.ndarray) -> None:
    """Keys for (T, 4, 4) rigid matrices in the space of the camera's parent; none if the camera doesn't move."""
    turn, location = turns.of_object(camera), matrices[:, :3, 3]
    camera.location = location[0]
    turn.pose(matrices[0, :3, :3])
    turn.forget_others()
    if np.ptp(matrices, axis=0).max() > 0:
        channels = animation.vector_channels("location", "Camera", scene_frames, location)
        animation.write(camera, channels + turn.written("Camera", scene_frames, matrices[:, :3, :3]))
    else:
        animation.remove_generated(camera, "location")
        animation.remove_generated(camera, turn.path)


def _matrix(camera: bpy.types.Object) -> np.ndarray:
    return np.array(camera.matrix_world, float)


def _require_one_lens(camera: bpy.types.Object, lenses: np.ndarray) -> None:
    """``lenses`` (T, 4) in px."""
    if camera.data.type != "PERSP":
        sentence = f"{camera.name} is no perspective camera."
        raise SolverError("camera-not-perspective", sentence, "Set its lens type to Perspective, or choose another.")
    if np.ptp(lenses, axis=0).max() > _SAME_LENS_PX:
        sentence = f"The focal length or shift of {camera.name} changes over the clip, which can't be used yet."
        raise SolverError("camera-zooms", sentence, "Remove the animation of its lens, or choose another camera.")


def _write_quality(camera: bpy.types.Object, scene_frames: np.ndarray, error_px: np.ndarray) -> None:
    """Key the custom property ``solve_error_px`` where something was measured."""
    known = np.isfinite(error_px)
    if not known.any():
        animation.remove_generated(camera, f'["{QUALITY}"]')
        camera.pop(QUALITY, None)
        return
    camera[QUALITY] = float(error_px[known][0])
    camera.id_properties_ui(QUALITY).update(min=0.0, description="Median error of the background's points, in px")
    channel = animation.Channel(f'["{QUALITY}"]', 0, "Quality", scene_frames[known], error_px[known])
    animation.write(camera, [channel])


def _set_plate(data: bpy.types.Camera, movie: bpy.types.MovieClip, lens: LensPart) -> None:
    """The clip behind the camera; undistorted when the clip's own camera has the distortion that was solved with."""
    agrees = camera_lens.offer_to_clip(movie, lens)
    plates = [image for image in data.background_images if image.source == "MOVIE_CLIP"]
    plate = plates[0] if plates else data.background_images.new()
    plate.source = "MOVIE_CLIP"
    plate.clip = movie
    if not plates:
        plate.alpha = 1.0
        data.show_background_images = True
    is_bent = bool(np.any(lens.distortion)) and agrees
    plate.clip_user.use_render_undistorted = is_bent
    if is_bent:
        plate.clip_user.proxy_render_size = "FULL"
