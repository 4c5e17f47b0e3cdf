"""Re-solve a stretch of a solved clip with constraints: its neighbours, the camera and all globals stay as they are."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..initialise import kinematics
from . import costs, spread
from .constraints import Constraint, Point, Pose, constrain
from .costs.remembered import RestCost
from .layout import ROOT, Layout, Window, window_of
from .problem import Problem
from .solve import Held, Iterate, Outcome, Stage, run
from .state import State

# dynamics reach two frames back: with these held, the stretch joins its neighbours in position and velocity
_BOUNDARY = 2
_STAGE = Stage("re-solve", 20, 1e-4)
_DYNAMICS = (costs.FingerDynamicsCost, costs.WristPositionCost, costs.WristRotationCost)
_RETRY = Stage("another start", 10, 1e-3)


def resolve(
    problem: Problem,
    state: State,
    first: int,
    last: int,
    constraints: Sequence[Constraint] = (),
    tracks: Collection[int] | None = None,
    solve_camera: bool = False,
    frame_s: float | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Iterator[Iterate]:
    """Re-solve frames ``first`` to ``last`` (problem frames, inclusive), warm from ``state``.

    The camera is held unless ``solve_camera``: a free camera moves to please a pin on the hand. Variables outside the
    stretch, and of hands other than ``tracks`` (None: all), come back bit-identical, as do hard constraints' values.

    With ``frame_s``, the seconds from frame to frame, corrections of a hand (poses, points) are solved for first; then
    what they tell about the tracker's errors goes to the frames around (``spread``), and the stretch is solved for
    good.

    Yields:
        Iterates whose ``state`` is that of the whole clip; the last has its ``outcome``.

    Raises:
        ValueError: a constraint names a frame or track that does not exist.
    """
    standing = pose(problem, state, first, last, constraints, tracks, solve_camera)
    posed, window, held = standing, standing.window, standing.held
    given: list[spread.Corrections] = []
    if frame_s is not None:
        made, begins = _within(constraints, window, tracks), window.frames.start
        here = standing.cut(standing.start)
        given = [
            part
            for part in spread.corrections(standing.problem, here, made, first - begins, last - begins, frame_s)
            if tracks is None or int(window.tracks[part.track]) in tracks
        ]
    if given:
        # from where the solve left the hands, so that an answer doesn't hang on those before it
        rested = spread.at_rest(problem, state, window.hands[np.concatenate([part.hands for part in given])])
        posed = pose(problem, rested, first, last, constraints, tracks, solve_camera)
    start = posed.start

    def solved(inner: Problem, begin: State) -> Iterator[Iterate]:
        for iterate in run(inner, begin, (_STAGE,), Held(held), cancelled):
            yield replace(iterate, state=_put_back(start, iterate.state, window, held))

    for iterate in solved(posed.problem, posed.cut(start)):
        yield iterate
    if given and iterate.outcome.usable and not cancelled():
        before, led = spread.moved_along(posed.problem, posed.cut(state), posed.cut(iterate.state), given)
        relearned = spread.relearned(posed.problem, before, led, given)
        yield from solved(relearned, _begin(relearned, posed.cut(standing.start), led, held))


def _begin(problem: Problem, standing: State, moved: State, held: np.ndarray) -> State:
    """Where to begin: ``moved``, unless what stands is the answer already, as when a stretch is asked for again."""
    if problem.value(problem.at(standing)) > problem.value(problem.at(moved)):
        return moved
    first = next(run(problem, standing, (_STAGE,), Held(held)))
    return standing if first.outcome is Outcome.CONVERGED else moved


@dataclass(frozen=True)
class Posed:
    """A stretch as a problem of its own.

    Attributes:
        problem: the stretch's, constraints taken in. start: the whole clip's state with what they fix.
        window: what of the clip it is. held: (t, D) bool, its variables that must not move.
    """

    problem: Problem
    start: State
    window: Window
    held: np.ndarray

    def cut(self, state: State) -> State:
        """The stretch of a whole clip's state."""
        return cut_state(state, self.window)


def pose(
    problem: Problem,
    state: State,
    first: int,
    last: int,
    constraints: Sequence[Constraint] = (),
    tracks: Collection[int] | None = None,
    solve_camera: bool = False,
) -> Posed:
    """The stretch that ``resolve`` solves; arguments and errors are its."""
    taken_in = constrain(problem, state, list(constraints))
    whole = taken_in.problem
    frames = slice(max(first - _BOUNDARY, 0), min(last + 1 + _BOUNDARY, whole.layout.frame_count))
    window = window_of(whole.layout, frames, camera_free=solve_camera and whole.layout.camera_free)
    if tracks is not None and not window.layout.camera_free:  # a free camera is moved by every hand
        idle = frozenset(np.flatnonzero(~np.isin(window.tracks, list(tracks))).tolist())
        window = replace(window, layout=replace(window.layout, idle=idle))
    held = _held(window, whole.layout, taken_in.held, first, last, tracks)
    return Posed(cut_problem(whole, window), taken_in.state, window, held)


def _within(constraints: Sequence[Constraint], window: Window, tracks: Collection[int] | None) -> list[Constraint]:
    """Corrections of the hands that may move, in the window's own tracks and frames."""
    inside = {int(index): place for place, index in enumerate(window.tracks)}
    return [
        replace(wish, track=inside[wish.track], frame=wish.frame - window.frames.start)
        for wish in constraints
        if isinstance(wish, Pose | Point) and wish.track in inside and (tracks is None or wish.track in tracks)
    ]


def calmer(problem: Problem, factor: float) -> Problem:
    """The problem of hands whose usual speeds are ``factor`` times lower (higher, when it is below 1).

    Nothing keeps such hands where they came to rest: that they should move otherwise is the wish.
    """
    return replace(problem, costs=tuple(_calmer(cost, factor) for cost in problem.costs))


def _calmer(cost: costs.Cost, factor: float) -> costs.Cost:
    if isinstance(cost, RestCost):
        return cost.faded(np.zeros(len(cost.slope)))
    if not isinstance(cost, _DYNAMICS):
        return cost
    return replace(cost, process=replace(cost.process, deviation=cost.process.deviation / factor))


@dataclass(frozen=True)
class Retry:
    """A stretch solved from another start: the whole clip's state, the stretch's cost then and before, the outcome."""

    state: State
    cost: float
    cost_before: float
    outcome: Outcome


def retry(
    problem: Problem,
    state: State,
    start: State,
    first: int,
    last: int,
    track: int,
    cancelled: Callable[[], bool] = lambda: False,
) -> Retry:
    """Solve frames ``first`` to ``last`` of one track from ``start``, which differs from ``state`` there alone."""
    whole = problem.layout
    frames = slice(max(first - _BOUNDARY, 0), min(last + 1 + _BOUNDARY, whole.frame_count))
    window = window_of(whole, frames, only=[track])
    inner = cut_problem(problem, window)
    held = _held(window, whole, np.zeros((whole.frame_count, whole.block_size), bool), first, last, [track])
    before = inner.value(inner.at(cut_state(state, window)))
    iterate = deque(run(inner, cut_state(start, window), (_RETRY,), Held(held), cancelled), maxlen=1).pop()
    return Retry(_put_back(start, iterate.state, window, held), iterate.cost, before, iterate.outcome)


def cut_problem(problem: Problem, window: Window) -> Problem:
    """What of a whole clip's problem lies in a window."""
    pieces = [cost.within(window) for cost in problem.costs]
    return Problem(window.layout, problem.view, tuple(piece for piece in pieces if piece is not None))


def _held(
    window: Window, whole: Layout, pinned: np.ndarray, first: int, last: int, tracks: Collection[int] | None
) -> np.ndarray:
    inner = window.layout
    held = pinned[window.frames, : inner.block_size].copy()
    frames = np.arange(window.frames.start, window.frames.stop)
    held[(frames < first) | (frames > last)] = True
    for index, track in zip(window.tracks, inner.tracks, strict=True):
        if tracks is not None and int(index) not in tracks:
            held[track.frames, track.slot * inner.hand_size : (track.slot + 1) * inner.hand_size] = True
    return held


def cut_state(state: State, window: Window) -> State:
    """The window's part of a whole clip's state."""
    return replace(
        state,
        hands=state.hands.take(window.hands),
        camera_from_world=state.camera_from_world[window.frames],
        camera_centre=state.camera_centre[window.frames],
    )


def _put_back(whole: State, part: State, window: Window, held: np.ndarray) -> State:
    """The whole state with the window's free hand-frames (and camera) from ``part``; held values are not touched."""
    layout = window.layout
    free = ~held[layout.frame_of[:, None], layout.column_of[:, None] + np.arange(layout.hand_size)]
    hands = whole.hands
    turned, shifted = free[:, 0], free[:, 3]
    orient, wrist, angles = hands.global_orient.copy(), hands.wrist.copy(), hands.angles.copy()
    orient[window.hands[turned]] = part.hands.global_orient[turned]
    wrist[window.hands[shifted]] = part.hands.wrist[shifted]
    angles[window.hands] = np.where(free[:, ROOT:], part.hands.angles, angles[window.hands])
    rotation, centre = whole.camera_from_world, whole.camera_centre
    if layout.camera_free:
        moved = np.arange(window.frames.start, window.frames.stop)[~held[:, layout.camera][:, 0]]
        rotation, centre = rotation.copy(), centre.copy()
        rotation[moved] = part.camera_from_world[moved - window.frames.start]
        centre[moved] = part.camera_centre[moved - window.frames.start]
    return replace(
        whole, hands=kinematics.Pose(orient, angles, wrist), camera_from_world=rotation, camera_centre=centre
    )
