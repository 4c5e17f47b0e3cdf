"""What a correction says about its neighbours: the tracker errs alike next door, and the motion was wrong alike.

A tracker's errors are the same error again from frame to frame. Where an artist puts a hand right, the difference
between what was tracked and what it should have been is known; in the frames around, landmarks are corrected by as much
as errors are still correlated (a stationary process with exponential memory: interpolation between several corrections,
decay beyond). The start of the solve moves along, so that a hand in a wrong mode gets out of it in all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..hand_model.rotations import exp, log
from ..initialise.kinematics import Pose as HandPose
from .constraints import Constraint, Point, Pose
from .costs import KeypointCost
from .layout import Track
from .problem import Problem
from .state import State

# seconds in which a tracker's errors forget themselves
MEMORY_S = 1.0
# share of the stretch, at either end, over which what is spread fades to nothing; in a short stretch more, up to all of
# it: this many memories long, so that hands get no jerk at the ends
_FADE, _FADE_MEMORIES = 0.25, 0.7


@dataclass(frozen=True)
class Corrections:
    """Corrected frames of one layout track, and how much each says about every frame of the stretch.

    Attributes:
        hands: (n,) packed hand-frames of the stretch. corrected: (m,) those that were corrected.
        share: (n, m).
    """

    hands: np.ndarray
    corrected: np.ndarray
    share: np.ndarray


def corrections(
    problem: Problem, constraints: Sequence[Constraint], first: int, last: int, memory_frames: float
) -> list[Corrections]:
    """By track, what the constraints correct in frames ``first`` to ``last``. A tolerance makes no difference."""
    out = []
    for index, track in enumerate(problem.layout.tracks):
        frames = {
            c.frame
            for c in constraints
            if isinstance(c, Pose | Point) and c.track == index and first <= c.frame <= last
        }
        if frames:
            out.append(_of_track(track, np.array(sorted(frames)), first, last, memory_frames))
    return out


def _of_track(track: Track, corrected: np.ndarray, first: int, last: int, memory_frames: float) -> Corrections:
    frames = np.arange(max(first, track.start), min(last, track.start + track.count - 1) + 1)
    known = np.exp(-np.abs(corrected[:, None] - corrected) / memory_frames)
    share = np.exp(-np.abs(frames[:, None] - corrected) / memory_frames) @ np.linalg.inv(known)
    count = last - first + 1
    fade = max(min(max(_FADE * count, _FADE_MEMORIES * memory_frames), count / 2), 1.0)
    inside = np.clip(np.minimum(frames - first + 1, last + 1 - frames) / fade, 0.0, 1.0)
    share *= (inside * inside * (3 - 2 * inside))[:, None]
    packed = track.packed - track.start
    return Corrections(frames + packed, corrected + packed, share)


def moved_along(before: State, after: State, given: Sequence[Corrections]) -> State:
    """``before`` with every stretch moved as its corrected frames moved from ``before`` to ``after``."""
    old, new = before.hands, after.hands
    orient, angles, wrist = old.global_orient.copy(), old.angles.copy(), old.wrist.copy()
    for part in given:
        at, by = part.corrected, part.share
        turn = log(new.global_orient[at] @ np.swapaxes(old.global_orient[at], -1, -2))
        orient[part.hands] = exp(by @ turn) @ old.global_orient[part.hands]
        angles[part.hands] += by @ (new.angles[at] - old.angles[at])
        wrist[part.hands] += by @ (new.wrist[at] - old.wrist[at])
        orient[at], angles[at], wrist[at] = new.global_orient[at], new.angles[at], new.wrist[at]
    return replace(before, hands=HandPose(orient, angles, wrist))


def relearned(problem: Problem, state: State, given: Sequence[Corrections]) -> Problem:
    """The problem with the landmarks around each correction moved by what the tracker got wrong there."""
    seen = next(cost for cost in problem.costs if isinstance(cost, KeypointCost))
    wanted = problem.at(state)
    targets = seen.targets_px.copy()
    for part in given:
        known = [hand for hand in part.corrected if seen.whitening[hand].any()]
        shares = part.share[:, np.isin(part.corrected, known)]
        errors = [_error(seen.targets_px[hand], _projected(wanted, hand), seen.whitening[hand]) for hand in known]
        for row, hand in enumerate(part.hands):
            if hand not in known and seen.whitening[hand].any():
                targets[hand] = _corrected(seen.targets_px[hand], errors, shares[row])
    return replace(problem, costs=tuple(replace(c, targets_px=targets) if c is seen else c for c in problem.costs))


def _projected(at, hand: int) -> np.ndarray:
    x = at.points_camera[hand]
    return at.focal_px * x[:, :2] / x[:, 2:] + at.view.centre_px


def _error(seen_px: np.ndarray, right_px: np.ndarray, whitening: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """From what was seen (21, 2) to what is right, in hand sizes: (2, 3) similarity about the centre, less the
    identity, and (21, 2) the rest; landmarks that weren't seen have no rest."""
    there = whitening.any((-2, -1))
    centre, size = _frame(seen_px)
    plain, right = (seen_px - centre) / size, (right_px - centre) / size
    x, y = plain[there].T
    # x' = a x - b y + c, y' = b x + a y + d
    rows = np.concatenate([
        np.stack([x, -y, np.ones_like(x), np.zeros_like(x)], 1), np.stack([y, x, np.zeros_like(x), np.ones_like(x)], 1)
    ])  # fmt: skip
    a, b, c, d = np.linalg.lstsq(rows, np.concatenate([right[there, 0], right[there, 1]]), rcond=None)[0]
    similarity = np.array([[a - 1, -b, c], [b, a - 1, d]])
    rest = right - plain - _apply(similarity, plain)
    return similarity, np.where(there[:, None], rest, 0.0)


def _corrected(seen_px: np.ndarray, errors: list[tuple[np.ndarray, np.ndarray]], share: np.ndarray) -> np.ndarray:
    centre, size = _frame(seen_px)
    plain = (seen_px - centre) / size
    moved = sum(s * (_apply(similarity, plain) + rest) for s, (similarity, rest) in zip(share, errors, strict=True))
    return seen_px + size * moved


def _apply(similarity: np.ndarray, points: np.ndarray) -> np.ndarray:
    return points @ similarity[:, :2].T + similarity[:, 2]


def _frame(points_px: np.ndarray) -> tuple[np.ndarray, float]:
    """Centre and size of a hand in the picture."""
    centre = points_px.mean(0)
    return centre, float(np.sqrt(((points_px - centre) ** 2).sum(-1).mean()))
