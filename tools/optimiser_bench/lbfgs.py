"""torch's L-BFGS on the solver's objective, as the papers run it and with the best diagonal preconditioner there is."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import torch

from solver.optimise.problem import Problem
from solver.optimise.solve import prepared
from solver.optimise.state import State
from solver.optimise.system import System

from .torch_objective import TorchObjective, Variables, tensor


@dataclass(frozen=True)
class Descent:
    """CPU seconds and lowest cost so far after each evaluation: (n,), (n,)."""

    seconds: np.ndarray
    cost: np.ndarray

    def seconds_to(self, cost: float) -> float:
        """CPU seconds until the cost was reached; inf if it never was."""
        reached = np.flatnonzero(self.cost <= cost)
        return float(self.seconds[reached[0]]) if len(reached) else np.inf


class _OutOfTime(Exception):  # noqa: N818 - leaves torch's closed loop
    pass


def descend(problem: Problem, start: State, budget_s: float, preconditioned: bool) -> Descent:
    """Run until the CPU budget is spent or nothing improves.

    Settings of SLAHMR and its children: step 1, strong Wolfe, 20 iterations per call, history 100. ``preconditioned``
    scales each variable by the Gauss-Newton diagonal at the start, which needs the Jacobians: a generous baseline.
    """
    torch.set_num_threads(1)
    clock = time.process_time
    began = clock()
    objective = TorchObjective(problem, start)
    variables = objective.zeros()
    scales = (
        _scales(problem, start, variables) if preconditioned else {k: torch.ones_like(v) for k, v in variables.items()}
    )
    log: list[tuple[float, float]] = []

    def closure() -> torch.Tensor:
        for value in variables.values():
            value.grad = None
        cost = objective.value({name: scales[name] * value for name, value in variables.items()})
        cost.backward()
        log.append((clock() - began, float(cost.detach())))
        if log[-1][0] > budget_s:
            raise _OutOfTime
        return cost

    optimiser = torch.optim.LBFGS(
        list(variables.values()), lr=1.0, max_iter=20, history_size=100, line_search_fn="strong_wolfe"
    )
    try:
        best = np.inf
        while True:
            for _ in range(10):
                optimiser.step(closure)
            lowest = min(cost for _, cost in log)
            if best - lowest < 1e-7 * lowest:
                break
            best = lowest
    except _OutOfTime:
        pass
    seconds, cost = np.array(log).T
    return Descent(seconds, np.minimum.accumulate(cost))


def _scales(problem: Problem, start: State, variables: Variables) -> Variables:
    layout = problem.layout
    system = prepared(problem.linearise(problem.at(start), System(layout)))
    block = 1 / np.sqrt(np.einsum("tii->ti", system.diagonal))
    corner = 1 / np.sqrt(np.diag(system.corner))
    columns = layout.column_of[:, None] + np.arange(layout.hand_size)
    out = {"hands": block[layout.frame_of[:, None], columns], "camera": block[:, layout.camera]}
    names = {"shape": "betas", "scale": "log_scale", "focal": "log_focal"}
    out |= {names[part]: corner[where] for part, where in layout.border.items() if part in names}
    return {name: tensor(out[name]).reshape(value.shape) for name, value in variables.items()}
