"""Where a learned prior thinks that hidden fingers are."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from ..evaluation import Evaluation
from ..layout import ROOT, Window
from .base import HandCost


@dataclass(frozen=True, kw_only=True)
class HiddenFingersCost(HandCost):
    """Hinges that nothing shows, drawn to what was predicted from those that are seen.

    The prediction is a constant here; who solves makes it anew from the solved state. Hinges that some landmark
    concerns have no information, so that it never competes with what is seen.

    Attributes:
        mean: (N, hinges) rad. information: (N, hinges) 1/rad, the inverse deviation; 0 where a hinge is seen.
    """

    mean: np.ndarray
    information: np.ndarray

    name = "hidden-fingers"
    touches = ("fingers",)

    def within(self, window: Window) -> Self:
        return replace(self, mean=self.mean[window.hands], information=self.information[window.hands])

    def linearise(self, at: Evaluation) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        angles = at.state.hands.angles
        residual = (angles - self.mean) * self.information
        return np.arange(len(angles)), ROOT + np.arange(angles.shape[1]), residual, self.information
