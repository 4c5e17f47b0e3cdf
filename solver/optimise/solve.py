"""Levenberg-Marquardt on the bordered band: stages, streaming, cancellation, and an outcome that speaks."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from .banded import Factor, NotPositiveDefinite, empty_factor, factorise, solve_bordered
from .evaluation import Evaluation
from .layout import ROOT, Layout
from .problem import Problem
from .state import State
from .system import System


class Outcome(enum.Enum):
    """How a solve ended."""

    CONVERGED = "The optimum was found: a further step would change the cost by less than the tolerance."
    OUT_OF_STEPS = "The allowed number of steps was used up; the result is usable and could still improve a little."
    STOPPED = "The solve was stopped on request; the result is the best state so far."
    STUCK = "No step lowered the cost although the gradient says it could; the data may contradict itself."
    NOT_FINITE = "The cost at the start is not a number; a start value or an observation is damaged."

    @property
    def usable(self) -> bool:
        """Whether the state is at least as good as the start."""
        return self is not Outcome.NOT_FINITE


@dataclass(frozen=True)
class Stage:
    """One pass of the solver.

    Attributes:
        name: for a person.
        steps: largest number of accepted steps.
        tolerance: relative change of the cost below which the stage is done.
        widening: factor on the robust kernels' scales (graduated non-convexity).
        root_only: solve only wrist positions and orientations, all else held.
    """

    name: str
    steps: int
    tolerance: float
    widening: float = 1.0
    root_only: bool = False


@dataclass(frozen=True)
class Iterate:
    """A state on the way: after an accepted step, or the end of a stage (``outcome`` set).

    Attributes:
        stage: its name. step: accepted steps in this stage. factorisations: in this stage, rejected steps included.
        cost: objective of that stage's problem. damping: lambda.
    """

    state: State
    stage: str
    step: int
    factorisations: int
    cost: float
    damping: float
    outcome: Outcome | None = None


@dataclass(frozen=True)
class Held:
    """What a solve must not move: ``columns`` (T, D) bool of the frame blocks; ``border``: all global variables."""

    columns: np.ndarray
    border: bool = False


_FIRST_DAMPING, _LEAST_DAMPING, _MOST_DAMPING = 1e-3, 1e-9, 1e12
_LEAST_GAIN = 1e-4  # actual over predicted decrease for a step to count
# A start stays where it is, bit for bit, if no frame's cost would fall by more than this: what a kink of a fifth of a
# standard deviation costs.
_SETTLED = 0.02


def run(
    problem: Problem,
    start: State,
    stages: tuple[Stage, ...],
    held: Held | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Iterator[Iterate]:
    """Solve stage by stage; yields every accepted step and each stage's end. The last yield is the result."""
    workspace = Workspace(problem.layout)
    state = start
    for stage in stages:
        posed = problem.relaxed(stage.widening)
        kept = held
        if stage.root_only:
            posed, kept = posed.only("wrists"), _root_only(problem.layout, held)
        for iterate in descend(posed, state, stage, workspace, kept, cancelled):
            yield iterate
        state = iterate.state
        if iterate.outcome in (Outcome.STOPPED, Outcome.NOT_FINITE):
            return


class Workspace:
    """The memory of a solve: the system and its factor."""

    def __init__(self, layout: Layout) -> None:
        self.system = System(layout)
        self.factor = empty_factor(layout.frame_count, layout.block_size)


def descend(
    problem: Problem,
    start: State,
    stage: Stage,
    workspace: Workspace,
    held: Held | None,
    cancelled: Callable[[], bool],
) -> Iterator[Iterate]:
    """One stage of Levenberg-Marquardt. Damping as in H. B. Nielsen, IMM-REP-1999-05, on the diagonal (Marquardt)."""
    at = problem.at(start)
    cost = problem.value(at)
    damping, growth, factorisations = _FIRST_DAMPING, 2.0, 0

    def iterate(step: int, outcome: Outcome | None = None) -> Iterate:
        return Iterate(at.state, stage.name, step, factorisations, cost, damping, outcome)

    if not np.isfinite(cost):
        yield iterate(0, Outcome.NOT_FINITE)
        return
    for step in range(1, stage.steps + 1):
        linear = _Linear(problem.linearise(at, workspace.system), workspace.factor, held)
        while True:
            if cancelled():
                yield iterate(step - 1, Outcome.STOPPED)
                return
            factorisations += 1
            trial = linear.try_step(problem, at, cost, damping)
            if step == 1 and trial.most < _SETTLED and trial.predicted <= stage.tolerance * max(cost, 1.0):
                yield iterate(0, Outcome.CONVERGED)
                return
            if trial.gain > _LEAST_GAIN:
                break
            if trial.predicted <= stage.tolerance * max(cost, 1.0):
                yield iterate(step - 1, Outcome.CONVERGED)
                return
            # after many good steps it is far below what makes any difference
            damping, growth = max(damping * growth, _FIRST_DAMPING), growth * 2
            if damping > _MOST_DAMPING:
                yield iterate(step - 1, Outcome.STUCK)
                return
        small = cost - trial.cost < stage.tolerance * max(cost, 1.0)
        at, cost = trial.at, trial.cost
        damping = max(damping * max(1 / 5, 1 - (2 * trial.gain - 1) ** 3), _LEAST_DAMPING)
        growth = 2.0
        yield iterate(step)
        if small:
            yield iterate(step, Outcome.CONVERGED)
            return
    yield iterate(stage.steps, Outcome.OUT_OF_STEPS)


@dataclass(frozen=True)
class _Trial:
    at: Evaluation | None
    cost: float
    predicted: float
    most: float
    gain: float


_REJECTED = _Trial(None, np.inf, np.inf, np.inf, -np.inf)


class _Linear:
    """A linearised problem, tried at several dampings."""

    def __init__(self, system: System, factor: Factor, held: Held | None) -> None:
        self.system, self._factor = system, factor
        if held is not None:
            hold(system, held)
        prepared(system)
        self._diagonal = np.einsum("tii->ti", system.diagonal).copy()
        self._corner = np.einsum("ii->i", system.corner).copy()

    def try_step(self, problem: Problem, at: Evaluation, cost: float, damping: float) -> _Trial:
        s = self.system
        np.einsum("tii->ti", s.diagonal)[...] = self._diagonal * (1 + damping)
        damped_corner = s.corner + np.diag(damping * self._corner)
        try:
            factor = factorise(s.diagonal, s.first, s.second, self._factor)
            step, border_step = solve_bordered(factor, s.border, damped_corner, -s.gradient, -s.border_gradient)
        except (NotPositiveDefinite, np.linalg.LinAlgError):
            return _REJECTED
        moved = at.moved(step, border_step)
        new_cost = problem.value(moved)
        by_frame = 0.5 * (step * (damping * step * self._diagonal - s.gradient)).sum(1)
        of_border = 0.5 * border_step @ (damping * border_step * self._corner - s.border_gradient)
        predicted, most = by_frame.sum() + of_border, max(by_frame.max(initial=0.0), of_border)
        gain = (cost - new_cost) / max(predicted, 1e-300) if np.isfinite(new_cost) else -np.inf
        return _Trial(moved, new_cost, predicted, most, gain)


def prepared(system: System) -> System:
    """Give hands that are not there, and variables that nothing constrains, a unit diagonal: they make no step."""
    for diagonal in (np.einsum("tii->ti", system.diagonal), np.einsum("ii->i", system.corner)):
        diagonal[diagonal <= 0] = 1.0
    return system


def hold(system: System, held: Held) -> None:
    """Freeze variables exactly: their rows and columns become those of the identity, their gradient zero."""
    free = (~held.columns).astype(float)
    system.diagonal *= free[:, :, None] * free[:, None, :]
    system.first[:-1] *= free[1:, :, None] * free[:-1, None, :]
    system.second[:-2] *= free[2:, :, None] * free[:-2, None, :]
    np.einsum("tii->ti", system.diagonal)[...] += held.columns
    system.gradient *= free
    system.border *= free[:, :, None]
    if held.border:
        system.border[:] = 0
        system.corner[:] = np.eye(len(system.corner))
        system.border_gradient[:] = 0


def _root_only(layout: Layout, held: Held | None) -> Held:
    columns = np.ones((layout.frame_count, layout.block_size), bool)
    for slot in range(layout.slot_count):
        columns[:, slot * layout.hand_size : slot * layout.hand_size + ROOT] = False
    return Held(columns if held is None else columns | held.columns, border=True)
