"""One hand against the path, and the stretches of its track that tests of what it touches slide over.

Stretches are in seconds: what a hand does does not depend on how many frames show it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .cameras import CameraPath
from .seen_hands import SeenHand
from .surfaces import good_points

FINGERTIPS = (4, 8, 12, 16, 20)
STRETCH_S = 0.4
# a stretch of fewer frames than this tells no movement from noise
_MIN_FRAMES = 5
# Points within this share of the hand's size around a fingertip are what it covers.
_NEIGHBOURHOOD, _MIN_NEIGHBOURS = 0.6, 4
# where nothing says how long a frame lasts
_USUAL_FRAME_S = 1 / 30


@dataclass(frozen=True)
class Hand:
    """``rows`` (n,) of the path, ``pixels`` (n, 21, 2), ``landmarks_m`` (n, 21, 3).

    ``covered`` (n, 5): depth, in units of the path, of what each fingertip covers; NaN where nothing is known there.
    ``frame_s``: seconds between rows.
    """

    rows: np.ndarray
    pixels: np.ndarray
    landmarks_m: np.ndarray
    covered: np.ndarray
    frame_s: float

    @property
    def depth_m(self) -> np.ndarray:
        return self.landmarks_m[..., 2]

    def frames(self, seconds: float) -> int:
        return max(_MIN_FRAMES, round(seconds / self.frame_s))

    def stretches(self, seconds: float, step_s: float) -> list[slice]:
        """Of the rows, one every ``step_s``, where not more than half of the frames are missing."""
        frames, step = self.frames(seconds), max(1, round(step_s / self.frame_s))
        starts = range(0, len(self.rows) - frames + 1, step)
        parts = [slice(start, start + frames) for start in starts]
        return [part for part in parts if self.rows[part][-1] - self.rows[part][0] <= 2 * frames]

    def size_px(self, part: slice) -> float:
        return float(np.median(np.ptp(self.pixels[part], axis=1).max(axis=1)))


def against(path: CameraPath, seen: SeenHand, first_frame: int, frame_s: float | None) -> Hand | None:
    """``seen`` in the rows of ``path``, whose first is ``first_frame``; None where it is too short to tell anything."""
    rows = seen.frames - first_frame
    inside = (rows >= 0) & (rows < len(path.world_from_camera))
    rows, pixels = rows[inside], seen.pixels[inside]
    points = good_points(path)
    covered = np.array([_covered(path, int(row), points, hand) for row, hand in zip(rows, pixels, strict=True)])
    hand = Hand(rows, pixels, seen.landmarks_m[inside], covered, frame_s or _USUAL_FRAME_S)
    return hand if len(rows) >= hand.frames(STRETCH_S) else None


def _covered(path: CameraPath, row: int, points: np.ndarray, pixels: np.ndarray) -> np.ndarray:
    """(5,) median depth of the points around each fingertip."""
    ahead = local(path, row, points)
    ahead = ahead[ahead[:, 2] > 1e-9]
    at = projected(path, ahead)
    reach = _NEIGHBOURHOOD * float(np.ptp(pixels, axis=0).max())
    depths = np.full(len(FINGERTIPS), np.nan)
    for i, tip in enumerate(FINGERTIPS):
        near = ((at - pixels[tip]) ** 2).sum(axis=1) < reach**2
        if near.sum() >= _MIN_NEIGHBOURS:
            depths[i] = np.median(ahead[near, 2])
    return depths


def local(path: CameraPath, row: int, points: np.ndarray) -> np.ndarray:
    camera = path.world_from_camera[row]
    return (points - camera[:3, 3]) @ camera[:3, :3]


def projected(path: CameraPath, points: np.ndarray) -> np.ndarray:
    return points[:, :2] / points[:, 2:] * path.intrinsics[:2] + path.intrinsics[2:]
