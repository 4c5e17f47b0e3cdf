"""How hands move: fingers, wrist position and wrist rotation as integrated Ornstein-Uhlenbeck processes.

The velocity of such a process forgets itself with a time constant tau and wanders with a deviation sigma, so

    x[t+1] - x[t] = rho (x[t] - x[t-1]) + noise,    rho = exp(-dt / tau),    var noise = (sigma dt)^2 (1 - rho^2).

As tau grows this becomes constant velocity. Constants are per second, so the same hand gets the same prior at any
frame rate. Wrist positions are measured in hand sizes: in metres, the optimum would shrink the hand to move it less.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np

from ...hand_model.rotations import log, right_jacobian_inverse
from ...prior.gaps import HingeGaps, WristGaps, conditional_whitener
from ..evaluation import Evaluation
from ..layout import ROOT, SHIFT, TURN, Window
from .base import Stencil, StencilCost

# rows whose dense slopes are in memory at once
_CHUNK = 256


@dataclass(frozen=True)
class Process:
    """A discrete integrated Ornstein-Uhlenbeck process: ``memory`` rho, and the noise's ``deviation`` per frame."""

    memory: np.ndarray
    deviation: np.ndarray


def process(speed: np.ndarray | float, memory_s: float, frame_s: float) -> Process:
    """The process of velocities with deviation ``speed`` (unit per second) and time constant ``memory_s``."""
    rho = np.exp(-frame_s / memory_s)
    return Process(np.float64(rho), np.asarray(speed, float) * frame_s * np.sqrt(1 - rho * rho))


@dataclass(frozen=True, kw_only=True)
class WristCost(StencilCost):
    """Of the wrist's motion. ``gaps``: how it moves where nothing is seen of the hand; by the middle frame of a row."""

    process: Process
    gaps: WristGaps | None = None

    def within(self, window: Window) -> Self:
        out = super().within(window)
        return out if self.gaps is None else replace(out, gaps=self.gaps.of(window.hands))

    def moving(self, hands: np.ndarray) -> Process:
        """The process of each row: (m, 1), or scalars without gaps."""
        if self.gaps is None:
            return self.process
        memory, looseness = (values[hands + 1, None] for values in (self.gaps.memory, self.gaps.looseness))
        return Process(memory, self.process.deviation * looseness)


@dataclass(frozen=True, kw_only=True)
class FingerDynamicsCost(StencilCost):
    """The hinges. ``process.deviation`` is (hinges,) rad; each moves by itself unless ``together`` says otherwise.

    Attributes:
        together: (hinges, hinges) W with ``W' W`` the inverse of the correlation between the hinges' innovations; None
            for none.
        gaps: what is hidden, and how freely it moves; by the middle frame of a row. None: nothing is. ``frame_s``:
            seconds per frame, for its memory.
    """

    process: Process
    together: np.ndarray | None = None
    gaps: HingeGaps | None = None
    frame_s: float = 1 / 30

    name = "finger-dynamics"
    touches = ("fingers",)

    def linearise(self, at: Evaluation) -> Stencil:
        return self._rows(at, at.layout.runs(3))

    def parts(self, at: Evaluation) -> Iterator[Stencil]:
        hands = at.layout.runs(3)
        for first in range(0, max(len(hands), 1), _CHUNK):
            yield self._rows(at, hands[first : first + _CHUNK])

    def _rows(self, at: Evaluation, hands: np.ndarray) -> Stencil:
        angles = at.state.hands.angles
        columns = ROOT + np.arange(angles.shape[1])
        rho, root = self.memory(hands), self.root(hands)
        innovation = _innovation(angles, hands, rho)
        if root.ndim == 1:
            residual = innovation * root
            slopes = tuple(np.broadcast_to(c * root, residual.shape) for c in (rho, -(1 + rho), 1.0))
            return self.eased(Stencil(hands, columns, residual, slopes))
        residual = (root @ innovation[..., None])[..., 0]
        by_frame = (rho, -(1 + rho), np.ones_like(rho))
        slopes = tuple(np.broadcast_to(root * c[..., None, :], (*residual.shape, len(columns))) for c in by_frame)
        return self.eased(Stencil(hands, columns, residual, slopes))

    def within(self, window: Window) -> Self:
        out = super().within(window)
        return out if self.gaps is None else replace(out, gaps=self.gaps.of(window.hands))

    def memory(self, hands: np.ndarray) -> np.ndarray:
        """(hinges,), or (m, hinges) where there are gaps."""
        usual = np.broadcast_to(self.process.memory, self.process.deviation.shape)
        if self.gaps is None:
            return usual
        return np.where(self.gaps.hidden[hands + 1], np.exp(-self.frame_s / self.gaps.memory_s[hands + 1]), usual)

    @cached_property
    def _patterns(self) -> np.ndarray:
        """(k, hinges, hinges): a whitener for each pattern of hidden hinges."""
        usual = np.eye(len(self.process.deviation)) if self.together is None else self.together
        return np.stack([conditional_whitener(usual, hidden) for hidden in self.gaps.patterns[0]])

    def root(self, hands: np.ndarray) -> np.ndarray:
        """What innovations are whitened by: (hinges,), (hinges, hinges) or (m, hinges, hinges)."""
        inverse = 1 / self.process.deviation
        if self.gaps is None:
            return inverse if self.together is None else self.together * inverse
        middle = hands + 1
        louder = np.sqrt((1 - self.memory(hands) ** 2) / (1 - self.process.memory**2))
        scale = np.where(self.gaps.hidden[middle], self.gaps.looseness[middle] * louder, 1.0)
        return self._patterns[self.gaps.patterns[1][middle]] * inverse / scale[..., None]


@dataclass(frozen=True, kw_only=True)
class WristPositionCost(WristCost):
    """The wrist joint's path in the world. ``process.deviation`` is in hand sizes.

    The path is the one that the wrist would have if the camera's path still had its starting scale, so that smoothness
    has no say in the scale: hands mostly travel with the camera, and the calmest world is the one without travel.

    Nor has it a say where that scale is a guess. A path that is off by a factor ``1 + d`` adds ``d`` times the camera's
    own innovation to the wrist's, so with ``d`` of deviation ``scale_deviation`` a row is less sure by that much along
    that vector (the unknown marginalised, to first order, each row by itself). Hands held by a camera that is not sure
    of its scale would otherwise grow, shrink and leave their landmarks to undo its motion.

    ``in_metres`` measures the actual path in metres of the mean hand instead, as is usual. It is kept because a test
    shows with it what that does to sizes and scale.

    Attributes:
        centre: (T, 3) the camera's path in its own unit, a constant here. log_scale: the scale at the start.
        scale_deviation: relative error (one sigma) of that path.
    """

    centre: np.ndarray
    log_scale: float = 0.0
    scale_deviation: float = 0.0
    in_metres: bool = False

    name = "wrist-position"
    touches = ("wrists", "betas", "scale")

    def linearise(self, at: Evaluation) -> Stencil:
        layout, scale = at.layout, np.exp(at.state.log_scale)
        hands = layout.runs(3)
        tracks, moving = layout.track_of[hands], self.moving(hands)
        rho = moving.memory
        centre = self.centre[layout.frame_of]
        travel = 0.0 if self.in_metres else (scale - np.exp(self.log_scale)) * centre
        # deviation of the process alone; what the camera's scale adds; both, along the camera's innovation
        own = self._unit(at)[tracks, None] * moving.deviation * self._loose(hands)
        carried = _innovation(centre, hands, rho)
        doubt = self.scale_deviation * np.exp(self.log_scale) * np.linalg.norm(carried, axis=-1, keepdims=True)
        both = np.hypot(own, doubt)
        along = carried / np.maximum(np.linalg.norm(carried, axis=-1, keepdims=True), 1e-300)

        def whitened(vector: np.ndarray) -> np.ndarray:
            return vector / own + along * ((along * vector).sum(-1, keepdims=True) * (1 / both - 1 / own))

        residual = whitened(_innovation(at.state.hands.wrist - travel, hands, rho))
        columns = np.arange(SHIFT.start, SHIFT.stop)
        coefficients = (rho, -(1 + rho), 1.0)
        if self.scale_deviation:
            outer = along[:, :, None] * along[:, None, :]
            root = np.eye(3) / own[..., None] + outer * (1 / both - 1 / own)[..., None]
            slopes = tuple(np.asarray(c)[..., None] * root for c in coefficients)
        else:
            slopes = tuple(np.broadcast_to(c / own, residual.shape) for c in coefficients)
        if self.in_metres:
            return Stencil(hands, columns, residual, slopes)
        lengthwise = along * (along * residual).sum(-1, keepdims=True)
        by_size = -(residual - lengthwise) - lengthwise * (own / both) ** 2
        by_shape = by_size[..., None] * at.hand_size_slope[tracks][:, None]
        by_scale = -scale * whitened(carried)
        return Stencil(hands, columns, residual, slopes, by_shape, by_scale)

    def _loose(self, hands: np.ndarray) -> np.ndarray | float:
        return 1.0 if self.looseness is None else self.looseness[hands + 1, None]

    def within(self, window: Window) -> Self:
        return replace(super().within(window), centre=self.centre[window.frames])

    def _unit(self, at: Evaluation) -> np.ndarray:
        if self.in_metres:
            return np.array([track.skeleton.length[0] for track in at.layout.tracks])
        return at.hand_size


def _innovation(path: np.ndarray, hands: np.ndarray, rho: np.ndarray) -> np.ndarray:
    """What the process does not foresee, at the third of three consecutive hand-frames; ``rho`` spreads over (m, c)."""
    return path[hands + 2] - (1 + rho) * path[hands + 1] + rho * path[hands]


@dataclass(frozen=True, kw_only=True)
class WristRotationCost(WristCost):
    """The hand's orientation in the world: body-frame angular steps ``w = log(R[t]' R[t+1])``, deviation in rad."""

    name = "wrist-rotation"
    touches = ("wrists",)

    def linearise(self, at: Evaluation) -> Stencil:
        hands, rotation = at.layout.runs(3), at.state.hands.global_orient
        moving = self.moving(hands)
        rho, inverse = moving.memory, 1 / moving.deviation
        before, before_slope = _step(rotation[hands], rotation[hands + 1])
        after, after_slope = _step(rotation[hands + 1], rotation[hands + 2])
        residual = (after - rho * before) * inverse
        before_slope, inverse = rho[..., None] * before_slope, inverse[..., None]
        slopes = (before_slope * inverse, -(after_slope + before_slope) * inverse, after_slope * inverse)
        return self.eased(Stencil(hands, np.arange(TURN.start, TURN.stop), residual, slopes))


def _step(start: np.ndarray, end: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """w = log(start' end) (m, 3), and its derivative (m, 3, 3) by a left turn of ``end`` (minus that: of ``start``)."""
    w = log(np.swapaxes(start, -1, -2) @ end)
    return w, right_jacobian_inverse(w) @ np.swapaxes(end, -1, -2)
