"""What really happened in a clip: the truth that the benchmark measures against, whoever made it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

VISIBLE, OCCLUDED, OUTSIDE = 0, 1, 2
# labels of ``masks``
NOTHING, LEFT, RIGHT, ARM, PROP = 0, 1, 2, 3, 4
SIDES = ("left", "right")
# a hand is there to be found when this many of its 21 keypoints are within the frame
PRESENT_FROM = 11
_MIDDLE_FINGER = [0, 9, 10, 11, 12]
_STRAIGHTEST = 0.1


@dataclass(frozen=True, eq=False)
class Truth:
    """T frames, hands in the order left, right, keypoints in OpenPose order; metres, OpenCV axes.

    Attributes:
        frames: (T,) the clip's frame numbers.
        frame_rate: frames per second.
        size: (width, height) px.
        intrinsics: (4,) fx fy cx cy of the pinhole, px, pixel centres at half-integers.
        world_from_camera: (T, 4, 4).
        keypoints: (T, 2, 21, 3) world, NaN where unknown.
        keypoints_px: (T, 2, 21, 2) as they appear in the clip.
        visibility: (T, 2, 21) of VISIBLE, OCCLUDED, OUTSIDE.
        vertices: (T, 2, V, 3) world, of the hands' surfaces, NaN-padded and NaN where unknown; None: not known at all.
        faces: (2, F, 3) padded with -1; MANO's own, with its 778 vertices, where the truth was made with MANO.
        masks: (T, H, W) uint8 of NOTHING, LEFT, RIGHT, ARM, PROP, without lens distortion; None: not known.
    """

    frames: np.ndarray
    frame_rate: float
    size: tuple[int, int]
    intrinsics: np.ndarray
    world_from_camera: np.ndarray
    keypoints: np.ndarray
    keypoints_px: np.ndarray
    visibility: np.ndarray
    vertices: np.ndarray | None = None
    faces: np.ndarray | None = None
    masks: np.ndarray | None = None

    def present(self) -> np.ndarray:
        """(T, 2) the hand is there to be found."""
        return (self.visibility != OUTSIDE).sum(axis=2) >= PRESENT_FROM

    def hand_length(self) -> float:
        """Metres from the wrist's joint to the tip of the middle finger, along the stretched finger."""
        return hand_length(self.keypoints)

    def mesh(self, hand: int) -> tuple[np.ndarray, np.ndarray]:
        """(T, V, 3) vertices and (F, 3) faces of one hand, without the padding."""
        faces = self.faces[hand]
        faces = faces[faces[:, 0] >= 0]
        return self.vertices[:, hand, : faces.max() + 1], faces


def hand_length(keypoints: np.ndarray) -> float:
    """Of (..., 21, 3): metres along the middle finger, from the wrist's joint to the tip, in the tenth of the hands in
    which it is straightest; NaN if unknown. A rendered hand bends about other points than these joints, which brings
    them up to 9 % nearer to each other in a fist."""
    steps = np.diff(keypoints[..., _MIDDLE_FINGER, :], axis=-2)
    length = np.linalg.norm(steps, axis=-1).sum(axis=-1)
    known = np.isfinite(length) & (length > 0)
    if not known.any():
        return float("nan")
    straightness = np.linalg.norm(steps[known].sum(axis=-2), axis=-1) / length[known]
    return float(np.median(length[known][straightness >= np.quantile(straightness, 1 - _STRAIGHTEST)]))


def load(path: Path) -> Truth:
    """Reads the ``truth.npz`` that ``tools/truth`` or a loader writes (more keys than these may be in it)."""
    names = ("frames", "intrinsics", "world_from_camera", "keypoints", "keypoints_px", "visibility")
    further = ("vertices", "faces", "masks")
    with np.load(path, allow_pickle=False) as data:
        numerator, denominator = data["frame_rate"].tolist()
        width, height = data["size"].tolist()
        known = {name: data[name] for name in (*names, *further) if name in data}
    return Truth(frame_rate=numerator / denominator, size=(width, height), **known)
