"""What a cost is, and the kinds there are. A new cost is one of these kinds plus a finite-difference test.

Residuals are whitened (divided by their standard deviation, or multiplied by an information's square root), so a cost's
value is half a sum of squares in units of one deviation, and the Gauss-Newton matrix is an information matrix.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from ..kernels import QUADRATIC, GemanMcClure, Kernel
from ..layout import Layout, Track, Window
from ..system import PointTerms, System

if TYPE_CHECKING:
    from ..evaluation import Evaluation


@dataclass(frozen=True, kw_only=True)
class Cost:
    """A declared cost.

    Attributes:
        name: stable, for tables.
        touches: the variables that its residual depends on: wrists, fingers, camera; betas, scale, focal, offsets.
        evidence: names of the arrays that a residual is proportional to, where it comes from one frame's picture.
        kernel: the robust kernel on each row's squared norm.
    """

    name: ClassVar[str]
    touches: ClassVar[tuple[str, ...]]
    evidence: ClassVar[tuple[str, ...]] = ()
    kernel: Kernel = QUADRATIC

    def residuals(self, at: Evaluation) -> np.ndarray:
        """(rows, m) whitened residuals; the kernel takes each row's norm."""
        raise NotImplementedError

    def value(self, at: Evaluation) -> float:
        """The cost: half the sum of the kernel's squares."""
        rows = self.residuals(at)
        return float(self.kernel.energy((rows * rows).sum(-1)).sum())

    def add_to(self, system: System, at: Evaluation) -> None:
        """Add gradient and Gauss-Newton matrix."""
        raise NotImplementedError

    def within(self, window: Window) -> Self | None:
        """The cost on a window's variables alone; None when nothing of it lies there."""
        return self

    def discounted(self, repeats: float) -> Self:
        """The cost if ``repeats`` neighbouring frames were one observation: less information, same robust weights."""
        if not self.evidence:
            return self
        root = np.sqrt(repeats)
        kernel = GemanMcClure(self.kernel.scale / root) if isinstance(self.kernel, GemanMcClure) else self.kernel
        return replace(self, kernel=kernel, **{name: getattr(self, name) / root for name in self.evidence})

    def relaxed(self, factor: float) -> Self:
        """The cost with its robust kernel ``factor`` times as wide (graduated non-convexity)."""
        if isinstance(self.kernel, GemanMcClure):
            return replace(self, kernel=GemanMcClure(self.kernel.scale * factor))
        return self


class PointCost(Cost):
    """Kind 1, joint space: each row depends on one landmark, and perhaps on the camera.

    Only 3 x 3 blocks per landmark are formed here; the problem pulls the sum over all such costs back through the hand
    once, so a further positional term needs no new Jacobian code.
    """

    def terms(self, at: Evaluation, track: Track, hands: slice) -> PointTerms | None:
        """The terms of consecutive hand-frames of one track; None when there is no row there."""
        raise NotImplementedError

    def add_to(self, system: System, at: Evaluation) -> None:
        add_point_costs([self], system, at)


# hand-frames that are pulled back together: their Jacobians stay in the processor's cache, memory stays bounded
_CHUNK = 64


def add_point_costs(costs: list[PointCost], system: System, at: Evaluation) -> None:
    """Add all joint-space costs with one pull-back."""
    for index, hands in chunks(at.layout):
        track = at.layout.tracks[index]
        parts = [part for cost in costs if (part := cost.terms(at, track, hands)) is not None]
        if parts:
            total = parts[0]
            for part in parts[1:]:
                total = total + part
            system.add_points(track, hands, total, at.jacobians(index, hands, at.skeletons))


def chunks(layout: Layout) -> Iterator[tuple[int, slice]]:
    """Indices of tracks that are not idle, with slices of their hand-frames, small enough for the cache."""
    for index, track in enumerate(layout.tracks):
        if index in layout.idle:
            continue
        for start in range(track.packed, track.packed + track.count, _CHUNK):
            yield index, slice(start, min(start + _CHUNK, track.packed + track.count))


class HandCost(Cost):
    """Kind 2, linear in one hand-frame's own columns, one residual per column."""

    def linearise(self, at: Evaluation) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Hand-frames (m,), columns (c,), residuals (m, c), their diagonal Jacobian (m, c)."""
        raise NotImplementedError

    def residuals(self, at: Evaluation) -> np.ndarray:
        return self.linearise(at)[2].reshape(-1, 1)

    def add_to(self, system: System, at: Evaluation) -> None:
        hands, columns, residual, slope = self.linearise(at)
        weight = self.kernel.weight(residual * residual)
        system.add_hand_diagonal(hands, columns, weight * slope * slope)
        system.add_hand_gradient(hands, columns, weight * slope * residual)


@dataclass(frozen=True)
class Stencil:
    """Residuals over consecutive frames of one track.

    Attributes:
        hands: (m,) first hand-frame of each row.
        columns: (c,) columns of the hand that take part, the same in each frame.
        residual: (m, c).
        slopes: one (m, c) (diagonal) or (m, c, c) array per frame, first to last: d residual / d columns.
        by_shape: (m, c, 10) derivative by betas, or None. by_scale: (m, c) derivative by the log scale, or None.
    """

    hands: np.ndarray
    columns: np.ndarray
    residual: np.ndarray
    slopes: tuple[np.ndarray, ...]
    by_shape: np.ndarray | None = None
    by_scale: np.ndarray | None = None


@dataclass(frozen=True, kw_only=True)
class StencilCost(Cost):
    """Kind 3, over two or three consecutive frames of one track; each row is one vector for the kernel.

    Attributes:
        looseness: (N,) factor on the deviation of the row in whose middle a hand-frame lies; None: 1 for all.
    """

    looseness: np.ndarray | None = None

    def within(self, window: Window) -> Self:
        return self if self.looseness is None else replace(self, looseness=self.looseness[window.hands])

    def eased(self, s: Stencil) -> Stencil:
        """``s`` with its rows divided by ``looseness``."""
        if self.looseness is None or not len(s.hands):
            return s
        factor = 1 / self.looseness[s.hands + 1]
        return Stencil(
            s.hands,
            s.columns,
            s.residual * factor[:, None],
            tuple(slope * factor.reshape(-1, *[1] * (slope.ndim - 1)) for slope in s.slopes),
            None if s.by_shape is None else s.by_shape * factor[:, None, None],
            None if s.by_scale is None else s.by_scale * factor[:, None],
        )

    def linearise(self, at: Evaluation) -> Stencil:
        raise NotImplementedError

    def parts(self, at: Evaluation) -> Iterator[Stencil]:
        """``linearise`` in pieces, where a clip's rows at once would fill the memory."""
        yield self.linearise(at)

    def residuals(self, at: Evaluation) -> np.ndarray:
        return np.concatenate([part.residual for part in self.parts(at)])

    def add_to(self, system: System, at: Evaluation) -> None:
        for part in self.parts(at):
            self._add(system, part)

    def _add(self, system: System, s: Stencil) -> None:
        if not len(s.hands):
            return
        weight = self.kernel.weight((s.residual * s.residual).sum(-1))
        if s.slopes[0].ndim == 2:
            self._add_diagonal(system, s, weight[:, None])
        else:
            self._add_full(system, s, weight[:, None, None])
        border = _stencil_border(system.layout, s)
        if border is not None:
            self._add_border(system, s, weight, *border)

    @staticmethod
    def _add_diagonal(system: System, s: Stencil, weight: np.ndarray) -> None:
        for later, slope in enumerate(s.slopes):
            weighted = weight * slope
            system.add_hand_gradient(s.hands + later, s.columns, weighted * s.residual)
            for earlier in range(later + 1):
                system.add_hand_diagonal(s.hands + earlier, s.columns, weighted * s.slopes[earlier], later - earlier)

    @staticmethod
    def _add_full(system: System, s: Stencil, weight: np.ndarray) -> None:
        for later, slope in enumerate(s.slopes):
            turned = weight * slope.swapaxes(-1, -2)
            system.add_hand_gradient(s.hands + later, s.columns, (turned @ s.residual[..., None])[..., 0])
            for earlier in range(later + 1):
                system.add_hand_blocks(s.hands + earlier, s.columns, turned @ s.slopes[earlier], later - earlier)

    @staticmethod
    def _add_border(system: System, s: Stencil, weight: np.ndarray, used: int, jacobian: np.ndarray) -> None:
        weighted = weight[:, None, None] * jacobian
        flat = weighted.reshape(-1, used)
        columns = slice(0, used)
        system.corner[columns, columns] += jacobian.reshape(flat.shape).T @ flat
        system.border_gradient[columns] += flat.T @ s.residual.reshape(-1)
        for later, slope in enumerate(s.slopes):
            mixed = slope.swapaxes(-1, -2) @ weighted if slope.ndim == 3 else slope[..., None] * weighted
            system.add_hand_border(s.hands + later, s.columns, columns, mixed)


def _stencil_border(layout: Layout, s: Stencil) -> tuple[int, np.ndarray] | None:
    """Derivative (m, c, used) of a stencil by the first ``used`` border columns: shapes, then the scale."""
    shaped, scaled = s.by_shape is not None and layout.shape_free, s.by_scale is not None and layout.scale_free
    if not (shaped or scaled):
        return None
    used = layout.border["scale"].stop
    out = np.zeros((*s.residual.shape, used))
    if shaped:
        for index, track in enumerate(layout.tracks):
            mine = layout.track_of[s.hands] == index
            out[mine, :, layout.betas_columns(track)] = s.by_shape[mine]
    if scaled:
        out[..., layout.border["scale"].start] = s.by_scale
    return used, out


@dataclass(frozen=True)
class Rows:
    """Rows that depend on one hand-frame, any number of its columns at once.

    Attributes:
        hands: (m,) hand-frames, each named once.
        residual: (m, r). by_hand: (m, r, d). by_shape: (m, r, 10).
    """

    hands: np.ndarray
    residual: np.ndarray
    by_hand: np.ndarray
    by_shape: np.ndarray


class RowsCost(Cost):
    """Kind 1 for many points that share a mean, or lie on the skin: r rows on one hand-frame, dense in its columns."""

    def linearise(self, at: Evaluation, index: int, hands: slice) -> Rows | None:
        """Rows of consecutive hand-frames of track ``index``; None when there are none."""
        raise NotImplementedError

    def add_to(self, system: System, at: Evaluation) -> None:
        for index, hands in chunks(at.layout):
            rows = self.linearise(at, index, hands)
            if rows is not None:
                root = np.sqrt(self.kernel.weight(rows.residual**2))
                system.add_rows(at.layout.tracks[index], rows.hands, root * rows.residual,
                                root[..., None] * rows.by_hand, root[..., None] * rows.by_shape)  # fmt: skip


class BorderCost(Cost):
    """Kind 4, on one of the global variables alone."""

    def within(self, window: Window) -> None:
        return None

    def linearise(self, at: Evaluation) -> tuple[str, slice, np.ndarray, np.ndarray]:
        """Name of the border part, columns within it, residuals (r,), Jacobian (r, k)."""
        raise NotImplementedError

    def residuals(self, at: Evaluation) -> np.ndarray:
        return self.linearise(at)[2][:, None]

    def add_to(self, system: System, at: Evaluation) -> None:
        part, within, residual, jacobian = self.linearise(at)
        columns = system.layout.border[part]
        if columns.stop > columns.start:
            system.add_border(slice(columns.start + within.start, columns.start + within.stop), jacobian, residual)


@dataclass(frozen=True)
class Pairs:
    """Rows that join two keypoints of the model, in the same frame or at most two frames apart, or concern one alone.

    Attributes:
        first, second: (m,) hand-frames; second is -1 where the row has one landmark only.
        first_point, second_point: (m,) keypoints 0-20.
        residual: (m, r).
        first_slope, second_slope: (m, r, 3) derivative by the keypoints' world positions.
    """

    first: np.ndarray
    first_point: np.ndarray
    second: np.ndarray
    second_point: np.ndarray
    residual: np.ndarray
    first_slope: np.ndarray
    second_slope: np.ndarray


class PairCost(Cost):
    """Kind 1 for two keypoints: repulsion, touching, holding still, pins. Rows are few: only active ones are given."""

    def pairs(self, at: Evaluation) -> Pairs:
        raise NotImplementedError

    def residuals(self, at: Evaluation) -> np.ndarray:
        return self.pairs(at).residual

    def add_to(self, system: System, at: Evaluation) -> None:
        pairs = self.pairs(at)
        if not len(pairs.first):
            return
        root = np.sqrt(self.kernel.weight((pairs.residual**2).sum(-1)))[:, None]
        residual = root * pairs.residual
        first = _pull_rows(at, pairs.first, pairs.first_point, root[..., None] * pairs.first_slope)
        second = _pull_rows(at, pairs.second, pairs.second_point, root[..., None] * pairs.second_slope)
        _add_rows(system, at.layout, pairs.first, pairs.second, residual, first, second)


def _pull_rows(
    at: Evaluation, hands: np.ndarray, points: np.ndarray, slopes: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Rows by keypoint (m, r, 3) to rows by the hand's columns (m, r, d) and its betas (m, r, 10); -1 gives zeros."""
    m, r, _ = slopes.shape
    by_hand, by_shape = np.zeros((m, r, at.layout.hand_size)), np.zeros((m, r, 10))
    for index, track in enumerate(at.layout.tracks):
        rows = np.flatnonzero((hands >= track.packed) & (hands < track.packed + track.count))
        if not len(rows):
            continue
        needed, where = np.unique(hands[rows], return_inverse=True)
        jacobians = at.jacobians(index, needed, at.bare_skeletons)
        by_hand[rows] = slopes[rows] @ jacobians.dense(where, points[rows], at.layout.hand_size)
        by_shape[rows] = slopes[rows] @ jacobians.shape[where, points[rows]]
    return by_hand, by_shape


def _add_rows(
    system: System,
    layout: Layout,
    first: np.ndarray,
    second: np.ndarray,
    residual: np.ndarray,
    by_first: tuple[np.ndarray, np.ndarray],
    by_second: tuple[np.ndarray, np.ndarray],
) -> None:
    """Add rows on one or two hand-frames, one pair of hand-frames after another."""
    keys = first * (layout.hand_count + 1) + second + 1
    order = np.argsort(keys, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(keys[order])) + 1):
        ends = [(first[rows[0]], by_first)] + ([(second[rows[0]], by_second)] if second[rows[0]] >= 0 else [])
        flat = residual[rows].reshape(-1)
        places = [_place(layout, hand) for hand, _ in ends]
        hand_rows = [by[0][rows].reshape(len(flat), -1) for _, by in ends]
        for (frame, columns), jacobian in zip(places, hand_rows, strict=True):
            system.gradient[frame, columns] += jacobian.T @ flat
            for (other_frame, other_columns), other in zip(places, hand_rows, strict=True):
                if frame >= other_frame:
                    system.band(frame - other_frame)[other_frame, columns, other_columns] += jacobian.T @ other
        if layout.shape_free:
            _add_shape_rows(system, layout, ends, rows, flat, places, hand_rows)


def _place(layout: Layout, hand: int) -> tuple[int, slice]:
    column = int(layout.column_of[hand])
    return int(layout.frame_of[hand]), slice(column, column + layout.hand_size)


def _add_shape_rows(
    system: System,
    layout: Layout,
    ends: list[tuple[int, tuple[np.ndarray, np.ndarray]]],
    rows: np.ndarray,
    flat: np.ndarray,
    places: list[tuple[int, slice]],
    hand_rows: list[np.ndarray],
) -> None:
    jacobian = np.zeros((len(flat), layout.border_size))
    for hand, by in ends:
        betas = layout.betas_columns(layout.tracks[layout.track_of[hand]])
        jacobian[:, betas] += by[1][rows].reshape(len(flat), -1)
    system.corner += jacobian.T @ jacobian
    system.border_gradient += jacobian.T @ flat
    for (frame, columns), hand_jacobian in zip(places, hand_rows, strict=True):
        system.border[frame, columns] += hand_jacobian.T @ jacobian
