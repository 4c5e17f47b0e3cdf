"""Hands don't pass through one another."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from ..evaluation import Evaluation
from ..layout import Window
from .base import PairCost, Pairs

# radius of a sphere about each keypoint, in hand lengths (a 190 mm hand: palm 17, knuckles 11, pads 8 mm);
# order: wrist, then thumb, index, middle, ring, pinky from base to tip
SPHERE_RADII = np.array(
    [0.095, 0.074, 0.058, 0.053, 0.042, *([0.058, 0.047, 0.042, 0.037] * 3), 0.053, 0.042, 0.037, 0.032]
)


@dataclass(frozen=True, kw_only=True)
class RepulsionCost(PairCost):
    """Spheres about the keypoints of different hands: overlap in metres over ``deviation``. Any pair of hands.

    ``radii``: (tracks, 21) metres.
    """

    radii: np.ndarray
    deviation: float

    name = "repulsion"
    touches = ("wrists", "fingers", "betas")

    def within(self, window: Window) -> Self:
        return replace(self, radii=self.radii[window.tracks])

    def pairs(self, at: Evaluation) -> Pairs:
        first, second = _neighbours(at)
        radii = self.radii[at.layout.track_of]
        apart = at.keypoints[first][:, :, None] - at.keypoints[second][:, None]
        squared = (apart * apart).sum(-1)
        reach = radii[first][:, :, None] + radii[second][:, None]
        row, a, b = np.nonzero(squared < reach * reach)
        distance = np.sqrt(squared[row, a, b]) + 1e-9
        normal = (apart[row, a, b] / distance[:, None])[:, None]
        overlap = (reach[row, a, b] - distance)[:, None]
        slope = normal / self.deviation
        return Pairs(first[row], a, second[row], b, overlap / self.deviation, -slope, slope)


def _neighbours(at: Evaluation) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of hand-frames in the same frame whose hands are within reach of each other."""
    layout, found = at.layout, [(np.zeros(0, int), np.zeros(0, int))]
    centres = at.keypoints.mean(1)
    for index, track in enumerate(layout.tracks):
        for other in layout.tracks[index + 1 :]:
            start = max(track.start, other.start)
            stop = min(track.start + track.count, other.start + other.count)
            if stop > start:
                a = np.arange(start, stop) - track.start + track.packed
                b = np.arange(start, stop) - other.start + other.packed
                reach = track.skeleton.length[0] + other.skeleton.length[0]
                near = ((centres[a] - centres[b]) ** 2).sum(-1) < reach * reach
                found.append((a[near], b[near]))
    return np.concatenate([a for a, _ in found]), np.concatenate([b for _, b in found])
