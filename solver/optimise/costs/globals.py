"""Priors on what is constant over the clip: shape, size, scale, focal length, landmark offsets."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from ..evaluation import Evaluation, size_of
from ..layout import BETA_COUNT, OFFSET_COUNT
from .base import BorderCost


@dataclass(frozen=True, kw_only=True)
class HeldCost(BorderCost):
    """A variable held the tighter, the longer the clip, lest errors that repeat in every frame outvote what is known.

    Attributes:
        deviation: of the prior in a solve. tightened: what is known is that many times less sure, and stated
            uncertainty goes by that.
    """

    deviation: float
    tightened: float = 1.0

    def discounted(self, repeats: float) -> Self:
        return replace(self, deviation=self.deviation * self.tightened, tightened=1.0)


@dataclass(frozen=True, kw_only=True)
class ShapeCost(HeldCost):
    """Each coefficient of ``shape`` around ``mean`` (10,) with ``deviation``."""

    shape: int
    mean: np.ndarray

    name = "shape"
    touches = ("betas",)

    def linearise(self, at: Evaluation) -> tuple[str, slice, np.ndarray, np.ndarray]:
        residual = (at.state.betas[self.shape] - self.mean) / self.deviation
        return "shape", _columns(self.shape), residual, np.eye(BETA_COUNT) / self.deviation


@dataclass(frozen=True, kw_only=True)
class ShapeLimitCost(HeldCost):
    """Coefficients of ``shape`` beyond ``limit`` (10,) on either side, softly: nobody has such a hand.

    The unit prior of ``ShapeCost`` is worth a few nats, which any systematic error outvotes in a long enough clip.
    """

    shape: int
    limit: np.ndarray

    name = "shape-limit"
    touches = ("betas",)

    def linearise(self, at: Evaluation) -> tuple[str, slice, np.ndarray, np.ndarray]:
        betas = at.state.betas[self.shape]
        beyond = betas - np.clip(betas, -self.limit, self.limit)
        return "shape", _columns(self.shape), beyond / self.deviation, np.diag((beyond != 0) / self.deviation)


@dataclass(frozen=True, kw_only=True)
class HandSizeCost(HeldCost):
    """The logarithm of the hand's size around its start, the one direction of shape that motion could bias.

    The evidence of smoothness grows with the clip, so a fixed prior loses to it sooner or later (25 % at 3,000 frames
    in the prototype): ``deviation`` must shrink with the number of frames.

    Attributes:
        shape: which betas. track: any track with that shape (for its skeleton). log_size: the start's log(metres).
    """

    shape: int
    track: int
    log_size: float

    name = "hand-size"
    touches = ("betas",)

    def linearise(self, at: Evaluation) -> tuple[str, slice, np.ndarray, np.ndarray]:
        size, slope = size_of(at.layout.tracks[self.track].skeleton, at.state.betas[self.shape])
        residual = np.array([(np.log(size) - self.log_size) / self.deviation])
        return "shape", _columns(self.shape), residual, slope[None] / self.deviation


@dataclass(frozen=True, kw_only=True)
class ScaleCost(BorderCost):
    """Metres per unit of the camera's path, as its own evidence (contact, user, mapping) has it."""

    log_scale: float
    deviation: float

    name = "scale"
    touches = ("scale",)

    def linearise(self, at: Evaluation) -> tuple[str, slice, np.ndarray, np.ndarray]:
        residual = np.array([(at.state.log_scale - self.log_scale) / self.deviation])
        return "scale", slice(0, 1), residual, np.array([[1 / self.deviation]])


@dataclass(frozen=True, kw_only=True)
class FocalCost(BorderCost):
    """The focal length's logarithm around the given one."""

    deviation: float

    name = "focal"
    touches = ("focal",)

    def linearise(self, at: Evaluation) -> tuple[str, slice, np.ndarray, np.ndarray]:
        return "focal", slice(0, 1), np.array([at.state.log_focal / self.deviation]), np.array([[1 / self.deviation]])


@dataclass(frozen=True, kw_only=True)
class OffsetsCost(HeldCost):
    """Landmark offsets around the shipped calibration; ``deviation`` in metres."""

    name = "landmark-offsets"
    touches = ("offsets",)

    def linearise(self, at: Evaluation) -> tuple[str, slice, np.ndarray, np.ndarray]:
        residual = at.state.offsets.reshape(-1) / self.deviation
        return "offsets", slice(0, OFFSET_COUNT), residual, np.eye(OFFSET_COUNT) / self.deviation


def _columns(shape: int) -> slice:
    return slice(shape * BETA_COUNT, (shape + 1) * BETA_COUNT)
