"""Where the solver was not sure, in the scene's frames."""

from __future__ import annotations

import bpy
import numpy as np

from ..solver.take import Take
from . import certainty, clip, hands, take_files
from .certainty import HandReview

# the last take and what was said of it: panels ask at every redraw
_known: tuple[Take, list[HandReview]] | None = None


def of_root(root: bpy.types.Object) -> list[HandReview]:
    """One for each hand of the root's take.

    Raises:
        SolverError: the take can't be read.
    """
    global _known
    take = take_files.of_root(root)
    if _known is None or _known[0] is not take:
        _known = take, certainty.of_take(take)
    return _known[1]


def weak_stretches(root: bpy.types.Object, below: float) -> dict[str, list[tuple[int, int]]]:
    """By armature name: first and last scene frame of each run of weak frames.

    Raises:
        SolverError: the take can't be read.
    """
    take = take_files.of_root(root)
    shown = clip.scene_frames(root.handheld.clip, take.frames)
    reviews = of_root(root)
    out = {}
    for row, armature in hands.by_row(root, take).items():
        rows = np.flatnonzero(reviews[row].weak(below))
        runs = np.split(rows, np.flatnonzero(np.diff(rows) > 1) + 1) if len(rows) else []
        out[armature.name] = [(int(shown[run[0]]), int(shown[run[-1]])) for run in runs]
    return out


def next_weak(root: bpy.types.Object, below: float, now: int, step: int) -> int | None:
    """The nearest beginning of a weak stretch after ``now`` (step 1) or before it (step -1).

    Raises:
        SolverError: the take can't be read.
    """
    begins = sorted({run[0] for runs in weak_stretches(root, below).values() for run in runs})
    found = [begin for begin in begins if (begin - now) * step > 0]
    return None if not found else min(found, key=lambda begin: abs(begin - now))
