"""Robust kernels on whitened squared residuals; used as iteratively reweighted least squares."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Quadratic:
    """Plain least squares."""

    def energy(self, squared: np.ndarray) -> np.ndarray:
        """Cost of whitened squared residuals (n,)."""
        return 0.5 * squared

    def weight(self, squared: np.ndarray) -> np.ndarray:
        """The factor on the Gauss-Newton terms, d energy / d (squared / 2)."""
        return np.ones_like(squared)


@dataclass(frozen=True)
class GemanMcClure:
    """Redescending: ``c^2 e^2 / (c^2 + e^2) / 2`` with ``scale`` c in standard deviations.

    S. Geman and D. McClure (1985). Graduated (first a large, then the final scale) after A. Blake and A. Zisserman,
    "Visual Reconstruction" (1987), so that a start many deviations away still feels its data.
    """

    scale: float

    def energy(self, squared: np.ndarray) -> np.ndarray:
        """Cost of whitened squared residuals (n,), below ``scale**2 / 2``."""
        c2 = self.scale**2
        return 0.5 * c2 * squared / (c2 + squared)

    def weight(self, squared: np.ndarray) -> np.ndarray:
        """The factor on the Gauss-Newton terms, d energy / d (squared / 2)."""
        c2 = self.scale**2
        return (c2 / (c2 + squared)) ** 2


Kernel = Quadratic | GemanMcClure
QUADRATIC = Quadratic()
