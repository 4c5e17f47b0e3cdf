"""Other motions that would explain the same footage: draws from the posterior of a stretch.

Every Gaussian row of the problem is displaced by a draw of its own noise and the stretch is solved again. Where the
problem is linear that is an exact draw from its posterior (perturb and optimise: G. Papandreou and A. Yuille, "Gaussian
sampling by local perturbations", 2010; where it is not, J. Bardsley et al., "Randomize-then-optimize", 2014).
One-sided rows (limits, non-penetration) and an artist's keys are not displaced: every draw honours them.
"""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.signal import lfilter

from ..errors import SolverError
from ..optimise.constraints import Constraint
from ..optimise.costs.base import Cost, Stencil, StencilCost
from ..optimise.costs.contact import NonPenetrationCost
from ..optimise.costs.keypoints import KeypointCost
from ..optimise.costs.pose import JointLimitCost, PoseCovarianceCost
from ..optimise.evaluation import Evaluation
from ..optimise.gaps import landmarks_seen, without
from ..optimise.layout import ROOT, Layout, Window
from ..optimise.problem import Problem
from ..optimise.resume import Resumed
from ..optimise.uncertainty import SIGMA_FACTOR, marginals
from ..take import INFILLED, MISSING, Take

# Innovations are smoothed over so many frames, their slow part kept as it is: the model calls them white, which is a
# good belief about where a hand can be, and a poor picture of how it gets there (drawn as they are, hands tremble)
_SMOOTHING_FRAMES = 2.5
# for so many frames a detector's error of a landmark lasts (``Weights.error_memory_s``)
_ERROR_FRAMES = 30.0
# of the draws' noise, and how heavy its tails are. The deviations that smooth best are those of hands that are seen,
# and what hides is fast: set on every other recording of each source so that intervals hold the truth as often as they
# say (of 2.5, 4, 5, 6), tested on the others (``python -m tools.prior intervals``)
_SPREAD, _FREEDOM = 5.0, 5.0
# factor on the information of one-sided rows: an innovation that is drawn must not push a joint over its limit
_STRICTNESS = 6.0
# With fewer frames in which a hand is seen, how it moves fixes no path: not where it is, or not how fast it goes.
_LEAST_SEEN = 2


def hidden_stretches(take: Take, hand: int) -> list[tuple[int, int]]:
    """First and last clip frame of every run that was infilled."""
    filled = np.flatnonzero(take.status[hand] == INFILLED)
    runs = np.split(filled, np.flatnonzero(np.diff(filled) > 1) + 1)
    return [(int(take.frames[run[0]]), int(take.frames[run[-1]])) for run in runs if len(run)]


def sample(
    resumed: Resumed,
    first_frame: int,
    last_frame: int,
    seed: int,
    hands: Collection[int],
    constraints: Sequence[Constraint] = (),
    without_picture: bool = False,
) -> Resumed:
    """A take with another motion in clip frames ``first_frame`` to ``last_frame``, inclusive; same seed, same motion.

    What is drawn is marked as infilled; ``joint_sigma`` there is that of all draws.

    Args:
        hands: the take's hands that are drawn; others stay. constraints: as for ``Resumed.resolve``.
        without_picture: landmarks in the stretch don't count, for hands whose landmarks are guesses.

    Raises:
        ValueError: a constraint names a hand in a frame where it is missing.
        SolverError: ``nothing-to-go-by``: without the picture, too little is left that says where a hand is.
    """
    base = int(resumed.take.frames[0])
    rows = slice(max(first_frame - base, 0), min(last_frame - base + 1, len(resumed.take.frames)))
    problem = blind(resumed.problem, rows) if without_picture else resumed.problem
    if without_picture and not constraints:
        _require_guided(problem, resumed, rows, hands)
    posed = dataclasses.replace(resumed, problem=drawn(problem, np.random.default_rng(seed)))
    _, after = deque(posed.resolve(first_frame, last_frame, constraints, hands), maxlen=1).pop()
    status, sigma = after.take.status.copy(), after.take.joint_sigma.copy()
    spread = _spread(dataclasses.replace(resumed, problem=problem)) if without_picture else sigma
    for hand in hands:
        there = rows.start + np.flatnonzero(status[hand, rows] != MISSING)
        status[hand, there], sigma[hand, there] = INFILLED, spread[hand, there]
    take = replace(after.take, status=status, joint_sigma=sigma)
    return dataclasses.replace(after, problem=resumed.problem, take=take)


def _require_guided(problem: Problem, resumed: Resumed, rows: slice, hands: Collection[int]) -> None:
    """Each of ``hands`` that is drawn is seen in enough of the frames about it: nothing else holds it in its place."""
    seen = landmarks_seen(problem.costs, problem.layout).any(1)
    for segment, track in zip(resumed.clip.segments, problem.layout.tracks, strict=True):
        is_drawn = track.frames.start < rows.stop and rows.start < track.frames.stop
        if segment.track in hands and is_drawn and seen[track.hands].sum() < _LEAST_SEEN:
            raise SolverError(
                "nothing-to-go-by",
                f"Without these frames too little is left that shows where the {resumed.take.sides[segment.track]} "
                "hand is.",
                f"Choose frames beside which the hand is seen in {_LEAST_SEEN} others.",
            )


def _spread(resumed: Resumed) -> np.ndarray:
    """(H, T, 21) as ``Take.joint_sigma``, of the problem as it is now."""
    deviations = SIGMA_FACTOR * marginals(resumed.problem, resumed.state).keypoint_sigma()
    out = resumed.take.joint_sigma.copy()
    for segment, track in zip(resumed.clip.segments, resumed.problem.layout.tracks, strict=True):
        out[segment.track, track.frames] = deviations[track.hands]
    return out


def drawn(problem: Problem, rng: np.random.Generator) -> Problem:
    """The problem with its Gaussian rows displaced.

    How lively a hidden stretch is nobody knows: each draw's noise is scaled as in a Student t distribution.
    """
    liveliness = _SPREAD * np.sqrt(_FREEDOM / rng.chisquare(_FREEDOM))
    return replace(problem, costs=tuple(_drawn(cost, problem.layout, rng, liveliness) for cost in problem.costs))


def blind(problem: Problem, rows: slice) -> Problem:
    """The problem without landmarks in problem frames ``rows``, which are a gap then like any other."""
    layout, frames = problem.layout, problem.layout.frame_of
    inside = (frames >= rows.start) & (frames < rows.stop)
    costs = tuple(_blind(cost, inside) for cost in problem.costs)
    return without(replace(problem, costs=costs), landmarks_seen(problem.costs, layout))


def _blind(cost: Cost, inside: np.ndarray) -> Cost:
    if not isinstance(cost, KeypointCost):
        return cost
    return replace(cost, whitening=np.where(inside[:, None, None, None], 0.0, cost.whitening))


def _drawn(cost: Cost, layout: Layout, rng: np.random.Generator, liveliness: float) -> Cost:
    if isinstance(cost, StencilCost):
        return DisplacedStencil(inner=cost, by=liveliness * _smooth_noise(layout, rng))
    if isinstance(cost, PoseCovarianceCost):
        noise = _smooth_noise(layout, rng)[:, ROOT : ROOT + len(cost.whitener)]
        return replace(cost, mean=cost.mean + np.linalg.solve(cost.roots, noise[..., None])[..., 0])
    if isinstance(cost, KeypointCost):
        return _displaced_landmarks(cost, layout, rng)
    if isinstance(cost, JointLimitCost | NonPenetrationCost):
        return replace(cost, deviation=cost.deviation / _STRICTNESS)
    return cost


def _smooth_noise(layout: Layout, rng: np.random.Generator) -> np.ndarray:
    """(N, columns of a hand) unit normal noise, smoothed along each track."""
    noise = rng.standard_normal((layout.hand_count, layout.hand_size))
    for track in layout.tracks:
        noise[track.hands] = gaussian_filter1d(noise[track.hands], _SMOOTHING_FRAMES, axis=0, mode="constant")
    return noise


def _displaced_landmarks(cost: KeypointCost, layout: Layout, rng: np.random.Generator) -> KeypointCost:
    """A detector repeats its errors: each landmark is off by what lasts, with the deviation that is stated."""
    noise = rng.standard_normal(cost.targets_px.shape)
    rho = np.exp(-1 / _ERROR_FRAMES)
    fresh = np.sqrt(1 - rho * rho)
    for track in layout.tracks:
        own = noise[track.hands]
        own[1:] *= fresh
        noise[track.hands] = lfilter([1.0], [1.0, -rho], own, axis=0)
    seen = np.linalg.det(cost.whitening) > 0
    moved = cost.targets_px.copy()
    moved[seen] += np.linalg.solve(cost.whitening[seen], noise[seen][..., None])[..., 0]
    return replace(cost, targets_px=moved)


@dataclass(frozen=True, kw_only=True)
class DisplacedStencil(StencilCost):
    """A stencil whose residuals want to be ``by`` instead of zero: (N, columns of a hand), by first hand-frame."""

    inner: StencilCost
    by: np.ndarray

    @property
    def name(self) -> str:
        return self.inner.name

    @property
    def touches(self) -> tuple[str, ...]:
        return self.inner.touches

    def linearise(self, at: Evaluation) -> Stencil:
        stencil = self.inner.linearise(at)
        return replace(stencil, residual=stencil.residual - self.by[stencil.hands[:, None], stencil.columns])

    def within(self, window: Window) -> Self | None:
        inner = self.inner.within(window)
        return None if inner is None else replace(self, inner=inner, by=self.by[window.hands])
