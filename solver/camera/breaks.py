"""Where a model is in truth two: beyond a weak link the size of the world starts anew.

A turn that is blurred, or registered without structure, carries rotation across but not scale; what follows may come
out a hundred times too large, and nothing in its residuals tells. The scene's depth does: from one frame to the next a
camera sees nearly the same things, and their median distance can't become many times another.
"""

from __future__ import annotations

import numpy as np

from .adjustment import Observations, State

# Times the median depth of the frame before: a near thing that leaves the view takes longer.
_BREAK = 5.0
# Fewer frames are no piece of their own.
_MIN_FRAMES = 3


def pieces(seen: Observations, state: State, posed: np.ndarray) -> list[np.ndarray]:
    """(F,) masks of the frames of one size each, the longest first; scraps are in none."""
    depths = np.log(median_depths(seen, state))
    rows = np.flatnonzero(posed & np.isfinite(depths))
    if not len(rows):
        return [posed]
    starts = np.flatnonzero(np.abs(np.diff(depths[rows])) > np.log(_BREAK)) + 1
    if not len(starts):
        return [posed]
    parts = [part for part in np.split(rows, starts) if len(part) >= _MIN_FRAMES] or [rows]
    return [np.isin(np.arange(len(posed)), part) for part in sorted(parts, key=len, reverse=True)]


def median_depths(seen: Observations, state: State) -> np.ndarray:
    """(F,) median distance along the view of the points that each frame shows; NaN where none lies before it."""
    poses = state.camera_from_world[seen.frames]
    depth = np.einsum("ni,ni->n", poses[:, 2, :3], state.points[seen.points]) + poses[:, 2, 3]
    before = depth > 0
    order = np.argsort(seen.frames[before], kind="stable")
    edges = np.searchsorted(seen.frames[before][order], np.arange(seen.frame_count + 1))
    values = depth[before][order]
    return np.array([np.median(values[a:b]) if b > a else np.nan for a, b in zip(edges, edges[1:], strict=False)])


def own(seen: Observations, parts: list[np.ndarray]) -> list[Observations]:
    """What each part alone sees: a point of two parts counts for the one that sees it more often.

    Its place in the other's world is worth nothing, and would pass for a known relation of their sizes.
    """
    counts = np.array([np.bincount(seen.points[part[seen.frames]], minlength=seen.point_count) for part in parts])
    owner = counts.argmax(axis=0)
    return [seen.where(part[seen.frames] & (owner[seen.points] == index)) for index, part in enumerate(parts)]
