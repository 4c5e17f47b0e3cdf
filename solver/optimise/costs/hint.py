"""The landmark net's own depths: weak, but they know which side of the palm faces the camera."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from ..evaluation import Evaluation
from ..layout import ROOT, Window
from .base import Rows, RowsCost


@dataclass(frozen=True, kw_only=True)
class DepthHintCost(RowsCost):
    """Depth of each landmark along the viewing ray, relative to the landmarks' centroid, against the net's.

    The net's x and y repeat the image landmarks and are not counted twice.

    Attributes:
        ray: (N, 3) unit viewing direction in the world. It is a constant: a hint is no measurement of the camera.
        depth: (N, 21) the net's centred depths over their deviation; 0 where unknown.
        information: (N, 21) 1/m: the inverse deviation; 0 where unknown.
    """

    ray: np.ndarray
    depth: np.ndarray
    information: np.ndarray

    name = "depth-hint"
    touches = ("wrists", "fingers", "betas")
    evidence = ("information", "depth")

    def within(self, window: Window) -> Self:
        hands = window.hands
        return replace(self, ray=self.ray[hands], depth=self.depth[hands], information=self.information[hands])

    def residuals(self, at: Evaluation) -> np.ndarray:
        return self._residual(at, slice(None)).reshape(-1, 1)

    def _share(self, hands: slice) -> np.ndarray:
        known = self.information[hands] > 0
        return known / np.maximum(known.sum(1, keepdims=True), 1)

    def _residual(self, at: Evaluation, hands: slice) -> np.ndarray:
        depth = (at.given_points[hands] * self.ray[hands, None]).sum(-1)
        centred = depth - (self._share(hands) * depth).sum(1, keepdims=True)
        return centred * self.information[hands] - self.depth[hands]

    def linearise(self, at: Evaluation, index: int, hands: slice) -> Rows | None:
        information = self.information[hands]
        if not information.any():
            return None
        jacobians, ray = at.jacobians(index, hands, at.given_skeletons), self.ray[hands]
        n = len(ray)
        by_hand = np.zeros((n, 21, at.layout.hand_size))
        by_hand[:, 0, :ROOT] = (ray[:, None] @ jacobians.wrist)[:, 0]
        along = np.einsum("ni,nfpic->nfpc", ray, jacobians.fingers)
        by_hand[:, 1:, :ROOT] = along[..., :ROOT].reshape(n, 20, ROOT)
        for finger, own in enumerate(jacobians.columns.slices):
            by_hand[:, 1 + 4 * finger : 5 + 4 * finger, own] = along[:, finger, :, ROOT : ROOT + own.stop - own.start]
        shape = jacobians.shape if at.layout.shape_free else np.zeros((n, 21, 3, 0))
        by_shape = (ray[:, None, None] @ shape)[:, :, 0]
        share = self._share(hands)[:, None]
        scale = information[..., None]
        return Rows(
            np.arange(hands.start, hands.stop),
            self._residual(at, hands),
            scale * (by_hand - share @ by_hand),
            scale * (by_shape - share @ by_shape),
        )
