"""Straight edges in the picture, which tell where up is: most of what people build is upright or level."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from .cameras import undistort

# of the picture's longer side; shorter ones have no direction to speak of
_MIN_LENGTH = 0.04
# Pictures this far apart show lines from new places; of very many lines a fair sample is kept per picture.
EVERY_FRAMES, _MOST_IN_A_PICTURE = 8, 150


@dataclass(frozen=True)
class Segments:
    """``rows`` (n,) of the frames they were seen in, ``ends_px`` (n, 2, 2) in px, half-integer pixel centres."""

    rows: np.ndarray
    ends_px: np.ndarray

    def between(self, first: int, last: int) -> Segments:
        """Those of some rows, which then begin at 0."""
        inside = (self.rows >= first) & (self.rows <= last)
        return Segments(self.rows[inside] - first, self.ends_px[inside])

    def enlarged(self, ratio: float) -> Segments:
        """As they lie in pictures that are so many times larger."""
        return Segments(self.rows, self.ends_px * ratio)


NONE = Segments(np.zeros(0, int), np.zeros((0, 2, 2)))


def find(row: int, gray: np.ndarray, mask: np.ndarray) -> Segments:
    """The longest segments of ``gray`` (h, w) uint8 that stay clear of ``mask`` (Grompone von Gioi 2010)."""
    lines = cv2.createLineSegmentDetector(cv2.LSD_REFINE_STD).detect(gray)[0]
    if lines is None:
        return NONE
    ends = lines.reshape(-1, 2, 2).astype(float)
    length = np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1)
    clear = np.ones(len(ends), bool)
    for share in (0.0, 0.5, 1.0):
        at = np.clip(((1 - share) * ends[:, 0] + share * ends[:, 1]).astype(int), 0, np.array(gray.shape)[::-1] - 1)
        clear &= mask[at[:, 1], at[:, 0]] == 0
    kept = np.flatnonzero(clear & (length > _MIN_LENGTH * max(gray.shape)))
    kept = kept[np.argsort(-length[kept])][:_MOST_IN_A_PICTURE]
    return Segments(np.full(len(kept), row), ends[kept] + 0.5)


def joined(parts: list[Segments]) -> Segments:
    """All of them, one after the other."""
    if not parts:
        return NONE
    return Segments(np.concatenate([p.rows for p in parts]), np.concatenate([p.ends_px for p in parts]))


def normals(
    segments: Segments, rotations: np.ndarray, intrinsics: np.ndarray, distortion: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """In the world of (T, 3, 3) world_from_camera ``rotations``: a line lies across its normal.

    Args:
        intrinsics, distortion: of the lens (POLYNOMIAL) in the segments' px.

    Returns:
        (n, 3) unit normals of the planes through each segment and its camera's centre, and (n,) weights: a picture
        weighs one, whatever lies in it, divided among the number of pictures.
    """
    ideal = undistort(segments.ends_px, intrinsics, distortion)
    bearing = np.concatenate([(ideal - intrinsics[2:]) / intrinsics[:2], np.ones((len(ideal), 2, 1))], axis=-1)
    across = np.cross(bearing[:, 0], bearing[:, 1])
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    pictures = len(np.unique(segments.rows))
    return np.einsum("nij,nj->ni", rotations[segments.rows], across), np.full(len(across), 1 / max(pictures, 1))
