"""A problem: variables' layout, a view, costs; its value and its Gauss-Newton system."""

from __future__ import annotations

from dataclasses import dataclass, replace

from .costs.base import Cost, PointCost, add_point_costs
from .evaluation import Evaluation, View
from .layout import Layout
from .state import State
from .system import System


@dataclass(frozen=True)
class Problem:
    """Everything that a solve needs but the start."""

    layout: Layout
    view: View
    costs: tuple[Cost, ...]

    def at(self, state: State) -> Evaluation:
        return Evaluation(self.layout, self.view, state)

    def value(self, at: Evaluation) -> float:
        """The objective."""
        return sum(cost.value(at) for cost in self.costs)

    def values(self, at: Evaluation) -> dict[str, float]:
        """The objective by cost name, for tables."""
        out: dict[str, float] = {}
        for cost in self.costs:
            out[cost.name] = out.get(cost.name, 0.0) + cost.value(at)
        return out

    def linearise(self, at: Evaluation, system: System) -> System:
        """Gradient and Gauss-Newton matrix into ``system``, which is emptied first."""
        system.clear()
        add_point_costs([cost for cost in self.costs if isinstance(cost, PointCost)], system, at)
        for cost in self.costs:
            if not isinstance(cost, PointCost):
                cost.add_to(system, at)
        return system

    def only(self, variable: str) -> Problem:
        """The problem with the costs that touch ``variable``; the others are constants to who moves that alone."""
        return replace(self, costs=tuple(cost for cost in self.costs if variable in cost.touches))

    def discounted(self, repeats: float) -> Problem:
        """The problem if the pictures of ``repeats`` neighbouring frames were one observation."""
        return replace(self, costs=tuple(cost.discounted(repeats) for cost in self.costs))

    def relaxed(self, factor: float) -> Problem:
        """The problem with its robust kernels ``factor`` times as wide."""
        return self if factor == 1.0 else replace(self, costs=tuple(cost.relaxed(factor) for cost in self.costs))
