"""Lenses of Blender's camera objects and of its movie clips' tracking cameras, both ways."""

from __future__ import annotations

import bpy
import numpy as np

from ..solver.camera.distortion import distort, for_focal
from ..solver.camera.formats import LensPart

SENSOR_MM = 36.0
"""Of the longer side of the picture, for cameras that are made here: full frame."""
# A tracking camera that nobody touched: Blender's own defaults.
_DEFAULT_FOCAL_MM, _DEFAULT_SENSOR_MM = 24.0, 35.0
_SAME_PX = 0.05
# the clip's attributes in the order of camera.distortion; Blender's p1 and p2 change places, and its y points up
_COEFFICIENTS = {
    "POLYNOMIAL": ("k1", "k2", "k3"),
    "BROWN": ("brown_k1", "brown_k2", "brown_k3", "brown_k4", "brown_p2", "brown_p1"),
    "DIVISION": ("division_k1", "division_k2"),
    "NUKE": ("nuke_k1", "nuke_k2", "nuke_p1", "nuke_p2"),
}
_SIGNS = {"BROWN": (1, 1, 1, 1, -1, 1)}


# --- camera objects ---------------------------------------------------------------------------------------------------


def pixel_aspect(render: bpy.types.RenderSettings) -> float:
    """Height of a pixel over its width, in a render."""
    return render.pixel_aspect_y / render.pixel_aspect_x


def render_aspect(movie: bpy.types.MovieClip) -> tuple[float, float]:
    """Render settings for pixels of the clip's shape; Blender wants both at least 1."""
    ratio = movie.tracking.camera.pixel_aspect
    return max(1.0, ratio), max(1.0, 1.0 / ratio)


def intrinsics(data: bpy.types.Camera, size: tuple[int, int], aspect: float = 1.0) -> np.ndarray:
    """(4,) fx, fy, cx, cy of a camera datablock in px of an image of ``size``."""
    width, height = size
    fitted = _fitted_px(data, size, aspect)
    focal = data.lens / _sensor(data) * fitted
    return np.array(
        [focal, focal / aspect, width / 2 - data.shift_x * fitted, height / 2 + data.shift_y * fitted / aspect]
    )


def set_intrinsics(data: bpy.types.Camera, wanted: np.ndarray, size: tuple[int, int], aspect: float = 1.0) -> None:
    """Lens and shifts for (4,) fx, fy, cx, cy; sensor and fit stay. Blender has one focal length for both axes: fx."""
    width, height = size
    fitted = _fitted_px(data, size, aspect)
    data.lens = wanted[0] / fitted * _sensor(data)
    data.shift_x = (width / 2 - wanted[2]) / fitted
    data.shift_y = (wanted[3] - height / 2) * aspect / fitted


def start_sensor(data: bpy.types.Camera, size: tuple[int, int]) -> None:
    """A new camera's sensor: ``SENSOR_MM`` along the picture's longer side, whatever the scene is set to."""
    data.sensor_fit = "HORIZONTAL" if size[0] >= size[1] else "VERTICAL"
    data.sensor_width = data.sensor_height = SENSOR_MM


def _fitted_px(data: bpy.types.Camera, size: tuple[int, int], aspect: float) -> float:
    """Length of the side that the sensor is fitted to, in widths of a pixel."""
    width, height = size[0], size[1] * aspect
    return {"HORIZONTAL": width, "VERTICAL": height, "AUTO": max(width, height)}[data.sensor_fit]


def _sensor(data: bpy.types.Camera) -> float:
    return data.sensor_height if data.sensor_fit == "VERTICAL" else data.sensor_width


# --- movie clips ------------------------------------------------------------------------------------------------------


def of_clip(movie: bpy.types.MovieClip) -> LensPart:
    """The lens of the clip's tracking camera; Blender counts y from below, a pixel's aspect as width over height."""
    camera, size = movie.tracking.camera, tuple(movie.size)
    focal = camera.focal_length_pixels
    x, y = camera.principal_point_pixels
    model = camera.distortion_model
    values = np.array([getattr(camera, name, 0.0) for name in _COEFFICIENTS[model]]) * _SIGNS.get(model, 1)
    if model == "NUKE":
        values = for_focal(values, model, focal / (max(size[0], size[1] / camera.pixel_aspect) / 2))
    return LensPart(np.array([focal, focal * camera.pixel_aspect, x, size[1] - y]), size, values, model)


def offer_to_clip(movie: bpy.types.MovieClip, lens: LensPart) -> bool:
    """Write a solved lens to the clip unless the artist's is there; do both agree then?

    A distortion of zeros is what a clip starts with, so where all else agrees it is filled in.
    """
    if not is_artists(movie):
        write_to_clip(movie, lens)
    elif _lacks_only_distortion(movie, lens):
        write_to_clip(movie, lens)
        movie.handheld_lens.only_distortion = True
    movie.handheld_lens.differs = not agree(of_clip(movie), lens)
    return not movie.handheld_lens.differs


def _lacks_only_distortion(movie: bpy.types.MovieClip, lens: LensPart) -> bool:
    now = of_clip(movie)
    is_open = not now.distortion.any() or is_distortion_ours(movie)
    return is_open and bool(np.abs(now.intrinsics - lens.intrinsics).max() < _SAME_PX)


def is_distortion_ours(movie: bpy.types.MovieClip) -> bool:
    """Was the distortion of a lens that is otherwise the artist's solved here?"""
    return movie.handheld_lens.only_distortion and movie.handheld_lens.written == _fingerprint(movie)


def write_to_clip(movie: bpy.types.MovieClip, lens: LensPart) -> None:
    """Give the clip's tracking camera this lens, and remember that it is ours.

    Blender keeps single precision: it agrees to well below 0.01 px.
    """
    camera = movie.tracking.camera
    units = camera.units
    camera.units = "PIXELS"
    camera.focal_length_pixels = lens.intrinsics[0]
    camera.principal_point_pixels = (lens.intrinsics[2], movie.size[1] - lens.intrinsics[3])
    camera.distortion_model = lens.model
    values = np.zeros(len(_COEFFICIENTS[lens.model]))
    values[: len(lens.distortion)] = lens.distortion
    if lens.model == "NUKE":
        half = max(movie.size[0], movie.size[1] / camera.pixel_aspect) / 2
        values = for_focal(values, "NUKE", half / lens.intrinsics[0])
    for name, value in zip(_COEFFICIENTS[lens.model], values * _SIGNS.get(lens.model, 1), strict=True):
        if hasattr(camera, name):  # nuke_p1 and nuke_p2 came after 5.0
            setattr(camera, name, value)
    camera.units = units
    movie.handheld_lens.written = _fingerprint(movie)
    movie.handheld_lens.only_distortion = movie.handheld_lens.differs = False


def is_artists(movie: bpy.types.MovieClip) -> bool:
    """Did somebody set or solve the lens of the clip's tracking camera? What was written here does not count."""
    camera = movie.tracking.camera
    if movie.tracking.reconstruction.is_valid:
        return True
    if movie.handheld_lens.written == _fingerprint(movie):
        return movie.handheld_lens.only_distortion
    if movie.handheld_lens.written:
        return True
    lens = of_clip(movie)
    untouched = abs(lens.intrinsics[0] - _DEFAULT_FOCAL_MM / _DEFAULT_SENSOR_MM * movie.size[0]) < 1e-2
    return not untouched or abs(camera.sensor_width - _DEFAULT_SENSOR_MM) > 1e-4 or bool(np.any(lens.distortion))


def agree(first: LensPart, second: LensPart) -> bool:
    """Do both put the picture's rim, its middle and all between at the same px?"""
    width, height = first.size
    grid = np.stack(np.meshgrid(np.linspace(0, width, 9), np.linspace(0, height, 9)), axis=-1).reshape(-1, 2)
    rays = (grid - first.intrinsics[2:]) / first.intrinsics[:2]
    seen = [
        distort(rays * lens.intrinsics[:2] + lens.intrinsics[2:], lens.intrinsics, lens.distortion, lens.model)
        for lens in (first, second)
    ]
    return bool(np.abs(seen[0] - seen[1]).max() < _SAME_PX)


def _fingerprint(movie: bpy.types.MovieClip) -> str:
    camera = movie.tracking.camera
    values = [camera.focal_length_pixels, *camera.principal_point_pixels, camera.sensor_width]
    values += [getattr(camera, name, 0.0) for name in _COEFFICIENTS[camera.distortion_model]]
    return " ".join([camera.distortion_model, *(f"{value:.6g}" for value in values)])
