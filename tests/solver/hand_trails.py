"""Made-up trails of hands: a fixed hand shape that moves, without any network."""

from __future__ import annotations

import math

import numpy as np

from solver.hands.landmarks import Reading, next_roi
from solver.hands.trail import Trail

# An open hand, wrist at the bottom, in a unit square: 0.75 wide, 1 high, x right, y down.
SHAPE = np.array(
    [(0.4, 1.0), (0.2, 0.9), (0.08, 0.75), (0.03, 0.62), (0.0, 0.5)]
    + [(0.25 + 0.15 * finger, 0.55 - 0.16 * joint) for finger in range(4) for joint in range(4)]
)
SHAPE[:, 1] = (SHAPE[:, 1] - SHAPE[:, 1].min()) / np.ptp(SHAPE[:, 1])


def points(center, size_px=100.0, angle=0.0):
    """(21, 2) px of the hand round ``center``, turned clockwise."""
    cos, sin = math.cos(angle), math.sin(angle)
    shape = SHAPE - (SHAPE.min(axis=0) + SHAPE.max(axis=0)) / 2
    return np.asarray(center) + size_px * shape @ np.array([[cos, sin], [-sin, cos]])


def reading(center, size_px=100.0, presence=0.95, odds=3.0, angle=0.0):
    at = points(center, size_px, angle)
    return Reading(at, np.zeros((21, 3)), presence, odds, next_roi(at))


def trail(frames, center=(300.0, 300.0), velocity=(0.0, 0.0), chroma=(0.5, -0.2), mirrored_presence=None, **hand):
    """A trail over ``frames``, moving ``velocity`` px a frame, read mirrored in every fourth frame."""
    frames = list(frames)
    made = Trail()
    for frame in frames:
        place = np.asarray(center) + (frame - frames[0]) * np.asarray(velocity)
        made.readings[frame] = reading(place, **hand)
        if (frame - frames[0]) % 4 == 0:
            mirrored = dict(hand) if mirrored_presence is None else {**hand, "presence": mirrored_presence}
            made.mirrored[frame] = reading(place, **mirrored)
            made.chromas[frame] = np.array(chroma)
    return made
