"""From recordings to the numbers of ``solver.prior``: seconds on a CPU."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from solver.prior.distribution import HandDistribution

from .recordings import Recording, open_skeleton

# a frame counts as motion when some hinge is this fast, deg/s: hands at rest say nothing about how fingers go together
_MOVING_DEG = 30.0
# innovations beyond so many deviations are drawn in to it: trackers jump
_CLIP = 3.0
# weight of no correlation, of all data
_SHRINKAGE = 0.1


def fit(recordings: Sequence[Recording], frame_s: float, memory_s: float) -> HandDistribution:
    """Moments of innovations and poses; each recording counts alike, however long it is.

    Hinges that no recording has (twists, the thumb's second spread) keep the anatomy's numbers, in proportion.
    """
    hinges = open_skeleton().hinges
    moving = [r.angles for r in recordings if len(r.angles) >= 10]
    measured = np.concatenate([r.angles for r in recordings]).std(0) > 1e-6
    rho = float(np.exp(-frame_s / memory_s))
    deviation, correlation = _robust([_innovations(angles, rho, frame_s) for angles in moving], measured)
    speed = deviation / (frame_s * np.sqrt(1 - rho * rho))
    usual = (speed[measured] / hinges.sigma[measured]).mean()
    mean, spread, together = _poses([r.angles for r in recordings], measured)
    return HandDistribution(
        memory_s=memory_s,
        speed=np.where(measured, speed, usual * hinges.sigma),
        innovation_correlation=correlation,
        mean=np.where(measured, mean, hinges.mean),
        deviation=np.where(measured, spread, hinges.sigma),
        pose_correlation=together,
    )


def _innovations(angles: np.ndarray, rho: float, frame_s: float) -> np.ndarray:
    """(m, d) what the process did not foresee, in frames with motion."""
    velocity = np.diff(angles, axis=0)
    moving = np.degrees(np.abs(velocity)).max(1) / frame_s > _MOVING_DEG
    return (velocity[1:] - rho * velocity[:-1])[moving[1:]]


def _robust(runs: list[np.ndarray], measured: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Deviations (root mean square after clipping) and shrunken correlation of innovations."""
    weights = np.concatenate([np.full(len(run), 1 / max(len(run), 1) ** 0.5) for run in runs])
    values = np.concatenate(runs)
    scale = np.where(measured, 1.4826 * np.median(np.abs(values), axis=0), 1.0)
    scale = np.maximum(scale, np.radians(0.05))
    clipped = np.clip(values / scale, -_CLIP, _CLIP)
    covariance = (weights[:, None] * clipped).T @ clipped / weights.sum()
    return scale * np.sqrt(np.diag(covariance)), _shrunken(covariance, measured)


def _poses(runs: list[np.ndarray], measured: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    weights = np.concatenate([np.full(len(run), 1 / len(run) ** 0.5) for run in runs])
    values, weights = np.concatenate(runs), weights / weights.sum()
    mean = weights @ values
    covariance = (weights[:, None] * (values - mean)).T @ (values - mean)
    return mean, np.sqrt(np.diag(covariance)), _shrunken(covariance, measured)


def _shrunken(covariance: np.ndarray, measured: np.ndarray) -> np.ndarray:
    deviation = np.sqrt(np.where(measured, np.diag(covariance), 1.0))
    correlation = covariance / np.outer(deviation, deviation) * np.outer(measured, measured) * (1 - _SHRINKAGE)
    np.fill_diagonal(correlation, 1.0)
    return correlation
