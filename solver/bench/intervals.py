"""Do stated uncertainties hold? The share of true positions within the 68 and the 95 % interval of the stated sigma."""

from __future__ import annotations

import numpy as np

# half-widths of the two intervals in standard deviations of a normal distribution
WIDTHS = {"68": 0.9945, "95": 1.96}


def coverage(errors: np.ndarray, sigma: np.ndarray) -> dict[str, float]:
    """By name of the interval the share of errors within it, NaN where none is known.

    Args:
        errors: (..., 3) per axis. sigma: (..., 1 or 3) standard deviation per axis, NaN where not stated.
    """
    known = np.isfinite(errors).all(axis=-1) & np.isfinite(sigma).all(axis=-1)
    if not known.any():
        return dict.fromkeys(WIDTHS, float("nan"))
    ratio = np.abs(errors[known]) / np.maximum(sigma[known], 1e-12)
    return {name: float((ratio <= width).mean()) for name, width in WIDTHS.items()}


def about_ray(
    errors: np.ndarray, points: np.ndarray, sigma: np.ndarray, along: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(..., 3) errors and deviations along the ray to each point and across it, twice.

    Args:
        errors, points: (..., 3) in the camera's axes. sigma: (...) root mean square over three axes. along: (...)
            deviation along the ray.
    """
    ray = points / np.linalg.norm(points, axis=-1, keepdims=True)
    sideways = np.cross(ray, [0.0, 1.0, 0.0])
    sideways /= np.linalg.norm(sideways, axis=-1, keepdims=True)
    axes = np.stack([ray, sideways, np.cross(ray, sideways)], axis=-2)
    across = np.sqrt(np.maximum((3 * sigma**2 - along**2) / 2, 0))
    return (axes @ errors[..., None])[..., 0], np.stack([along, across, across], axis=-1)
