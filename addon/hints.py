"""What an artist says about hands in the picture, kept on the clip: the next solve heeds it.

A hint names a place in a frame rather than a hand's number, so it holds when the clip is tracked again.
"""

from __future__ import annotations

import bpy
import numpy as np

from ..solver.errors import SolverError
from ..solver.take import Take
from . import clip, hands
from .edit_properties import HandheldHint


def boxes(movie: bpy.types.MovieClip) -> list[list]:
    """The solver's ``hand_boxes``."""
    return [[hint.frame, *hint.corners, ""] for hint in movie.handheld.hints if hint.what == "box"]


def edits(movie: bpy.types.MovieClip) -> list[list]:
    """The solver's ``hand_edits``."""
    return [[hint.frame, *hint.corners[:2], hint.what] for hint in movie.handheld.hints if hint.what != "box"]


def described(hint: HandheldHint) -> str:
    """A hint in a few words."""
    return {"drop": "No Hand", "swap": "Other Side", "box": "Hand Here"}[hint.what]  # short: sidebars are narrow


def scene_frame(movie: bpy.types.MovieClip, hint: HandheldHint) -> int:
    """The frame of the scene that a hint is about."""
    return int(clip.scene_frames(movie, np.array([hint.frame]))[0])


def about_hand(root: bpy.types.Object, take: Take, armature: bpy.types.Object, what: str, scene_frame: int) -> None:
    """Say "drop" or "swap" of a hand of the take, in the frame nearest to this one in which it was seen.

    Raises:
        SolverError: ``hand-never-seen``, or ``no-clip``.
    """
    movie = _clip_of(root)
    row = next(number for number, other in hands.by_row(root, take).items() if other == armature)
    seen = np.flatnonzero(np.isfinite(take.keypoints_px[row]).all(axis=(-2, -1)))
    if not len(seen):
        raise SolverError("hand-never-seen", f"{armature.name} was seen in no frame.", "Delete its armature instead.")
    now = np.abs(clip.scene_frames(movie, take.frames[seen]) - scene_frame)
    index = int(seen[np.argmin(now)])
    x, y = take.keypoints_px[row, index].mean(axis=0)
    _add(movie, what, int(take.frames[index]), (x, y, 0.0, 0.0))


def here_is_one(movie: bpy.types.MovieClip, scene_frame: int, corners: tuple[float, float, float, float]) -> None:
    """A hand was missed in this box, shares of the picture from its lower left corner: x0, y0, x1, y1.

    Raises:
        SolverError: ``box-empty``.
    """
    width, height = movie.size
    (left, right), (low, high) = sorted((corners[0], corners[2])), sorted((corners[1], corners[3]))
    left, low, right, high = np.clip([left, low, right, high], 0.0, 1.0)
    if (right - left) * width < 8 or (high - low) * height < 8:
        raise SolverError("box-empty", "The box is too small for a hand.", "Draw it around the whole hand.")
    frame = scene_frame - movie.frame_start + clip.first_number(movie)
    _add(movie, "box", int(frame), (left * width, (1 - high) * height, right * width, (1 - low) * height))


def _clip_of(root: bpy.types.Object) -> bpy.types.MovieClip:
    if root.handheld.clip is None:
        raise SolverError("no-clip", "The take's clip is not loaded.", "Open the clip.")
    return root.handheld.clip


def _add(movie: bpy.types.MovieClip, what: str, frame: int, corners: tuple[float, ...]) -> None:
    hint = movie.handheld.hints.add()
    hint.what, hint.frame, hint.corners = what, frame, corners
