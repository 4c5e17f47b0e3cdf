"""Where the solver is not sure by now, in the scene's frames: what the footage says, and what is keyed."""

from __future__ import annotations

import bpy
import numpy as np

from ..solver.take import MISSING, OBSERVED, Take
from . import animation, certainty, clip, hands, judgement, take_files
from .certainty import Footage, HandReview

# the last take and what its footage says: panels ask at every redraw
_known: tuple[Take, list[Footage]] | None = None


def of_root(root: bpy.types.Object) -> dict[int, HandReview]:
    """By the take's row, of each hand that is in the scene.

    Raises:
        SolverError: the take can't be read.
    """
    take = take_files.of_root(root)
    shown = clip.scene_frames(root.handheld.clip, take.frames)
    seen = _footage(take)
    return {row: _of_hand(take, row, seen[row], armature, shown) for row, armature in hands.by_row(root, take).items()}


def _of_hand(take: Take, row: int, seen: Footage, armature: bpy.types.Object, shown: np.ndarray) -> HandReview:
    """Filled in is where there was an error in px to the footage, and is none by now."""
    confidence, fingers, error_px = judgement.read(armature, shown)
    solved_px = certainty.errors_px(take, row)
    is_judged = judgement.is_there(armature) and np.isfinite(confidence).any()  # a new take has no keys yet
    error_px = error_px if is_judged else solved_px
    there = (take.status[row] != MISSING) | np.isin(shown, animation.key_frames(armature, hands.LOCATION))
    infilled = there & ~np.isfinite(error_px) & (np.isfinite(solved_px) | (take.status[row] != OBSERVED))
    confidence = np.where(np.isfinite(confidence), confidence, np.where(there, take.confidence[row], 0.0))
    fingers = np.where(np.isfinite(fingers), fingers, confidence[:, None])
    return certainty.judged(seen, there, infilled, confidence, fingers, error_px)


def _footage(take: Take) -> list[Footage]:
    global _known
    if _known is None or _known[0] is not take:
        _known = take, [certainty.footage(take, row) for row in range(len(take.sides))]
    return _known[1]


def weak_stretches(root: bpy.types.Object, below: float) -> dict[str, list[tuple[int, int]]]:
    """By armature name: first and last scene frame of each run of weak frames.

    Raises:
        SolverError: the take can't be read.
    """
    take = take_files.of_root(root)
    shown = clip.scene_frames(root.handheld.clip, take.frames)
    armatures, out = hands.by_row(root, take), {}
    for row, reviewed in of_root(root).items():
        rows = np.flatnonzero(reviewed.weak(below))
        runs = np.split(rows, np.flatnonzero(np.diff(rows) > 1) + 1) if len(rows) else []
        out[armatures[row].name] = [(int(shown[run[0]]), int(shown[run[-1]])) for run in runs]
    return out


def next_weak(root: bpy.types.Object, below: float, now: int, step: int) -> int | None:
    """The nearest beginning of a weak stretch after ``now`` (step 1) or before it (step -1).

    Raises:
        SolverError: the take can't be read.
    """
    begins = sorted({run[0] for runs in weak_stretches(root, below).values() for run in runs})
    found = [begin for begin in begins if (begin - now) * step > 0]
    return None if not found else min(found, key=lambda begin: abs(begin - now))
