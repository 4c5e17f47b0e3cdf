"""What a correction says about its neighbours: the tracker errs alike next door, and the motion was wrong alike.

A tracker's errors are the same error again from frame to frame, the more so the more alike the hand was read. Where an
artist puts a hand right, the motion that takes it there from where it was read is known; hands in the frames around are
taken along by the share in which errors are still correlated (interpolation between several corrections, decay beyond),
and with them what was seen of them. The start of the solve moves along, so that a hand in a wrong mode gets out of it
in all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..hand_model.rotations import exp, log
from ..initialise.kinematics import Pose as HandPose
from .constraints import Constraint, Point, Pose
from .costs import Cost, DepthHintCost, KeypointCost
from .costs.remembered import RememberedCost, RestCost
from .evaluation import Evaluation
from .layout import Track
from .problem import Problem
from .state import State

# seconds in which a tracker's errors forget themselves where it reads the same pose, and by what distance between
# poses (rms over keypoints, in the hand's radii) they do: measured on the validation clips
_MEMORY_S, _ALIKE = 1.35, 1.5
# share of the stretch, at either end, over which what is spread fades to nothing; in a short stretch more, up to all of
# it: this many seconds long, so that hands get no jerk at the ends
_FADE, _FADE_S = 0.25, 0.7
# a correction that goes this far says that half of what was known around the former motion was wrong
_WRONG_M = 0.02
# a frame beside the stretch that stands this far from where it rested was moved: below this nobody sees it
_MOVED_M = 1e-4


@dataclass(frozen=True)
class Corrections:
    """Corrected frames of one layout track, and how much each says about every frame of the stretch.

    Attributes:
        track: the layout's.
        hands: (n,) packed hand-frames of the stretch. corrected: (m,) those that were corrected, in the stretch or
            right beside it.
        share: (n, m).
    """

    track: int
    hands: np.ndarray
    corrected: np.ndarray
    share: np.ndarray


def at_rest(problem: Problem, state: State, hands: np.ndarray | slice = slice(None)) -> State:
    """The state in which packed ``hands`` stand where their solve left them, as far as that is known."""
    rest = _rest(problem)
    return replace(state, hands=state.hands.put(hands, rest.around.take(hands))) if rest else state


def _rest(problem: Problem) -> RestCost | None:
    return next((cost for cost in problem.costs if isinstance(cost, RestCost)), None)


def corrections(
    problem: Problem, state: State, constraints: Sequence[Constraint], first: int, last: int, frame_s: float
) -> list[Corrections]:
    """By track, what the constraints correct in frames ``first`` to ``last``. A tolerance makes no difference.

    What an earlier correction has moved right beside the stretch counts there, too: else the stretch would turn back to
    its landmarks where its neighbours don't.
    """
    out, former = [], problem.at(at_rest(problem, state))
    moved = np.linalg.norm(problem.at(state).keypoints - former.keypoints, axis=-1).mean(-1)
    for index, track in enumerate(problem.layout.tracks):
        frames = {
            c.frame
            for c in constraints
            if isinstance(c, Pose | Point) and c.track == index and first <= c.frame <= last
        }
        beside = [frame for frame in (first - 1, last + 1) if 0 <= frame - track.start < track.count]
        beside = [frame for frame in beside if moved[track.packed + frame - track.start] > _MOVED_M]
        if frames or beside:
            read = _read(former, track)
            out.append(_of_track(index, track, read, np.array(sorted(frames), int), beside, first, last, frame_s))
    return out


def _read(former: Evaluation, track: Track) -> np.ndarray:
    """(n, 21, 3) poses as the camera saw them, about their middle, in the hand's radii."""
    points = former.points_camera[track.hands]
    points = points - points.mean(1, keepdims=True)
    return points / np.sqrt((points**2).sum(-1).mean(-1))[:, None, None]


def _of_track(
    index: int,
    track: Track,
    read: np.ndarray,
    corrected: np.ndarray,
    beside: Sequence[int],
    first: int,
    last: int,
    frame_s: float,
) -> Corrections:
    frames = np.arange(max(first, track.start), min(last, track.start + track.count - 1) + 1)

    def alike(some: np.ndarray) -> np.ndarray:
        apart = np.abs(some[:, None] - corrected) * frame_s
        other = read[some - track.start, None] - read[corrected - track.start]
        unlike = np.sqrt((other**2).sum(-1).mean(-1))
        return np.exp(-apart / _MEMORY_S - (unlike / _ALIKE) ** 2)

    share = alike(frames) @ np.linalg.inv(alike(corrected))
    count = last - first + 1
    fade = max(min(max(_FADE * count, _FADE_S / frame_s), count / 2), 1.0)
    share *= _smooth(np.minimum(frames - first + 1, last + 1 - frames) / fade)[:, None]
    ends = [1 - _smooth(np.abs(frames - end) / fade) for end in beside]
    packed = track.packed - track.start
    return Corrections(
        index,
        frames + packed,
        np.concatenate([corrected, np.array(beside, int)]) + packed,
        np.column_stack([share, *ends]),
    )


def _smooth(x: np.ndarray) -> np.ndarray:
    x = np.clip(x, 0.0, 1.0)
    return x * x * (3 - 2 * x)


def moved_along(problem: Problem, state: State, corrected: State, given: Sequence[Corrections]) -> tuple[State, State]:
    """``state`` with every stretch and what was corrected at rest, and that with every stretch moved as its corrected
    frames are in ``corrected``."""
    hands = np.concatenate([np.concatenate([part.hands, part.corrected]) for part in given])
    before = at_rest(problem, state, hands)
    return before, replace(before, hands=_led(problem.at(before), corrected.hands, given))


def _led(at: Evaluation, to: HandPose, given: Sequence[Corrections]) -> HandPose:
    """Poses that go over to others in the corrected frames, and move along around these, as the camera sees it: turned
    about its axes, moved across the ray by as much, along it by as large a part of the distance."""
    poses, frames = at.state.hands, at.layout.frame_of
    camera, centre = at.state.camera_from_world[frames], at.scaled_centre[frames]
    from_eye = (camera @ (poses.wrist - centre)[..., None])[..., 0]
    distance = np.linalg.norm(from_eye, axis=-1)
    orient, angles, wrist = poses.global_orient.copy(), poses.angles.copy(), poses.wrist.copy()
    for part in given:
        c, h, share = part.corrected, part.hands, part.share
        there = (camera[c] @ (to.wrist[c] - centre[c])[..., None])[..., 0]
        farther = np.log(np.linalg.norm(there, axis=-1) / distance[c])
        across = distance[c, None] * _turn_between(from_eye[c], there)
        turn = log(camera[c] @ to.global_orient[c] @ np.swapaxes(camera[c] @ poses.global_orient[c], -1, -2))
        back = np.swapaxes(camera[h], -1, -2)
        orient[h] = back @ exp(share @ turn) @ camera[h] @ poses.global_orient[h]
        angles[h] += share @ (to.angles[c] - poses.angles[c])
        swung = exp((share @ across) / distance[h, None]) @ from_eye[h, :, None]
        wrist[h] = (back @ swung)[..., 0] * np.exp(share @ farther)[:, None] + centre[h]
    corrected = np.concatenate([part.corrected for part in given])
    return HandPose(orient, angles, wrist).put(corrected, to.take(corrected))


def _turn_between(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """(n, 3) rotation vectors of the shortest turns between directions less than a right angle apart."""
    first, second = (v / np.linalg.norm(v, axis=-1, keepdims=True) for v in (first, second))
    axis = np.cross(first, second)
    sine = np.linalg.norm(axis, axis=-1, keepdims=True)
    return axis * np.where(sine > 1e-9, np.arcsin(np.clip(sine, 0.0, 1.0)) / np.maximum(sine, 1e-9), 1.0)


def relearned(problem: Problem, before: State, led: State, given: Sequence[Corrections]) -> Problem:
    """The problem with what was seen around each correction moved from a hand's pose before to where it was led.

    The further a correction goes, the less is kept of what else held the former motion.
    """
    former, right = problem.at(before), problem.at(led)
    neighbours = _neighbours(given)
    wrong = _wrong(former, right) if _rest(problem) else np.ones(problem.layout.hand_count)

    def learned(cost: Cost) -> Cost:
        if isinstance(cost, KeypointCost):
            targets = cost.targets_px.copy()
            targets[neighbours] += (_projected(right) - _projected(former))[neighbours]
            return replace(cost, targets_px=targets)
        if isinstance(cost, DepthHintCost):
            return _deeper(cost, former, right, neighbours)
        if isinstance(cost, RememberedCost):
            return replace(cost, around=led.hands)
        if isinstance(cost, RestCost):
            return replace(cost.faded(_kept(wrong, given)), around=led.hands)
        return cost

    return replace(problem, costs=tuple(learned(cost) for cost in problem.costs))


def _neighbours(given: Sequence[Corrections]) -> np.ndarray:
    """Packed hand-frames that a correction tells something about, but for the corrected ones."""
    return np.concatenate([np.setdiff1d(part.hands, part.corrected) for part in given])


def _deeper(cost: DepthHintCost, former: Evaluation, right: Evaluation, hands: np.ndarray) -> DepthHintCost:
    """The hint with depths moved along; only what lies along the ray, about the middle, is asked of it."""
    moved = ((right.given_points - former.given_points)[hands] * cost.ray[hands, None]).sum(-1)
    depth = cost.depth.copy()
    depth[hands] += (moved - moved.mean(1, keepdims=True)) * cost.information[hands]
    return replace(cost, depth=depth)


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


def _projected(at: Evaluation) -> np.ndarray:
    """(N, 21, 2) landmarks in the picture, px."""
    x = at.points_camera
    return at.focal_px * x[..., :2] / np.maximum(x[..., 2:], 1e-3) + at.view.centre_px
