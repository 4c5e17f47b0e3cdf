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
from ..solver.camera.formats import KnownCamera, npz
from ..solver.errors import SolverError
from . import (
    camera,
    camera_file,
    camera_lens,
    camera_world,
    clip,
    hints,
    masks,
    package,
    pinned_camera,
    preferences,
    rig,
    scene,
)
from .hands import hands_of, require_own_motion
from .take_to_scene import Surroundings

_numbers = itertools.count(1)


def next_number() -> int:
    """A number that no other request of this session has."""
    return next(_numbers)


def build(context: bpy.types.Context) -> tuple[messages.SolveRequest, Surroundings]:
    """The request for the scene's clip, and what its take will be placed into.

    Raises:
        SolverError: the clip, the camera, a hand that is there, or the folder of the take is not fit for it.
    """
    settings = context.scene.handheld
    movie = settings.clip
    if movie is None:
        raise SolverError("no-clip", "No clip is loaded.", "Open a video of hands.")
    clip.require_readable(movie)
    own_camera = artists_camera(context.scene)
    _require_fit(context.scene, movie, with_camera=own_camera is None)
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


def _require_fit(target: bpy.types.Scene, movie: bpy.types.MovieClip, with_camera: bool) -> None:
    """The result goes onto the hands and camera that are there: better said before the solve than after it."""
    root = scene.find_root(target, movie)
    if root is not None:
        scene.require_own(root)
    for armature in hands_of(root) if root else ():
        rig.require_bones(armature)
        require_own_motion(armature)
    ours = pinned_camera.of_root(root) if root and with_camera else None
    if ours is not None:
        require_own_motion(ours)


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
    """A name that no file has yet: an undo, or another .blend, may still show the take that was there before.

    It lies beside the .blend once that is saved, else in the extension's own folder, which all unsaved files share. A
    name that another clip could claim there is told apart by a few letters that stand for the clip's whole path.

    Raises:
        SolverError: ``folder-not-writable``.
    """
    if bpy.data.filepath:
        folder = Path(bpy.data.filepath).parent
    else:
        folder = Path(bpy.utils.extension_path_user(package.NAME, path="takes", create=True))
    _require_writable(folder)
    name = _take_name(clip.file_path(movie))
    numbered = (f"{name}.{number}" if number > 1 else name for number in itertools.count(1))
    return next(path for stem in numbered if not (path := folder / f"{stem}.handheld.npz").exists())


def _take_name(path: Path) -> str:
    blend = Path(bpy.data.filepath).stem if bpy.data.filepath else f"unsaved-{os.getpid()}"
    paths = {clip.file_path(other) for other in bpy.data.movieclips}
    is_unique = bpy.data.filepath and sum(other.stem == path.stem for other in paths) == 1
    mark = "" if is_unique else "." + hashlib.sha256(os.fsencode(path)).hexdigest()[:8]
    return ("" if blend == path.stem else f"{blend}.") + path.stem + mark


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
        **_lens_options(target, movie),
        **_camera_options(target, movie, known),
        **_world_options(target, movie),
        "camera_motion": "static" if target.handheld.camera_source == "STATIC" else "auto",
        "model": around.model_source,
        "hand_boxes": hints.boxes(movie),
        "hand_edits": hints.edits(movie),
        "quality": target.handheld.quality.lower(),
        **_optimiser_options(target.handheld),
        "cache": bpy.utils.extension_path_user(package.NAME, path="cache", create=True),
        "frame_rate": list(rate) if movie.source == "SEQUENCE" else None,
        "masks": masks.options(target, movie, numbers) or None,
    }


def _optimiser_options(settings: bpy.types.PropertyGroup) -> dict[str, Any]:
    """None of them where nothing is optimised: the panel greys them out there, and the solver refuses them."""
    if settings.quality == "INITIAL":
        return {}
    return {
        "along": ["poses", "focal"] if settings.use_camera_along else [],
        "render": bool(settings.use_render),
        "prior": _prior(settings),
    }


def _prior(settings: bpy.types.PropertyGroup) -> str | None:
    """Path of the artist's motion prior; what is in it the solver says before it begins."""
    if not settings.prior:
        return None
    path = Path(bpy.path.abspath(settings.prior))
    if not path.is_file():
        raise SolverError("prior-not-found", f"There is no motion prior {path}.", "Choose its file, or leave it empty.")
    return str(path)


def _camera_options(target: bpy.types.Scene, movie: bpy.types.MovieClip, known: KnownCamera | None) -> dict[str, Any]:
    if target.handheld.camera_source == "FILE":
        return camera_file.options(target, movie)
    if known is None:
        return {"camera": None}
    scale = camera_file.scale(target.handheld_camera)
    if scale == "auto":
        scale = 1.0 if known.is_metric else "hands"
    return {"camera": _write_camera("handheld_camera.npz", known), "camera_scale": scale}


def _world_options(target: bpy.types.Scene, movie: bpy.types.MovieClip) -> dict[str, Any]:
    """What the artist has measured in the world of the take before."""
    root = scene.find_root(target, movie)
    wanted = camera_world.wanted_world(root, movie)
    if wanted is None:
        return {}
    return {
        "world": _write_camera("handheld_world.npz", wanted),
        "world_scale": camera_world.measured_scale(root, wanted),
        "hand_length_m": root.handheld_world.hand_length or None,
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


def _lens_options(target: bpy.types.Scene, movie: bpy.types.MovieClip) -> dict[str, Any]:
    settings = target.handheld
    if settings.focal_source == "VALUE":
        return {"focal_px": settings.focal_mm / camera_lens.SENSOR_MM * max(movie.size)}
    if settings.focal_source == "CLIP" or camera_lens.is_artists(movie):
        lens = camera_lens.of_clip(movie)
        # zeros are what a clip starts with: not known to be none; nor is our own answer evidence
        is_known = lens.distortion.any() and not camera_lens.is_distortion_ours(movie)
        return {
            "focal_px": float(lens.intrinsics[0]),
            "intrinsics": lens.intrinsics.tolist(),
            "distortion": lens.distortion.tolist() if is_known else [],
            "distortion_model": lens.model,
        }
    return {"focal_px": None}


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
    missing = numbers[~known.covers(numbers)]
    if len(missing):
        raise SolverError(
            "camera-too-short",
            f"The clip's camera solve lacks {len(missing)} of {len(numbers)} frames, the first is {missing[0]}.",
            "Solve the camera for all frames, or set Frames to a scene range that it covers.",
        )


def _write_camera(name: str, known: KnownCamera) -> str:
    """The file is read once, when the solve starts; Blender clears its folder when it quits."""
    path = Path(bpy.app.tempdir) / name
    npz.write(path, known)
    return str(path)
