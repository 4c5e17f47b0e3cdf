"""The artist's masks of the hands as the solver takes them: mattes by path, Blender's masks as polygons per frame."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np

from ..solver.atomic import write_npz
from ..solver.errors import SolverError
from . import clip, package
from .scene import stepping

# points on the curve between two points of a spline
_STEPS = 12
_MATTES = ("left", "right", "hands")


def render_needs(target: bpy.types.Scene) -> str:
    """What the rendering stage lacks to take part in the next solve; "" when it does."""
    settings = target.handheld_outlines
    mattes = [getattr(settings, f"matte_{of}") for of in _MATTES]
    if target.handheld.quality == "FINAL" or any(mattes) or settings.mask is not None:
        return ""
    return "Needs Final, or masks of yours"


def options(target: bpy.types.Scene, movie: bpy.types.MovieClip, numbers: np.ndarray) -> dict[str, str]:
    """The masks of the next solve: paths by what they are of, as ``SolveOptions.masks``; empty when there are none.

    Args:
        numbers: the clip's own numbers of the frames that will be solved.

    Raises:
        SolverError: ``mask-missing``, ``mask-empty``.
    """
    settings, found = target.handheld_outlines, {}
    for of in _MATTES:
        path = getattr(settings, f"matte_{of}")
        if path:
            found[of] = _existing(Path(bpy.path.abspath(path)), settings.bl_rna.properties[f"matte_{of}"].name)
    if settings.mask is not None:
        folder = Path(bpy.utils.extension_path_user(package.NAME, path="masks", create=True))
        found["shapes"] = str(write_shapes(folder / "shapes.npz", target, movie, settings.mask, numbers))
    return found


def _existing(path: Path, name: str) -> str:
    if not path.exists():
        wanted = f"Choose a file for {name} under Outlines that exists, or leave it empty."
        raise SolverError("mask-missing", f"There is no file {path}.", wanted)
    return str(path)


def write_shapes(
    path: Path, target: bpy.types.Scene, movie: bpy.types.MovieClip, mask: bpy.types.Mask, numbers: np.ndarray
) -> Path:
    """Write a mask, as animated, in the file of shapes that ``silhouette.mattes`` describes.

    Raises:
        SolverError: ``mask-empty``.
    """
    entries = []
    for number, frame in zip(numbers.tolist(), stepping(target, clip.scene_frames(movie, numbers)), strict=True):
        del frame
        drawn = mask.evaluated_get(bpy.context.evaluated_depsgraph_get())
        entries += [(number, *polygon) for polygon in polygons(drawn, tuple(movie.size))]
    if not entries:
        raise SolverError(
            "mask-empty", f"The mask {mask.name} has no closed shape.", "Draw one, or choose no mask for the hands."
        )
    frames, names, adds, points = zip(*entries, strict=True)
    write_npz(
        path,
        {
            "frames": np.array(frames),
            "of": np.array(names),
            "adds": np.array(adds),
            "starts": np.concatenate([[0], np.cumsum([len(p) for p in points])]),
            "points": np.concatenate(points),
            "size": np.array(tuple(movie.size)),
        },
    )
    return path


def polygons(mask: bpy.types.Mask, size: tuple[int, int]) -> list[tuple[str, bool, np.ndarray]]:
    """The closed splines of a mask's visible layers, back to front: whose they are, whether they add, (n, 2) px."""
    found = []
    for layer in mask.layers:
        if layer.hide_render:
            continue
        adds = (layer.blend != "SUBTRACT") != layer.invert
        for spline in layer.splines:
            if spline.use_cyclic and len(spline.points) > 2:
                found.append((_whose(layer.name), adds, in_pixels(_outline(spline), size)))
    return found


def _whose(name: str) -> str:
    lower = name.lower()
    return next((side for side in ("left", "right") if side in lower), "hands")


def in_pixels(points: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """(n, 2) of a mask's own space to px of a clip of ``size``, y down.

    A mask's space is the longer side's length squared, centred on the picture: 0..1 along the longer side.
    """
    width, height = size
    side = max(width, height)
    x = points[:, 0] * side - (side - width) / 2
    y = points[:, 1] * side - (side - height) / 2
    return np.stack([x, height - y], axis=1)


def _outline(spline: bpy.types.MaskSpline) -> np.ndarray:
    """(n, 2) along a cyclic spline's Bezier curves."""
    knots = np.array([point.co[:2] for point in spline.points], float)
    left = np.array([point.handle_left[:2] for point in spline.points], float)
    right = np.array([point.handle_right[:2] for point in spline.points], float)
    share = np.linspace(0, 1, _STEPS, endpoint=False)[None, :, None]
    a, b, c, d = knots[:, None], right[:, None], np.roll(left, -1, 0)[:, None], np.roll(knots, -1, 0)[:, None]
    rest = 1 - share
    return (rest**3 * a + 3 * rest**2 * share * b + 3 * rest * share**2 * c + share**3 * d).reshape(-1, 2)
