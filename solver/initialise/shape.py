"""One shape per hand, from a few well-seen frames of its track together; and one person's two hands as one.

A single camera cannot tell a large hand far away from a small one near by, except by perspective within the hand, and
landmarks are not that good: on the calibration renders the length that they suggest has no correlation with the true
one (-0.03 over 30 hands) and is 9 % short, while proportions of fingers to palm do show (0.5 to 0.6). So landmarks
decide on proportions only; the length is the population's, or what the person has measured. Landmark errors repeat from
frame to frame (they follow the person and the net, not chance): all frames together count as four.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2

from .evidence import Evidence, Linearised, Weights, linearise
from .kinematics import Pose, Skeleton

# An adult's hand from the wrist's centre to the middle fingertip: 0.99 (Buchholz, Armstrong and Goldstein 1992) of its
# length from the crease. That is 191 and 177 mm for men and women in Ibeachu et al. 2011 (Nigeria), 194 and 181 in
# Gordon et al. 1989 (USA), and 170 for women in Nag et al. 2003 (India); the mean of the sexes is less in Asia.
ADULT_LENGTH_M = 0.180
INDEPENDENT_FRAMES = 1.0  # what a track is worth as evidence on shape, however long it is
_MEASURED_SIGMA_M = 0.0005  # a hand length that the person has measured is obeyed
_HELD_SIGMA_M = 0.002  # how far landmarks may move the length otherwise: not the population's spread, which is 10 mm
_SAME_PERSON = 0.99  # quantile of the chi-square distribution up to which two shapes may be one
_ROUNDS = 15


@dataclass(frozen=True)
class Belief:
    """A Gaussian over betas in information form: precision (b, b) and precision @ mean (b,)."""

    precision: np.ndarray
    moment: np.ndarray

    @property
    def mean(self) -> np.ndarray:
        return np.linalg.solve(self.precision, self.moment)

    def cost(self, betas: np.ndarray) -> float:
        """Negative log-density up to a constant."""
        return float(0.5 * betas @ self.precision @ betas - self.moment @ betas)

    def plus(self, other: Belief, sign: float = 1.0) -> Belief:
        """Both pieces of information together; ``sign`` -1 takes one out again."""
        return Belief(self.precision + sign * other.precision, self.moment + sign * other.moment)


@dataclass(frozen=True)
class Shape:
    """What is known of a track's betas: from the population (and the person's own word) alone, and with the track."""

    prior: Belief
    posterior: Belief

    @property
    def betas(self) -> np.ndarray:
        return self.posterior.mean

    @property
    def data(self) -> Belief:
        """What the track alone says (its precision need not be regular)."""
        return self.posterior.plus(self.prior, -1.0)


def shape_prior(skeleton: Skeleton, weights: Weights, hand_length_m: float | None) -> Belief:
    """Unit-variance coefficients, and the length of the hand: measured, or an adult's."""
    precision, moment = np.eye(skeleton.shape_count) / weights.beta_sigma**2, np.zeros(skeleton.shape_count)
    sigma = _HELD_SIGMA_M if hand_length_m is None else _MEASURED_SIGMA_M
    slope = skeleton.length[1:] / sigma
    missing = ((hand_length_m or ADULT_LENGTH_M) - skeleton.length[0]) / sigma
    return Belief(precision + np.outer(slope, slope), moment + missing * slope)


def estimate_shape(
    evidence: Evidence, skeleton: Skeleton, weights: Weights, pose: Pose, hand_length_m: float | None = None
) -> Shape:
    """Fit betas and the poses of the given frames together, from ``pose`` and the prior's mean.

    Levenberg-Marquardt on the arrow-shaped normal equations: frames are eliminated, betas solved (Schur complement).
    """
    prior = shape_prior(skeleton, weights, hand_length_m)
    share = min(1.0, INDEPENDENT_FRAMES / max(len(pose), 1))

    def state_at(betas: np.ndarray, pose: Pose) -> tuple[np.ndarray, Pose, Linearised, float]:
        now = linearise(evidence, skeleton, weights, betas, pose, with_shape=True)
        return betas, pose, now, share * now.cost.sum() + prior.cost(betas)

    state, damping = state_at(prior.mean, pose), 1e-2
    for _ in range(_ROUNDS):
        betas, pose, now, cost = state
        _, step, shape_step = _arrow_step(now, prior, betas, share, damping)
        trial = state_at(betas + shape_step, pose.moved(step))
        better = trial[3] < cost
        damping *= 0.2 if better else 5.0
        state = trial if better else state
        if better and cost - trial[3] < 1e-3:
            break
    betas, _, now, _ = state
    precision, _, _ = _arrow_step(now, prior, betas, share, 0.0)
    return Shape(prior, Belief(precision, precision @ betas))


def _arrow_step(
    now: Linearised, prior: Belief, betas: np.ndarray, share: float, damping: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(precision of betas, step of each frame's pose, step of betas)."""
    size = now.hessian.shape[1] - len(betas)
    frame, border, corner = now.hessian[:, :size, :size], now.hessian[:, :size, size:], now.hessian[:, size:, size:]
    rows = np.arange(size)
    damped = frame.copy()
    damped[:, rows, rows] = damped[:, rows, rows] * (1 + damping) + 1e-9
    solved = np.linalg.solve(damped, np.concatenate([border, now.gradient[:, :size, None]], axis=-1))
    inner, outer = solved[..., :-1], solved[..., -1]
    crossed = np.swapaxes(border, 1, 2)
    precision = share * (corner - crossed @ inner).sum(0) + prior.precision
    gradient = share * (now.gradient[:, size:] - (crossed @ outer[..., None])[..., 0]).sum(0)
    gradient = gradient + prior.precision @ betas - prior.moment
    shape_step = -np.linalg.solve(precision + damping * np.diag(np.diag(precision)), gradient)
    return precision, -outer - inner @ shape_step, shape_step


def share_shapes(shapes: list[Shape]) -> list[Shape]:
    """Give tracks that may well be the same person's hands one shape (a left model mirrors the right one's betas).

    Greedy: each track joins the first group whose shape it does not contradict. Information adds up; the prior counts
    once.
    """
    groups: list[list[int]] = []
    fused: list[Shape] = []
    for index, shape in enumerate(shapes):
        number = next((n for n, common in enumerate(fused) if compatible(shape, common)), len(fused))
        if number == len(fused):
            groups.append([])
            fused.append(Shape(shape.prior, shape.prior))
        groups[number].append(index)
        fused[number] = Shape(shape.prior, fused[number].posterior.plus(shape.data))
    group_of = {index: number for number, group in enumerate(groups) for index in group}
    return [fused[group_of[index]] for index in range(len(shapes))]


def compatible(one: Shape, other: Shape) -> bool:
    """Whether one hand can have made both tracks: a chi-square test on the difference of what each says alone.

    With information L1, L2 and means m1, m2 the statistic is ``d^T (L1^-1 + L2^-1)^-1 d``, d = m1 - m2, written so that
    directions about which a track says nothing drop out.
    """
    first, second = one.data, other.data
    ridge = 1e-6 * np.eye(len(first.moment))
    together = np.linalg.solve(first.precision + second.precision + ridge, np.stack([first.moment, second.moment], 1))
    crossed = second.precision @ together[:, 0] - first.precision @ together[:, 1]
    spread = first.precision @ np.linalg.solve(first.precision + second.precision + ridge, second.precision)
    statistic = crossed @ np.linalg.lstsq(spread + ridge, crossed, rcond=None)[0]
    return bool(statistic < chi2.ppf(_SAME_PERSON, len(crossed)))
