"""A trail: one hand followed without interruption, in either direction, before anything is decided about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from .landmarks import BONES, Reading

# Readings of one frame whose equal points lie closer than this (in hand sizes) are one hand.
SAME_HAND = 0.3
# Points within this distance of another hand's bones (in its sizes) lie on that hand.
_FLESH = 0.13
# A hand with this share of its points on another one is a part of it: a thumb, a fist's knuckles.
COVERED = 0.6
# Gap in frames and in hand sizes over which a hand that is found again is less and less surely the same.
_GAP_FRAMES, _GAP_SIZES = 15.0, 1.5


@dataclass(eq=False)
class Trail:
    """Readings by frame number, grown at both ends. One trail is only ever itself.

    Attributes:
        readings: frame number -> what was seen there.
        mirrored: the same region read mirrored, in some of the frames: a second opinion.
        palm_scores: frame number -> score of the palm detection that agreed with the trail there.
        chromas: frame number -> (2,) colour of the palm, see ``colour.palm_chroma``.
        side: given by a person, or None.
    """

    readings: dict[int, Reading] = field(default_factory=dict)
    mirrored: dict[int, Reading] = field(default_factory=dict)
    palm_scores: dict[int, float] = field(default_factory=dict)
    chromas: dict[int, np.ndarray] = field(default_factory=dict)
    side: str | None = None
    seeded: bool = False

    @property
    def first(self) -> int:
        return min(self.readings)

    @property
    def last(self) -> int:
        return max(self.readings)

    def frames(self) -> list[int]:
        return sorted(self.readings)

    def log_odds(self) -> float:
        """Summed log-odds of "right"."""
        return float(sum(self.vote(frame) for frame in self.readings))

    def vote(self, frame: int) -> float:
        """Log-odds of "right" in one frame; where there is a second opinion, the mean of both."""
        direct, mirrored = self.readings[frame], self.mirrored.get(frame)
        return direct.right_log_odds if mirrored is None else (direct.right_log_odds + mirrored.right_log_odds) / 2

    def size_px(self) -> float:
        return float(np.median([reading.size_px for reading in self.readings.values()]))

    def expected(self, at: int, direction: int) -> np.ndarray:
        """(21, 2) points one step beyond frame ``at`` in ``direction`` (+-1), at the hand's present velocity."""
        points = self.readings[at].points_px
        before = self.readings.get(at - direction)
        return points if before is None else points + (points.mean(axis=0) - before.points_px.mean(axis=0))

    def surprise(self, frame: int, direction: int) -> float:
        """How far the hand's middle in ``frame`` is from where it was expected, in hand sizes."""
        if frame - direction not in self.readings:
            return 0.0
        reading = self.readings[frame]
        away = reading.points_px.mean(axis=0) - self.expected(frame - direction, direction).mean(axis=0)
        return float(np.linalg.norm(away) / reading.size_px)

    def drop(self, frame: int) -> None:
        for record in (self.readings, self.mirrored, self.palm_scores, self.chromas):
            record.pop(frame, None)

    def absorb(self, other: Trail) -> None:
        """Take over what ``other`` saw; where both have a frame, ours stays."""
        for name in ("readings", "mirrored", "palm_scores", "chromas"):
            setattr(self, name, getattr(other, name) | getattr(self, name))

    def part(self, first: int, last: int) -> Trail:
        """The trail cut to ``first``..``last``, inclusive."""
        cut = Trail(side=self.side, seeded=self.seeded)
        for name in ("readings", "mirrored", "palm_scores", "chromas"):
            record = getattr(self, name)
            setattr(cut, name, {frame: value for frame, value in record.items() if first <= frame <= last})
        return cut


def distance(a: Reading, b: Reading) -> float:
    """Mean distance of equal points, as a share of the larger hand's size: 0 same hand, 1 a hand apart."""
    apart = np.linalg.norm(a.points_px - b.points_px, axis=1).mean()
    return float(apart / max(a.size_px, b.size_px, 1e-6))


def continuity(a: Trail, b: Trail) -> float:
    """1 if one begins where and when the other ends, falling to 0 with the gap in time and place; 0 if they overlap."""
    earlier, later = (a, b) if a.last < b.first else (b, a)
    gap = later.first - earlier.last
    if gap < 1:
        return 0.0
    start, end = later.readings[later.first], earlier.readings[earlier.last]
    apart = np.linalg.norm(start.points_px.mean(axis=0) - end.points_px.mean(axis=0)) / max(start.size_px, end.size_px)
    return float(np.exp(-gap / _GAP_FRAMES - apart / _GAP_SIZES))


def covered_share(points_px: np.ndarray, by: Reading) -> float:
    """Share of ``points_px`` (n, 2) that lie on the hand ``by``."""
    start, end = by.points_px[BONES[:, 0]], by.points_px[BONES[:, 1]]
    along = end - start
    length_2 = np.maximum((along**2).sum(axis=1), 1e-9)
    share = np.clip(((points_px[:, None] - start) * along).sum(axis=2) / length_2, 0, 1)
    away = np.linalg.norm(points_px[:, None] - start - share[..., None] * along, axis=2).min(axis=1)
    return float((away < _FLESH * by.size_px).mean())


def is_part_of(small: Reading, big: Reading) -> bool:
    """Is ``small`` a finger or a fold of the larger hand ``big``?"""
    return small.size_px < big.size_px and covered_share(small.points_px, big) >= COVERED


def same_hand(reading: Reading, others: Iterable[Reading]) -> bool:
    """Is one of ``others`` the same hand?"""
    return any(distance(reading, other) < SAME_HAND for other in others)
