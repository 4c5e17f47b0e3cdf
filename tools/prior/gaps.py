"""Gaps in recordings: which landmarks are hidden for how long, and the problem that has to fill them.

A recording has fingers alone, so the wrist gets a path of its own and the landmarks get a detector's kind of error: a
part that stays, a part that drifts, a part that is new each frame. Hidden landmarks are not seen at all in the gap.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from solver.hand_model.rotations import exp
from solver.initialise.kinematics import Pose, pose_landmarks
from solver.optimise import costs
from solver.optimise.costs.keypoints import whitening_of
from solver.optimise.evaluation import Evaluation, View
from solver.optimise.kernels import GemanMcClure
from solver.optimise.layout import Layout, Span, arrange
from solver.optimise.state import State
from solver.optimise.weights import Weights
from solver.prior.gaps import hinges_seen
from tools.optimiser_bench.scenes import wander

from .arms import Fit, Scene, filled, linear
from .recordings import Recording, open_skeleton
from .size import WHOLE

VIEW = View(focal_px=np.array([900.0, 900.0]), centre_px=np.array([640.0, 360.0]))
_CONTEXT, _LEAST_CONTEXT = 12, 5
# px at half a metre: what stays over a window, what drifts, what is new; and the deviation that the solver is told
_BIAS_PX, _DRIFT_PX, _NOISE_PX, _STATED_PX = 4.0, 4.0, 1.5, 6.0
_DRIFT = 0.8
# a gap in which fingertips go less far than this tells nothing about filling, metres
_LEAST_MOTION = 0.015

_FINGERS = {
    "thumb": range(1, 5),
    "index": range(5, 9),
    "middle": range(9, 13),
    "ring": range(13, 17),
    "pinky": range(17, 21),
}
_BASES = (5, 9, 13, 17)  # rigid with the palm: as visible as it is


def _of(*fingers: str) -> tuple[int, ...]:
    return tuple(point for finger in fingers for point in _FINGERS[finger] if point not in _BASES)


@dataclass(frozen=True)
class Hidden:
    """What is hidden: landmarks; whether for the whole window; in the measure, the same landmarks."""

    name: str
    points: tuple[int, ...]
    throughout: bool = False


ROWS = (
    Hidden("ring and pinky", _of("ring", "pinky")),
    Hidden("index and middle", _of("index", "middle")),
    Hidden("four fingers", _of("index", "middle", "ring", "pinky")),
    Hidden("thumb", _of("thumb")),
    Hidden("all fingers", _of(*_FINGERS)),
    Hidden("hand and wrist", tuple(range(21))),
    Hidden("ring and pinky never seen", _of("ring", "pinky"), throughout=True),
    Hidden("four fingers never seen", _of("index", "middle", "ring", "pinky"), throughout=True),
    Hidden("thumb never seen", _of("thumb"), throughout=True),
)
HIDDEN = {row.name: row for row in ROWS}


@dataclass(frozen=True)
class Gap:
    """One gap: ``angles`` (n, hinges) of a window, hidden in frames ``hole`` of it, of the sequence ``sequence``."""

    sequence: str
    angles: np.ndarray
    hole: slice


def find(recordings: Sequence[Recording], length: int, most: int = WHOLE.gaps) -> list[Gap]:
    """One gap per run, where the fingertips go farthest in ``length`` frames; the ``most`` runs with most motion."""
    skeleton = open_skeleton()
    found: list[tuple[float, Gap]] = []
    for recording in recordings:
        n = len(recording.angles)
        if n < length + 2 * _LEAST_CONTEXT:
            continue
        angles = np.clip(recording.angles, skeleton.hinges.low, skeleton.hinges.high)
        tips = local_keypoints(angles)[:, [4, 8, 12, 16, 20]]
        path = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(tips, axis=0), axis=-1).mean(1))])
        starts = np.arange(_LEAST_CONTEXT, n - length - _LEAST_CONTEXT + 1)
        best = int(starts[np.argmax(path[starts + length] - path[starts])])
        motion = float(path[best + length] - path[best])
        if motion < _LEAST_MOTION:
            continue
        first, last = max(best - _CONTEXT, 0), min(best + length + _CONTEXT, n)
        hole = slice(best - first, best - first + length)
        found.append((motion, Gap(f"{recording.source} {recording.name}", angles[first:last], hole)))
    return [gap for _, gap in sorted(found, key=lambda item: -item[0])[:most]]


def local_keypoints(angles: np.ndarray) -> np.ndarray:
    """(n, 21, 3) keypoints in the wrist's frame."""
    n, skeleton = len(angles), open_skeleton()
    pose = Pose(np.tile(np.eye(3), (n, 1, 1)), angles, np.zeros((n, 3)))
    return pose_landmarks(skeleton, np.zeros(skeleton.shape_count), pose).landmarks


@dataclass(frozen=True)
class Puzzle:
    """All gaps of one row in one layout, one after another in time.

    Attributes:
        truth, start: states; the start is what the observations leave of the truth.
        known: (N, hinges) bool: angles that some observation concerns.
        hidden: (N, 21) bool, what is measured.
        evidence: costs of what is seen.
        sequences: the sequence of each of the layout's tracks.
    """

    layout: Layout
    truth: State
    start: State
    known: np.ndarray
    hidden: np.ndarray
    evidence: tuple[costs.Cost, ...]
    sequences: tuple[str, ...]

    def scene(self, fit: Fit) -> Scene:
        """What an arm is given, when it may know ``fit``."""
        return Scene(self.layout, VIEW, self.evidence, self.start, self.hidden, self.known, fit)

    def errors_m(self, state: State) -> np.ndarray:
        """(tracks,) mean distance of hidden keypoints from the truth, each in its own wrist's frame."""
        distance = np.linalg.norm(
            local_keypoints(state.hands.angles) - local_keypoints(self.truth.hands.angles), axis=-1
        )
        counted = self.hidden & (np.arange(21) > 0)
        return np.array([
            distance[track.hands][counted[track.hands]].mean() for track in self.layout.tracks
        ])  # fmt: skip


def pose_puzzle(gaps: Sequence[Gap], hidden: Hidden, seed: int) -> Puzzle:
    """The problem of filling ``gaps``, with errors from ``seed``."""
    rng, skeleton = np.random.default_rng(seed), open_skeleton()
    spans, start = [], 0
    for gap in gaps:
        spans.append(Span(skeleton, skeleton, 0, start, len(gap.angles)))
        start += len(gap.angles) + 4
    layout = arrange(start, spans, shape_free=False)
    truth = _state(layout, Pose(*_wrists(rng, [len(g.angles) for g in gaps], np.concatenate([g.angles for g in gaps]))))
    unseen = np.zeros((layout.hand_count, 21), bool)
    for gap, track in zip(gaps, layout.tracks, strict=True):
        hole = slice(0, track.count) if hidden.throughout else gap.hole
        unseen[track.packed + hole.start : track.packed + hole.stop, list(hidden.points)] = True
    known = hinges_seen(skeleton.hinges, ~unseen)
    angles = _interpolated(layout, truth.hands.angles + np.radians(4) * rng.standard_normal(known.shape), known)
    begin = _state(layout, Pose(truth.hands.global_orient, angles, truth.hands.wrist))
    return Puzzle(
        layout, truth, begin, known, unseen, _evidence(rng, layout, truth, unseen), tuple(gap.sequence for gap in gaps)
    )


def _wrists(rng: np.random.Generator, lengths: list[int], angles: np.ndarray) -> tuple[np.ndarray, ...]:
    orient, wrist = [], []
    for n in lengths:
        base = exp(np.array([0.0, 0.0, np.pi / 2])) @ exp(
            np.array([rng.uniform(-0.6, 0.6), rng.uniform(-0.5, 0.8), 0.3])
        )
        orient.append(exp(wander(rng, n, (3,), 0.25, 40)) @ base)
        wrist.append(np.array([0.0, 0.05, 0.5]) + wander(rng, n, (3,), 0.03, 40))
    return np.concatenate(orient), angles, np.concatenate(wrist)


def _state(layout: Layout, hands: Pose) -> State:
    t = layout.frame_count
    return State(hands, np.tile(np.eye(3), (t, 1, 1)), np.zeros((t, 3)), np.zeros((1, 10)), 0.0, 0.0, np.zeros((21, 3)))


def _interpolated(layout: Layout, angles: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Unknown angles linearly between known ones of their track; hinges never known rest."""
    out = np.array(angles)
    for track in layout.tracks:
        never = ~known[track.hands].any(0)
        own = filled(angles[track.hands], known[track.hands], linear)
        own[:, never] = track.skeleton.hinges.mean[never]
        out[track.hands] = own
    return out


def _evidence(rng: np.random.Generator, layout: Layout, truth: State, unseen: np.ndarray) -> tuple[costs.Cost, ...]:
    x = Evaluation(layout, VIEW, truth).points_camera
    image = VIEW.focal_px * x[..., :2] / x[..., 2:] + VIEW.centre_px
    whitening = np.tile(whitening_of(_STATED_PX**2 * np.eye(2)), (layout.hand_count, 21, 1, 1))
    whitening[unseen] = 0
    return (
        costs.KeypointCost(
            targets_px=image + detector_errors(rng, layout), whitening=whitening, kernel=GemanMcClure(4.0)
        ),
        *costs_of_wrist(layout),
    )


def detector_errors(rng: np.random.Generator, layout: Layout) -> np.ndarray:
    out = np.empty((layout.hand_count, 21, 2))
    for track in layout.tracks:
        fresh = rng.standard_normal((track.count, 21, 2)) * np.sqrt(1 - _DRIFT**2)
        drift = np.empty_like(fresh)
        drift[0] = rng.standard_normal((21, 2))
        for t in range(1, track.count):
            drift[t] = _DRIFT * drift[t - 1] + fresh[t]
        still, noise = _BIAS_PX * rng.standard_normal((21, 2)), _NOISE_PX * rng.standard_normal((track.count, 21, 2))
        out[track.hands] = still + _DRIFT_PX * drift + noise
    return out


def costs_of_wrist(layout: Layout) -> tuple[costs.Cost, ...]:
    """The shipped wrist's dynamics and joint limits, the same for every arm."""
    w, frame_s, hinges = Weights(), 1 / 30, open_skeleton().hinges
    return (
        costs.WristPositionCost(
            process=costs.process(w.wrist_speed, w.wrist_memory_s, frame_s), centre=np.zeros((layout.frame_count, 3))
        ),
        costs.WristRotationCost(process=costs.process(np.radians(w.wrist_turn_deg), w.wrist_turn_memory_s, frame_s)),
        costs.JointLimitCost(low=hinges.low, high=hinges.high, deviation=np.radians(w.limit_deg)),
    )
