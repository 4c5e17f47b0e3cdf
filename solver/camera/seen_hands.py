"""Hands as each frame's camera sees them, in metres: what the size of the world is told by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..hand_model.model import HandModel
from ..initialise import InitialMotion, default_calibration
from ..initialise.kinematics import Pose, pose_landmarks, skeleton_of
from ..observations import HandTrack

# frames that the fit itself doubts this much place a hand anywhere along its ray
_MIN_CONFIDENCE = 0.4


@dataclass(frozen=True)
class SeenHand:
    """One hand in the frames in which it was seen well.

    Attributes:
        frames: (n,) clip frame numbers, rising.
        pixels: (n, 21, 2) landmarks in px as a lens without distortion sees them.
        landmarks_m: (n, 21, 3) in metres in each frame's camera.
    """

    frames: np.ndarray
    pixels: np.ndarray
    landmarks_m: np.ndarray

    def during(self, first: int, last: int) -> SeenHand:
        """In frames ``first`` to ``last`` alone."""
        inside = (self.frames >= first) & (self.frames <= last)
        return SeenHand(self.frames[inside], self.pixels[inside], self.landmarks_m[inside])


def seen_hands(
    motions: Mapping[int, InitialMotion], tracks: Sequence[HandTrack], models: Mapping[str, HandModel]
) -> list[SeenHand]:
    """From the initial fit of ``tracks`` (as a lens without distortion sees them), by the tracks' index."""
    offsets = default_calibration().offsets_m
    found = []
    for index, motion in motions.items():
        sure = motion.take(motion.confidence >= _MIN_CONFIDENCE)
        pose = Pose(sure.rotations[:, 0], sure.angles, sure.wrist)
        landmarks = pose_landmarks(skeleton_of(models[motion.side], offsets), sure.betas, pose).landmarks
        rows = np.searchsorted(tracks[index].frames, sure.frames)
        found.append(SeenHand(sure.frames, tracks[index].landmarks_px[rows], landmarks))
    return found
