"""What the stages that look at masks leave to a take, for re-solves that don't look at the picture again."""

from __future__ import annotations

import numpy as np

from ..optimise import Remembered, remembered
from ..optimise.costs import ContourCost
from ..rendering.cost import RenderCost
from .outlines import ContourWeights
from .stage import DEFAULT, Outlined, landmark_shares


def told(outlined: Outlined, weights: ContourWeights = DEFAULT) -> dict[int, tuple[np.ndarray, Remembered]]:
    """By index of the clip's track, its frames (n,) and what its outlines say of the final state."""
    final = outlined.refined
    shares = landmark_shares(final.problem, outlined.evidence, weights)
    kept = remembered(final.problem, final.state, (ContourCost, RenderCost), shares)
    clip = final.origin.clip
    parts: dict[int, list[tuple[np.ndarray, np.ndarray]]] = {}
    for segment, track in zip(clip.segments, clip.layout.tracks, strict=True):
        parts.setdefault(segment.track, []).append((clip.frames[track.frames], np.arange(len(shares))[track.hands]))
    return {
        index: (np.concatenate([f for f, _ in mine]), kept.take(np.concatenate([h for _, h in mine])))
        for index, mine in parts.items()
    }
