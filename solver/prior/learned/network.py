"""The network: residual blocks of dilated three-frame convolutions. It sees any number of frames at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .features import PREDICTED, encode

# a prediction is never surer than this, standardised; as in training
_LEAST_SIGMA = 0.03
_EPSILON = 1e-5


@dataclass(frozen=True, eq=False)
class Network:
    """Weights by name (``file`` says their shapes); matrices are (in, out).

    Attributes:
        dilations: (k,) frames between the three that block k looks at.
        mean, deviation: (FEATURES,) that features are standardised with.
        calibration: (P,) factor on the deviations, found on motion that was not trained on.
    """

    dilations: np.ndarray
    mean: np.ndarray
    deviation: np.ndarray
    calibration: np.ndarray
    enter_weight: np.ndarray
    enter_bias: np.ndarray
    norm_gain: np.ndarray
    norm_bias: np.ndarray
    mix_weight: np.ndarray
    mix_bias: np.ndarray
    out_weight: np.ndarray
    out_bias: np.ndarray
    last_gain: np.ndarray
    last_bias: np.ndarray
    leave_weight: np.ndarray
    leave_bias: np.ndarray

    @property
    def reach(self) -> int:
        """Frames to either side that a prediction can depend on by the network alone."""
        return int(self.dilations.sum())

    def predict(self, values: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean and deviation (T, P) of what is predicted, from features (T, FEATURES) and which of them are known."""
        coded, filled = encode((values - self.mean) / self.deviation, known)
        added, spread = np.split(self._run(coded.astype(np.float32)), 2, axis=-1)
        scale = self.deviation[PREDICTED].astype(float)
        sigma = _LEAST_SIGMA + np.logaddexp(0.0, spread.astype(float))
        mean = self.mean[PREDICTED] + scale * (filled[:, PREDICTED] + added)
        return mean, self.calibration * scale * sigma

    def _run(self, coded: np.ndarray) -> np.ndarray:
        x = coded @ self.enter_weight + self.enter_bias
        for k, dilation in enumerate(self.dilations.tolist()):
            y = _normalised(x, self.norm_gain[k], self.norm_bias[k])
            three = np.concatenate([_shifted(y, -dilation), y, _shifted(y, dilation)], -1)
            x = x + _silu(three @ self.mix_weight[k] + self.mix_bias[k]) @ self.out_weight[k] + self.out_bias[k]
        return _normalised(x, self.last_gain, self.last_bias) @ self.leave_weight + self.leave_bias


def _normalised(x: np.ndarray, gain: np.ndarray, bias: np.ndarray) -> np.ndarray:
    centred = x - x.mean(-1, keepdims=True)
    return centred / np.sqrt((centred * centred).mean(-1, keepdims=True) + _EPSILON) * gain + bias


def _silu(x: np.ndarray) -> np.ndarray:
    return x * (0.5 + 0.5 * np.tanh(0.5 * x))


def _shifted(x: np.ndarray, by: int) -> np.ndarray:
    """``x`` at the frame ``by`` later, zeros beyond the ends."""
    out = np.zeros_like(x)
    if abs(by) < len(x):
        out[max(-by, 0) : len(x) - max(by, 0)] = x[max(by, 0) : len(x) - max(-by, 0)]
    return out
