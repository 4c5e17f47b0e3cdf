"""The Gauss-Newton system that costs add themselves to: frame blocks in a band, a border of global variables."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from .kinematics import Jacobians
from .layout import BETA_COUNT, CAMERA_SIZE, ROOT, Layout, Track

VIEW_SIZE = 8  # camera turn 3, camera centre 3, log scale, log focal


@dataclass(frozen=True)
class PointTerms:
    """What joint-space costs say about the landmarks of n hands, before it is pulled back through the hand.

    Attributes:
        gradient: (n, 21, 3) by the landmark's world position. hessian: (n, 21, 3, 3).
        view_coupling: (n, 21, 3, 8) mixed with camera turn, centre, log scale, log focal; None when none is free.
        view_hessian: (n, 8, 8), view_gradient: (n, 8), summed over landmarks; None likewise.
    """

    gradient: np.ndarray
    hessian: np.ndarray
    view_coupling: np.ndarray | None = None
    view_hessian: np.ndarray | None = None
    view_gradient: np.ndarray | None = None

    def __add__(self, other: PointTerms) -> PointTerms:
        return PointTerms(
            self.gradient + other.gradient,
            self.hessian + other.hessian,
            _sum(self.view_coupling, other.view_coupling),
            _sum(self.view_hessian, other.view_hessian),
            _sum(self.view_gradient, other.view_gradient),
        )


def _sum(a: np.ndarray | None, b: np.ndarray | None) -> np.ndarray | None:
    if a is None or b is None:
        return b if a is None else a
    return a + b


class System:
    """``[[H, B], [B', C]]`` and its gradient, with the frame blocks of ``banded``: ``diagonal``, ``first``, ``second``
    (T, D, D), ``border`` (T, D, b), ``corner`` (b, b), ``gradient`` (T, D), ``border_gradient`` (b,).

    The arrays live as long as the object; ``clear`` empties them for the next linearisation.
    """

    def __init__(self, layout: Layout) -> None:
        t, d, b = layout.frame_count, layout.block_size, layout.border_size
        self.layout = layout
        self.diagonal, self.first, self.second = (np.zeros((t, d, d)) for _ in range(3))
        self.border, self.corner = np.zeros((t, d, b)), np.zeros((b, b))
        self.gradient, self.border_gradient = np.zeros((t, d)), np.zeros(b)

    def clear(self) -> None:
        for array in (self.diagonal, self.first, self.second, self.border, self.corner):
            array.fill(0)
        self.gradient.fill(0)
        self.border_gradient.fill(0)

    def band(self, offset: int) -> np.ndarray:
        """Blocks H[t + offset, t]."""
        return (self.diagonal, self.first, self.second)[offset]

    def add_hand_diagonal(self, hands: np.ndarray, columns: np.ndarray, values: np.ndarray, offset: int = 0) -> None:
        """Add ``values`` (m, c) at (column, column) between hand-frames ``hands`` (m,) and ``hands + offset``."""
        frame = self.layout.frame_of[hands][:, None]
        column = self.layout.column_of[hands][:, None] + columns
        np.einsum("tii->ti", self.band(offset))[frame, column] += values

    def add_hand_gradient(self, hands: np.ndarray, columns: np.ndarray, values: np.ndarray) -> None:
        """Add ``values`` (m, c) to the gradient at ``columns`` of hand-frames ``hands`` (m,), each named once."""
        frame = self.layout.frame_of[hands][:, None]
        self.gradient[frame, self.layout.column_of[hands][:, None] + columns] += values

    def add_hand_blocks(self, hands: np.ndarray, columns: np.ndarray, blocks: np.ndarray, offset: int = 0) -> None:
        """Add (m, c, c) blocks: rows of hand-frame ``hands + offset``, columns of ``hands``, both at ``columns``, which
        rise by one."""
        band = self.band(offset)
        for part in self._runs(hands):  # slices are several times as fast as lists of indices
            frame, slot = self.layout.frame_of[hands[part.start]], self.layout.column_of[hands[part.start]]
            own = slice(slot + columns[0], slot + columns[-1] + 1)
            band[frame : frame + part.stop - part.start, own, own] += blocks[part]

    def _runs(self, hands: np.ndarray) -> Iterator[slice]:
        """The parts of ``hands`` (m,) that are consecutive frames of one track."""
        same = (np.diff(hands) == 1) & (np.diff(self.layout.track_of[hands]) == 0)
        edges = [0, *(np.flatnonzero(~same) + 1), len(hands)]
        return (slice(start, stop) for start, stop in itertools.pairwise(edges) if stop > start)

    def add_hand_border(self, hands: np.ndarray, columns: np.ndarray, border: slice, blocks: np.ndarray) -> None:
        """Add (m, c, k) blocks between hand-frames' ``columns`` and the border columns ``border``."""
        frame = self.layout.frame_of[hands][:, None, None]
        column = (self.layout.column_of[hands][:, None] + columns)[:, :, None]
        self.border[frame, column, np.arange(border.start, border.stop)] += blocks

    def add_camera(self, gradient: np.ndarray, hessian: np.ndarray, frames: slice, offset: int = 0) -> None:
        """Add (m, 6, 6) blocks of the camera in consecutive ``frames`` and, at offset 0, its (m, 6) gradient."""
        camera = self.layout.camera
        self.band(offset)[frames, camera, camera] += hessian
        if offset == 0:
            self.gradient[frames, camera] += gradient

    def add_camera_scale(
        self, mixed: np.ndarray, frames: slice, by_scale: np.ndarray | None = None, residual: np.ndarray | None = None
    ) -> None:
        """Add (m, 6) blocks between the camera and the log scale and, if given, rows' derivatives and residuals."""
        columns = self.layout.border["scale"]
        if not self.layout.scale_free:
            return
        self.border[frames, self.layout.camera, columns.start] += mixed
        if by_scale is not None:
            self.corner[columns, columns] += (by_scale * by_scale).sum()
            self.border_gradient[columns] += (by_scale * residual).sum()

    def add_border(self, columns: slice, jacobian: np.ndarray, residual: np.ndarray) -> None:
        """Add residuals (r,) with Jacobian (r, k) on border columns alone."""
        self.corner[columns, columns] += jacobian.T @ jacobian
        self.border_gradient[columns] += jacobian.T @ residual

    def add_points(self, track: Track, hands: slice, terms: PointTerms, jacobians: Jacobians) -> None:
        """Pull joint-space terms of consecutive hand-frames of one track back through the hand, once for all costs."""
        size = self.layout.hand_size
        start = track.start + hands.start - track.packed
        frames = slice(start, start + hands.stop - hands.start)
        own = slice(track.slot * size, (track.slot + 1) * size)
        shape = jacobians.shape if self.layout.shape_free else np.zeros((*terms.gradient.shape, 0))
        shaped = terms.hessian @ shape
        extras = [terms.gradient[..., None], shaped]
        if terms.view_coupling is not None:
            extras.append(terms.view_coupling)
        pulled = _pull_back(terms.hessian, np.concatenate(extras, axis=-1), jacobians, size)
        self.diagonal[frames, own, own] += pulled[:, :, :size]
        self.gradient[frames, own] += pulled[:, :, size]
        by_shape, by_view = np.split(pulled[:, :, size + 1 :], [shape.shape[-1]], axis=-1)
        betas = self.layout.betas_columns(track)
        if self.layout.shape_free:
            flat = shape.reshape(-1, BETA_COUNT)
            self.border[frames, own, betas] += by_shape
            self.corner[betas, betas] += flat.T @ shaped.reshape(-1, BETA_COUNT)
            self.border_gradient[betas] += flat.T @ terms.gradient.reshape(-1)
        if terms.view_coupling is not None:
            self._add_view(frames, own, betas, by_view, terms, jacobians)
        if self.layout.offsets_free:
            self._add_offsets(frames, own, betas, self.layout.border["offsets"], terms, jacobians)

    def add_rows(
        self, track: Track, hands: np.ndarray, residual: np.ndarray, by_hand: np.ndarray, by_shape: np.ndarray
    ) -> None:
        """Add residuals (m, r) on hand-frames (m,) of one track with derivatives (m, r, d) and (m, r, 10)."""
        frames = self.layout.frame_of[hands]
        own = slice(track.slot * self.layout.hand_size, (track.slot + 1) * self.layout.hand_size)
        turned = by_hand.swapaxes(-1, -2)
        self.diagonal[frames, own, own] += turned @ by_hand
        self.gradient[frames, own] += (turned @ residual[..., None])[..., 0]
        if self.layout.shape_free:
            betas = self.layout.betas_columns(track)
            flat = by_shape.reshape(-1, BETA_COUNT)
            self.border[frames, own, betas] += turned @ by_shape
            self.corner[betas, betas] += flat.T @ flat
            self.border_gradient[betas] += flat.T @ residual.reshape(-1)

    def _add_view(
        self, frames: slice, own: slice, betas: slice, by_view: np.ndarray, terms: PointTerms, jacobians: Jacobians
    ) -> None:
        """Camera, scale and focal against the hand, the shape and one another."""
        camera = self.layout.camera
        local, columns = self._global_view()
        self.border[frames, own, columns] += by_view[..., local]
        self.corner[columns, columns] += terms.view_hessian[:, local, local].sum(0)
        self.border_gradient[columns] += terms.view_gradient[:, local].sum(0)
        if self.layout.shape_free:
            shape_view = _transposed(jacobians.shape) @ _rows(terms.view_coupling)
            mixed = shape_view[..., local].sum(0)
            self.corner[betas, columns] += mixed
            self.corner[columns, betas] += mixed.T
        if not self.layout.camera_free:
            return
        turn = slice(0, CAMERA_SIZE)
        self.diagonal[frames, own, camera] += by_view[..., turn]
        self.diagonal[frames, camera, own] += by_view[..., turn].swapaxes(1, 2)
        self.diagonal[frames, camera, camera] += terms.view_hessian[:, turn, turn]
        self.gradient[frames, camera] += terms.view_gradient[:, turn]
        self.border[frames, camera, columns] += terms.view_hessian[:, turn, local]
        if self.layout.shape_free:
            self.border[frames, camera, betas] += shape_view[..., turn].swapaxes(1, 2)

    def _global_view(self) -> tuple[slice, slice]:
        """Which of the view's last two variables are free: in its own numbering, and in the border's."""
        scale, focal = self.layout.border["scale"], self.layout.border["focal"]
        first = CAMERA_SIZE + (not self.layout.scale_free)
        last = VIEW_SIZE - (not self.layout.focal_free)
        return slice(first, max(first, last)), slice(scale.start, focal.stop)

    def _add_offsets(
        self, frames: slice, own: slice, betas: slice, columns: slice, terms: PointTerms, jacobians: Jacobians
    ) -> None:
        """Landmark offsets: each concerns one landmark alone."""
        n, size = len(terms.gradient), self.layout.hand_size
        by = jacobians.offsets
        mixed = terms.hessian @ by
        self.border[frames, own, columns] += _per_point(mixed, jacobians, size).reshape(n, size, -1)
        self.border_gradient[columns] += np.einsum("nkia,nki->ka", by, terms.gradient).reshape(-1)
        own_block = np.einsum("nkia,nkib->kab", by, mixed)
        points = columns.start + np.arange(21 * 3).reshape(21, 3)
        self.corner[points[:, :, None], points[:, None, :]] += own_block
        if self.layout.shape_free:
            shape = np.einsum("nkia,nkib->akb", jacobians.shape, mixed).reshape(BETA_COUNT, -1)
            self.corner[betas, columns] += shape
            self.corner[columns, betas] += shape.T
        if terms.view_coupling is not None:
            local, globals_ = self._global_view()
            view = np.einsum("nkiv,nkib->nvkb", terms.view_coupling, by).reshape(n, VIEW_SIZE, -1)
            total = view[:, local].sum(0)
            self.corner[globals_, columns] += total
            self.corner[columns, globals_] += total.T
            if self.layout.camera_free:
                self.border[frames, self.layout.camera, columns] += view[:, :CAMERA_SIZE]


def _pull_back(hessian: np.ndarray, extras: np.ndarray, jacobians: Jacobians, size: int) -> np.ndarray:
    """(n, size, size + e): A' hessian A, and A' extras for extras (n, 21, 3, e), with A = d landmarks / d hand."""
    n, e = len(hessian), extras.shape[-1]
    fingers = jacobians.fingers
    width = fingers.shape[-1]
    right = np.concatenate(
        [_times(hessian[:, 1:].reshape(n, 5, 4, 3, 3), fingers), extras[:, 1:].reshape(n, 5, 4, 3, e)], axis=-1
    ).reshape(n, 5, 12, width + e)
    block = np.ascontiguousarray(fingers.reshape(n, 5, 12, width).swapaxes(-1, -2)) @ right
    out = np.zeros((n, size, size + e))
    out[:, :ROOT, :ROOT] = block[:, :, :ROOT, :ROOT].sum(1)
    out[:, :ROOT, size:] = block[:, :, :ROOT, width:].sum(1)
    for finger, mine in enumerate(jacobians.columns.slices):
        own = slice(ROOT, ROOT + mine.stop - mine.start)
        out[:, :ROOT, mine], out[:, mine, :ROOT] = block[:, finger, :ROOT, own], block[:, finger, own, :ROOT]
        out[:, mine, mine], out[:, mine, size:] = block[:, finger, own, own], block[:, finger, own, width:]
    wrist = jacobians.wrist
    turned = wrist.swapaxes(-1, -2)
    out[:, :ROOT, :ROOT] += turned @ (hessian[:, 0] @ wrist)
    out[:, :ROOT, size:] += turned @ extras[:, 0]
    return out


def _per_point(mixed: np.ndarray, jacobians: Jacobians, size: int) -> np.ndarray:
    """(n, size, 21, c): A_k' mixed_k of every landmark by itself, for mixed (n, 21, 3, c)."""
    n, c = len(mixed), mixed.shape[-1]
    out = np.zeros((n, size, 21, c))
    out[:, :ROOT, 0] = jacobians.wrist.swapaxes(-1, -2) @ mixed[:, 0]
    block = jacobians.fingers.swapaxes(-1, -2) @ mixed[:, 1:].reshape(n, 5, 4, 3, c)
    block = np.moveaxis(block, 2, 3)  # (n, 5, columns, 4, c)
    for finger, mine in enumerate(jacobians.columns.slices):
        points = slice(1 + 4 * finger, 5 + 4 * finger)
        out[:, :ROOT, points] = block[:, finger, :ROOT]
        out[:, mine, points] = block[:, finger, ROOT : ROOT + mine.stop - mine.start]
    return out


def _times(small: np.ndarray, wide: np.ndarray) -> np.ndarray:
    """(..., 3, 3) @ (..., 3, k) by broadcast multiply-adds: NumPy's products of tiny matrices are slow."""
    out = np.empty(wide.shape)
    for row in range(3):
        np.multiply(small[..., row, 0, None], wide[..., 0, :], out=out[..., row, :])
        out[..., row, :] += small[..., row, 1, None] * wide[..., 1, :]
        out[..., row, :] += small[..., row, 2, None] * wide[..., 2, :]
    return out


def _rows(array: np.ndarray) -> np.ndarray:
    """(n, 21, 3, c) to (n, 63, c)."""
    return array.reshape(len(array), -1, array.shape[-1])


def _transposed(array: np.ndarray) -> np.ndarray:
    """(n, 21, 3, c) to (n, c, 63)."""
    return _rows(array).swapaxes(-1, -2)
