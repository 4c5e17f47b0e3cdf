"""Movie clips: loading, numbering of frames, and the cameras that an artist already has for them."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import bpy
import numpy as np

from ..solver.errors import SolverError
from . import frames

# A tracking camera that nobody touched: Blender's own defaults.
_DEFAULT_FOCAL_MM, _DEFAULT_SENSOR_MM = 24.0, 35.0
_LAST_NUMBER = re.compile(r"\d+(?=\D*$)")


@dataclass(frozen=True)
class KnownCamera:
    """A camera that was solved elsewhere, as the solver's camera file has it.

    Attributes:
        clip_frames: (T,) the clip's own frame numbers.
        world_from_camera: (T, 4, 4) solver axes.
        intrinsics: (4,) fx, fy, cx, cy in px of the clip.
    """

    clip_frames: np.ndarray
    world_from_camera: np.ndarray
    intrinsics: np.ndarray


def load(path: str) -> bpy.types.MovieClip:
    """Load a movie or an image sequence, or find it where it is loaded already.

    Raises:
        SolverError: ``clip-missing``, ``clip-not-readable`` or ``clip-one-frame``; nothing is left in the file then.
    """
    known = [clip for clip in bpy.data.movieclips if file_path(clip) == Path(os.path.normpath(path))]
    if known:
        require_readable(known[0])
        return known[0]
    return _load_new(path)


def relocate(clip: bpy.types.MovieClip, path: str, view_layer: bpy.types.ViewLayer) -> None:
    """Tell a clip where its file is now; its tracking data stay.

    Raises:
        SolverError: as ``load``; the clip is as it was then.
    """
    bpy.data.movieclips.remove(_load_new(path))
    clip.filepath = path
    view_layer.update()  # Blender opens the file with the next evaluation


def _load_new(path: str) -> bpy.types.MovieClip:
    if not Path(path).is_file():
        raise SolverError("clip-missing", f"There is no file {path}.", "Choose a clip that exists.")
    clip = bpy.data.movieclips.load(path)
    try:
        require_readable(clip)
    except SolverError:
        bpy.data.movieclips.remove(clip)
        raise
    return clip


def require_readable(clip: bpy.types.MovieClip) -> None:
    """Raises:
    SolverError: ``clip-missing``, ``clip-not-readable`` or ``clip-one-frame``.
    """
    path = file_path(clip)
    if not path.is_file():
        raise SolverError(
            "clip-missing", f"The clip's file {path} is not there.", "Find the file, or open another clip."
        )
    if clip.frame_duration == 0:
        sentence = f"Blender can't read {path.name}: it is no video, or its codec is unknown."
        raise SolverError("clip-not-readable", sentence, "Open a video that plays, or convert this one to H.264.")
    if clip.frame_duration == 1:
        sentence = f"{path.name} has one frame; motion needs at least two."
        raise SolverError("clip-one-frame", sentence, "Open a movie, or the first image of a numbered sequence.")


def file_path(clip: bpy.types.MovieClip) -> Path:
    """Where the clip's movie or first image should be."""
    return Path(os.path.normpath(bpy.path.abspath(clip.filepath, library=clip.library)))


def first_number(clip: bpy.types.MovieClip) -> int:
    """The solver's number of the frame that Blender plays at ``frame_start``: sequences are numbered by file names."""
    number = _LAST_NUMBER.search(Path(clip.filepath).stem) if clip.source == "SEQUENCE" else None
    return clip.frame_offset + (int(number.group()) if number else 1)


def scene_frames(clip: bpy.types.MovieClip | None, clip_frames: np.ndarray) -> np.ndarray:
    """Scene frames in which Blender shows these frames of the clip; without a clip they are the same."""
    if clip is None:
        return np.asarray(clip_frames)
    return np.asarray(clip_frames) - first_number(clip) + clip.frame_start


def all_frames(clip: bpy.types.MovieClip) -> np.ndarray:
    """The clip's own numbers of all its frames."""
    return first_number(clip) + np.arange(clip.frame_duration - clip.frame_offset)


def frame_rate(clip: bpy.types.MovieClip, scene: bpy.types.Scene) -> Fraction:
    """Exact rate; Blender keeps it as a float. An image sequence has none and plays at the scene's."""
    if clip.source == "SEQUENCE" or clip.fps <= 0:
        return exact_rate(scene.render.fps / scene.render.fps_base)
    return exact_rate(clip.fps)


def exact_rate(fps: float) -> Fraction:
    """The whole or NTSC (n * 1000/1001) rate that a float stands for, else the nearest simple fraction."""
    for rate in (Fraction(round(fps)), Fraction(round(fps * 1.001) * 1000, 1001)):
        if abs(float(rate) - fps) < 1e-3:
            return rate
    return Fraction(fps).limit_denominator(1001)


def has_own_focal(clip: bpy.types.MovieClip) -> bool:
    """Did somebody set or solve the focal length of the clip's tracking camera?"""
    camera = clip.tracking.camera
    untouched = abs(camera.focal_length_pixels - _DEFAULT_FOCAL_MM / _DEFAULT_SENSOR_MM * clip.size[0]) < 1e-2
    return has_reconstruction(clip) or not untouched or abs(camera.sensor_width - _DEFAULT_SENSOR_MM) > 1e-4


def has_reconstruction(clip: bpy.types.MovieClip) -> bool:
    """Was the clip's camera solved in the Movie Clip Editor?"""
    return clip.tracking.reconstruction.is_valid and len(clip.tracking.reconstruction.cameras) > 0


def intrinsics(clip: bpy.types.MovieClip) -> np.ndarray:
    """(4,) fx, fy, cx, cy in px of the clip's tracking camera; Blender counts cy from below."""
    camera = clip.tracking.camera
    focal = camera.focal_length_pixels
    x, y = camera.principal_point_pixels
    return np.array([focal, focal * camera.pixel_aspect, x, clip.size[1] - y])


def reconstructed_camera(clip: bpy.types.MovieClip) -> KnownCamera:
    """The camera that was solved in the Movie Clip Editor, in the reconstruction's own world and scale."""
    solved = clip.tracking.reconstruction.cameras
    numbers = np.array([camera.frame for camera in solved]) - 1 + first_number(clip) - clip.frame_offset
    matrices = np.array([camera.matrix for camera in solved], float)
    return KnownCamera(numbers, frames.camera_to_solver(matrices), intrinsics(clip))


def constrained_camera(clip: bpy.types.MovieClip, scene: bpy.types.Scene) -> bpy.types.Object | None:
    """The scene's camera that follows the clip's reconstruction, as Set Up Tracking Scene makes it."""
    for candidate in scene.objects:
        if candidate.type == "CAMERA" and any(_follows(rule, clip, scene) for rule in candidate.constraints):
            return candidate
    return None


def _follows(constraint: bpy.types.Constraint, clip: bpy.types.MovieClip, scene: bpy.types.Scene) -> bool:
    if constraint.type != "CAMERA_SOLVER" or constraint.mute:
        return False
    return clip == (scene.active_clip if constraint.use_active_clip else constraint.clip)
