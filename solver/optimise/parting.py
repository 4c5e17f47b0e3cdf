"""Hands that are in each other are led out along the ray first, to the side on which all that is known fits better.

The picture says well where hands are across its rays and badly how deep, so that two hands which came out in each other
are one before the other in truth. Steps downhill don't find that way: of hands that passed through each other some
frames lie on either side, and fingers catch in fingers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from scipy.ndimage import gaussian_filter1d, maximum_filter1d

from ..prior.capsules import closest
from .costs.contact import NonPenetrationCost
from .evaluation import Evaluation
from .problem import Problem
from .state import State

# frames: overlaps with fewer between them are one; around how many of them hands are led as far; how softly that ends
_JOINED, _WIDENED, _SOFTNESS = 5, 2, 1.5
# metres: how exactly hands are led to where they touch, and in how many advances at most
_EXACT, _MOST_ADVANCES = 1e-3, 30


@dataclass(frozen=True)
class Overlap:
    """Two hands that are in each other for a while: their layout tracks, and hand-frames (n,) of both."""

    tracks: tuple[int, int]
    first: np.ndarray
    second: np.ndarray


def led_apart(problem: Problem, state: State, movable: np.ndarray) -> State:
    """The state with hands that are in each other one before the other, where that costs less than to leave them.

    Args:
        movable: (T,) bool, frames in which hands may move.
    """
    before = problem.at(state)
    lowest = problem.value(before)
    for cost in problem.costs:
        if isinstance(cost, NonPenetrationCost):
            for overlap in _overlaps(cost, before):
                trials = [_led(before, state, cost, overlap, sign, movable) for sign in (1.0, -1.0)]
                values = [problem.value(problem.at(trial)) for trial in trials]
                if min(values) < lowest:
                    lowest, state = min(values), trials[int(np.argmin(values))]
    return state


def _overlaps(cost: NonPenetrationCost, at: Evaluation) -> Iterator[Overlap]:
    for found in cost.overlaps(at):
        if found.tracks[0] != found.tracks[1]:
            pairs = np.unique(np.stack([found.first, found.second], 1), axis=0)
            for part in np.split(pairs, np.flatnonzero(np.diff(pairs[:, 0]) > _JOINED) + 1):
                yield Overlap(found.tracks, *part.T)


def _led(
    at: Evaluation, state: State, cost: NonPenetrationCost, overlap: Overlap, sign: float, movable: np.ndarray
) -> State:
    """``state`` with the second hand behind the first (``sign`` 1) or before it (-1), each led half of the way."""
    shift = np.zeros(at.layout.frame_count)
    shift[at.layout.frame_of[overlap.first]] = _way_out(at, cost, overlap, sign)
    shift = sign / 2 * movable * gaussian_filter1d(maximum_filter1d(shift, 2 * _WIDENED + 1), _SOFTNESS)
    wrist = state.hands.wrist.copy()
    for track, way in zip(overlap.tracks, (-shift, shift), strict=True):
        hands, frames = at.layout.tracks[track].hands, at.layout.tracks[track].frames
        wrist[hands] += way[frames, None] * _rays(at, np.arange(hands.start, hands.stop))
    return replace(state, hands=replace(state.hands, wrist=wrist))


def _rays(at: Evaluation, hands: np.ndarray) -> np.ndarray:
    """(n, 3) unit vectors from the lens to the hands' middles."""
    ray = at.keypoints[hands].mean(1) - at.scaled_centre[at.layout.frame_of[hands]]
    return ray / np.linalg.norm(ray, axis=1, keepdims=True)


def _way_out(at: Evaluation, cost: NonPenetrationCost, overlap: Overlap, sign: float) -> np.ndarray:
    """(n,) metres that the second hand must go along the ray, away from the lens or (``sign`` -1) towards it, to be out
    of the first for good: from far out it advances by the least distance left, as far as it can."""
    (a, b), first, second = overlap.tracks, overlap.first, overlap.second
    ray = sign * (_rays(at, first) + _rays(at, second)) / 2
    one, other = (
        np.stack(cost.capsules[track].axes(at.keypoints[hands]), 2)
        for track, hands in zip((a, b), (first, second), strict=True)
    )
    reach = cost.growth[a] * cost.capsules[a].radius[:, None] + cost.growth[b] * cost.capsules[b].radius
    way = np.full(len(first), at.hand_size[a] + at.hand_size[b])
    for _ in range(_MOST_ADVANCES):
        left = (_distances(one, other + (way[:, None] * ray)[:, None, None]) - reach).min((1, 2))
        way = np.maximum(way - left, 0.0)
        if left.max() < _EXACT:
            break
    return way


def _distances(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """(n, c, d) between all axes (n, c, 2, 3) of one hand and (n, d, 2, 3) of the other."""
    n, c, d = len(one), one.shape[1], other.shape[1]
    ends = [np.broadcast_to(one[:, :, None, k], (n, c, d, 3)).reshape(-1, 3) for k in (0, 1)]
    ends += [np.broadcast_to(other[:, None, :, k], (n, c, d, 3)).reshape(-1, 3) for k in (0, 1)]
    return closest(*ends)[0].reshape(n, c, d)
