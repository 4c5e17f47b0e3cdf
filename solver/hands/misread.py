"""By how much a hand is misread, told by what contradicts the landmark network.

A hand that is half hidden behind what it holds, or seen along the arm, is now and then drawn somewhere on what is seen
of it, surely and too small. Presence hardly tells, but the network then takes it for a hand of the other side, and
reads it otherwise in the mirror. On renders of hands, bare or holding things, half covered or beside another hand
(``python -m tools.calibration misread``) these signs foretell the logarithm of a reading's error with a correlation of
0.67, for people who were held out.
"""

from __future__ import annotations

import numpy as np

from .trail import Trail

# Of ``signs``, for the logarithm of the landmarks' root mean square error in hand sizes: what
# ``python -m tools.calibration misread`` prints for the open hand with and without things.
WEIGHTS = np.array([-0.33, 0.09, 0.42, -0.52])
_VOTE_SCALE = 3.0
_LEAST_DOUBT, _MOST_DOUBT, _LEAST_DISAGREEMENT = 0.002, 0.5, 0.005
_UNKNOWN_DISAGREEMENT = 0.03
# Readings of so many neighbouring frames are averaged: misreadings last longer than a frame.
_WINDOW_FRAMES = 3.0
# An end of a trail whose readings err by more than this is no sighting of the hand.
_NO_SIGHTING = 0.2
# A hand of which a quarter of the readings is worse than this is hard to read, and not misread now and then.
_SURE_SHARE = 0.25


def signs(vote: np.ndarray, presence: np.ndarray, disagreement: np.ndarray) -> np.ndarray:
    """(n, 4) what foretells an error.

    Args:
        vote: (n,) log-odds of the side that the hand has.
        presence: (n,) of the reading.
        disagreement: (n,) root mean square distance of a mirrored reading, over sqrt 2, in hand sizes.
    """
    doubt = np.clip(1 - np.asarray(presence), _LEAST_DOUBT, _MOST_DOUBT)
    apart = np.maximum(disagreement, _LEAST_DISAGREEMENT)
    return np.stack([np.tanh(vote / _VOTE_SCALE), np.log(doubt), np.log(apart), np.ones(len(doubt))], axis=1)


def expected_error(trail: Trail, side: str) -> np.ndarray:
    """(n,) root mean square error of the landmarks that the signs foretell, in hand sizes, for each frame."""
    frames = np.array(trail.frames())
    towards = 1.0 if side == "right" else -1.0
    vote = towards * np.array([trail.vote(frame) for frame in frames])
    presence = np.array([trail.readings[frame].presence for frame in frames])
    doubt = np.exp(_averaged(np.log(np.maximum(1 - presence, _LEAST_DOUBT)), frames))
    return np.exp(signs(_averaged(vote, frames), 1 - doubt, _disagreements(trail, frames)) @ WEIGHTS)


def without_misread_ends(trail: Trail, side: str) -> Trail:
    """``trail`` from its first to its last trustworthy reading: beyond them nothing holds the hand in its place. What a
    person pointed out stays as it is."""
    if trail.seeded or trail.side is not None:
        return trail
    error = expected_error(trail, side)
    trusted = np.flatnonzero(error <= max(_NO_SIGHTING, float(np.quantile(error, _SURE_SHARE))))
    frames = trail.frames()
    return trail.part(frames[trusted[0]], frames[trusted[-1]])


def _averaged(values: np.ndarray, frames: np.ndarray) -> np.ndarray:
    weights = np.exp(-0.5 * ((frames[:, None] - frames) / _WINDOW_FRAMES) ** 2)
    return weights @ values / weights.sum(axis=1)


def _disagreements(trail: Trail, frames: np.ndarray) -> np.ndarray:
    """(n,) from the frames that were read mirrored too; in between interpolated, in the logarithm."""
    known = [frame for frame in sorted(trail.mirrored) if frame in trail.readings]
    if not known:
        return np.full(len(frames), _UNKNOWN_DISAGREEMENT)
    logs = [np.log(max(_apart(trail, frame), _LEAST_DISAGREEMENT)) for frame in known]
    return np.exp(np.interp(frames, known, logs))


def _apart(trail: Trail, frame: int) -> float:
    direct, mirrored = trail.readings[frame], trail.mirrored[frame]
    squares = ((direct.points_px - mirrored.points_px) ** 2).sum(axis=1)
    return float(np.sqrt(squares.mean() / 2) / max(direct.size_px, 1e-6))
