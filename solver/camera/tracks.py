"""Background points followed from frame to frame (pyramidal Lucas-Kanade), away from what moves by itself, and held to
how they first looked (``anchors``)."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from .anchors import Anchors, smoothed
from .image_motion import ImageMotion

TARGET_TRACKS = 450
WINDOW_PX, LEVELS = 21, 4
# An image that moves this far may be blurred: where few points are left, what a window loses is tried with a wide one,
# and fainter corners (in shares of the strongest) will do. Where many are left, a wide one does harm at depth edges.
_BLURRED_PX, _BLURRED_WINDOW_PX = 15.0, 41
_FEW, _SCARCE, _CORNER, _FAINT_CORNER = 0.25, 0.5, 0.004, 0.001
# Forward, then backward: a point that doesn't come home was not followed.
ROUND_TRIP_PX = 0.7
# Two-view gate against gross errors; loose, because shutters roll and tracks jitter.
EPIPOLAR_PX = 1.5
# Both are wider by this share of the image's motion, which blurs it.
_BLUR_SHARE = 0.015
MIN_DISTANCE_PX = 11
GRID = (8, 5)
BORDER_PX = 4
# Within reach of a hand, what strays by this share of the image's motion, when that is fast, is held: no background.
_HELD_SHARE, _FAST_PX = 0.4, 10.0
_STOP = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 25, 0.01)
# Where anchors have the last word on where a point is, the trackers need no hundredths of a px.
_NEARLY = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 25, 0.03)


@dataclass(frozen=True)
class Tracks:
    """Observations in order of frame.

    Attributes:
        size: (width, height) of the working image.
        frame_count: rows; ``rows`` run from 0.
        ids, rows: (N,) int, which point, in which frame.
        points_px: (N, 2) working px, pixel centres at half-integers.
    """

    size: tuple[int, int]
    frame_count: int
    ids: np.ndarray
    rows: np.ndarray
    points_px: np.ndarray

    @cached_property
    def _edges(self) -> np.ndarray:
        return np.searchsorted(self.rows, np.arange(self.frame_count + 1))

    def at(self, row: int) -> tuple[np.ndarray, np.ndarray]:
        """ids (n,), rising, and points (n, 2) of one frame."""
        part = slice(self._edges[row], self._edges[row + 1])
        return self.ids[part], self.points_px[part]

    def counts(self) -> np.ndarray:
        """(T,) points per frame."""
        return np.diff(self._edges)

    def between(self, first: int, last: int) -> Tracks:
        """The rows ``first``..``last``, renumbered from 0."""
        part = slice(self._edges[first], self._edges[last + 1])
        return Tracks(self.size, last - first + 1, self.ids[part], self.rows[part] - first, self.points_px[part])

    def lasting(self, frames: int) -> Tracks:
        """Only points that were seen in at least ``frames`` frames."""
        _, inverse, counts = np.unique(self.ids, return_inverse=True, return_counts=True)
        return self.where(counts[inverse] >= frames)

    def where(self, keep: np.ndarray) -> Tracks:
        return Tracks(self.size, self.frame_count, self.ids[keep], self.rows[keep], self.points_px[keep])

    def shared(self, first: int, second: int) -> tuple[np.ndarray, np.ndarray]:
        """(n, 2) and (n, 2): points seen in both frames."""
        ids_a, points_a = self.at(first)
        ids_b, points_b = self.at(second)
        _, a, b = np.intersect1d(ids_a, ids_b, assume_unique=True, return_indices=True)
        return points_a[a], points_b[b]


@dataclass(frozen=True)
class Halt:
    """Where a ``Follower`` was at one frame, to go on from there."""

    gray: np.ndarray | None
    ids: np.ndarray
    points: np.ndarray
    anchors: Anchors
    steady: bool
    motion: ImageMotion


class Follower:
    """Feed it frames in order; it keeps every point's history."""

    def __init__(self, size: tuple[int, int]) -> None:
        self.size = size
        self._gray: np.ndarray | None = None
        self._smooth: np.ndarray | None = None
        self._forget()
        self._next_id = 0
        self._history: list[tuple[np.ndarray, np.ndarray]] = []
        self._motion = ImageMotion(size)
        self.fast = False

    @property
    def current(self) -> tuple[np.ndarray, np.ndarray]:
        """ids and points (OpenCV's integer pixel centres) of the newest frame."""
        return self._ids, self._points

    def step(self, gray: np.ndarray, mask: np.ndarray, reach: np.ndarray) -> float:
        """Follow all points into ``gray`` (h, w) uint8, drop what enters ``mask``, find new ones.

        ``reach`` (h, w): where something may be held and carried by a hand.

        Returns the share of points that survived (1 when there were none to lose).
        """
        before = len(self._points)
        moved = self._motion.step(gray, mask)
        self._smooth = smoothed(gray)
        if before:
            self._follow(gray, mask, reach, moved(self._points))
        survived = len(self._points) / before if before else 1.0
        self._gray = gray
        if len(self._points) < (0.9 if len(self._history) % 2 == 0 else 0.5) * TARGET_TRACKS:
            self._replenish(gray, mask)
        self._history.append((self._ids, self._points + 0.5))
        return survived

    def restart(self, gray: np.ndarray, mask: np.ndarray) -> None:
        """End all tracks before the frame that was stepped last, as at a cut, and find points in it anew."""
        self._forget()
        self._replenish(gray, mask)
        self._history[-1] = (self._ids, self._points + 0.5)

    def _forget(self) -> None:
        # from a fast turn on, whose blur shows other looks, nothing is held any more: it tore a real clip in two
        self._steady = True
        self._points, self._ids = np.zeros((0, 2), np.float32), np.zeros(0, int)
        self._anchors = Anchors.later(0)

    def halt(self) -> Halt:
        return Halt(self._gray, self._ids, self._points, self._anchors, self._steady, copy.copy(self._motion))

    def resume(self, halt: Halt, frames: int) -> None:
        """Go on from ``halt``, as if the last ``frames`` frames had shown nothing."""
        self._gray, self._ids, self._points, self._anchors = halt.gray, halt.ids, halt.points, halt.anchors
        self._steady, self._motion = halt.steady, copy.copy(halt.motion)
        self._history[-frames:] = [(np.zeros(0, int), np.zeros((0, 2), np.float32))] * frames

    def tracks(self) -> Tracks:
        counts = [len(ids) for ids, _ in self._history]
        return Tracks(
            self.size,
            len(self._history),
            np.concatenate([ids for ids, _ in self._history]) if self._history else np.zeros(0, int),
            np.repeat(np.arange(len(counts)), counts),
            np.concatenate([points for _, points in self._history]).astype(float) if counts else np.zeros((0, 2)),
        )

    def _follow(self, gray: np.ndarray, mask: np.ndarray, reach: np.ndarray, guess: np.ndarray) -> None:
        speed_px = float(np.median(np.linalg.norm(guess - self._points, axis=1)))
        blur_px = _BLUR_SHARE * speed_px
        self.fast = speed_px > _FAST_PX
        start = np.array(guess, np.float32)
        moved, home = self._there_and_back(gray, self._points, start, WINDOW_PX, blur_px)
        if speed_px > _BLURRED_PX and home.sum() < _FEW * TARGET_TRACKS:
            again = np.flatnonzero(~home)
            moved[again], home[again] = self._there_and_back(
                gray, self._points[again], start[again], _BLURRED_WINDOW_PX, blur_px
            )
        kept = home & _usable(moved, mask)
        if self.fast:
            strayed = np.linalg.norm(moved - guess, axis=1) > _HELD_SHARE * speed_px
            kept &= ~strayed | _usable(moved, reach)
        kept[kept] = _on_epipolar_lines(self._points[kept], moved[kept], EPIPOLAR_PX + blur_px)
        self._ids = self._ids[kept]
        self._anchors, self._points = self._anchors.where(kept), moved[kept]
        self._steady = self._steady and not self.fast
        if self._steady:
            self._anchors, self._points = self._anchors.held(self._smooth, self._points)

    def _there_and_back(
        self, gray: np.ndarray, points: np.ndarray, guess: np.ndarray, window_px: int, blur_px: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """(n, 2) where ``points`` went, and (n,) whether from there they come home."""
        if not len(points):
            return points, np.zeros(0, bool)
        moved, found = self._flow(self._gray, gray, points, guess.copy(), LEVELS, window_px)
        # the way back starts at home, so it needs no coarse levels, which cost as much as the rest
        back, returned = self._flow(gray, self._gray, moved, points.copy(), 1, window_px)
        near = np.linalg.norm(back - points, axis=1) < ROUND_TRIP_PX + blur_px
        return moved, found & returned & near

    def _flow(
        self, source: np.ndarray, target: np.ndarray, points: np.ndarray, guess: np.ndarray, levels: int, window_px: int
    ) -> tuple[np.ndarray, np.ndarray]:
        stop = _NEARLY if self._steady else _STOP
        moved, status, _ = cv2.calcOpticalFlowPyrLK(
            source, target, points.reshape(-1, 1, 2), guess.reshape(-1, 1, 2), winSize=(window_px, window_px),
            maxLevel=levels, criteria=stop, flags=cv2.OPTFLOW_USE_INITIAL_FLOW, minEigThreshold=1e-4,
        )  # fmt: skip
        return moved[:, 0], status[:, 0] == 1

    def _replenish(self, gray: np.ndarray, mask: np.ndarray) -> None:
        fresh = find_corners(gray, mask, self._points)
        if self.fast and len(self._points) + len(fresh) < _SCARCE * TARGET_TRACKS:
            fresh = find_corners(gray, mask, self._points, _FAINT_CORNER)
        self._points = np.concatenate([self._points, fresh])
        anchors = Anchors.at(self._smooth, fresh) if self._steady else Anchors.later(len(fresh))
        self._anchors = self._anchors.and_those(anchors)
        self._ids = np.concatenate([self._ids, np.arange(self._next_id, self._next_id + len(fresh))])
        self._next_id += len(fresh)


def find_corners(gray: np.ndarray, mask: np.ndarray, taken: np.ndarray, least: float = _CORNER) -> np.ndarray:
    """(n, 2) float32 corners (Shi and Tomasi's smaller eigenvalue), spread over a grid, away from ``taken`` ones.

    ``least``: how strong a corner must be, in shares of the strongest.
    """
    height, width = gray.shape
    strength = cv2.cornerMinEigenVal(gray, 5, ksize=3)
    size = 2 * MIN_DISTANCE_PX + 1
    peak = strength == cv2.dilate(strength, np.ones((size, size), np.uint8))
    free = mask == 0
    free[:BORDER_PX], free[-BORDER_PX:], free[:, :BORDER_PX], free[:, -BORDER_PX:] = False, False, False, False
    if not free.any():
        return np.zeros((0, 2), np.float32)
    threshold = max(2e-5, least * float(strength[free].max()))
    blocked = np.zeros((height, width), np.uint8)
    for x, y in taken.round().astype(int):
        cv2.circle(blocked, (int(x), int(y)), MIN_DISTANCE_PX, 255, -1)
    y, x = np.nonzero(peak & free & (strength > threshold) & (blocked == 0))
    order = np.argsort(-strength[y, x], kind="stable")
    corners = np.stack([x, y], axis=1)[order]
    chosen = np.ascontiguousarray(corners[_best_of_cells(corners, taken, (width, height))], np.float32)
    return cv2.cornerSubPix(gray, chosen, (3, 3), (-1, -1), _STOP) if len(chosen) else chosen


def cells(points: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """(n,) index of each point's cell in the GRID."""
    column, row = (np.clip((points / size * GRID).astype(int), 0, np.array(GRID) - 1)).T
    return row * GRID[0] + column


def _best_of_cells(corners: np.ndarray, taken: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Which of ``corners`` (strongest first) fill up their cells to an even share of TARGET_TRACKS."""
    count = GRID[0] * GRID[1]
    room = -(-TARGET_TRACKS // count) - np.bincount(cells(taken, size), minlength=count)
    cell = cells(corners, size)
    order = np.argsort(cell, kind="stable")
    starts = np.searchsorted(cell[order], np.arange(count))
    place = np.empty(len(cell), int)
    place[order] = np.arange(len(cell)) - starts[cell[order]]
    return place < room[cell]


def _usable(points: np.ndarray, mask: np.ndarray) -> np.ndarray:
    height, width = mask.shape
    inside = (points > BORDER_PX).all(1) & (points < [width - 1 - BORDER_PX, height - 1 - BORDER_PX]).all(1)
    x, y = np.clip(points.round().astype(int), 0, [width - 1, height - 1]).T
    return inside & (mask[y, x] == 0)


def _on_epipolar_lines(before: np.ndarray, after: np.ndarray, tolerance_px: float) -> np.ndarray:
    """Which moves agree on one fundamental matrix; all of them where none can be told."""
    if len(before) < 16:
        return np.ones(len(before), bool)
    try:
        _, inliers = cv2.findFundamentalMat(before, after, cv2.USAC_MAGSAC, tolerance_px, 0.999, 300)
    except cv2.error:
        # OpenCV 5's USAC asserts on degenerate sets instead of returning none
        return np.ones(len(before), bool)
    if inliers is None or inliers.sum() < 12:
        return np.ones(len(before), bool)
    return inliers[:, 0] == 1
