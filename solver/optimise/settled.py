"""What outlines told a solve, kept for a re-solve that doesn't look at the picture again.

A hand that was fitted to its outline lies off its landmarks on purpose. A re-solve by landmarks alone would draw it
back wherever it touches; so there the landmarks are taken to be where the solved hand has them, as sure as they were
seen.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from ..take import Take
from .clip import Clip
from .evaluation import Evaluation
from .state import State


def with_settled_landmarks(clip: Clip, state: State, take: Take) -> Clip:
    """The take's problem with landmarks as solved in the hand-frames that were fitted to outlines."""
    settled = _outlined(clip, take)
    if not settled.any():
        return clip
    at = Evaluation(clip.layout, clip.view, state)
    x = at.points_camera
    placed = at.focal_px * x[..., :2] / np.maximum(x[..., 2:], 1e-3) + clip.view.centre_px
    seen = dataclasses.replace(
        clip.seen,
        landmarks_px=np.where(settled[:, None, None], placed, clip.seen.landmarks_px),
        hinted=clip.seen.hinted & ~settled[:, None],  # the depths were weighed against the outline
    )
    return dataclasses.replace(clip, seen=seen)


def _outlined(clip: Clip, take: Take) -> np.ndarray:
    """(N,) bool."""
    out = np.zeros(clip.layout.hand_count, bool)
    if take.outline_overlap.size:
        for segment, track in zip(clip.segments, clip.layout.tracks, strict=True):
            out[track.hands] = np.isfinite(take.outline_overlap[segment.track, track.frames])
    return out
