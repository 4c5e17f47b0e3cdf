"""Following and confirming hands in single frames: the steps that the tracker repeats."""

from __future__ import annotations

import numpy as np

from .geometry import Pyramid
from .landmarks import LandmarkReader, Reading, next_roi
from .palm import Palm, PalmDetector, Tile
from .trail import Trail

# A palm is only a suggestion: the landmark network decides.
CONFIRM_PRESENCE = 0.5
FOLLOW_PRESENCE = 0.5
_LOCAL_PALM_SCORE = 0.4
# Side of the square searched for a lost hand, in regions.
_LOCAL_TILE = 1.6


class Follower:
    """The two networks, and what is done with them for one hand in one frame."""

    def __init__(self) -> None:
        self.palms = PalmDetector()
        self.landmarks = LandmarkReader()

    def confirm(self, frame: Pyramid, palm: Palm) -> Reading | None:
        """The hand at ``palm``: read twice, the second time in the region that the first reading gives."""
        first = self.landmarks.read(frame, palm.roi())
        if first.presence < CONFIRM_PRESENCE / 2:
            return None
        second = self.landmarks.read(frame, next_roi(first.points_px))
        return second if second.presence >= CONFIRM_PRESENCE and plausible(second, frame) else None

    def follow(self, frame: Pyramid, trail: Trail, at: int, direction: int) -> Reading | None:
        """The hand of ``trail`` one step beyond frame ``at``, or None if it is gone."""
        roi = next_roi(trail.readings[at].points_px)
        velocity = trail.velocity(at, direction)
        reading = self.landmarks.read(frame, roi.moved(velocity))
        if reading.presence >= FOLLOW_PRESENCE and plausible(reading, frame):
            return reading
        return self._recover(frame, roi.moved(velocity / 2))

    def _recover(self, frame: Pyramid, roi) -> Reading | None:
        side = roi.size * _LOCAL_TILE
        tile = Tile(roi.center[0] - side / 2, roi.center[1] - side / 2, side)
        for palm in self.palms.detect(frame, [tile], _LOCAL_PALM_SCORE):
            reading = self.confirm(frame, palm)
            if reading is not None:
                return reading
        return None


def plausible(reading: Reading, frame: Pyramid) -> bool:
    """Not shrunk to a dot, not grown over everything, and not mostly outside the frame."""
    width, height = frame.size
    inside = np.all((reading.points_px >= 0) & (reading.points_px <= (width, height)), axis=1).mean()
    return bool(0.02 * min(width, height) < reading.size_px < 1.5 * max(width, height) and inside >= 0.35)
