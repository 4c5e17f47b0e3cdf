"""What a solve knew and a take keeps for its re-solves: outlines, and where its motion rests.

A re-solve doesn't look at the picture again. What masks said about a hand is kept as it came to around the solved pose,
and landmarks count there for as little as they did beside it. What is then left of a pull is taken off, so that a
re-solve moves what an artist's wishes move, and nothing else.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Self

import numpy as np

from ..initialise.kinematics import Pose
from ..take import Take
from .clip import Clip
from .costs import Cost
from .costs.remembered import RememberedCost, RestCost
from .layout import Layout, window_of
from .local import cut_problem, cut_state
from .problem import Problem
from .state import State
from .system import System

# what a factor keeps of an information matrix that went through single precision
_LEAST_SHARE = 1e-6
# frames whose slopes are asked for at once, and what costs reach over them
_CHUNK, _REACH = 256, 2


@dataclass(frozen=True)
class Remembered:
    """What evidence told about n hand-frames, in a hand's own columns.

    Attributes:
        information: (n, d (d + 1) / 2) upper triangle of the Gauss-Newton matrix. slope: (n, d) gradient.
        landmark_share: (n,) factor on the information of landmarks (as a square root).
    """

    information: np.ndarray
    slope: np.ndarray
    landmark_share: np.ndarray

    def take(self, rows: np.ndarray | slice) -> Self:
        return type(self)(self.information[rows], self.slope[rows], self.landmark_share[rows])


def remembered(problem: Problem, state: State, kinds: tuple[type[Cost], ...], landmark_share: np.ndarray) -> Remembered:
    """What the costs of some ``kinds`` say of all hand-frames in a state."""
    layout = problem.layout
    told = dataclasses.replace(problem, costs=tuple(cost for cost in problem.costs if isinstance(cost, kinds)))
    system = told.linearise(told.at(state), System(layout))
    columns = layout.column_of[:, None] + np.arange(layout.hand_size)
    frames = layout.frame_of
    blocks = system.diagonal[frames[:, None, None], columns[:, :, None], columns[:, None, :]]
    upper = np.triu_indices(layout.hand_size)
    return Remembered(blocks[:, *upper], system.gradient[frames[:, None], columns], landmark_share)


def with_landmark_shares(clip: Clip, take: Take) -> Clip:
    """The clip's landmarks as sure as they were to the solve, beside outlines."""
    if not take.landmark_share.size:
        return clip
    share = packed(clip, np.where(np.isfinite(take.landmark_share), take.landmark_share, 1.0))
    seen = dataclasses.replace(clip.seen, whitening=clip.seen.whitening * share[:, None, None, None])
    return dataclasses.replace(clip, seen=seen)


def remembered_cost(clip: Clip, state: State, take: Take) -> RememberedCost | None:
    """What outlines told the take's solve."""
    size = clip.layout.hand_size
    if take.outline_information.shape[-1] != size * (size + 1) // 2:
        return None
    upper = packed(clip, take.outline_information).astype(float)
    blocks = np.zeros((len(upper), size, size))
    blocks[:, *np.triu_indices(size)] = upper
    blocks += np.swapaxes(np.triu(blocks, 1), -1, -2)
    values, vectors = np.linalg.eigh(blocks)
    kept = values > _LEAST_SHARE * values[:, -1:]
    roots = np.sqrt(np.where(kept, values, 0.0))
    turned = np.swapaxes(vectors, -1, -2)
    slope = (turned @ packed(clip, take.outline_slope).astype(float)[..., None])[..., 0]
    pull = np.where(kept, slope / np.where(kept, roots, 1.0), 0.0)
    return RememberedCost(around=state.hands, root=roots[..., None] * turned, pull=pull)


def slopes(problem: Problem, clip: Clip, state: State, hands: int) -> np.ndarray:
    """(hands, T, d) of the objective by each hand's columns, 0 where a hand is missing; ``hands`` are the take's."""
    layout = problem.layout
    out = np.zeros((hands, layout.frame_count, layout.hand_size))
    for first in range(0, layout.frame_count if layout.tracks else 0, _CHUNK):
        last = min(first + _CHUNK, layout.frame_count)
        window = window_of(layout, slice(max(first - _REACH, 0), min(last + _REACH, layout.frame_count)))
        part = cut_problem(problem, window)
        system = part.linearise(part.at(cut_state(state, window)), System(window.layout))
        for index, track in zip(window.tracks, window.layout.tracks, strict=True):
            frames = window.frames.start + np.arange(track.start, track.start + track.count)
            own = slice(track.slot * layout.hand_size, (track.slot + 1) * layout.hand_size)
            inner = (frames >= first) & (frames < last)
            out[clip.segments[index].track, frames[inner]] = system.gradient[track.frames, own][inner]
    return out


def rest_cost(clip: Clip, around: Pose, slopes: np.ndarray) -> RestCost:
    """What takes ``slopes`` (hands, T, d) off around poses."""
    return RestCost(around=around, slope=packed(clip, slopes))


def packed(clip: Clip, values: np.ndarray) -> np.ndarray:
    """(N, ...) of a take's (H, T, ...)."""
    parts = [
        values[segment.track, track.frames] for segment, track in zip(clip.segments, clip.layout.tracks, strict=True)
    ]
    return np.concatenate(parts) if parts else np.zeros((0, *values.shape[2:]))


def carried(problem: Problem, layout: Layout, turn: np.ndarray, shift: np.ndarray) -> Problem:
    """The problem whose cameras were moved in the world by (T, 3, 3) and (T, 3): what was seen goes with them."""
    turn, shift = turn[layout.frame_of], shift[layout.frame_of]
    costs = tuple(
        cost.carried(turn, shift) if isinstance(cost, RememberedCost | RestCost) else cost for cost in problem.costs
    )
    return dataclasses.replace(problem, costs=costs)
