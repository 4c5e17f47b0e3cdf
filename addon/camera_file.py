"""A camera file as the scene's settings name it: looked into when it is chosen, and handed to the solver."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import bpy

from ..solver.camera import formats
from ..solver.errors import SolverError
from ..solver.wording import counted
from . import clip

_SCALES = {"AUTO": "auto", "METRES": 1.0, "HANDS": "hands"}


def options(scene: bpy.types.Scene, movie: bpy.types.MovieClip) -> dict[str, Any]:
    """The solver's options for the scene's camera file.

    Raises:
        SolverError: there is none, or it can't be read; codes ``camera-...``.
    """
    settings = scene.handheld_camera
    if not settings.file:
        raise SolverError("camera-missing", "No camera file is chosen.", "Choose a .chan file or a COLMAP model.")
    formats.read(_path(settings), tuple(movie.size), settings.order)
    return {
        "camera": str(_path(settings)),
        "camera_offset": float(settings.offset),
        "camera_rate": list(_rate(settings).as_integer_ratio()) if settings.frame_rate else None,
        "camera_scale": scale(settings),
        "camera_order": settings.order,
    }


def scale(settings: bpy.types.PropertyGroup) -> float | str:
    """As ``options.SolveOptions.camera_scale``."""
    return settings.scale if settings.scale_source == "VALUE" else _SCALES[settings.scale_source]


def inspect(settings: bpy.types.PropertyGroup, movie: bpy.types.MovieClip | None) -> None:
    """Say in ``settings.about`` or ``settings.problem`` what the file is; panels only show that."""
    settings.about = settings.problem = ""
    if not settings.file or movie is None:
        return
    try:
        camera = formats.read(_path(settings), tuple(movie.size), settings.order)
    except SolverError as problem:
        settings.problem = str(problem)
        return
    ratio = float(clip.frame_rate(movie, bpy.context.scene) / _rate(settings)) if settings.frame_rate else 1.0
    settings.about = _described(camera.retimed(settings.offset, ratio), movie)


def _described(camera: formats.KnownCamera, movie: bpy.types.MovieClip) -> str:
    numbers = clip.all_frames(movie)
    inside = camera.covers(numbers)
    lens = f"{camera.lens.intrinsics[0]:.0f} px" if camera.lens else "lens not told"
    units = "metres" if camera.is_metric else "units of its own"
    poses = counted(len(camera.frames), "pose")
    words = f"{poses}, frames {camera.frames[0]:g} to {camera.frames[-1]:g}, {lens}, {units}."
    if inside.all():
        return words
    return f"{words} It lacks {(~inside).sum()} of the clip's {len(numbers)} frames."


def _rate(settings: bpy.types.PropertyGroup) -> Fraction:
    return clip.exact_rate(settings.frame_rate)


def _path(settings: bpy.types.PropertyGroup) -> Path:
    return Path(bpy.path.abspath(settings.file))
