"""Several starts where one went wrong: stretches of a solved clip that look like the wrong mode are tried from others.

A hand seen from the front has a twin, tilted the other way, with nearly the same landmarks, and gradient steps do not
cross from one to the other. A stretch that fell for the twin shows it: its landmarks don't fit, or the hand spins
implausibly into it and out again. Such stretches are solved again, ends held, from the twin and from a calm path
between their neighbours; the cheapest wins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from ..hand_model.rotations import exp
from ..initialise.kinematics import Pose
from .clip import fill
from .costs import KeypointCost, WristRotationCost
from .evaluation import Evaluation
from .local import retry
from .problem import Problem
from .solve import Outcome
from .state import State

# mean robust cost of a frame's landmarks, in nats, above which it surely, and perhaps, doesn't fit: noise gives 1 or
# less, an outlier 8
_MISFIT_NATS, _DOUBT_NATS = 3.0, 1.5
# a change of angular velocity, in its deviations (norm over the three axes), that is no motion but a jump
_JUMP_SIGMAS = 5.0
_LONGEST = 90
_MARGIN = 2
_PALM = np.array([0, 1, 5, 9, 13, 17])


@dataclass(frozen=True)
class Stretch:
    """Frames ``first`` to ``last`` (problem frames, inclusive) of layout track ``track``."""

    track: int
    first: int
    last: int


def look_again(
    problem: Problem, state: State, cancelled: Callable[[], bool] = lambda: False
) -> tuple[State, list[Stretch]]:
    """The state with every suspicious stretch at the best of its modes, and the stretches that changed."""
    changed = []
    before = problem.at(state)  # once: a stretch's own hands are still so when its turn comes
    for stretch in suspicious(problem, before):
        better = _best_of(problem, before, state, stretch, cancelled)
        if better is not None:
            state = better
            changed.append(stretch)
    return state, changed


def suspicious(problem: Problem, at: Evaluation) -> list[Stretch]:
    """Stretches that don't fit their landmarks, or lie between two jumps of orientation."""
    costs = misfit(problem, at)
    jumps = _jumps(problem, at)
    out = []
    for index, track in enumerate(problem.layout.tracks):
        own = costs[track.hands]
        spans = [(a, b) for a, b in _runs(own > _DOUBT_NATS) if own[a : b + 1].max() > _MISFIT_NATS]
        edges = np.flatnonzero(jumps[track.hands])
        spans += [(a, b) for a, b in zip(edges, edges[1:], strict=False) if 1 < b - a <= _LONGEST]
        for first, last in _merged(spans, track.count):
            out.append(Stretch(index, track.start + first, track.start + last))
    return out


def misfit(problem: Problem, at: Evaluation) -> np.ndarray:
    """(N,) mean robust cost of each hand-frame's landmarks that were seen, in nats; 0 where none."""
    total, count = np.zeros(at.layout.hand_count), np.zeros(at.layout.hand_count)
    for cost in problem.costs:
        if isinstance(cost, KeypointCost):
            rows = cost.residuals(at)
            total += cost.kernel.energy((rows * rows).sum(-1)).reshape(-1, 21).sum(1)
            count += cost.whitening.any((2, 3)).sum(1)
    return total / np.maximum(count, 1)


def _jumps(problem: Problem, at: Evaluation) -> np.ndarray:
    """(N,) bool: the orientation jumps on the way to this hand-frame."""
    out = np.zeros(at.layout.hand_count, bool)
    for cost in problem.costs:
        if isinstance(cost, WristRotationCost):
            rows = cost.linearise(at)
            out[rows.hands[np.linalg.norm(rows.residual, axis=-1) > _JUMP_SIGMAS] + 1] = True
    return out


def _runs(flags: np.ndarray) -> Iterator[tuple[int, int]]:
    """First and last index of each run of true values of two or more."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(int)))
    yield from ((a, b - 1) for a, b in zip(edges[::2], edges[1::2], strict=True) if b - a > 1)


def _merged(spans: list[tuple[int, int]], count: int) -> list[tuple[int, int]]:
    """Widened by a margin, overlapping ones joined, too long ones cut."""
    out: list[tuple[int, int]] = []
    for first, last in sorted((max(a - _MARGIN, 0), min(b + _MARGIN, count - 1)) for a, b in spans):
        if out and first <= out[-1][1] and last - out[-1][0] < _LONGEST:
            out[-1] = (out[-1][0], max(last, out[-1][1]))
        elif last - first < _LONGEST:
            out.append((first, last))
    return out


def _best_of(
    problem: Problem, before: Evaluation, state: State, stretch: Stretch, cancelled: Callable[[], bool]
) -> State | None:
    """The cheapest state from the other starts, or None when the present one is as good."""
    best, lowest = None, None
    for start in _other_starts(before, state, stretch):
        trial = retry(problem, state, start, stretch.first, stretch.last, stretch.track, cancelled)
        if trial.outcome is Outcome.STOPPED:
            return None
        if trial.cost < (trial.cost_before - 1.0 if lowest is None else lowest):
            best, lowest = trial.state, trial.cost
    return best


def _other_starts(before: Evaluation, state: State, stretch: Stretch) -> list[State]:
    track = before.layout.tracks[stretch.track]
    hands = np.arange(stretch.first, stretch.last + 1) - track.start + track.packed
    twin = _twin(before, stretch.track, hands)
    starts = [_with(state, hands, twin)]
    ends = [end for end in (hands[0] - 1, hands[-1] + 1) if track.packed <= end < track.packed + track.count]
    if ends:
        seen = np.zeros(len(hands) + 2, bool)
        seen[0], seen[-1] = True, True
        known = state.hands.take(np.array([ends[0], ends[-1]]))
        calm = fill(known, seen).take(np.arange(1, len(hands) + 1))
        # the picture says where the wrist is, whatever the mode
        starts.append(_with(state, hands, replace(calm, wrist=state.hands.wrist[hands])))
    return starts


def _with(state: State, hands: np.ndarray, poses: Pose) -> State:
    return replace(state, hands=state.hands.put(hands, poses))


def _twin(at: Evaluation, track: int, hands: np.ndarray) -> Pose:
    """The hands turned so that their palms' normals are mirrored about the viewing rays: same outline, other tilt."""
    poses = at.state.hands.take(hands)
    palm = at.keypoints[hands][:, _PALM]
    centre = at.scaled_centre[at.layout.frame_of[hands]]
    ray = _unit(palm.mean(1) - centre)
    normal = _unit(np.cross(palm[:, 2] - palm[:, 0], palm[:, 5] - palm[:, 0]))
    # the normal's component across the ray changes its sign; the least rotation that does that
    mirrored = 2 * (normal * ray).sum(-1, keepdims=True) * ray - normal
    axis = np.cross(normal, mirrored)
    sine, cosine = np.linalg.norm(axis, axis=-1), (normal * mirrored).sum(-1)
    turn = exp(_unit(axis) * np.arctan2(sine, cosine)[:, None])
    return replace(poses, global_orient=turn @ poses.global_orient)


def _unit(v: np.ndarray) -> np.ndarray:
    return v / np.maximum(np.linalg.norm(v, axis=-1, keepdims=True), 1e-12)
