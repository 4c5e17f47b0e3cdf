"""A trail: one hand followed without interruption, in either direction, before anything is decided about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from .landmarks import Reading


@dataclass
class Trail:
    """Readings by frame number, grown at both ends.

    Attributes:
        readings: frame number -> what was seen there.
        palm_scores: frame number -> score of the palm detection that agreed with the trail there.
    """

    readings: dict[int, Reading] = field(default_factory=dict)
    palm_scores: dict[int, float] = field(default_factory=dict)

    @property
    def first(self) -> int:
        return min(self.readings)

    @property
    def last(self) -> int:
        return max(self.readings)

    def velocity(self, frame: int, direction: int) -> np.ndarray:
        """(2,) px per step of the hand's middle when leaving ``frame`` towards ``direction`` (+-1); zero if unknown."""
        now, before = self.readings[frame], self.readings.get(frame - direction)
        if before is None:
            return np.zeros(2)
        return now.points_px.mean(axis=0) - before.points_px.mean(axis=0)


def distance(a: Reading, b: Reading) -> float:
    """Mean distance of equal points, as a share of the larger hand's size: 0 same hand, 1 a hand apart."""
    apart = np.linalg.norm(a.points_px - b.points_px, axis=1).mean()
    return float(apart / max(a.size_px, b.size_px, 1e-6))


def same_hand(reading: Reading, others: Iterable[Reading], limit: float = 0.3) -> bool:
    """Is one of ``others`` the same hand?"""
    return any(distance(reading, other) < limit for other in others)
