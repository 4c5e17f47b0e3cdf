"""Landmark network: 21 points, presence and side of the one hand in a region. Model: MediaPipe's hand_landmark_full."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .geometry import Pyramid, Roi, apply, wrapped
from .models import Network

INPUT_PX = 224
# Pairs of points joined by a bone; the palm's outline counts as bones.
BONES = np.array(
    [(0, 1), (0, 5), (0, 9), (0, 13), (0, 17), (5, 9), (9, 13), (13, 17)]
    + [(i, i + 1) for finger in range(5) for i in range(4 * finger + 1, 4 * finger + 4)]
)
# A saturated output of the side head is no proof.
_MAX_LOG_ODDS = 8.0
# The next region is drawn round the palm and the two lower finger joints: tips would make it jump.
_STEADY = [0, 1, 2, 3, 5, 6, 9, 10, 13, 14, 17, 18]
_REGION_SCALE, _REGION_SHIFT = 2.0, 0.1


@dataclass(frozen=True)
class Reading:
    """What the network saw in one region.

    Attributes:
        points_px: (21, 2) px of the frame.
        points_m: (21, 3) metres, camera axes, origin near the hand's centre.
        presence: 0..1 that a hand is there.
        right_log_odds: of "right hand", clipped to +-8.
        roi: where it looked.
    """

    points_px: np.ndarray
    points_m: np.ndarray
    presence: float
    right_log_odds: float
    roi: Roi

    @property
    def size_px(self) -> float:
        """Larger side of the points' bounding box."""
        return float(np.ptp(self.points_px, axis=0).max())


class LandmarkReader:
    def __init__(self) -> None:
        self.network = Network("hand_landmark_full.tflite")

    def read(self, frame: Pyramid, roi: Roi, mirrored: bool = False) -> Reading:
        """Look into ``roi``; with ``mirrored`` the network sees it mirrored and the answer is mirrored back."""
        affine = roi.frame_from_crop(INPUT_PX)
        if mirrored:
            affine[:, 2] += affine[:, 0] * INPUT_PX
            affine[:, 0] *= -1
        points, presence, right, points_m = self.network(frame.crop(affine, INPUT_PX))
        metric = points_m.reshape(21, 3).astype(float)
        if mirrored:
            metric[:, 0] *= -1
        odds = _log_odds(float(right[0, 0]))
        return Reading(
            apply(affine, points.reshape(21, 3)[:, :2].astype(float)),
            _turned(metric, roi.angle),
            float(presence[0, 0]),
            -odds if mirrored else odds,
            roi,
        )


def _log_odds(probability: float) -> float:
    clipped = min(max(probability, 1e-6), 1 - 1e-6)
    return min(max(math.log(clipped / (1 - clipped)), -_MAX_LOG_ODDS), _MAX_LOG_ODDS)


def _turned(points_m: np.ndarray, angle: float) -> np.ndarray:
    cos, sin = math.cos(angle), math.sin(angle)
    return points_m @ np.array([[cos, sin, 0], [-sin, cos, 0], [0, 0, 1]])


def next_roi(points_px: np.ndarray) -> Roi:
    """The region for the same hand, from its (21, 2) points."""
    wrist = points_px[0]
    knuckles = (points_px[5] + 2 * points_px[9] + points_px[13]) / 4
    direction = knuckles - wrist
    angle = wrapped(math.atan2(direction[1], direction[0]) + math.pi / 2)
    along, up = _axes(angle)
    steady = points_px[_STEADY]
    u, v = steady @ along, steady @ up
    width, height = np.ptp(u), np.ptp(v)
    x, y = along * (u.min() + u.max()) / 2 + up * ((v.min() + v.max()) / 2 + height * _REGION_SHIFT)
    return Roi((float(x), float(y)), float(max(width, height) * _REGION_SCALE), angle)


def _axes(angle: float) -> tuple[np.ndarray, np.ndarray]:
    """Unit vectors of the crop's right and up directions in the frame."""
    return np.array([math.cos(angle), math.sin(angle)]), np.array([math.sin(angle), -math.cos(angle)])
