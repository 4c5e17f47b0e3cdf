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
        """As ``Network.predict``, wrists apart. Of what is seen it takes every second frame: what a
        solve errs by is nearly the same in both."""
        middle, scale = standard()
        own = np.flatnonzero(np.diagonal(self.parts, 0, 1, 2).sum(0) > _LEAST**2)  # hinges that data has
        x, known = ((values - middle) / scale)[:, own] - self.mean[own], known[:, own]
        frame = np.repeat(np.arange(len(x)), len(own))
        hinge = np.tile(np.arange(len(own)), len(x))
        seen = np.flatnonzero(known.reshape(-1) & (frame % 2 == 0))
        hidden = np.flatnonzero(~known.reshape(-1))
        parts = self.parts[np.ix_(range(len(self.parts)), own, own)]

        def covariance(first: np.ndarray, second: np.ndarray) -> np.ndarray:
            kernels = _kernels(np.subtract.outer(frame[first], frame[second]))
            return sum(k * part[np.ix_(hinge[first], hinge[second])] for k, part in zip(kernels, parts, strict=True))

        mean, variance = np.zeros(len(hidden)), np.full(len(hidden), parts.sum(0).diagonal()[hinge[hidden]])
        if len(seen) and len(hidden):
            errors = _errors(frame[seen], hinge[seen])
            factor = cho_factor(covariance(seen, seen) + errors, lower=True)
            cross = covariance(hidden, seen)
            mean = cross @ cho_solve(factor, x.reshape(-1)[seen])
            variance = variance - (cross * cho_solve(factor, cross.T).T).sum(1)
        out, spread = np.zeros((len(x), len(PREDICTED))), np.ones((len(x), len(PREDICTED)))
        out[:, OWN], spread[:, OWN] = middle[OWN] + scale[OWN] * self.mean, scale[OWN]
        rows, columns = frame[hidden], own[hinge[hidden]]
        out[rows, columns] += scale[columns] * mean
        spread[rows, columns] = self.calibration * scale[columns] * np.sqrt(np.maximum(variance, _LEAST**2))
        return out, spread


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


def _errors(frame: np.ndarray, hinge: np.ndarray) -> np.ndarray:
    """Covariance of a solve's errors in seen angles, as ``windows`` makes them, at their mean size."""
    lasting, drifting, fresh = ERRORS
    lag = np.abs(np.subtract.outer(frame, frame))
    in_time = 0.8 * (lasting**2 + drifting**2 * 0.85**lag + fresh**2 * (lag == 0))
    return in_time * np.equal.outer(hinge, hinge)
