"""The candidates that fill a gap, each with the numbers that are tuned: as many trials for one as for another."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.interpolate import CubicSpline

from solver.optimise import costs
from solver.optimise.costs.base import Stencil, StencilCost
from solver.optimise.costs.dynamics import Process
from solver.optimise.costs.pose import PoseCovarianceCost
from solver.optimise.evaluation import Evaluation
from solver.optimise.layout import ROOT
from solver.prior.distribution import HandDistribution

from .recordings import open_skeleton

FRAME_S = 1 / 30

Fit = Callable[[float], HandDistribution]


@dataclass(frozen=True)
class Numbers:
    """What is tuned: factor on the noise, memory in seconds, factor on the pose's deviations."""

    scale: float = 1.0
    memory_s: float = 0.1
    pose: float = 5.0


@dataclass(frozen=True)
class Arm:
    """A candidate: its costs of fingers by numbers; whether the memory is a number of its own."""

    name: str
    fingers: Callable[[Fit, Numbers], costs.Cost]
    has_memory: bool
    pose_together: bool

    def costs(self, fit: Fit, numbers: Numbers) -> tuple[costs.Cost, ...]:
        return (self.fingers(fit, numbers), _pose(fit(0.1), numbers, self.pose_together))

    def trials(self, value: Callable[[Numbers], float]) -> Numbers:
        """The best numbers of a search by coordinates: eight trials for every arm."""
        best, known = Numbers(), {}

        def better(candidates: Sequence[Numbers]) -> Numbers:
            for numbers in candidates:
                known.setdefault(numbers, value(numbers))
            return min(known, key=known.get)

        scales = np.geomspace(0.25, 4.0, 3 if self.has_memory else 6)
        best = better([replace(best, scale=float(scale)) for scale in scales])
        if self.has_memory:
            best = better([replace(best, memory_s=memory) for memory in (0.05, 0.25)])
            best = better([replace(best, scale=best.scale * 0.6)])
        return better([replace(best, pose=pose) for pose in (2.0, 12.0)])


def _pose(distribution: HandDistribution, numbers: Numbers, together: bool) -> costs.Cost:
    if together:
        return PoseCovarianceCost(mean=distribution.mean, whitener=distribution.pose_whitener() / numbers.pose)
    return costs.PoseDistributionCost(mean=distribution.mean, deviation=numbers.pose * distribution.deviation)


def _velocity(fit: Fit, numbers: Numbers) -> costs.Cost:
    """Constant velocity: the process that never forgets. Its noise is the fitted one's, to begin the search with."""
    noise = _process(fit(0.1), numbers.scale, 0.1).deviation
    return costs.FingerDynamicsCost(process=Process(np.float64(1.0), noise))


@dataclass(frozen=True, kw_only=True)
class AccelerationCost(StencilCost):
    """Constant acceleration: third differences over ``deviation`` (hinges,) rad."""

    deviation: np.ndarray

    name = "finger-acceleration"
    touches = ("fingers",)

    def linearise(self, at: Evaluation) -> Stencil:
        hands, angles, inverse = at.layout.runs(4), at.state.hands.angles, 1 / self.deviation
        factors = (-1.0, 3.0, -3.0, 1.0)
        residual = sum(c * angles[hands + k] for k, c in enumerate(factors)) * inverse
        slopes = tuple(np.broadcast_to(c * inverse, residual.shape) for c in factors)
        return Stencil(hands, ROOT + np.arange(angles.shape[1]), residual, slopes)


def _acceleration(fit: Fit, numbers: Numbers) -> costs.Cost:
    return AccelerationCost(deviation=_process(fit(0.1), numbers.scale, 0.1).deviation)


def _alone(fit: Fit, numbers: Numbers) -> costs.Cost:
    distribution = fit(numbers.memory_s)
    return costs.FingerDynamicsCost(process=_process(distribution, numbers.scale, numbers.memory_s))


def _together(fit: Fit, numbers: Numbers) -> costs.Cost:
    distribution = fit(numbers.memory_s)
    process = _process(distribution, numbers.scale, numbers.memory_s)
    return costs.FingerDynamicsCost(process=process, together=distribution.innovation_whitener())


def _process(distribution: HandDistribution, scale: float, memory_s: float) -> Process:
    return costs.process(scale * distribution.speed, memory_s, FRAME_S)


ARMS = (
    Arm("constant velocity", _velocity, has_memory=False, pose_together=False),
    Arm("constant acceleration", _acceleration, has_memory=False, pose_together=False),
    Arm("OU alone", _alone, has_memory=True, pose_together=False),
    Arm("OU together", _together, has_memory=True, pose_together=False),
    Arm("OU alone, pose together", _alone, has_memory=True, pose_together=True),
    Arm("OU together, pose together", _together, has_memory=True, pose_together=True),
)
SMOOTHERS = ("constant velocity", "constant acceleration", "slerp", "cubic")


def interpolations(angles: np.ndarray, known: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """Angles (n, hinges) of one track with the unknown ones put between the known: on the arc, and by a cubic spline.

    Hinges turn about fixed axes, so that the arc is linear in their angles. Never known: as they are.
    """
    for name, between in {"slerp": _linear, "cubic": _cubic}.items():
        out, frames = np.array(angles), np.arange(len(angles))
        for hinge in range(angles.shape[1]):
            seen = known[:, hinge]
            if seen.any() and not seen.all():
                out[~seen, hinge] = between(frames, seen, angles[seen, hinge])
        yield name, out


def _linear(frames: np.ndarray, seen: np.ndarray, values: np.ndarray) -> np.ndarray:
    return np.interp(frames[~seen], frames[seen], values)


def _cubic(frames: np.ndarray, seen: np.ndarray, values: np.ndarray) -> np.ndarray:
    hinges = open_skeleton().hinges
    spline = CubicSpline(frames[seen], values)(frames[~seen])
    return np.clip(spline, hinges.low.min(), hinges.high.max())


def best_of(names: Sequence[str], errors: Mapping[str, np.ndarray]) -> str:
    """The arm with the lowest mean error."""
    return min(names, key=lambda name: float(np.mean(errors[name])))
