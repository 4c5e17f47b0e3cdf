"""The learned prior as an arm of the gap tables: what ships, and the prior's opinion of what is hidden."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from solver.optimise.problem import Problem
from solver.optimise.state import State
from solver.prior.learned.hidden import Model, Prediction, hidden_fingers_cost, predicted

from ..arms import FRAME_S, SHIPPED, CostArm, Numbers, Scene
from ..wide import descend

_PREDICTIONS = 2


@dataclass(frozen=True, eq=False)
class Learned:
    """Solved as ``base``, then twice with predictions from the state before. ``pose`` is the width of the target."""

    name: str
    model: Model
    base: CostArm = SHIPPED
    searched: tuple[str, ...] = ("pose",)
    smoother: bool = False

    def fill(self, scene: Scene, numbers: Numbers) -> State:
        problem, state = _solved(scene, self.base)
        for _ in range(_PREDICTIONS):
            cost = hidden_fingers_cost(self.model, problem, state, FRAME_S, numbers.pose)
            if cost is None:
                break
            state = descend(replace(problem, costs=(*problem.costs, cost)), state)
        return state

    def foreseen(self, scene: Scene) -> Prediction:
        """What is predicted from the base's state."""
        return predicted(self.model, *_solved(scene, self.base), FRAME_S)


@lru_cache(maxsize=16)
def _solved(scene: Scene, base: CostArm) -> tuple[Problem, State]:
    """Every trial and every learned arm begins with it."""
    problem = Problem(scene.layout, scene.view, (*scene.evidence, *base.fingers(scene, Numbers())))
    return problem, descend(problem, scene.start)


def standardised_errors(told: Prediction, angles: np.ndarray) -> np.ndarray:
    """(N, hinges) distance of the true ``angles`` from what is predicted, in its deviations; NaN where not predicted,
    and for hinges that no recording has."""
    moves = angles.std(0) > 0
    return np.where(told.hidden & moves, (angles - told.mean) / told.deviation, np.nan)
