"""What moves by itself in a frame, hands and forearms: the camera must not be solved from these pixels."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from ..observations import HandTrack

_WRIST, _MIDDLE_MCP = 0, 9
# The landmarks lie inside the hand and the tracker's window reaches further: both in shares of the hand's size.
_HULL_MARGIN = 0.22
# A forearm is about 2.6 palms (wrist to middle knuckle) long and, with a sleeve, 1.1 palms wide.
_FOREARM_PALMS, _FOREARM_WIDTH_PALMS = 2.8, 1.1
_MIN_MARGIN_PX = 12
# What a hand carries lies within this many hand's sizes of its middle.
_HELD_REACH = 2.6
# A hand that was missed for some frames was still there; one about to be found or just lost is not far away.
_HELD_FRAMES, _BRIDGED_FRAMES = 6, 20


@dataclass(frozen=True)
class HandShapes:
    """Landmarks of all hands in every frame, gaps closed. ``landmarks_px[row]`` is a list of (21, 2)."""

    landmarks_px: tuple[tuple[np.ndarray, ...], ...]

    def mask(self, row: int, size: tuple[int, int], scale: float) -> np.ndarray:
        """(h, w) uint8, 255 on hands and arms, of an image of ``size`` (width, height) shrunk by ``scale``."""
        mask = np.zeros(size[::-1], np.uint8)
        for landmarks in self.landmarks_px[row]:
            _draw_hand(mask, landmarks * scale - 0.5)
        return mask

    def within_reach(self, row: int, size: tuple[int, int], scale: float) -> np.ndarray:
        """(h, w) uint8, 255 where something may be held by a hand; arguments as of ``mask``."""
        region = np.zeros(size[::-1], np.uint8)
        for landmarks in self.landmarks_px[row]:
            if np.isfinite(landmarks).all():
                low, high = landmarks.min(axis=0) * scale, landmarks.max(axis=0) * scale
                middle = np.clip((low + high) / 2, -size[0], 2 * size[0]).astype(int)
                reach = min(int(_HELD_REACH * (high - low).max()), size[0])
                cv2.circle(region, middle.tolist(), reach, 255, -1)
        return region


def hand_shapes(tracks: list[HandTrack], frame_numbers: range) -> HandShapes:
    """Where hands are in each of ``frame_numbers``: as tracked, interpolated in gaps, held a little beyond the ends."""
    rows: list[list[np.ndarray]] = [[] for _ in frame_numbers]
    for track in tracks:
        for number, landmarks in _filled(track):
            if number in frame_numbers:
                rows[number - frame_numbers.start].append(landmarks)
    return HandShapes(tuple(tuple(row) for row in rows))


def _filled(track: HandTrack):
    if not len(track.frames):
        return
    frames, points = np.asarray(track.frames), track.landmarks_px
    for number in range(int(frames[0]) - _HELD_FRAMES, int(frames[-1]) + _HELD_FRAMES + 1):
        after = int(np.searchsorted(frames, number))
        if after < len(frames) and frames[after] == number:
            yield number, points[after]
        elif after in (0, len(frames)):
            yield number, points[min(after, len(frames) - 1)]
        else:
            gap = int(frames[after] - frames[after - 1])
            share = (number - frames[after - 1]) / gap
            nearest = min(number - frames[after - 1], frames[after] - number)
            if gap <= _BRIDGED_FRAMES:
                yield number, (1 - share) * points[after - 1] + share * points[after]
            elif nearest <= _HELD_FRAMES:
                yield number, points[after - 1] if share < 0.5 else points[after]


def _draw_hand(mask: np.ndarray, landmarks: np.ndarray) -> None:
    if not np.isfinite(landmarks).all():
        return
    height, width = mask.shape
    landmarks = np.clip(landmarks, [-2 * width, -2 * height], [3 * width, 3 * height])
    size = float(np.ptp(landmarks, axis=0).max())
    margin = max(_MIN_MARGIN_PX, round(_HULL_MARGIN * size))
    hull = cv2.convexHull(landmarks.astype(np.float32)).round().astype(np.int32)
    cv2.fillConvexPoly(mask, hull, 255)
    cv2.polylines(mask, [hull], True, 255, 2 * margin)
    _draw_forearm(mask, landmarks, margin)


def _draw_forearm(mask: np.ndarray, landmarks: np.ndarray, margin: int) -> None:
    """A widening strip from the wrist, away from the knuckles. Foreshortened palms still get half a hand of arm."""
    palm = landmarks[_WRIST] - landmarks[_MIDDLE_MCP]
    length = float(np.linalg.norm(palm))
    if length < 1:
        return
    reach = max(length, 0.25 * float(np.ptp(landmarks, axis=0).max()))
    along = palm / length
    aside = np.array([-along[1], along[0]]) * (_FOREARM_WIDTH_PALMS * reach / 2 + margin / 2)
    near, far = landmarks[_WRIST] - 0.2 * palm, landmarks[_WRIST] + along * _FOREARM_PALMS * reach
    strip = np.stack([near - aside, near + aside, far + 1.4 * aside, far - 1.4 * aside])
    cv2.fillConvexPoly(mask, strip.round().astype(np.int32), 255)
