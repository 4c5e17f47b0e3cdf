"""How much surer a stretch is with an artist's constraints than without them.

Deviations of a stretch alone would be too small at its ends, whose neighbours count as known there. So they are only
ever compared: with the constraints and without, the neighbours known both times.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np

from . import costs
from .constraints import Constraint
from .local import Posed, pose
from .problem import Problem
from .solve import Held
from .state import State
from .uncertainty import marginals

# a hand is within reach of everything, and turned somehow, even where an artist distrusts all that was seen of it
_SOMEWHERE_M, _SOMEHOW_RAD = 10.0, np.pi


@dataclass(frozen=True)
class Surety:
    """Attributes:
    hands: (n,) packed hand-frames that were free to move.
    before, after: (n, 21) metres, deviations as ``Uncertainty.keypoint_sigma`` gives them.
    """

    hands: np.ndarray
    before: np.ndarray
    after: np.ndarray

    @property
    def ratio(self) -> np.ndarray:
        """(n, 21) of the deviations; 0 is known for sure."""
        return self.after / np.maximum(self.before, 1e-9)


def surety(
    problem: Problem,
    state: State,
    first: int,
    last: int,
    constraints: Sequence[Constraint],
    tracks: Collection[int] | None,
    repeats: float,
) -> Surety:
    """Of frames ``first`` to ``last`` around a solution; arguments as in ``local.resolve``.

    Args:
        repeats: how many neighbouring pictures are one observation, see ``uncertainty``.
    """
    with_them = pose(problem, state, first, last, constraints, tracks)
    without = pose(problem, state, first, last, (), tracks)
    layout = with_them.window.layout
    inside = with_them.window.frames.start + layout.frame_of
    free = np.flatnonzero(~without.held[layout.frame_of, layout.column_of] & (inside >= first) & (inside <= last))
    before, after = (_deviations(posed, state, repeats)[free] for posed in (without, with_them))
    return Surety(with_them.window.hands[free], before, after)


def _deviations(posed: Posed, state: State, repeats: float) -> np.ndarray:
    begin = posed.cut(state)
    problem = posed.problem.discounted(repeats)
    problem = replace(problem, costs=(*problem.costs, *_somewhere(posed, begin)))
    return marginals(problem, begin, Held(posed.held)).keypoint_sigma()


def _somewhere(posed: Posed, state: State) -> list[costs.Cost]:
    """Next to nothing about each hand, which keeps finite what nothing else tells."""
    all_hands, poses = np.arange(posed.window.layout.hand_count), state.hands
    wide = np.full(len(all_hands), _SOMEHOW_RAD)
    return [
        costs.PointTargetCost(
            hands=all_hands, points=np.zeros_like(all_hands), targets=poses.wrist,
            deviation=np.full(len(all_hands), _SOMEWHERE_M),
        ),
        costs.OrientTargetCost(hands=all_hands, targets=poses.global_orient, deviation=wide),
        costs.AnglesTargetCost(
            hands=all_hands, targets=poses.angles, information=np.full(poses.angles.shape, 1 / _SOMEHOW_RAD)
        ),
    ]  # fmt: skip
