"""Levenberg-Marquardt for the table's arms, also on a wider band than the product's: constant acceleration couples four
frames. All arms go through it, so that none has the better solver; what fits the product's band is factorised there."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.linalg import LinAlgError, cho_solve_banded, cholesky_banded

from solver.optimise.banded import NotPositiveDefinite, factorise, solve_bordered
from solver.optimise.layout import Layout
from solver.optimise.problem import Problem
from solver.optimise.solve import prepared
from solver.optimise.state import State
from solver.optimise.system import System

REACH = 3


class WideSystem(System):
    """A system that also has H[t + 3, t]."""

    def __init__(self, layout: Layout) -> None:
        super().__init__(layout)
        self.third = np.zeros_like(self.diagonal)

    def clear(self) -> None:
        super().clear()
        self.third.fill(0)

    def band(self, offset: int) -> np.ndarray:
        return self.third if offset == REACH else super().band(offset)


def descend(problem: Problem, start: State, steps: int = 15, tolerance: float = 3e-3) -> State:
    """The optimum near ``start``; hands alone are solved (no free globals, no free camera).

    Undamped while that lowers the cost: a gap's slow motions are little of the diagonal, damping would hold them.
    """
    system, at, damping = WideSystem(problem.layout), problem.at(start), 0.0
    cost = problem.value(at)
    for _ in range(steps):
        prepared(problem.linearise(at, system))
        solve = _wide_steps(system) if system.third.any() else _steps(system)
        while True:
            step = solve(damping)
            trial = at.moved(step, np.zeros(0)) if step is not None else None
            trial_cost = problem.value(trial) if trial is not None else np.inf
            if trial_cost < cost:
                break
            damping = max(10 * damping, 1e-5)
            if damping > 1e9:
                return at.state
        done = cost - trial_cost < tolerance * max(cost, 1.0)
        at, cost, damping = trial, trial_cost, damping / 10 if damping > 1e-5 else 0.0
        if done:
            break
    return at.state


def _banded(system: WideSystem) -> np.ndarray:
    """LAPACK's lower band storage of the system."""
    frames, size, _ = system.diagonal.shape
    out = np.zeros(((REACH + 1) * size, frames, size))
    row, column = np.indices((size, size))
    for offset in range(REACH + 1):
        block = system.band(offset)
        kept = row >= column if offset == 0 else np.ones_like(row, bool)
        r, c = row[kept], column[kept]
        out[offset * size + r - c, : frames - offset, c] = block[: frames - offset, r, c].T
    return out.reshape((REACH + 1) * size, -1)


def _steps(system: WideSystem) -> Callable[[float], np.ndarray | None]:
    diagonal = np.einsum("tii->ti", system.diagonal)
    undamped, t, d = diagonal.copy(), *diagonal.shape

    def step(damping: float) -> np.ndarray | None:
        diagonal[...] = undamped * (1 + damping)
        try:
            factor = factorise(system.diagonal, system.first, system.second)
        except NotPositiveDefinite:
            return None
        empty = np.zeros((t, d, 0)), np.zeros((0, 0))
        return solve_bordered(factor, *empty, -system.gradient, np.zeros(0))[0]

    return step


def _wide_steps(system: WideSystem) -> Callable[[float], np.ndarray | None]:
    banded, gradient = _banded(system), system.gradient

    def step(damping: float) -> np.ndarray | None:
        damped = banded.copy()
        damped[0] *= 1 + damping
        try:
            factor = cholesky_banded(damped, overwrite_ab=True, lower=True, check_finite=False)
        except LinAlgError:
            return None
        return cho_solve_banded((factor, True), -gradient.reshape(-1), check_finite=False).reshape(gradient.shape)

    return step
