"""What the trackers saw: 2D landmarks with covariance per hand and frame. Any tracker plug-in produces these."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# 21 keypoints in OpenPose / MediaPipe order
KEYPOINT_NAMES = (
    "wrist",
    "thumb_cmc", "thumb_mcp", "thumb_ip", "thumb_tip",
    "index_mcp", "index_pip", "index_dip", "index_tip",
    "middle_mcp", "middle_pip", "middle_dip", "middle_tip",
    "ring_mcp", "ring_pip", "ring_dip", "ring_tip",
    "pinky_mcp", "pinky_pip", "pinky_dip", "pinky_tip",
)  # fmt: skip

PALM_KEYPOINTS = (0, 5, 9, 13, 17)  # rigid with the wrist, whatever the fingers do


def palm_size(keypoints: np.ndarray) -> np.ndarray:
    """Root mean square distance of the palm's keypoints (..., 21, 3) from their centroid: a length no pose changes."""
    palm = keypoints[..., PALM_KEYPOINTS, :]
    palm = palm - palm.mean(-2, keepdims=True)
    return np.sqrt((palm**2).sum(-1).mean(-1))


@dataclass(frozen=True)
class HandTrack:
    """One hand followed over time; frames in which it was not seen are absent.

    Attributes:
        side: "left" or "right", decided once for the whole track.
        side_log_odds: summed log-odds of "right" over the track (the evidence for ``side``).
        frames: (n,) int, rising clip frame numbers.
        landmarks_px: (n, 21, 2) in px of the clip, pixel centres at half-integers.
        covariance_px: (n, 21, 2, 2) in px^2.
        landmarks_m: (n, 21, 3) the landmark net's own metric hand, camera axes (x right, y down, z forward),
            origin arbitrary; a hint, not a measurement. NaN when the tracker has none.
        presence: (n,) the tracker's confidence that this is a hand, 0..1.
    """

    side: str
    side_log_odds: float
    frames: np.ndarray
    landmarks_px: np.ndarray
    covariance_px: np.ndarray
    landmarks_m: np.ndarray
    presence: np.ndarray

    def hand_size_px(self) -> np.ndarray:
        """(n,) larger side of the landmarks' bounding box: "hand size" in every relative figure of this project."""
        return np.ptp(self.landmarks_px, axis=1).max(axis=1)
