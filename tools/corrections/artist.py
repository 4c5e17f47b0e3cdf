"""A simulated artist: finds where a take is worst, puts the hand right in one frame after another, re-solves."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from solver.bench.truth import SIDES, Truth
from solver.constraints import Constraint, Point
from solver.hand_model import HandModel
from solver.optimise import Resumed
from solver.take import MISSING, Take

# an artist puts a joint where it belongs up to about this
CAREFUL_M = 0.002
WINDOW, STEP, AROUND = 30, 5, 30


@dataclass(frozen=True)
class Stretch:
    """A bad second of one hand: the clip, the take's hand, clip frames ``first`` to ``last``, its mean error in mm."""

    clip: str
    hand: int
    first: int
    last: int
    error_mm: float


def errors_mm(take: Take, truth: Truth, models: Mapping[str, HandModel], hand: int) -> np.ndarray:
    """(T,) mean distance of a hand's 21 keypoints from the truth's, each in its own camera's frame; NaN where either
    hand is missing. So neither the world's origin nor the camera's path has a say."""
    true = _true_in_camera(take, truth, hand)
    world = _keypoints(take, models, hand)
    pose = np.linalg.inv(take.world_from_camera)
    seen = np.einsum("tab,tkb->tka", pose[:, :3, :3], world) + pose[:, None, :3, 3]
    return 1000 * np.linalg.norm(seen - true, axis=-1).mean(-1)


def worst(clip: str, take: Take, errors: Mapping[int, np.ndarray]) -> list[Stretch]:
    """All windows of all hands, worst first, none overlapping a worse one."""
    found = []
    for hand, error in errors.items():
        for start in range(0, len(error) - WINDOW + 1, STEP):
            window = error[start : start + WINDOW]
            if np.isfinite(window).all():
                frames = take.frames[start], take.frames[start + WINDOW - 1]
                found.append(Stretch(clip, hand, int(frames[0]), int(frames[1]), float(window.mean())))
    kept: list[Stretch] = []
    for stretch in sorted(found, key=lambda one: -one.error_mm):
        if all(one.hand != stretch.hand or one.last < stretch.first or stretch.last < one.first for one in kept):
            kept.append(stretch)
    return kept


def corrected(
    resumed: Resumed, truth: Truth, models: Mapping[str, HandModel], stretch: Stretch, count: int
) -> Iterator[tuple[float, Take]]:
    """The stretch's mean error in mm, and the take, after 0, 1, ... ``count`` corrections, each at the worst frame."""
    wishes: list[Constraint] = []
    done: set[int] = set()
    first, last = stretch.first - AROUND, stretch.last + AROUND
    now = resumed
    for number in range(count + 1):
        error = errors_mm(now.take, truth, models, stretch.hand)
        rows = np.arange(stretch.first, stretch.last + 1) - now.take.frames[0]
        yield float(np.nanmean(error[rows])), now.take
        if number == count:
            return
        frame = int(max((row for row in rows if row not in done), key=lambda row: error[row]))
        done.add(frame)
        wishes += _put_right(now.take, truth, stretch.hand, frame)
        _, now = deque(now.resolve(first, last, wishes, [stretch.hand]), maxlen=1).pop()


def _put_right(take: Take, truth: Truth, hand: int, row: int) -> list[Constraint]:
    """All 21 joints where they really are, as seen from the take's camera."""
    pose = take.world_from_camera[row]
    points = _true_in_camera(take, truth, hand)[row] @ pose[:3, :3].T + pose[:3, 3]
    frame = int(take.frames[row])
    return [Point(hand, frame, number, point, CAREFUL_M) for number, point in enumerate(points)]


def _true_in_camera(take: Take, truth: Truth, hand: int) -> np.ndarray:
    """(T, 21, 3) at the take's frames, NaN where the hand isn't there to be found."""
    side = SIDES.index(take.sides[hand])
    rows = np.searchsorted(truth.frames, take.frames)
    pose = np.linalg.inv(truth.world_from_camera[rows])
    points = np.einsum("tab,tkb->tka", pose[:, :3, :3], truth.keypoints[rows, side]) + pose[:, None, :3, 3]
    points[~truth.present()[rows, side]] = np.nan
    return points


def _keypoints(take: Take, models: Mapping[str, HandModel], hand: int) -> np.ndarray:
    """(T, 21, 3) world, NaN where missing."""
    out = np.full((len(take.frames), 21, 3), np.nan)
    there = take.status[hand] != MISSING
    shaped = models[take.sides[hand]].with_shape(take.betas[hand])
    out[there] = shaped.pose(take.rotations[hand, there], take.transl[hand, there]).keypoints
    return out
