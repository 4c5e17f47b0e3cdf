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

from ..initialise.kinematics import Pose as HandPose
from .constraints import Constraint, Point, Pose
from .costs import KeypointCost
from .costs.remembered import RememberedCost, RestCost, displacement
from .evaluation import Evaluation
from .layout import Track
from .problem import Problem
from .state import State

# seconds in which a tracker's errors forget themselves
MEMORY_S = 1.0
# share of the stretch, at either end, over which what is spread fades to nothing; in a short stretch more, up to all of
# it: this many memories long, so that hands get no jerk at the ends
_FADE, _FADE_MEMORIES = 0.25, 0.7
# a correction that goes this far says that half of what was known around the former motion was wrong
_WRONG_M = 0.02


# a frame beside the stretch that stands this far from where it rested was moved: below this nobody sees it
_MOVED_M = 1e-4


@dataclass(frozen=True)
class Corrections:
    """Corrected frames of one layout track, and how much each says about every frame of the stretch.

    Attributes:
        hands: (n,) packed hand-frames of the stretch. corrected: (m,) those that were corrected, in the stretch or
            right beside it.
        share: (n, m).
    """

    hands: np.ndarray
    corrected: np.ndarray
    share: np.ndarray


def corrections(
    problem: Problem, state: State, constraints: Sequence[Constraint], first: int, last: int, memory_frames: float
) -> list[Corrections]:
    """By track, what the constraints correct in frames ``first`` to ``last``. A tolerance makes no difference.

    What an earlier correction has moved right beside the stretch counts there, too: else the stretch would turn back to
    its landmarks where its neighbours don't.
    """
    out, moved = [], _moved_m(problem, state)
    for index, track in enumerate(problem.layout.tracks):
        frames = {
            c.frame
            for c in constraints
            if isinstance(c, Pose | Point) and c.track == index and first <= c.frame <= last
        }
        beside = [frame for frame in (first - 1, last + 1) if 0 <= frame - track.start < track.count]
        beside = [frame for frame in beside if moved[track.packed + frame - track.start] > _MOVED_M]
        if frames or beside:
            out.append(_of_track(track, np.array(sorted(frames), int), beside, first, last, memory_frames))
    return out


def _moved_m(problem: Problem, state: State) -> np.ndarray:
    """(N,) how far hands stand from where they rested, where that is known."""
    for cost in problem.costs:
        if isinstance(cost, RestCost):
            former = problem.at(replace(state, hands=cost.around))
            return np.linalg.norm(problem.at(state).keypoints - former.keypoints, axis=-1).mean(-1)
    return np.zeros(problem.layout.hand_count)


def _of_track(
    track: Track, corrected: np.ndarray, beside: Sequence[int], first: int, last: int, memory_frames: float
) -> Corrections:
    frames = np.arange(max(first, track.start), min(last, track.start + track.count - 1) + 1)
    known = np.exp(-np.abs(corrected[:, None] - corrected) / memory_frames)
    share = np.exp(-np.abs(frames[:, None] - corrected) / memory_frames) @ np.linalg.inv(known)
    count = last - first + 1
    fade = max(min(max(_FADE * count, _FADE_MEMORIES * memory_frames), count / 2), 1.0)
    share *= _smooth(np.minimum(frames - first + 1, last + 1 - frames) / fade)[:, None]
    ends = [1 - _smooth(np.abs(frames - end) / fade) for end in beside]
    packed = track.packed - track.start
    return Corrections(
        frames + packed, np.concatenate([corrected, np.array(beside, int)]) + packed, np.column_stack([share, *ends])
    )


def _smooth(x: np.ndarray) -> np.ndarray:
    x = np.clip(x, 0.0, 1.0)
    return x * x * (3 - 2 * x)


def moved_along(before: State, after: State, given: Sequence[Corrections]) -> State:
    """``before`` with every stretch moved as its corrected frames moved from ``before`` to ``after``."""
    return replace(before, hands=_led(before.hands, after.hands, given))


def _led(poses: HandPose, to: HandPose, given: Sequence[Corrections]) -> HandPose:
    """Poses that go over to others in the corrected frames, and move along around these."""
    step = np.zeros((len(poses), 6 + poses.angles.shape[1]))
    for part in given:
        at = part.corrected
        step[part.hands] = part.share @ displacement(to.take(at), poses.take(at))
    corrected = np.concatenate([part.corrected for part in given])
    return poses.moved(step).put(corrected, to.take(corrected))


def relearned(problem: Problem, state: State, given: Sequence[Corrections]) -> Problem:
    """The problem with what was seen around each correction moved by what was wrong there.

    A correction that leaves a motion where it rested (``settled``) teaches nothing. The further it goes from there, the
    more of what landmarks and motion disagreed on is put down to the tracker (but for hands on their outlines, which
    lie off their landmarks for a reason), and the less is kept of the rest.
    """
    seen = next(cost for cost in problem.costs if isinstance(cost, KeypointCost))
    rest = next((cost for cost in problem.costs if isinstance(cost, RestCost)), None)
    right = problem.at(state)
    former = problem.at(replace(state, hands=rest.around)) if rest else right
    wrong = _wrong(former, right) if rest else np.ones(len(seen.targets_px))
    blamed = np.where(_remembered(problem), 0.0, wrong)[:, None, None]
    taken = blamed * seen.targets_px + (1 - blamed) * _projected(former)
    return replace(problem, costs=tuple(
        replace(cost, targets_px=_relearned(seen, taken, _projected(right), given)) if cost is seen
        else replace(cost, around=_led(cost.around, state.hands, given)) if isinstance(cost, RememberedCost)
        else cost.faded(_kept(wrong, given)) if cost is rest
        else cost
        for cost in problem.costs
    ))  # fmt: skip


def _remembered(problem: Problem) -> np.ndarray:
    """(N,) bool: hand-frames of which other evidence than landmarks is remembered."""
    kept = [cost.root.any((1, 2)) for cost in problem.costs if isinstance(cost, RememberedCost)]
    return np.logical_or.reduce([np.zeros(problem.layout.hand_count, bool), *kept])


def _wrong(former: Evaluation, right: Evaluation) -> np.ndarray:
    """(N,) 0..1: how wrong a motion was, by how far hands went from it."""
    moved = np.linalg.norm(right.keypoints - former.keypoints, axis=-1).mean(-1)
    return moved**2 / (moved**2 + _WRONG_M**2)


def _kept(wrong: np.ndarray, given: Sequence[Corrections]) -> np.ndarray:
    """(N,) 0..1: what around the corrections is left of the former motion."""
    kept = np.ones(len(wrong))
    for part in given:
        kept[part.hands] = 1 - np.clip(part.share @ wrong[part.corrected], 0.0, 1.0)
    return kept


def _relearned(seen: KeypointCost, taken: np.ndarray, right: np.ndarray, given: Sequence[Corrections]) -> np.ndarray:
    """(N, 21, 2) landmarks: in corrected frames as seen, around them moved as from ``taken`` to ``right`` there."""
    targets = seen.targets_px.copy()
    for part in given:
        known = [hand for hand in part.corrected if seen.whitening[hand].any()]
        shares = part.share[:, np.isin(part.corrected, known)]
        errors = [_error(taken[hand], right[hand], seen.whitening[hand]) for hand in known]
        for row, hand in enumerate(part.hands):
            if hand not in known and seen.whitening[hand].any():
                targets[hand] = _corrected(seen.targets_px[hand], errors, shares[row])
    return targets


def _projected(at: Evaluation) -> np.ndarray:
    """(N, 21, 2) landmarks in the picture, px."""
    x = at.points_camera
    return at.focal_px * x[..., :2] / np.maximum(x[..., 2:], 1e-3) + at.view.centre_px


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
