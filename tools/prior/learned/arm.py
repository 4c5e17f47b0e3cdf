"""The learned prior as an arm of the gap tables: what ships, and the prior's opinion of what is hidden."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from solver.optimise.costs.base import Cost
from solver.optimise.problem import Problem
from solver.optimise.state import State
from solver.prior.learned.hidden import hidden_fingers_cost
from solver.prior.learned.network import Network

from ..arms import FRAME_S, SHIPPED, Numbers, Scene
from ..wide import descend

_PREDICTIONS = 2


@dataclass(frozen=True, eq=False)
class Learned:
    """Solved as shipped, then twice with predictions from the state before. ``pose`` is the width of the target."""

    network: Network
    name: str = "learned"
    searched: tuple[str, ...] = ("pose",)
    smoother: bool = False

    def fill(self, scene: Scene, numbers: Numbers) -> State:
        shipped = SHIPPED.fingers(scene, numbers)
        problem = Problem(scene.layout, scene.view, (*scene.evidence, *shipped))
        state = descend(problem, scene.start)
        for _ in range(_PREDICTIONS):
            cost = hidden_fingers_cost(self.network, problem, state, FRAME_S, numbers.pose)
            if cost is None:
                break
            state = descend(replace(problem, costs=_with(problem.costs, cost)), state)
        return state


def _with(costs: Sequence[Cost], cost: Cost) -> tuple[Cost, ...]:
    return (*costs, cost)
