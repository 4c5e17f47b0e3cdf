"""What is done for one hand in one frame: confirm a palm, follow a hand, look around for a lost one."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from .geometry import Pyramid, Roi
from .landmarks import LandmarkReader, Reading, next_roi
from .palm import Palm, PalmDetector, Tile
from .trail import Trail

# The landmark network's own decision border.
PRESENT = 0.5
# Below this a second look is a waste.
_HOPELESS = 0.2
_LOCAL_PALM_SCORE = 0.4
# Side of the square searched for a lost hand, in regions.
_LOCAL_TILE = 1.6
# A hand may grow or shrink by this factor, and miss its expected place by this many hand sizes, from frame to frame.
_MAX_GROWTH, _MAX_MISS = 1.8, 0.8
# Share of the points that must lie in the frame, and the smallest hand as a share of the frame's shorter side.
_MIN_INSIDE, _MIN_SIZE = 0.35, 0.025
# Below this many px there is nothing to read landmarks from.
_MIN_SIZE_PX = 18
# Points that the palm network gives as well (its wrist and six round the palm).
_PALM_POINTS = [0, 1, 2, 5, 9, 13, 17]
_SAME_PALM = 0.35


class Follower:
    """The two networks and how they are used together."""

    def __init__(self) -> None:
        self.palms = PalmDetector()
        self.landmarks = LandmarkReader()

    def confirm(self, frame: Pyramid, palm: Palm) -> Reading | None:
        """The hand at ``palm``: read twice, the second time in the region that the first reading gives."""
        return self.settle(frame, palm.roi())

    def settle(self, frame: Pyramid, roi: Roi) -> Reading | None:
        """The hand near ``roi``, or None; a hand shows itself again when looked at from its own region."""
        first = self.landmarks.read(frame, roi)
        if first.presence < _HOPELESS:
            return None
        second = self.landmarks.read(frame, next_roi(first.points_px))
        return second if second.presence >= PRESENT and plausible(second, frame) else None

    def follow(self, frame: Pyramid, trail: Trail, at: int, direction: int) -> Reading | None:
        """The hand of ``trail`` one step beyond frame ``at``, or None if it is gone."""
        expected = trail.expected(at, direction)
        reading = self.landmarks.read(frame, next_roi(expected))
        if _continues(reading, trail.readings[at], expected) and plausible(reading, frame):
            return reading
        for found in self._lookouts(frame, reading, trail.readings[at], expected):
            if found is not None and _continues(found, trail.readings[at], expected):
                return found
        return None

    def _lookouts(
        self, frame: Pyramid, reading: Reading, before: Reading, expected: np.ndarray
    ) -> Iterator[Reading | None]:
        """Second looks, cheapest first: where the hand was, then wherever a palm is near."""
        if reading.presence >= _HOPELESS:
            yield self.settle(frame, next_roi(before.points_px))
        near = next_roi((before.points_px + expected) / 2)
        side = near.size * _LOCAL_TILE
        tile = Tile(near.center[0] - side / 2, near.center[1] - side / 2, side)
        for palm in self.palms.detect(frame, [tile], _LOCAL_PALM_SCORE):
            yield self.confirm(frame, palm)

    def search_box(self, frame: Pyramid, box: tuple[float, float, float, float]) -> Reading | None:
        """The likeliest hand in a box that a person drew (x0, y0, x1, y1): all turns, two sizes; None if nothing fits.

        The palm network misses gloved hands and hands round tools; the landmark network often knows them.
        """
        center = ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
        side = max(box[2] - box[0], box[3] - box[1])
        turns = [2 * math.pi * i / 12 for i in range(12)]
        looks = [self.landmarks.read(frame, Roi(center, side * k, turn)) for k in (1.1, 1.5) for turn in turns]
        best = sorted(looks, key=lambda look: -look.presence)[:4]
        settled = [self.landmarks.read(frame, next_roi(look.points_px)) for look in best]
        kept = [look for look in settled + best if plausible(look, frame) and _within(look, center, side)]
        return max(kept, key=lambda look: look.presence, default=None)


def _within(reading: Reading, center: tuple[float, float], side: float) -> bool:
    return bool(np.all(np.abs(reading.points_px.mean(axis=0) - center) < side / 2))


def _continues(reading: Reading, before: Reading, expected: np.ndarray) -> bool:
    if reading.presence < PRESENT:
        return False
    growth = reading.size_px / max(before.size_px, 1e-6)
    miss = np.linalg.norm(reading.points_px.mean(axis=0) - expected.mean(axis=0)) / before.size_px
    return bool(1 / _MAX_GROWTH < growth < _MAX_GROWTH and miss < _MAX_MISS)


def plausible(reading: Reading, frame: Pyramid) -> bool:
    """Not shrunk to a dot, not grown over everything, and not mostly outside the frame."""
    width, height = frame.size
    inside = np.all((reading.points_px >= 0) & (reading.points_px <= (width, height)), axis=1).mean()
    least = max(_MIN_SIZE_PX, _MIN_SIZE * min(width, height))
    return bool(least < reading.size_px < 1.5 * max(width, height) and inside >= _MIN_INSIDE)


def is_palm_of(palm: Palm, reading: Reading) -> bool:
    """Does ``palm`` belong to the hand of ``reading``?"""
    apart = palm.points.mean(axis=0) - reading.points_px[_PALM_POINTS].mean(axis=0)
    return bool(np.linalg.norm(apart) < _SAME_PALM * reading.size_px)
