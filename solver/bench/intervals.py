"""Do stated uncertainties hold? The share of true positions within the 68 and the 95 % interval of the stated sigma."""

from __future__ import annotations

import numpy as np

# half-widths of the two intervals in standard deviations of a normal distribution
WIDTHS = {"68": 0.9945, "95": 1.96}


def coverage(errors: np.ndarray, sigma: np.ndarray) -> dict[str, float]:
    """By name of the interval the share of errors within it, NaN where none is known.

    Args:
        errors: (..., 3) per axis. sigma: (...) standard deviation per axis, NaN where not stated.
    """
    known = np.isfinite(errors).all(axis=-1) & np.isfinite(sigma)
    if not known.any():
        return dict.fromkeys(WIDTHS, float("nan"))
    ratio = np.abs(errors[known]) / np.maximum(sigma[known], 1e-12)[:, None]
    return {name: float((ratio <= width).mean()) for name, width in WIDTHS.items()}
