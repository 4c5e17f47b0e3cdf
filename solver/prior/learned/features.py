"""What the learned prior is told of a stretch of motion, and how: the same in training and in a solve.

One hand is *own*, the other *other*; hinge angles mean the same on both sides, so that one network serves both. The
other's wrist is described in the own palm's axes (fingers, out of the palm, thumb's side): its position in hand
lengths, then the directions of its fingers and of its palm. A hand that isn't there is unknown throughout.
"""

from __future__ import annotations

import numpy as np

HINGES, WRIST = 26, 9
OWN, OTHER = slice(0, HINGES), slice(HINGES, 2 * HINGES)
RELATIVE = slice(2 * HINGES, 2 * HINGES + WRIST)
FEATURES = 2 * HINGES + WRIST
# columns of the features that the network predicts: the own hinges, and where the other's wrist is
PREDICTED = np.r_[OWN, RELATIVE]
# frames over which what was seen fades; a frame of training lasts 1 / 30 s
_FADES = 8.0


def encode(values: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The network's input, and values with what is unknown put between what is known.

    Args:
        values: (..., T, FEATURES) standardised; anything where unknown. known: the same shape, bool.

    Returns:
        (..., T, 3 FEATURES) filled values, whether known, nearness to what is known; (..., T, FEATURES) filled values:
        linear in time, constant beyond the ends, 0 (the mean) where never known.
    """
    frames = values.shape[-2]
    index = np.arange(frames)[:, None]
    before = np.maximum.accumulate(np.where(known, index, -1), axis=-2)
    after = np.flip(np.minimum.accumulate(np.flip(np.where(known, index, frames), -2), axis=-2), -2)
    low = np.where(before < 0, np.minimum(after, frames - 1), before)
    high = np.where(after >= frames, np.maximum(before, 0), after)
    share = (index - low) / np.maximum(high - low, 1)
    value = np.where(known, values, 0.0)
    start, end = (np.take_along_axis(value, at, axis=-2) for at in (low, high))
    ever = (before >= 0) | (after < frames)
    filled = np.where(ever, start + np.clip(share, 0, 1) * (end - start), 0.0)
    gone = np.minimum(np.where(before < 0, np.inf, index - before), np.where(after >= frames, np.inf, after - index))
    return np.concatenate([filled, known.astype(filled.dtype), np.exp(-gone / _FADES)], axis=-1), filled
