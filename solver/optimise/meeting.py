"""Hands that meet: bodies are solved where they meet alone, after all else.

Capsules that begin and cease to overlap make every step of a solve a short one, and hands overlap in few frames. So the
clip is solved as if hands were air, and then the hands that overlap or are evidently in touch, in the frames in which
they do and some around them, once more with all costs, the rest held: from where they are led apart, soft first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from scipy.ndimage import binary_dilation, label
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from .costs.contact import NonPenetrationCost
from .costs.touch import NoSlipCost, RelativeWristCost, TouchCost
from .layout import Layout, window_of
from .local import cut_problem, cut_state
from .parting import led_apart
from .problem import Problem
from .solve import Held, Iterate, Outcome, Stage, run
from .state import State

_STAGE = Stage("bodies", 25, 1e-2)
# factors on the overlap's deviation, one after another: two hands that begin soft find the way out in fewer steps. A
# hand is never deep in itself
_SOFTNESS, _OWN_SOFTNESS = (3.0, 1.0), (1.0,)
# overlaps within the cost's own deviation are none; how many frames around a stretch give way with it; and how many
# beside those are held, dynamics reaching two back
_LEAST_SIGMAS, _AROUND, _BOUNDARY = 1.0, 5, 2


@dataclass(frozen=True)
class Meeting:
    """Layout tracks that meet, or one that meets itself, in problem frames ``first`` to ``last``, margins included."""

    tracks: tuple[int, ...]
    first: int
    last: int


def of_air(problem: Problem) -> Problem:
    """The problem in which hands pass through each other."""
    bodies = NonPenetrationCost | TouchCost | NoSlipCost | RelativeWristCost
    return replace(problem, costs=tuple(cost for cost in problem.costs if not isinstance(cost, bodies)))


def part(problem: Problem, solved: Iterate, cancelled: Callable[[], bool] = lambda: False) -> Iterator[Iterate]:
    """The state of ``solved``, of the same clip ``of_air``, with hands apart that were in each other, and together that
    touch.

    Yields:
        Iterates of the whole clip; the last has the outcome of ``solved``, or that it was stopped. None if none meet.
    """
    state, outcome, last = solved.state, solved.outcome, None
    for meeting in meetings(problem, state):
        for last in _solved(problem, state, meeting, cancelled):
            yield replace(last, outcome=None)
        state = last.state
        if last.outcome is Outcome.STOPPED:
            outcome = Outcome.STOPPED
            break
    if last is not None:
        yield replace(last, outcome=outcome)


def _solved(problem: Problem, state: State, meeting: Meeting, cancelled: Callable[[], bool]) -> Iterator[Iterate]:
    begin, end = max(meeting.first - _BOUNDARY, 0), min(meeting.last + 1 + _BOUNDARY, problem.layout.frame_count)
    window = window_of(problem.layout, slice(begin, end), only=meeting.tracks)
    frames = np.arange(begin, end)
    outside = (frames < meeting.first) | (frames > meeting.last)
    held = Held(np.repeat(outside[:, None], window.layout.block_size, 1))
    moved = np.flatnonzero(~outside[window.layout.frame_of])
    inner, begun = cut_problem(problem, window), cut_state(state, window)
    two = len(meeting.tracks) > 1
    if two and not cancelled():
        # judged as softly as they begin: what overlaps still is soon gone, what is far from its picture is not
        begun = led_apart(_softer(inner, _SOFTNESS[0]), begun, ~outside)
    for softness in _SOFTNESS if two else _OWN_SOFTNESS:
        for iterate in run(_softer(inner, softness), begun, (_STAGE,), held, cancelled):
            hands = state.hands.put(window.hands[moved], iterate.state.hands.take(moved))
            yield replace(iterate, state=replace(state, hands=hands))
        begun = iterate.state
        if iterate.outcome in (Outcome.STOPPED, Outcome.NOT_FINITE):
            return


def _softer(problem: Problem, factor: float) -> Problem:
    costs = (
        replace(cost, deviation=factor * cost.deviation) if isinstance(cost, NonPenetrationCost) else cost
        for cost in problem.costs
    )
    return replace(problem, costs=tuple(costs))


def meetings(problem: Problem, state: State) -> list[Meeting]:
    """Where hands are not as bodies are."""
    layout, events = problem.layout, _events(problem, state)
    meeting = np.zeros((len(layout.tracks), layout.frame_count), bool)
    for hands in events.T:
        meeting[layout.track_of[hands], layout.frame_of[hands]] = True
    wide = binary_dilation(meeting, np.ones((1, 2 * _AROUND + 1), bool)) & _there(layout)
    # stretches of a track, joined where it meets another
    stretches, count = label(wide, [[0, 0, 0], [1, 1, 1], [0, 0, 0]])
    ends = [stretches[layout.track_of[hands], layout.frame_of[hands]] - 1 for hands in events.T]
    if not count:
        return []
    joined = coo_array((np.ones(len(events)), tuple(ends)), shape=(count, count))
    group = np.concatenate([[-1], connected_components(joined, directed=False)[1]])[stretches]
    return [_meeting(group == number) for number in range(group.max() + 1)]


def _meeting(there: np.ndarray) -> Meeting:
    tracks, frames = np.nonzero(there)
    return Meeting(tuple(sorted(set(tracks.tolist()))), int(frames.min()), int(frames.max()))


def _there(layout: Layout) -> np.ndarray:
    out = np.zeros((len(layout.tracks), layout.frame_count), bool)
    out[layout.track_of, layout.frame_of] = True
    return out


def _events(problem: Problem, state: State) -> np.ndarray:
    """(m, 2) hand-frames that overlap or are in touch, of two hands or twice of one."""
    found = [np.zeros((0, 2), int)]
    at = problem.at(state)
    for cost in problem.costs:
        if isinstance(cost, NonPenetrationCost):
            for overlaps in cost.overlaps(at):
                deep = overlaps.depth > _LEAST_SIGMAS * cost.deviation
                found.append(np.stack([overlaps.first[deep], overlaps.second[deep]], 1))
        elif isinstance(cost, TouchCost):
            found.append(np.stack([cost.touches_of.first, cost.touches_of.second], 1))
    return np.concatenate(found)
