"""The candidates that fill a gap. An arm is given a scene and its numbers, and gives a state; it names the numbers that
are searched, so that all are tuned by the same search (``search``)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Protocol

import numpy as np
from scipy.interpolate import CubicSpline

from solver.initialise.kinematics import Pose, stack_poses
from solver.optimise import costs
from solver.optimise.clip import fill
from solver.optimise.costs.base import Cost, Stencil, StencilCost
from solver.optimise.costs.dynamics import Process
from solver.optimise.costs.pose import PoseCovarianceCost
from solver.optimise.evaluation import Evaluation, View
from solver.optimise.gaps import freed, landmarks_seen
from solver.optimise.layout import ROOT, Layout
from solver.optimise.objective import motion_costs
from solver.optimise.observed import CameraBelief
from solver.optimise.problem import Problem
from solver.optimise.state import State
from solver.optimise.weights import Weights
from solver.prior.distribution import HandDistribution
from solver.prior.gaps import RULE, Freedom, Rule

from .wide import descend

FRAME_S = 1 / 30
# of a solve: errors of the hidden are then within a hundredth of where 20 steps end
_STEPS, _TOLERANCE = 5, 1e-2
# the fingers' costs, by name: what an arm replaces in a clip's own
FINGER_COSTS = ("finger-dynamics", "pose-distribution", "pose-covariance")

# moments fitted to the recordings that an arm may know, by the process's memory in seconds
Fit = Callable[[float], HandDistribution]


@dataclass(frozen=True, eq=False)
class Scene:
    """A stretch in which something is hidden, as every arm is given it. The truth is not in it.

    Attributes:
        layout, view: of the problem.
        evidence: costs of all that is seen, and of wrists, limits, bodies; none of fingers.
        start: where an arm begins.
        unseen: (N, 21) bool, landmarks hidden on purpose. known: (N, hinges) bool, angles that some landmark concerns.
        fit: what may be known of fingers.
    """

    layout: Layout
    view: View
    evidence: tuple[Cost, ...]
    start: State
    unseen: np.ndarray
    known: np.ndarray
    fit: Fit

    def solved(self, fingers: Sequence[Cost]) -> State:
        """With these costs of the fingers."""
        return descend(Problem(self.layout, self.view, (*self.evidence, *fingers)), self.start, _STEPS, _TOLERANCE)


@dataclass(frozen=True)
class Numbers:
    """What is tuned: factor on the noise, memory in seconds, factor on the pose's deviations."""

    scale: float = 1.0
    memory_s: float = 0.1
    pose: float = 5.0


class Arm(Protocol):
    """A candidate.

    Attributes:
        name: in the tables. searched: fields of ``Numbers`` that are tuned for it.
        smoother: whether it is one of those that a prior has to beat.
    """

    name: str
    searched: tuple[str, ...]
    smoother: bool

    def fill(self, scene: Scene, numbers: Numbers) -> State:
        """The scene's hands, solved."""


@dataclass(frozen=True)
class Velocity:
    """Constant velocity."""

    name: str = "constant velocity"
    searched: tuple[str, ...] = ("scale", "pose")
    smoother: bool = True

    def fill(self, scene: Scene, numbers: Numbers) -> State:
        return _by_velocity(scene, numbers)


@dataclass(frozen=True)
class CostArm:
    """An arm that is costs of the fingers, by scene and numbers."""

    name: str
    fingers: Callable[[Scene, Numbers], tuple[Cost, ...]]
    searched: tuple[str, ...]
    smoother: bool = False

    def fill(self, scene: Scene, numbers: Numbers) -> State:
        return scene.solved(self.fingers(scene, numbers))


@dataclass(frozen=True)
class ShippedArm(CostArm):
    """One whose wrists, too, move as in the product."""

    def fill(self, scene: Scene, numbers: Numbers) -> State:
        return super().fill(replace(scene, evidence=_freed(scene, scene.evidence)), numbers)


@dataclass(frozen=True)
class Interpolation:
    """What constant velocity makes of the seen angles, and between them a curve. ``between`` as ``_linear``."""

    name: str
    between: Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
    searched: tuple[str, ...] = ("scale", "pose")
    smoother: bool = True

    def fill(self, scene: Scene, numbers: Numbers) -> State:
        state = _by_velocity(scene, numbers)
        parts = []
        for track in scene.layout.tracks:
            hands, hinges = state.hands.take(track.hands), track.skeleton.hinges
            angles = filled(hands.angles, scene.known[track.hands], self.between)
            angles = np.clip(angles, hinges.low.min(), hinges.high.max())
            parts.append(self._wrist(replace(hands, angles=angles), ~scene.unseen[track.hands].all(1)))
        return replace(state, hands=stack_poses(parts))

    def _wrist(self, hands: Pose, seen: np.ndarray) -> Pose:
        """With the wrist between the frames in which the hand is seen; its orientation on the geodesic."""
        if seen.all() or not seen.any():
            return hands
        known = np.repeat(seen[:, None], 3, 1)
        turned = fill(hands.take(np.flatnonzero(seen)), seen).global_orient
        return replace(hands, global_orient=turned, wrist=filled(hands.wrist, known, self.between))


def filled(values: np.ndarray, known: np.ndarray, between: Callable) -> np.ndarray:
    """Values (n, c) of one track with the unknown ones put between the known; never known: as they are."""
    out, frames = np.array(values), np.arange(len(values))
    for column in range(values.shape[1]):
        seen = known[:, column]
        if seen.any() and not seen.all():
            out[~seen, column] = between(frames, seen, values[seen, column])
    return out


def linear(frames: np.ndarray, seen: np.ndarray, values: np.ndarray) -> np.ndarray:
    """On the arc: hinges turn about fixed axes, so that it is linear in their angles."""
    return np.interp(frames[~seen], frames[seen], values)


def _cubic(frames: np.ndarray, seen: np.ndarray, values: np.ndarray) -> np.ndarray:
    if seen.sum() < 2:
        return linear(frames, seen, values)
    return CubicSpline(frames[seen], values)(frames[~seen])


def _wide(scene: Scene, numbers: Numbers) -> Cost:
    """Each hinge's pose by itself."""
    known = scene.fit(0.1)
    return costs.PoseDistributionCost(mean=known.mean, deviation=numbers.pose * known.deviation)


def _wide_together(scene: Scene, numbers: Numbers) -> Cost:
    known = scene.fit(0.1)
    return PoseCovarianceCost(mean=known.mean, whitener=known.pose_whitener() / numbers.pose)


def _velocity(scene: Scene, numbers: Numbers) -> tuple[Cost, ...]:
    """Constant velocity: the process that never forgets. Its noise is the fitted one's, to begin the search with."""
    noise = _process(scene.fit(0.1), numbers.scale, 0.1).deviation
    return costs.FingerDynamicsCost(process=Process(np.float64(1.0), noise)), _wide(scene, numbers)


@lru_cache(maxsize=128)
def _by_velocity(scene: Scene, numbers: Numbers) -> State:
    """Three arms ask for it."""
    return scene.solved(_velocity(scene, numbers))


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


def _acceleration(scene: Scene, numbers: Numbers) -> tuple[Cost, ...]:
    noise = _process(scene.fit(0.1), numbers.scale, 0.1).deviation
    return AccelerationCost(deviation=noise), _wide(scene, numbers)


def _alone(scene: Scene, numbers: Numbers) -> Cost:
    return costs.FingerDynamicsCost(process=_process(scene.fit(numbers.memory_s), numbers.scale, numbers.memory_s))


def _together(scene: Scene, numbers: Numbers) -> Cost:
    known = scene.fit(numbers.memory_s)
    process = _process(known, numbers.scale, numbers.memory_s)
    return costs.FingerDynamicsCost(process=process, together=known.innovation_whitener())


def _process(distribution: HandDistribution, scale: float, memory_s: float) -> Process:
    return costs.process(scale * distribution.speed, memory_s, FRAME_S)


def _shipped(scene: Scene, numbers: Numbers, rule: Rule = RULE) -> tuple[Cost, ...]:
    """What the product has, as it is: nothing of it is fitted or tuned here."""
    count = scene.layout.frame_count
    camera = CameraBelief(np.tile(np.eye(3), (count, 1, 1)), np.zeros((count, 3)))
    made = motion_costs(scene.layout, camera, FRAME_S, Weights())
    return _freed(scene, tuple(cost for cost in made if cost.name in FINGER_COSTS), rule)


def _freed(scene: Scene, given: Sequence[Cost], rule: Rule = RULE) -> tuple[Cost, ...]:
    return tuple(freed(given, scene.layout, landmarks_seen(scene.evidence, scene.layout), FRAME_S, rule))


def _refitted(scene: Scene, numbers: Numbers, rule: Rule = RULE) -> tuple[Cost, ...]:
    """What ships, with its correlations and poses fitted to what the scene may know instead of to everything."""
    known = scene.fit(0.1)
    out = []
    for cost in _shipped(scene, numbers, rule):
        if isinstance(cost, costs.FingerDynamicsCost):
            cost = replace(cost, together=known.innovation_whitener())
        elif isinstance(cost, PoseCovarianceCost):
            cost = replace(cost, mean=known.mean, whitener=known.pose_whitener() / cost.width)
        out.append(cost)
    return tuple(out)


_ALL = ("scale", "memory_s", "pose")
# its fit has seen all recordings; the other one only those that the other arms know
SHIPPED = ShippedArm("shipped", _shipped, ())
REFITTED = ShippedArm("as shipped, fitted here", _refitted, ())


def ruled(kind: str, length: str) -> Arm:
    """What ships, fitted to what the scene may know, with the numbers of one kind and length of gap to be tuned."""

    def fingers(scene: Scene, n: Numbers) -> tuple[Cost, ...]:
        tried = replace(getattr(RULE, kind), **{length: Freedom(n.scale, n.memory_s, n.pose)})
        return _refitted(scene, n, replace(RULE, **{kind: tried}))

    return ShippedArm(f"{kind}, {length}", fingers, _ALL)


ARMS: tuple[Arm, ...] = (
    Interpolation("slerp", linear),
    Interpolation("cubic", _cubic),
    Velocity(),
    CostArm("constant acceleration", _acceleration, ("scale", "pose"), smoother=True),
    CostArm("OU alone", lambda s, n: (_alone(s, n), _wide(s, n)), _ALL),
    CostArm("OU together", lambda s, n: (_together(s, n), _wide(s, n)), _ALL),
    CostArm("OU alone, pose together", lambda s, n: (_alone(s, n), _wide_together(s, n)), _ALL),
    CostArm("OU together, pose together", lambda s, n: (_together(s, n), _wide_together(s, n)), _ALL),
    SHIPPED,
    REFITTED,
)


def smoothers(arms: Sequence[Arm] = ARMS) -> Iterator[str]:
    """Names of those that a prior has to beat."""
    return (arm.name for arm in arms if arm.smoother)


def best_of(names: Sequence[str], errors: Mapping[str, np.ndarray]) -> str:
    """The arm with the lowest mean error."""
    return min(names, key=lambda name: float(np.mean(errors[name])))
