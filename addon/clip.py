"""Movie clips: loading, numbering of frames, and the cameras that an artist already has for them."""

from __future__ import annotations

import os
import re
from fractions import Fraction
from pathlib import Path

import bpy
import numpy as np

from ..solver.camera.formats import KnownCamera
from ..solver.errors import SolverError
from . import camera_lens, frames

_LAST_NUMBER = re.compile(r"\d+(?=\D*$)")


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


def has_reconstruction(clip: bpy.types.MovieClip) -> bool:
    """Was the clip's camera solved in the Movie Clip Editor?"""
    return clip.tracking.reconstruction.is_valid and len(clip.tracking.reconstruction.cameras) > 0


def reconstructed_camera(clip: bpy.types.MovieClip) -> KnownCamera:
    """The camera that was solved in the Movie Clip Editor, in the reconstruction's own world and scale."""
    solved = clip.tracking.reconstruction.cameras
    numbers = np.array([camera.frame for camera in solved]) - 1 + first_number(clip) - clip.frame_offset
    matrices = np.array([camera.matrix for camera in solved], float)
    order = np.argsort(numbers)
    bundles = [track for track in clip.tracking.tracks if track.has_bundle]
    points = np.array([track.bundle for track in bundles], float).reshape(-1, 3)
    return KnownCamera(
        numbers[order].astype(float),
        frames.camera_to_solver(matrices[order]),
        camera_lens.of_clip(clip),
        is_metric=False,
        points=frames.points_to_solver(points),
        point_errors_px=np.array([track.average_error for track in bundles], float),
    )


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
