"""How much surer a stretch is with an artist's constraints than without them.

Deviations of a stretch alone would be too small at its ends, whose neighbours count as known there. So they are only
ever compared: with the constraints and without, the neighbours known both times.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from .constraints import Constraint
from .local import Posed, pose
from .problem import Problem
from .solve import Held
from .state import State
from .uncertainty import marginals


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
    return marginals(posed.problem.discounted(repeats), posed.cut(state), Held(posed.held)).keypoint_sigma()
