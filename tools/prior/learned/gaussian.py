"""The closed form: all hinges of a window are one normal distribution; the hidden ones are conditioned on the seen.

What moves together, and for how long, are the moments of windows: a part that stays, and parts with memories of their
own (Matern 3/2). Fitted in seconds; the candidate that a network has to beat to be worth its training.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from solver.prior.learned.features import FEATURES, OWN, PREDICTED

from .windows import ERRORS, Windows, standard

_MEMORIES_S = (0.12, 0.4, 1.3)
_LAGS = np.array([0, 1, 2, 4, 8, 16, 32, 64])
_RATE = 30.0
# weight of no correlation; deviation that a hinge without data has, standardised
_SHRINKAGE, _LEAST = 0.05, 0.05


@dataclass(frozen=True, eq=False)
class WindowGaussian:
    """``mean`` (h,), ``parts`` (k, h, h) covariances, the first of what stays, standardised; predicts own hinges alone.
    ``calibration``: factor on the deviations."""

    mean: np.ndarray
    parts: np.ndarray
    calibration: float = 1.0

    def predict(self, values: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """As ``Network.predict``; where wrists are it does not know."""
        middle, scale = standard()
        x, seen = ((values - middle) / scale)[:, OWN] - self.mean, known[:, OWN]
        covariance = self._covariance(len(x), _kernels(np.subtract.outer(np.arange(len(x)), np.arange(len(x)))))
        flat = seen.reshape(-1)
        errors = _error_covariance(len(x), x.shape[1])
        inner = covariance[np.ix_(flat, flat)] + errors[np.ix_(flat, flat)]
        cross = covariance[np.ix_(~flat, flat)]
        mean, variance = np.zeros(flat.shape), np.full(flat.shape, _LEAST**2)
        if flat.any():
            factor = cho_factor(inner, lower=True)
            mean[~flat] = cross @ cho_solve(factor, x.reshape(-1)[flat])
            variance[~flat] = np.diag(covariance)[~flat] - (cross * cho_solve(factor, cross.T).T).sum(1)
        else:
            variance[:] = np.diag(covariance)
        mean, variance = mean.reshape(x.shape) + self.mean, np.maximum(variance, _LEAST**2).reshape(x.shape)
        out = np.zeros((len(x), len(PREDICTED)))
        spread = np.ones_like(out)
        out[:, OWN] = middle[OWN] + scale[OWN] * mean
        spread[:, OWN] = self.calibration * scale[OWN] * np.sqrt(variance)
        return out, spread

    def _covariance(self, frames: int, kernels: np.ndarray) -> np.ndarray:
        hinges = len(self.mean)
        return np.einsum("kij,kab->iajb", kernels, self.parts).reshape(frames * hinges, -1)


def fit(windows: Windows, batches: int = 120, size: int = 32) -> WindowGaussian:
    """From windows as a network is trained on."""
    hinges = len(range(*OWN.indices(FEATURES)))
    middle, scale = standard()
    total, count, drawn = np.zeros(hinges), 0.0, []
    for _ in range(batches):
        truth, _, _, exists = windows.batch(size)
        x, there = ((truth - middle) / scale)[..., OWN], exists[..., :1]
        total, count = total + (x * there).sum((0, 1)), count + there.sum()
        drawn.append((x, there))
    mean = total / count
    lagged = np.zeros((len(_LAGS), hinges, hinges))
    pairs = np.zeros(len(_LAGS))
    for x, there in drawn:
        centred = (x - mean) * there
        for k, lag in enumerate(_LAGS):
            first, second = centred[:, : x.shape[1] - lag], centred[:, lag:]
            lagged[k] += np.einsum("bti,btj->ij", first, second)
            pairs[k] += (there[:, : x.shape[1] - lag] * there[:, lag:]).sum()
    lagged = lagged / pairs[:, None, None]
    lagged = 0.5 * (lagged + lagged.swapaxes(1, 2))
    parts = np.linalg.lstsq(_kernels(_LAGS).T, lagged.reshape(len(_LAGS), -1), rcond=None)[0].reshape(
        -1, hinges, hinges
    )
    return WindowGaussian(mean, np.stack([_positive(part) for part in parts]))


def _kernels(lag: np.ndarray) -> np.ndarray:
    """(k, *lag.shape): 1, then Matern 3/2 of each memory."""
    scaled = [np.sqrt(3) * np.abs(lag) / (_RATE * memory) for memory in _MEMORIES_S]
    return np.stack([np.ones(lag.shape), *((1 + s) * np.exp(-s) for s in scaled)])


def _positive(matrix: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(matrix)
    out = (vectors * np.maximum(values, 1e-6)) @ vectors.T
    return (1 - _SHRINKAGE) * out + _SHRINKAGE * np.diag(np.diag(out))


def _error_covariance(frames: int, hinges: int) -> np.ndarray:
    """Of a solve's errors in seen angles, as ``windows`` makes them, at their mean size."""
    lasting, drifting, fresh = ERRORS
    lag = np.abs(np.subtract.outer(np.arange(frames), np.arange(frames)))
    in_time = 0.8 * (lasting**2 + drifting**2 * 0.85**lag + fresh**2 * (lag == 0))
    return np.einsum("ij,ab->iajb", in_time, np.eye(hinges)).reshape(frames * hinges, -1)
