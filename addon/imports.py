"""Takes from disk into the scene, without a solver."""

from __future__ import annotations

import bpy

from ..solver import take as takes
from ..solver.errors import SolverError
from . import clip, preferences, take_to_scene


def import_take(context: bpy.types.Context, path: str, use_clip: bool) -> list[str]:
    """Build everything that a take holds; returns what the person should know, e.g. that its clip is not there.

    Raises:
        SolverError: the take or the hand model can't be read; the scene is unchanged then.
    """
    take = takes.load(path)
    notes: list[str] = []
    movie = None
    if use_clip:
        try:
            movie = clip.load(take.clip_path)
        except SolverError as problem:
            notes.append(f"The hands have no plate. {problem.sentence}")
    if movie is not None:
        context.scene.handheld.clip = movie
    around = take_to_scene.Surroundings(context.scene, movie, preferences.model_source(context))
    take_to_scene.build(take, path, around)
    return notes
