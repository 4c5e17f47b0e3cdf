"""How much too small or too large a hand is drawn, told from its distances over time, and taken off its landmarks.

A hand's distance is its size in the picture, and a detector that misreads a hand draws it too small or too large, or
tilts it, for as long as it misreads it. No smoothness of the world's path undoes that: 21 landmarks in each frame
insist on their distance. But hands come nearer and go away about as fast as they move across the view, and that is seen
well. So the logarithm of the distance is taken apart here into

* how the hand moved: an integrated Ornstein-Uhlenbeck process (``costs.dynamics``) whose speed follows the turning rate
  of the ray to the hand;
* how wrong it is drawn: an Ornstein-Uhlenbeck process; and white noise with heavy tails,

by regression with Gaussian processes (Rasmussen and Williams 2006, chapter 2), banded in this form. How strong the
second is is asked of the clip itself, a stretch at a time: distances of a hand that is read well hardly waver beyond
what its motion explains, those of one that is not do so at once. The deviations are averaged over what is likely
(ibid., 5.4, with a prior); the speed is among them, for a hand that really does come straight at the lens.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg import cho_solve_banded, cholesky_banded
from scipy.ndimage import gaussian_filter1d, uniform_filter1d

from .costs import KeypointCost
from .costs.dynamics import process
from .evaluation import Evaluation
from .observed import Observations
from .problem import Problem
from .state import State

# All of these were chosen on the validation clips with their true cameras, and looked at on head-worn footage.
# Speed of the distance's logarithm over the ray's turning rate (rad/s, per axis), its prior's median first, and the
# prior's spread; the least such rate, and for how long the speed lasts
_SPEEDS, _SPEED_SPREAD = (0.5, 1.0, 2.0), 0.5
_LEAST_RATE, _MOTION_S = 0.2, 0.3
# deviation of the drawn size; median and spread (of its logarithm) of its prior; for how long an error lasts
_SIZES, _SIZE, _SIZE_SPREAD = (0.01, 0.02, 0.03, 0.045, 0.07, 0.1, 0.15, 0.22), 0.03, 0.7
_SIZE_S = 0.6
# the noise's deviation (with less, hands that go to and fro fast were smoothed off their pictures), and degrees of
# freedom of its Student distribution, which is come to by reweighing
_NOISE, _FREEDOM, _ROUNDS = 0.015, 4.0, 4
# errors of frames by themselves that last no longer are mended by solving them together
_MENDED_S = 0.025
# a stretch over which deviations are taken as constant, and the rate of turning as smoothed
_STRETCH_S, _RATE_S, _BLUR_S = 2.5, 0.5, 0.05
_LEAST_SEEN = 5
# where the distance begins is anybody's guess: a deviation of a factor e
_ANYWHERE = 1.0


def evened(problem: Problem, start: State, state: State, seen: Observations, frame_s: float) -> tuple[Problem, State]:
    """The problem with landmarks as large as hands are by their distances over time, and ``state`` with hands at those.

    Args:
        start: each frame by itself, whose distances show how much a detector wavers.
        state: solved so far.
    """
    at = problem.at(state)
    excess = np.zeros(problem.layout.hand_count)
    each, together = _log_distance(problem.at(start)), _log_distance(at)
    for track in problem.layout.tracks:
        own = track.hands
        known = np.flatnonzero(seen.whitening[own].any((1, 2, 3)))
        if len(known) >= _LEAST_SEEN:
            rate = _turning(seen.ray[own], known, frame_s)
            wrong = drawn_wrong(each[own], together[own], known, rate, frame_s)
            excess[own] = np.interp(np.arange(track.count), known, wrong[known])
    middle = at.points.mean(1) - at.scaled_centre[problem.layout.frame_of]
    wrist = state.hands.wrist + middle * np.expm1(-excess)[:, None]
    return resized(problem, excess), replace(state, hands=replace(state.hands, wrist=wrist))


def resized(problem: Problem, log_size: np.ndarray) -> Problem:
    """The problem with each hand's landmarks larger about their middle, by (N,) logarithms."""
    costs = tuple(_grown(cost, log_size) if isinstance(cost, KeypointCost) else cost for cost in problem.costs)
    return replace(problem, costs=costs)


def log_size_taken(problem: Problem, seen: Observations) -> np.ndarray:
    """(N,) by how much larger landmarks are to the problem than they were ``seen``, as ``resized`` takes it."""
    out = np.zeros(problem.layout.hand_count)
    for cost in problem.costs:
        if isinstance(cost, KeypointCost):
            before, after = _extent(seen.landmarks_px), _extent(cost.targets_px)
            known = before > 0
            out[known] = np.log(after[known] / before[known])
    return out


def _extent(points: np.ndarray) -> np.ndarray:
    """(N,) px, of (N, 21, 2) about their middle."""
    return np.linalg.norm(points - points.mean(1, keepdims=True), axis=(1, 2))


def _log_distance(at: Evaluation) -> np.ndarray:
    """(N,) of each hand's middle from the lens."""
    return np.log(np.linalg.norm(at.points_camera.mean(1), axis=-1))


def _grown(cost: KeypointCost, excess: np.ndarray) -> KeypointCost:
    middle = cost.targets_px.mean(1, keepdims=True)
    return replace(cost, targets_px=middle + np.exp(excess)[:, None, None] * (cost.targets_px - middle))


def _turning(ray: np.ndarray, known: np.ndarray, frame_s: float) -> np.ndarray:
    """(n,) rad/s per axis, from the rays (n, 3) in the world of ``known`` frames."""
    frames = np.arange(len(ray))
    path = np.stack([np.interp(frames, known, column[known]) for column in ray.T], axis=1)
    path = gaussian_filter1d(path, _BLUR_S / frame_s, axis=0, mode="nearest")
    squares = (np.gradient(path, frame_s, axis=0) ** 2).sum(1) / 2
    return np.sqrt(uniform_filter1d(squares, max(round(_RATE_S / frame_s), 1), mode="nearest"))


def drawn_wrong(
    each: np.ndarray, together: np.ndarray, known: np.ndarray, rate: np.ndarray, frame_s: float
) -> np.ndarray:
    """(n,) by how much the logarithm of the distance is too large: what ``together`` has beyond a hand's motion.

    Args:
        each: (n,) logarithms of the distance as frames by themselves have it. together: (n,) as they have it solved
            together. known: indices of the frames in which the hand is seen.
        rate: (n,) rad/s at which the ray to the hand turns.
    """
    rate = np.maximum(rate, _LEAST_RATE)
    parts = np.array_split(known, max(1, round(len(known) * frame_s / _STRETCH_S)))
    apart = np.interp(np.arange(len(each)), known, (each - together)[known])
    wavering = together + gaussian_filter1d(apart, _MENDED_S / frame_s, mode="nearest")
    fits = [_likeliest(wavering, part, rate, frame_s) for part in parts]
    middles = [part.mean() for part in parts]
    size, speed = np.exp([np.interp(np.arange(len(each)), middles, values) for values in np.log(fits).T])
    whole = _Series(together, known, rate, frame_s)
    return together - whole.fit(size, whole.moving(speed)).path


def _likeliest(values: np.ndarray, known: np.ndarray, rate: np.ndarray, frame_s: float) -> tuple[float, float]:
    """Deviation of the drawn size, and factor of the speed, of a stretch's ``known`` frames."""
    own = slice(known[0], known[-1] + 1)
    series = _Series(values[own], known - known[0], rate[own], frame_s)

    ones = np.ones(known[-1] - known[0] + 1)

    def scored(speed: float) -> Iterator[tuple[float, float, float]]:
        motion = series.moving(speed * ones)
        for size in _SIZES:
            off = np.log(speed / _SPEEDS[0]) / _SPEED_SPREAD, np.log(size / _SIZE) / _SIZE_SPREAD
            yield series.fit(size * ones, motion).evidence - np.square(off).sum() / 2, size, speed

    scores, sizes, speeds = np.array([row for speed in _SPEEDS for row in scored(speed)]).T
    share = np.exp(scores - scores.max())
    share /= share.sum()
    return float(np.exp(share @ np.log(sizes))), float(np.exp(share @ np.log(speeds)))


@dataclass(frozen=True)
class _Prior:
    """``matrix``: the unknowns' information, lower banded (5, 2 n). ``log_root``: logarithm of the root of its
    determinant."""

    matrix: np.ndarray
    log_root: float


@dataclass(frozen=True)
class _Fit:
    """``path`` (n,): how the hand moved. ``evidence``: logarithm of the marginal likelihood, up to a constant."""

    path: np.ndarray
    evidence: float


class _Series:
    """Logarithms of distances (n,), ``known`` in some frames. Unknowns are, frame by frame, the path, and the drawn
    size in deviations."""

    def __init__(self, values: np.ndarray, known: np.ndarray, rate: np.ndarray, frame_s: float) -> None:
        self._level = float(np.median(values[known]))
        self._known, self._values = known, values[known] - self._level
        self._rate, self._frame_s, self._count = rate, frame_s, len(values)

    def fit(self, size: np.ndarray, prior: _Prior) -> _Fit:
        """``size``: (n,) deviation of the drawn size. ``prior``: of ``moving``."""
        known, values = self._known, self._values
        size, trust = size[known], np.ones(len(known))
        for _ in range(_ROUNDS):
            information = trust / _NOISE**2
            matrix, right = prior.matrix.copy(), np.zeros(2 * self._count)
            matrix[0, 2 * known] += information
            matrix[0, 2 * known + 1] += information * size * size
            matrix[1, 2 * known] += information * size
            right[2 * known], right[2 * known + 1] = information * values, information * size * values
            factor = cholesky_banded(matrix, lower=True)
            solved = cho_solve_banded((factor, True), right)
            error = values - solved[2 * known] - size * solved[2 * known + 1]
            used, trust = trust, (_FREEDOM + 1) / (_FREEDOM + (error / _NOISE) ** 2)
        squares = (information * values * values).sum() - right @ solved
        tails = (_FREEDOM * used - (_FREEDOM + 1) * np.log(used)).sum()
        evidence = prior.log_root - np.log(factor[0]).sum() - (squares + tails) / 2
        return _Fit(self._level + solved[::2], float(evidence))

    def moving(self, speed: np.ndarray) -> _Prior:
        """Of a hand that moves with (n,) ``speed`` times the rate at which its ray turns."""
        n = self._count
        matrix, log_root = np.zeros((5, 2 * n)), 0.0
        moving = process(speed * self._rate, _MOTION_S, self._frame_s)
        rho, forgotten = float(moving.memory), float(np.exp(-self._frame_s / _SIZE_S))
        first = self._frame_s * speed[:1] * self._rate[:1]
        rows = (
            (0, (1.0,), np.full(1, _ANYWHERE)),
            (0, (-1.0, 1.0), first[: n - 1]),
            (0, (rho, -(1 + rho), 1.0), moving.deviation[1:-1]),
            (1, (1.0,), np.ones(1)),
            (1, (-forgotten, 1.0), np.full(n - 1, np.sqrt(1 - forgotten**2))),
        )
        for unknown, coefficients, deviation in rows:
            log_root -= np.log(deviation).sum()
            for later, c in enumerate(coefficients):
                for earlier, b in enumerate(coefficients[: later + 1]):
                    at = 2 * (np.arange(len(deviation)) + earlier) + unknown
                    matrix[2 * (later - earlier), at] += c * b / deviation**2
        return _Prior(matrix, log_root)
