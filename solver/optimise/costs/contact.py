"""Hands are solid: capsules about their bones don't pass through each other, nor through those of the same hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from ...prior.capsules import Capsules, closest
from ..evaluation import Evaluation
from ..layout import Layout, Window
from ..system import System
from .base import Cost
from .capsule_rows import Side, add_rows


@dataclass(frozen=True)
class Overlaps:
    """Capsules that overlap, of one pair of tracks (or of one track with itself).

    Attributes:
        tracks: indices of both.
        first, second: (m,) hand-frames. first_capsule, second_capsule: (m,).
        depth: (m,) metres. normal: (m, 3) out of the second.
        first_share, second_share: (m,) where on the axes, 0 to 1.
    """

    tracks: tuple[int, int]
    first: np.ndarray
    second: np.ndarray
    first_capsule: np.ndarray
    second_capsule: np.ndarray
    depth: np.ndarray
    normal: np.ndarray
    first_share: np.ndarray
    second_share: np.ndarray


@dataclass(frozen=True, kw_only=True)
class NonPenetrationCost(Cost):
    """Overlap in metres over ``deviation``, one-sided; any pair of hands, and each hand with itself.

    It has no say in the hands' shape: thinner hands would overlap less.

    Attributes:
        capsules: of each track's side. growth: (tracks,) factor on their radii, the hand's size over the mean one's.
        own_slack: metres by which capsules of one hand may overlap for nothing: flesh gives way, capsules are coarse.
    """

    capsules: tuple[Capsules, ...]
    growth: np.ndarray
    deviation: float
    own_slack: float

    name = "non-penetration"
    touches = ("wrists", "fingers")

    def within(self, window: Window) -> Self:
        chosen = tuple(self.capsules[index] for index in window.tracks)
        return replace(self, capsules=chosen, growth=self.growth[window.tracks])

    def residuals(self, at: Evaluation) -> np.ndarray:
        found = [overlaps.depth / self.deviation for overlaps in self.overlaps(at)]
        return np.concatenate([np.zeros(0), *found])[:, None]

    def add_to(self, system: System, at: Evaluation) -> None:
        for overlaps in self.overlaps(at):
            self._add(system, at, overlaps)

    def overlaps(self, at: Evaluation) -> list[Overlaps]:
        """Of every pair of tracks that meet, and of every track with itself; those that have any."""
        if id(self) not in at.memo:
            at.memo[id(self)] = [overlaps for overlaps in self._overlaps(at) if len(overlaps.depth)]
        return at.memo[id(self)]

    def _overlaps(self, at: Evaluation) -> Iterator[Overlaps]:
        tracks = at.layout.tracks
        for a in range(len(tracks)):
            yield self._among(at, (a, a), *(np.arange(tracks[a].packed, tracks[a].packed + tracks[a].count),) * 2)
            for b in range(a + 1, len(tracks)):
                first, second = shared_frames(at.layout, a, b)
                near = np.linalg.norm(at.keypoints[first, 9] - at.keypoints[second, 9], axis=-1)
                close = near < at.hand_size[a] + at.hand_size[b]
                yield self._among(at, (a, b), first[close], second[close])

    def _among(self, at: Evaluation, tracks: tuple[int, int], first: np.ndarray, second: np.ndarray) -> Overlaps:
        a, b = tracks
        one, other = self.capsules[a], self.capsules[b]
        i, j = one.apart.T if a == b else (g.ravel() for g in np.indices((len(one.radius), len(other.radius))))
        reach = self.growth[a] * one.radius[i] + self.growth[b] * other.radius[j] - self.own_slack * (a == b)
        start, stop = one.axes(at.keypoints[first])
        other_start, other_stop = (start, stop) if a == b else other.axes(at.keypoints[second])
        row, pair = _candidates(start, stop, other_start, other_stop, i, j, reach)
        distance, normal, s, t = closest(
            start[row, i[pair]], stop[row, i[pair]], other_start[row, j[pair]], other_stop[row, j[pair]]
        )
        active = distance < reach[pair]
        row, pair = row[active], pair[active]
        return Overlaps(
            tracks, first[row], second[row], i[pair], j[pair],
            reach[pair] - distance[active], normal[active], s[active], t[active],
        )  # fmt: skip

    def _add(self, system: System, at: Evaluation, overlaps: Overlaps) -> None:
        a, b = overlaps.tracks
        normal = overlaps.normal / self.deviation
        one = Side.of(at, a, overlaps.first)
        other = one if a == b else Side.of(at, b, overlaps.second)
        rows = (
            one.rows(self.capsules[a], overlaps.first_capsule, overlaps.first_share, -normal),
            other.rows(self.capsules[b], overlaps.second_capsule, overlaps.second_share, normal),
        )
        frames = at.layout.frame_of[overlaps.first]
        add_rows(system, at.layout, overlaps.tracks, frames, overlaps.depth / self.deviation, rows)


def shared_frames(layout: Layout, a: int, b: int) -> tuple[np.ndarray, np.ndarray]:
    """Hand-frames of two tracks in the frames that both have."""
    one, other = layout.tracks[a], layout.tracks[b]
    start = max(one.start, other.start)
    stop = max(start, min(one.start + one.count, other.start + other.count))
    frames = np.arange(start, stop)
    return frames - one.start + one.packed, frames - other.start + other.packed


def _candidates(
    start: np.ndarray, stop: np.ndarray, other_start: np.ndarray, other_stop: np.ndarray,
    i: np.ndarray, j: np.ndarray, reach: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Rows and pairs of capsules whose bounding spheres touch."""
    middle, other_middle = (start + stop) / 2, (other_start + other_stop) / 2
    half = np.linalg.norm(stop - start, axis=-1) / 2
    other_half = np.linalg.norm(other_stop - other_start, axis=-1) / 2
    squared = (
        (middle**2).sum(-1)[:, :, None] + (other_middle**2).sum(-1)[:, None] - 2 * middle @ other_middle.swapaxes(1, 2)
    )
    limit = half[:, i] + other_half[:, j] + reach
    return np.nonzero(squared[:, i, j] < limit * limit)
