"""What is asked of the solver, from the scene's settings; whatever can be refused beforehand is refused here."""

from __future__ import annotations

import hashlib
import itertools
import os
import tempfile
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from ..solver import messages
from ..solver.errors import SolverError
from . import camera, clip, package, preferences, scene
from .clip import KnownCamera
from .take_to_scene import Surroundings

_numbers = itertools.count(1)


def next_number() -> int:
    """A number that no other request of this session has."""
    return next(_numbers)


def build(context: bpy.types.Context) -> tuple[messages.SolveRequest, Surroundings]:
    """The request for the scene's clip, and what its take will be placed into.

    Raises:
        SolverError: the clip, the camera, or the folder of the take is not fit for it.
    """
    settings = context.scene.handheld
    movie = settings.clip
    if movie is None:
        raise SolverError("no-clip", "No clip is loaded.", "Open a video of hands.")
    clip.require_readable(movie)
    own_camera = artists_camera(context.scene)
    around = Surroundings(
        context.scene, movie, preferences.model_source(context), own_camera, settings.use_scene_camera
    )
    request = messages.SolveRequest(
        request=next_number(),
        clip=str(clip.file_path(movie)),
        output=str(take_path(movie)),
        options=_options(context.scene, around),
    )
    return request, around


def artists_camera(target: bpy.types.Scene) -> bpy.types.Object | None:
    """The camera object in whose world the hands will be placed; None when the take brings its own.

    Raises:
        SolverError: ``camera-missing``.
    """
    settings = target.handheld
    if settings.camera_source == "OBJECT":
        if settings.camera is None or settings.camera.name not in target.objects:
            raise SolverError(
                "camera-missing", "No camera object is chosen.", "Choose the camera that filmed the clip."
            )
        return settings.camera
    if settings.camera_source in ("AUTO", "CLIP"):
        return clip.constrained_camera(settings.clip, target) if clip.has_reconstruction(settings.clip) else None
    return None


def take_path(movie: bpy.types.MovieClip) -> Path:
    """Beside the .blend once that is saved, else in the extension's own folder, which all unsaved files share.

    A name that another clip could claim there is told apart by a few letters that stand for the clip's whole path.

    Raises:
        SolverError: ``folder-not-writable``.
    """
    if bpy.data.filepath:
        folder = Path(bpy.data.filepath).parent
    else:
        folder = Path(bpy.utils.extension_path_user(package.NAME, path="takes", create=True))
    _require_writable(folder)
    path = clip.file_path(movie)
    paths = {clip.file_path(other) for other in bpy.data.movieclips}
    is_unique = bpy.data.filepath and sum(other.stem == path.stem for other in paths) == 1
    mark = "" if is_unique else "." + hashlib.sha256(os.fsencode(path)).hexdigest()[:8]
    return folder / f"{path.stem}{mark}.handheld.npz"


def _require_writable(folder: Path) -> None:
    try:
        with tempfile.TemporaryFile(dir=folder):
            return
    except OSError as error:
        raise SolverError(
            "folder-not-writable",
            f"The take can't be written to {folder} ({error.strerror}).",
            "Save the .blend in a folder that you may write to.",
        ) from error


def _options(target: bpy.types.Scene, around: Surroundings) -> dict[str, Any]:
    movie = around.clip
    known = _known_camera(target, around)
    rate = clip.frame_rate(movie, target).as_integer_ratio()
    numbers = _chosen_frames(target, movie)
    if known is not None:
        _require_covered(numbers, known)
    # how many frames a movie really has, the solver knows better
    whole_movie = movie.source == "MOVIE" and known is None and target.handheld.frame_range == "CLIP"
    return {
        "frame_range": None if whole_movie else [int(numbers[0]), int(numbers[-1])],
        "focal_px": _focal_px(target, movie),
        "camera": None if known is None else _write_camera(known),
        "camera_motion": "static" if target.handheld.camera_source == "STATIC" else "auto",
        "model": around.model_source,
        "quality": target.handheld.quality.lower(),
        "cache": bpy.utils.extension_path_user(package.NAME, path="cache", create=True),
        "frame_rate": list(rate) if movie.source == "SEQUENCE" else None,
    }


def _chosen_frames(target: bpy.types.Scene, movie: bpy.types.MovieClip) -> np.ndarray:
    """The clip's own numbers of the frames to solve."""
    numbers = clip.all_frames(movie)
    if target.handheld.frame_range == "CLIP":
        return numbers
    shown = clip.scene_frames(movie, numbers)
    numbers = numbers[(shown >= target.frame_start) & (shown <= target.frame_end)]
    if len(numbers) == 0:
        raise SolverError(
            "clip-range-empty",
            f"No frame of the clip lies in the scene's range {target.frame_start} to {target.frame_end}.",
            "Set Frames to Whole Clip, or match the scene to the clip.",
        )
    return numbers


def _focal_px(target: bpy.types.Scene, movie: bpy.types.MovieClip) -> float | None:
    settings = target.handheld
    if settings.focal_source == "VALUE":
        return settings.focal_mm / camera.SENSOR_MM * max(movie.size)
    if settings.focal_source == "CLIP" or clip.has_own_focal(movie):
        return float(clip.intrinsics(movie)[0])
    return None


def _known_camera(target: bpy.types.Scene, around: Surroundings) -> KnownCamera | None:
    if around.camera is not None:
        return camera.read(around.camera, target, around.clip, scene.find_root(target, around.clip))
    source = target.handheld.camera_source
    if source in ("AUTO", "CLIP") and clip.has_reconstruction(around.clip):
        return clip.reconstructed_camera(around.clip)
    if source == "CLIP":
        raise SolverError(
            "camera-not-solved",
            f"The clip {around.clip.name} has no camera solve.",
            "Solve its camera in the Movie Clip Editor, or set Camera to Automatic.",
        )
    return None


def _require_covered(numbers: np.ndarray, known: KnownCamera) -> None:
    missing = np.setdiff1d(numbers, known.clip_frames)
    if len(missing):
        raise SolverError(
            "camera-too-short",
            f"The clip's camera solve lacks {len(missing)} of {len(numbers)} frames, the first is {missing[0]}.",
            "Solve the camera for all frames, or set Frames to a scene range that it covers.",
        )


def _write_camera(known: KnownCamera) -> str:
    """The file is read once, when the solve starts; Blender clears its folder when it quits."""
    path = Path(bpy.app.tempdir) / "handheld_camera.npz"
    np.savez(path, frames=known.clip_frames, world_from_camera=known.world_from_camera, intrinsics=known.intrinsics)
    return str(path)
