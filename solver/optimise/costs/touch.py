"""Parts of hands that are evidently in touch: they are drawn to each other, and don't slip on each other."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np

from ...prior.capsules import Capsules, closest
from ..evaluation import Evaluation
from ..layout import SHIFT, Window
from ..system import System
from .base import Cost
from .capsule_rows import Side, add_rows, columns_of, on_axes, pairs_of_tracks


@dataclass(frozen=True, eq=False)
class Touches:
    """m rows: two capsules of two hands in one frame, or of one hand.

    Attributes:
        first, second: (m,) hand-frames. first_capsule, second_capsule: (m,).
        first_share, second_share: (m,) where on the axes they touch, 0 to 1.
        run: (m,) which rows are the same touch in other frames; rows of one run are in order.
    """

    first: np.ndarray
    second: np.ndarray
    first_capsule: np.ndarray
    second_capsule: np.ndarray
    first_share: np.ndarray
    second_share: np.ndarray
    run: np.ndarray

    def __len__(self) -> int:
        return len(self.first)

    def take(self, rows: np.ndarray) -> Self:
        return type(self)(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))

    @cached_property
    def steps(self) -> np.ndarray:
        """(k,) rows that are followed by the same touch in the next frame."""
        same = (np.diff(self.run) == 0) & (np.diff(self.first) == 1)
        return np.flatnonzero(same)

    def within(self, window: Window) -> Self | None:
        first, second = window.place[self.first], window.place[self.second]
        inside = np.flatnonzero((first >= 0) & (second >= 0))
        return replace(self.take(inside), first=first[inside], second=second[inside]) if len(inside) else None


@dataclass(frozen=True, kw_only=True)
class TouchCost(Cost):
    """The air between two capsules that touch, over ``deviation`` metres; one-sided: that they don't overlap is
    ``NonPenetrationCost``'s. The picture knows well where hands are across the viewing ray, so that it is along the ray
    that this draws. The robust kernel lets go where the picture says otherwise.

    ``capsules``, ``growth``: as ``NonPenetrationCost`` has them; like it this has no say in the hands' shape.
    ``held``: metres of air that parts of one hand may have for nothing: a rim, a pen, a card may be between them.
    """

    capsules: tuple[Capsules, ...]
    growth: np.ndarray
    touches_of: Touches
    deviation: float
    held: float = 0.0

    name = "touch"
    touches = ("wrists", "fingers")

    def within(self, window: Window) -> Self | None:
        return _in_window(self, window)

    def residuals(self, at: Evaluation) -> np.ndarray:
        out = np.zeros((len(self.touches_of), 1))
        for tracks, rows in pairs_of_tracks(at.layout, self.touches_of.first, self.touches_of.second):
            out[rows, 0] = self._gaps(at, tracks, rows)[0]
        return out

    def _gaps(self, at: Evaluation, tracks: tuple[int, int], rows: np.ndarray) -> tuple[np.ndarray, ...]:
        """Residuals (m,) and, as ``closest``, direction and shares."""
        t, (one, other) = self.touches_of.take(rows), (self.capsules[track] for track in tracks)
        i, j = t.first_capsule, t.second_capsule
        start, stop = (part[np.arange(len(i)), i] for part in one.axes(at.keypoints[t.first]))
        other_start, other_stop = (part[np.arange(len(j)), j] for part in other.axes(at.keypoints[t.second]))
        distance, direction, s, u = closest(start, stop, other_start, other_stop)
        reach = self.growth[tracks[0]] * one.radius[i] + self.growth[tracks[1]] * other.radius[j]
        free = reach + self.held * (tracks[0] == tracks[1])
        return np.maximum(distance - free, 0) / self.deviation, direction, s, u

    def add_to(self, system: System, at: Evaluation) -> None:
        for tracks, rows in pairs_of_tracks(at.layout, self.touches_of.first, self.touches_of.second):
            residual, direction, s, u = self._gaps(at, tracks, rows)
            apart = residual > 0
            if apart.any():
                kept = self.touches_of.take(rows[apart])
                self._add(system, at, tracks, kept, residual[apart], direction[apart], (s[apart], u[apart]))

    def _add(self, system, at, tracks, t: Touches, residual, direction, shares) -> None:
        root = np.sqrt(self.kernel.weight(residual * residual))
        slope = (root / self.deviation)[:, None] * direction
        slopes = (
            Side.of(at, tracks[0], t.first).rows(self.capsules[tracks[0]], t.first_capsule, shares[0], slope),
            Side.of(at, tracks[1], t.second).rows(self.capsules[tracks[1]], t.second_capsule, shares[1], -slope),
        )
        add_rows(system, at.layout, tracks, at.layout.frame_of[t.first], root * residual, slopes)


@dataclass(frozen=True, kw_only=True)
class NoSlipCost(Cost):
    """How much the vector between two points in touch, one on each axis, changes from one frame to the next, over
    ``deviation`` metres. Axes lie a finger's width apart, so that hands which turn together slip a little by this."""

    capsules: tuple[Capsules, ...]
    touches_of: Touches
    deviation: float

    name = "no-slip"
    touches = ("wrists", "fingers")

    def within(self, window: Window) -> Self | None:
        return _in_window(self, window)

    def residuals(self, at: Evaluation) -> np.ndarray:
        t, apart = self.touches_of, np.zeros((len(self.touches_of), 3))
        for tracks, rows in pairs_of_tracks(at.layout, t.first, t.second):
            part, (one, other) = t.take(rows), (self.capsules[track] for track in tracks)
            apart[rows] = on_axes(one, at.keypoints[part.first], part.first_capsule, part.first_share) - on_axes(
                other, at.keypoints[part.second], part.second_capsule, part.second_share
            )
        return (apart[t.steps + 1] - apart[t.steps]) / self.deviation

    def add_to(self, system: System, at: Evaluation) -> None:
        t, residual = self.touches_of, self.residuals(at)
        root = np.sqrt(self.kernel.weight((residual * residual).sum(-1)))
        runs = t.run[t.steps]
        for run in np.unique(runs):
            rows = np.flatnonzero(runs == run)
            before = t.steps[rows]
            tracks = tuple(int(at.layout.track_of[hands[before[0]]]) for hands in (t.first, t.second))
            scale = (root[rows] / self.deviation)[:, None, None]
            early, late = (self._slopes(at, tracks, t.take(before + after), scale) for after in (0, 1))
            _add_steps(system, at.layout.frame_of[t.first[before]], root[rows, None] * residual[rows], early, late)

    def _slopes(self, at: Evaluation, tracks, t: Touches, scale: np.ndarray) -> list[tuple[slice, np.ndarray]]:
        """(columns, (m, 3, d)) of each track."""
        one = Side.of(at, tracks[0], t.first).points(self.capsules[tracks[0]], t.first_capsule, t.first_share)
        other = Side.of(at, tracks[1], t.second).points(self.capsules[tracks[1]], t.second_capsule, t.second_share)
        own = columns_of(at.layout, tracks[0])
        if tracks[0] == tracks[1]:
            return [(own, scale * (one - other))]
        return [(own, scale * one), (columns_of(at.layout, tracks[1]), -scale * other)]


@dataclass(frozen=True, kw_only=True)
class RelativeWristCost(Cost):
    """How much one wrist moves about the other from one frame to the next while hands touch, over ``deviation`` metres.

    ``first``, ``second``: (m,) hand-frames of two tracks in one frame, both of which have a next one; a pair once.
    """

    first: np.ndarray
    second: np.ndarray
    deviation: float

    name = "relative-wrist"
    touches = ("wrists",)

    def within(self, window: Window) -> Self | None:
        places = [window.place[hands + after] for hands in (self.first, self.second) for after in (0, 1)]
        inside = np.flatnonzero((np.array(places) >= 0).all(0))
        if not len(inside):
            return None
        return replace(self, first=places[0][inside], second=places[2][inside])

    def residuals(self, at: Evaluation) -> np.ndarray:
        wrist = at.state.hands.wrist
        before, after = (wrist[self.second + k] - wrist[self.first + k] for k in (0, 1))
        return (after - before) / self.deviation

    def add_to(self, system: System, at: Evaluation) -> None:
        residual = self.residuals(at)
        root = np.sqrt(self.kernel.weight((residual * residual).sum(-1)))
        for tracks, rows in pairs_of_tracks(at.layout, self.first, self.second):
            slope = np.zeros((len(rows), 3, at.layout.hand_size))
            slope[:, :, SHIFT] = (root[rows] / self.deviation)[:, None, None] * np.eye(3)
            sides = [(columns_of(at.layout, track), sign * slope) for track, sign in zip(tracks, (-1, 1), strict=True)]
            frames = at.layout.frame_of[self.first[rows]]
            _add_steps(system, frames, root[rows, None] * residual[rows], sides, sides)


def _add_steps(system: System, frames: np.ndarray, residual: np.ndarray, early, late) -> None:
    """Residuals (m, 3) that are ``late``'s at ``frames + 1`` less ``early``'s at ``frames``, each named once."""
    for sign, after, slopes in ((-1, 0, early), (1, 1, late)):
        for own, block in slopes:
            turned = block.swapaxes(1, 2)
            system.gradient[frames + after, own] += sign * (turned @ residual[..., None])[..., 0]
            for second, other in slopes:
                system.diagonal[frames + after, own, second] += turned @ other
    for own, block in late:
        for second, other in early:
            system.first[frames, own, second] -= block.swapaxes(1, 2) @ other


def _in_window(cost, window: Window):
    """The cost on the tracks and rows that lie in the window; None without any."""
    inside = cost.touches_of.within(window)
    if inside is None:
        return None
    parts = {name: getattr(cost, name)[window.tracks] for name in ("growth",) if hasattr(cost, name)}
    return replace(cost, touches_of=inside, capsules=tuple(cost.capsules[k] for k in window.tracks), **parts)
