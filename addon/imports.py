"""Takes from disk into the scene, without a solver."""

from __future__ import annotations

import re
from pathlib import Path

import bpy

from ..solver import take as takes
from ..solver.errors import SolverError
from . import clip, preferences, take_list, take_to_scene


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
            movie = clip.load(_clip_of(take.clip_path, path))
        except SolverError as problem:
            notes.append(f"The hands have no plate. {problem.sentence}")
    around = take_to_scene.Surroundings(context.scene, movie, preferences.model_source(context))
    if take.sides and not take_to_scene.has_model_of(take, around):
        notes.append(f"The hands' shape is wrong: they were solved with another hand model than yours ({take.model}).")
    take_list.place(take, path, around)
    if movie is not None:
        context.scene.handheld.clip = movie
    return notes


def _clip_of(solved_path: str, take_path: str) -> str:
    """Where the clip was when it was solved; if it is gone, beside the take, should it be there."""
    beside = Path(take_path).parent / re.split(r"[\\/]", solved_path)[-1]
    return str(beside) if not Path(solved_path).is_file() and beside.is_file() else solved_path
