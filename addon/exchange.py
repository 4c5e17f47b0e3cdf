"""MANO parameters out of the scene, and results of other programs into it."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np

from ..solver import hand_model
from ..solver import take as takes
from ..solver.errors import SolverError
from ..solver.formats import convert, peers
from ..solver.formats.result import Result
from ..solver.take import MISSING, Take
from . import clip, hands, imports, package, preferences, scene, take_files


def as_shown(root: bpy.types.Object) -> Take:
    """The root's take with its hands as they are keyed in the scene, the artist's work included.

    Raises:
        SolverError: the take isn't there or can't be read.
    """
    take = take_files.of_root(root)
    rotations, transl = take.rotations.copy(), take.transl.copy()
    frames = clip.scene_frames(root.handheld.clip, take.frames)
    for row, armature in hands.by_row(root, take).items():
        there = take.status[row] != MISSING
        motion = hands.keyed_motion(armature, frames[there])
        rotations[row, there], transl[row, there] = motion.rotations, motion.transl
    return take.moved(rotations=rotations, transl=transl)


def export_parameters(context: bpy.types.Context, path: Path, form: str) -> None:
    """Write the scene's hands.

    Args:
        context: its active object's root counts, or the only one.
        path: the file.
        form: one of ``convert.FORMATS``, or "take".

    Raises:
        SolverError: ``nothing-to-export``, and those of ``as_shown`` and ``convert.export``.
    """
    take = as_shown(_root(context))
    if form == "take":
        takes.save(take, path)
        return
    source = "open" if take.model == "open" else preferences.model_source(context)
    convert.export(take, path, form, hand_model.load_pair(source))


def _root(context: bpy.types.Context) -> bpy.types.Object:
    roots = [candidate for candidate in context.scene.objects if candidate.handheld.role == "ROOT"]
    chosen = scene.root_of(context.active_object, context.scene)
    if chosen not in roots and len(roots) != 1:
        sentence = "There are several solved clips." if roots else "There are no solved hands."
        raise SolverError("nothing-to-export", sentence, "Select one of the hands, or solve a clip first.")
    return chosen if chosen in roots else roots[0]


def import_result(context: bpy.types.Context, path: Path, use_clip: bool, focal_px: float | None) -> list[str]:
    """Build hands and camera from another program's result; it is kept as a take, so that it can be solved on.

    Args:
        context: its scene gets the objects; the scene's clip, if ``use_clip``, gives size, rate and frame numbers.
        path: as ``peers.read``.
        use_clip: the result was made from the scene's clip.
        focal_px: of the clip, if it is known.

    Returns:
        what the person should know.

    Raises:
        SolverError: those of ``peers.read`` and ``convert.to_take``.
    """
    models = hand_model.load_pair(preferences.model_source(context))
    result = peers.read(path, models)
    movie = context.scene.handheld.clip if use_clip else None
    take = convert.to_take(result, _footage(context.scene, movie, result.size, focal_px), models)
    folder = Path(bpy.utils.extension_path_user(package.NAME, path="takes", create=True))
    folder = Path(bpy.data.filepath).parent if bpy.data.filepath else folder
    target = folder / f"{path.stem}.imported.handheld.npz"
    takes.save(take, target)
    notes = [*result.notes, *imports.import_take(context, str(target), movie is not None)]
    return notes + _shape_note(take, result)


def _footage(
    scene: bpy.types.Scene, movie: bpy.types.MovieClip | None, size: tuple[int, int] | None, focal_px: float | None
) -> convert.Footage:
    if movie is None:
        rate = clip.exact_rate(scene.render.fps / scene.render.fps_base).as_integer_ratio()
        own = (scene.render.resolution_x, scene.render.resolution_y)
        return convert.Footage("", "", rate, size or own, 1, focal_px)
    return convert.Footage(
        str(clip.file_path(movie)),
        "",
        clip.frame_rate(movie, scene).as_integer_ratio(),
        tuple(movie.size),
        clip.first_number(movie),
        focal_px,
    )


def _shape_note(take: Take, result: Result) -> list[str]:
    is_foreign = (result.model == "open") != (take.model == "open")
    if not is_foreign or np.any(take.betas):
        return []
    return ["The hands have the mean shape: set your MANO files in the preferences to keep the result's own."]
