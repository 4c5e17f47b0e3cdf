"""Levenberg-Marquardt on many small problems at once: one damping, one verdict and one end per problem."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .evidence import Evidence, Linearised
from .kinematics import Pose

_DAMPING_START, _DAMPING_LIMIT = 1e-2, 1e8
_EASE, _STIFFEN = 0.2, 5.0
_RIDGE = 1e-9  # keeps a variable that nothing speaks about where it is


@dataclass(frozen=True)
class Fitted:
    """pose of n frames, cost (n,), iterations (n,) that each took, settled (n,) bool."""

    pose: Pose
    cost: np.ndarray
    iterations: np.ndarray
    settled: np.ndarray


def minimise(
    linearise: Callable[[Evidence, Pose], Linearised],
    evidence: Evidence,
    pose: Pose,
    iterations: int,
    tolerance: float = 1e-3,
) -> Fitted:
    """Minimise each frame's cost from its own start.

    A frame ends when a step lowers its cost by less than ``tolerance`` nats plus the same share of the cost, or when
    damping finds no descent. Ended frames cost nothing more. Damping is Marquardt's, on the Hessian's diagonal.
    """
    now = linearise(evidence, pose)
    cost, gradient, hessian = now.cost.copy(), now.gradient.copy(), now.hessian.copy()
    damping, spent = np.full(len(pose), _DAMPING_START), np.zeros(len(pose), int)
    settled = ~np.isfinite(cost)
    for _ in range(iterations):
        active = np.flatnonzero(~settled)
        if not len(active):
            break
        step = -_solve_damped(hessian[active], gradient[active], damping[active])
        trial = pose.take(active).moved(step)
        then = linearise(evidence.take(active), trial)
        gain = cost[active] - then.cost
        better = gain > 0
        kept = active[better]
        pose = pose.put(kept, trial.take(better))
        cost[kept], gradient[kept], hessian[kept] = then.cost[better], then.gradient[better], then.hessian[better]
        damping[active] *= np.where(better, _EASE, _STIFFEN)
        spent[active] += 1
        small = np.abs(gain) < tolerance * (1 + cost[active])
        settled[active] = (better & small) | (damping[active] > _DAMPING_LIMIT)
    return Fitted(pose, cost, spent, settled)


def _solve_damped(hessian: np.ndarray, gradient: np.ndarray, damping: np.ndarray) -> np.ndarray:
    diagonal = np.diagonal(hessian, axis1=1, axis2=2)
    damped = hessian.copy()
    rows = np.arange(hessian.shape[1])
    damped[:, rows, rows] += damping[:, None] * diagonal + _RIDGE
    return np.linalg.solve(damped, gradient[..., None])[..., 0]
