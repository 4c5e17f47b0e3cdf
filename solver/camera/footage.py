"""One pass over the clip: background tracks, keyframes with features, and where the film was cut."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import cv2
import numpy as np

from ..observations import HandTrack
from ..video import Clip
from .features import Keyframe, agreeing, describe
from .masks import HandShapes, hand_shapes
from .progress import CameraProgress
from .segments import EVERY_FRAMES, NONE, Segments, find, joined
from .tracks import Follower, Halt, Tracks, cells

# Smaller images split long clips into pieces, larger ones cost more than they give.
WORKING_PX = 960
# A keyframe when the background has moved within itself or as a whole by these shares of the width, or when fewer than
# this share of its points is left.
KEYFRAME_PARALLAX, KEYFRAME_FLOW, KEYFRAME_OVERLAP = 0.015, 0.12, 0.55
# A camera that travels little still gets one as often as this, once the background has moved by this share.
_SELDOM_FRAMES, _SOME_FLOW = 8, 0.005
# A cut: tracks break off, no half of the thumbnail is found again, and no features agree.
_CUT_SURVIVAL, _CUT_LIKENESS = 0.3, 0.55
# What was before a cut and comes back within so many frames was not cut but lit up: a flash.
_FLASH_FRAMES = 3
# Lines one apart differ by this many times what lines two apart do, in half of the frames looked at.
_COMBED, _COMBED_EVERY = 1.1, 8


@dataclass(frozen=True)
class Footage:
    """What the camera is solved from.

    Attributes:
        size, scale: working size in px, and working px per px of the clip.
        tracks: background points of the whole clip.
        keyframes: with features, in order.
        shots: (S, 2) first and last row of each shot.
        covered_cells: (T,) cells of the 8 x 5 grid that hold a background point.
        masked_share: (T,) share of the image that hands and arms take.
        segments: straight edges of some pictures, in working px.
        interlaced: every second line shows another moment.
    """

    size: tuple[int, int]
    scale: float
    tracks: Tracks
    keyframes: tuple[Keyframe, ...]
    shots: np.ndarray
    covered_cells: np.ndarray
    masked_share: np.ndarray
    segments: Segments = NONE
    interlaced: bool = False


def watch(clip: Clip, hands: list[HandTrack]) -> Generator[CameraProgress, None, Footage]:
    """Read the clip once; yields progress per frame."""
    scale = min(1.0, WORKING_PX / max(clip.size))
    size = (round(clip.size[0] * scale), round(clip.size[1] * scale))
    observer = _Observer(size, scale, hand_shapes(hands, clip.frame_numbers))
    for frame in clip.frames():
        gray = cv2.cvtColor(frame.image, cv2.COLOR_RGB2GRAY)
        if observer.count % _COMBED_EVERY == 0:
            observer.combed.append(combed(gray))
        observer.see(frame.number - clip.first_frame, cv2.resize(gray, size, interpolation=cv2.INTER_AREA))
        yield CameraProgress("tracks", observer.count, len(clip))
    return observer.footage()


@dataclass(frozen=True)
class _Before:
    """What was known when a cut was found at ``row``; ``last`` as in ``_Observer``."""

    row: int
    halt: Halt
    last: tuple[np.ndarray, np.ndarray, np.ndarray]
    keyframes: int
    key_points: tuple[np.ndarray, np.ndarray]


class _Observer:
    def __init__(self, size: tuple[int, int], scale: float, shapes: HandShapes) -> None:
        self.size, self.scale, self.shapes = size, scale, shapes
        self.count = 0
        self.combed: list[bool] = []
        self._follower = Follower(size)
        self._keyframes: list[Keyframe] = []
        self._key_points: tuple[np.ndarray, np.ndarray] = (np.zeros(0, int), np.zeros((0, 2)))
        self._last: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None
        self._before: _Before | None = None
        self._starts = [0]
        self._covered: list[int] = []
        self._masked: list[float] = []
        self._segments: list[Segments] = []

    def see(self, row: int, gray: np.ndarray) -> None:
        """Frames that could not be decoded are missing from the rows: the last image stands in for them."""
        while self.count < row and self._last is not None:
            self._see(*self._last)
        where = row, self.size, self.scale
        self._see(gray, self.shapes.mask(*where), self.shapes.within_reach(*where))

    def _see(self, gray: np.ndarray, mask: np.ndarray, reach: np.ndarray) -> None:
        row = self.count
        if self._before is not None and self._was_flash(gray, mask):
            self._resume(self._before)
        halt = self._follower.halt()
        survived = self._follower.step(gray, mask, reach)
        cut = self._last is not None and survived < _CUT_SURVIVAL and self._is_cut(gray, mask)
        if cut:
            self._before = _Before(row, halt, self._last, len(self._keyframes), self._key_points)
            self._follower.restart(gray, mask)
            self._starts.append(row)
        if cut or row == 0 or self._is_new():
            # held things stand out against a fast turn: there, nothing near a hand is taken for background
            self._keyframes.append(describe(row, gray, mask | reach if self._follower.fast else mask))
            self._key_points = self._follower.current
        if row % EVERY_FRAMES == 0:
            self._segments.append(find(row, gray, mask))
        ids, points = self._follower.current
        self._covered.append(len(np.unique(cells(points, self.size))))
        self._masked.append(float((mask > 0).mean()))
        self._last = (gray, mask, reach)
        self.count += 1

    def _is_new(self) -> bool:
        ids, points = self._follower.current
        key_ids, key_points = self._key_points
        _, now, then = np.intersect1d(ids, key_ids, assume_unique=True, return_indices=True)
        if len(then) < max(1, KEYFRAME_OVERLAP * len(key_ids)):
            return True
        flow = points[now] - key_points[then]
        whole = np.median(flow, axis=0)
        within = np.median(np.linalg.norm(flow - whole, axis=1))
        width, length = self.size[0], float(np.linalg.norm(whole))
        late = self.count - self._keyframes[-1].row >= _SELDOM_FRAMES and within + length > _SOME_FLOW * width
        return bool(late or within > KEYFRAME_PARALLAX * width or length > KEYFRAME_FLOW * width)

    def _is_cut(self, gray: np.ndarray, mask: np.ndarray) -> bool:
        before, before_mask, _ = self._last
        return not _same_scene(before, before_mask, gray, mask)

    def _was_flash(self, gray: np.ndarray, mask: np.ndarray) -> bool:
        before, before_mask, _ = self._before.last
        near = self.count - self._before.row <= _FLASH_FRAMES
        if near and _same_scene(before, before_mask, gray, mask):
            return True
        self._before = self._before if near else None
        return False

    def _resume(self, before: _Before) -> None:
        """No cut was there: what was followed up to it is followed on."""
        self._follower.resume(before.halt, self.count - before.row)
        self._starts.remove(before.row)
        del self._keyframes[before.keyframes :]
        self._last, self._key_points = before.last, before.key_points
        self._before = None

    def footage(self) -> Footage:
        starts = np.array(self._starts)
        shots = np.stack([starts, np.append(starts[1:], self.count) - 1], axis=1)
        return Footage(
            self.size, self.scale, self._follower.tracks(), tuple(self._keyframes), shots,
            np.array(self._covered), np.array(self._masked), joined(self._segments),
            2 * sum(self.combed) > len(self.combed),
        )  # fmt: skip


def _same_scene(before: np.ndarray, before_mask: np.ndarray, gray: np.ndarray, mask: np.ndarray) -> bool:
    if likeness(before, gray) > _CUT_LIKENESS:
        return True
    return len(agreeing(describe(0, before, before_mask), describe(1, gray, mask))) > 0


def combed(gray: np.ndarray) -> bool:
    """Do neighbouring lines differ more than those two apart, as where two moments are woven into one picture?"""
    near, next_but_one = cv2.absdiff(gray[1:], gray[:-1]), cv2.absdiff(gray[2:], gray[:-2])
    return float(near.mean()) > _COMBED * float(next_but_one.mean()) + 0.5


def likeness(before: np.ndarray, after: np.ndarray) -> float:
    """Best normalised correlation of any half-sized part of one image's thumbnail within the other's, -1..1.

    A fast, blurred turn keeps one half in view; a cut keeps none.
    """
    small = [
        cv2.GaussianBlur(cv2.resize(i, (64, 36), interpolation=cv2.INTER_AREA), (0, 0), 1) for i in (before, after)
    ]
    best = -1.0
    for y in (0, 9, 18):
        for x in (0, 16, 32):
            part = small[0][y : y + 18, x : x + 32]
            if part.std() > 2:
                best = max(best, float(cv2.matchTemplate(small[1], part, cv2.TM_CCOEFF_NORMED).max()))
    return best
