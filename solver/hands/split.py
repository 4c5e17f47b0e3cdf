"""Cuts trails that jumped from one hand to the other, so that left and right never swap inside a track."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .trail import Trail

# A jump this far from the expected place (hand sizes) may be a change of hands ...
_JUMP = 0.3
# ... if the summed votes before and after it contradict each other by at least this much (log-odds) each.
_CONTRARY = 12.0


def split_all(trails: Sequence[Trail]) -> list[Trail]:
    return [part for trail in trails for part in split(trail)]


def split(trail: Trail) -> list[Trail]:
    """``trail`` cut where the hand changed; itself alone when nothing speaks for that, or a person started it."""
    frames = trail.frames()
    votes = np.array([trail.vote(frame) for frame in frames])
    before = np.concatenate([[0.0], np.cumsum(votes)])
    after = votes.sum() - before
    contrary = np.where(before * after < 0, np.minimum(np.abs(before), np.abs(after)), 0.0)
    jumps = [i for i in range(1, len(frames)) if contrary[i] >= _CONTRARY and trail.surprise(frames[i], 1) > _JUMP]
    if not jumps or trail.seeded:
        return [trail]
    at = max(jumps, key=lambda i: contrary[i])
    return split(trail.part(frames[0], frames[at - 1])) + split(trail.part(frames[at], frames[-1]))
