"""What really happened in a clip: the truth that the benchmark measures against, whoever made it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

VISIBLE, OCCLUDED, OUTSIDE = 0, 1, 2
SIDES = ("left", "right")
# a hand is there to be found when this many of its 21 keypoints are within the frame
PRESENT_FROM = 11
_MIDDLE_FINGER = [0, 9, 10, 11, 12]


@dataclass(frozen=True)
class Truth:
    """T frames, hands in the order left, right, keypoints in OpenPose order; metres, OpenCV axes.

    Attributes:
        frames: (T,) the clip's frame numbers.
        frame_rate: frames per second.
        size: (width, height) px.
        intrinsics: (4,) fx fy cx cy of the pinhole, px, pixel centres at half-integers.
        world_from_camera: (T, 4, 4).
        keypoints: (T, 2, 21, 3) world.
        keypoints_px: (T, 2, 21, 2) as they appear in the clip.
        visibility: (T, 2, 21) of VISIBLE, OCCLUDED, OUTSIDE.
    """

    frames: np.ndarray
    frame_rate: float
    size: tuple[int, int]
    intrinsics: np.ndarray
    world_from_camera: np.ndarray
    keypoints: np.ndarray
    keypoints_px: np.ndarray
    visibility: np.ndarray

    def present(self) -> np.ndarray:
        """(T, 2) the hand is there to be found."""
        return (self.visibility != OUTSIDE).sum(axis=2) >= PRESENT_FROM

    def hand_length(self) -> float:
        """Metres from the wrist's joint to the tip of the middle finger, along the stretched finger."""
        joints = self.keypoints[:, :, _MIDDLE_FINGER]
        bones = np.linalg.norm(np.diff(joints, axis=2), axis=-1)
        return float(np.nanmedian(bones.sum(axis=2)))


def load(path: Path) -> Truth:
    """Reads the ``truth.npz`` that ``tools/truth`` writes (more keys than these are in it)."""
    with np.load(path, allow_pickle=False) as data:
        numerator, denominator = data["frame_rate"].tolist()
        width, height = data["size"].tolist()
        names = ("frames", "intrinsics", "world_from_camera", "keypoints", "keypoints_px", "visibility")
        return Truth(frame_rate=numerator / denominator, size=(width, height), **{name: data[name] for name in names})
