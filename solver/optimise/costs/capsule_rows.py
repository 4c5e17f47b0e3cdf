"""Rows on points of capsules' axes, of two hands in one frame or of one hand: slopes, and how they enter the system."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from ...prior.capsules import Capsules
from ..evaluation import Evaluation
from ..kinematics import Jacobians
from ..layout import Layout
from ..system import System


@dataclass(frozen=True)
class Side:
    """Jacobians of the hands of one track that take part, and which of them each row is about."""

    jacobians: Jacobians
    where: np.ndarray
    size: int

    @classmethod
    def of(cls, at: Evaluation, track: int, hands: np.ndarray) -> Self:
        where = hands - at.layout.tracks[track].packed
        return cls(at.bare_jacobians(track), where, at.layout.hand_size)

    def points(self, shape: Capsules, capsule: np.ndarray, share: np.ndarray) -> np.ndarray:
        """(m, 3, d): a point at ``share`` of an axis, by the hand's columns."""
        return self.jacobians.blended(self.where, shape.on_axis(capsule, share), self.size)

    def rows(self, shape: Capsules, capsule: np.ndarray, share: np.ndarray, slope: np.ndarray) -> np.ndarray:
        """(m, d): slopes by a point on an axis, (m, 3), as slopes by the hand's columns."""
        return (slope[:, None] @ self.points(shape, capsule, share))[:, 0]


def add_rows(
    system: System, layout: Layout, tracks: tuple[int, int], frame: np.ndarray, residual: np.ndarray,
    rows: tuple[np.ndarray, np.ndarray],
) -> None:  # fmt: skip
    """Add residuals (m,) in frames (m,), of which a frame may have several, with slopes (m, d) by each track's columns;
    of one track with itself, ``rows`` are summed."""
    a, b = tracks
    blocks = [rows[0] + rows[1]] if a == b else list(rows)
    columns = [columns_of(layout, track) for track in tracks[: len(blocks)]]
    frames, slot, place = _by_frame(frame)
    residual = _padded(residual[:, None], slot, place)
    blocks = [_padded(block, slot, place) for block in blocks]
    for own, block in zip(columns, blocks, strict=True):
        turned = block.swapaxes(1, 2)
        system.gradient[frames, own] += (turned @ residual)[..., 0]
        for second, second_block in zip(columns, blocks, strict=True):
            system.diagonal[frames, own, second] += turned @ second_block


def columns_of(layout: Layout, track: int) -> slice:
    """Of a track's hand in its frames' blocks."""
    column = layout.tracks[track].slot * layout.hand_size
    return slice(column, column + layout.hand_size)


def on_axes(shape: Capsules, keypoints: np.ndarray, capsule: np.ndarray, share: np.ndarray) -> np.ndarray:
    """(m, 3) points at ``share`` of single capsules' axes, of hands with keypoints (m, 21, 3)."""
    return (shape.on_axis(capsule, share)[:, None] @ keypoints)[:, 0]


def pairs_of_tracks(
    layout: Layout, first: np.ndarray, second: np.ndarray
) -> Sequence[tuple[tuple[int, int], np.ndarray]]:
    """The pairs of tracks that rows (m,) of two hand-frames are about, each with its rows."""
    keys = layout.track_of[first] * len(layout.tracks) + layout.track_of[second]
    return [(divmod(int(key), len(layout.tracks)), np.flatnonzero(keys == key)) for key in np.unique(keys)]


def _by_frame(frame_of_row: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Distinct frames (u,), and for each row its frame's index and its number within it."""
    frames, slot, counts = np.unique(frame_of_row, return_inverse=True, return_counts=True)
    order = np.argsort(slot, kind="stable")
    place = np.empty(len(slot), int)
    place[order] = np.arange(len(slot)) - np.repeat(np.cumsum(counts) - counts, counts)
    return frames, slot, place


def _padded(rows: np.ndarray, slot: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Rows (m, c) as (frames, most rows in one, c), zeros behind."""
    out = np.zeros((slot.max() + 1, place.max() + 1, rows.shape[1]))
    out[slot, place] = rows
    return out
