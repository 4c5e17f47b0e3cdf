"""The table of gaps on rendered clips: real detections, hidden on purpose; the whole solve fills them."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from solver.bench.truth import SIDES
from solver.initialise import default_calibration
from solver.initialise.anatomy import palm_axes
from solver.initialise.kinematics import Pose
from solver.optimise import costs
from solver.optimise.bodies import bodies
from solver.optimise.clip import Clip, assemble, fill
from solver.optimise.costs.contact import shared_frames
from solver.optimise.costs.hint import DepthHintCost
from solver.optimise.costs.keypoints import KeypointCost
from solver.optimise.gaps import parted
from solver.optimise.layout import Track
from solver.optimise.objective import clip_costs
from solver.optimise.problem import Problem
from solver.optimise.state import State
from solver.optimise.weights import BALANCED
from solver.prior.gaps import hinges_seen

from .arms import ARMS, FINGER_COSTS, Arm, Fit, Numbers, Scene, filled, linear
from .fit import fit
from .gaps import HIDDEN, ROWS, Hidden
from .recordings import Recording
from .rendered import Observed, observe
from .size import WHOLE, Size
from .table import Row, header, summed_up, tuned
from .wide import descend

# one of two hands that are near each other is hidden whole, where they are nearest
ONE_OF_TWO = Hidden("one of two hands", tuple(range(21)))
_TUNED_ON = (("ring and pinky", 20), ("ring and pinky never seen", 0))
# hands are near each other when their middles are no farther than this, in hand lengths
_NEAR = 1.0
Say = Callable[[str], None]


@dataclass(frozen=True)
class Solved:
    """A clip that was solved with all its landmarks; gaps are made in it and filled from there."""

    observed: Observed
    clip: Clip
    costs: tuple[costs.Cost, ...]
    state: State


def solve(observed: Observed) -> Solved:
    """With the true camera and the initial fit's shape."""
    clip = assemble(
        observed.tracks, observed.motions, observed.models, observed.camera, observed.frames,
        int(2 / observed.frame_s), default_calibration(), {"shape_free": False},
    )  # fmt: skip
    made = clip_costs(
        clip.layout, clip.start, clip.seen, clip.camera, observed.frame_s, BALANCED, (bodies(observed.models),)
    )
    return Solved(observed, clip, made, descend(Problem(clip.layout, clip.view, made), clip.start))


@dataclass(frozen=True)
class Hole:
    """A clip with a gap: ``unseen`` (N, 21) hidden on purpose, ``known`` (N, hinges), the start."""

    solved: Solved
    unseen: np.ndarray
    known: np.ndarray
    start: State
    evidence: tuple[costs.Cost, ...]

    def scene(self, fit: Fit) -> Scene:
        """What an arm is given, when it may know ``fit``."""
        clip = self.solved.clip
        return Scene(clip.layout, clip.view, self.evidence, self.start, self.unseen, self.known, fit)

    def sequences(self) -> list[str]:
        """A name per measured track: hands of one clip are one sequence."""
        return [self.solved.observed.name for _ in self._measured()]

    def fingers_m(self, state: State) -> np.ndarray:
        """Per measured track, hidden keypoints' mean distance from the truth, each in its palm's frame."""
        own = self._keypoints(state)
        errors = []
        for track, real in self._measured():
            side = track.skeleton.side
            distance = np.linalg.norm(_in_palm(own[track.hands], side) - _in_palm(real, side), axis=-1)
            counted = self.unseen[track.hands] & (np.arange(21) > 0) & np.isfinite(distance)
            errors.append(distance[counted].mean())
        return np.array(errors)

    def wrist_m(self, state: State) -> np.ndarray:
        """Per measured track, the hidden wrist's mean distance from the truth, less the error that it has in the frames
        beside the gap (linear in time between them): what filling adds."""
        own = self._keypoints(state)[:, 0]
        errors = []
        for track, real in self._measured():
            gone = self.unseen[track.hands].all(1)
            beside, inside = _beside(gone), np.flatnonzero(gone)
            wrong = own[track.hands] - real[:, 0]
            usual = np.stack([np.interp(inside, beside, wrong[beside, axis]) for axis in range(3)], -1)
            errors.append(np.linalg.norm(wrong[inside] - usual, axis=-1).mean())
        return np.array(errors)

    def _keypoints(self, state: State) -> np.ndarray:
        return Problem(self.solved.clip.layout, self.solved.clip.view, ()).at(state).keypoints

    def _measured(self) -> Iterator[tuple[Track, np.ndarray]]:
        """Tracks in which something is hidden whose truth is known, with their true keypoints."""
        truth = self.solved.observed.truth.keypoints
        for track in self.solved.clip.layout.tracks:
            real = truth[track.frames, SIDES.index(track.skeleton.side)]
            if (self.unseen[track.hands] & np.isfinite(real[..., 0])).any():
                yield track, real


def _beside(gone: np.ndarray) -> np.ndarray:
    inside = np.flatnonzero(gone)
    return np.array([inside[0] - 1, inside[-1] + 1])


def _in_palm(keypoints: np.ndarray, side: str) -> np.ndarray:
    """(n, 21, 3) keypoints about the wrist, along the palm's own axes."""
    axes = palm_axes(keypoints[:, 0], keypoints[:, 5], keypoints[:, 9], keypoints[:, 17], side)
    return (keypoints - keypoints[:, :1]) @ axes.swapaxes(1, 2)


def make_hole(solved: Solved, hidden: Hidden, length: int) -> Hole | None:
    """Hide in each track the ``length`` frames around its middle, 0: throughout; None where no track is long enough."""
    places = _where_near(solved, length) if hidden is ONE_OF_TWO else _middles(solved, length)
    unseen = np.zeros((solved.clip.layout.hand_count, 21), bool)
    for hole in places:
        unseen[hole, list(hidden.points)] = True
    if not unseen.any():
        return None
    known = _known(solved, unseen)
    return Hole(solved, unseen, known, _start(solved, unseen, known), _evidence(solved, unseen))


def _middles(solved: Solved, length: int) -> Iterator[slice]:
    for track in solved.clip.layout.tracks:
        first = track.packed + max((track.count - length) // 2, 5)
        if track.count >= length + 10:
            yield slice(first, first + length) if length else track.hands


def _where_near(solved: Solved, length: int) -> Iterator[slice]:
    """Of the pair of tracks that comes nearest the first one, in the frames around that."""
    layout, at = solved.clip.layout, Problem(solved.clip.layout, solved.clip.view, ()).at(solved.state)
    found = []
    for a in range(len(layout.tracks)):
        for b in range(a + 1, len(layout.tracks)):
            first, second = shared_frames(layout, a, b)
            if len(first):
                apart = np.linalg.norm(at.keypoints[first, 9] - at.keypoints[second, 9], axis=-1) / at.hand_size[a]
                found.append((apart.min(), a, int(first[apart.argmin()])))
    nearest, a, middle = min(found, default=(np.inf, 0, 0))
    track = layout.tracks[a]
    if nearest < _NEAR and track.count >= length + 10:
        first = np.clip(middle - length // 2, track.packed + 5, track.packed + track.count - length - 5)
        yield slice(int(first), int(first) + length)


def _known(solved: Solved, unseen: np.ndarray) -> np.ndarray:
    layout, seen = solved.clip.layout, solved.clip.seen.whitening.any((2, 3))
    return hinges_seen(layout.tracks[0].skeleton.hinges, seen & ~unseen)


def _start(solved: Solved, unseen: np.ndarray, known: np.ndarray) -> State:
    hands, layout = solved.state.hands, solved.clip.layout
    angles, orient, wrist = hands.angles.copy(), hands.global_orient.copy(), hands.wrist.copy()
    for track in layout.tracks:
        mine, never = track.hands, ~known[track.hands].any(0)
        angles[mine] = filled(angles[mine], known[mine], linear)
        angles[mine, never] = track.skeleton.hinges.mean[never]
        gone = unseen[mine].all(1)
        if gone.any():
            orient[mine], wrist[mine] = _wrist_between(orient[mine], wrist[mine], gone)
    return replace(solved.state, hands=Pose(orient, angles, wrist))


def _wrist_between(orient: np.ndarray, wrist: np.ndarray, gone: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    seen = np.flatnonzero(~gone)
    pose = fill(Pose(orient[seen], np.zeros((len(seen), 1)), wrist[seen]), ~gone)
    return pose.global_orient, pose.wrist


def _evidence(solved: Solved, unseen: np.ndarray) -> tuple[costs.Cost, ...]:
    """The costs without what is hidden, touches of hidden hands too, and without those of the fingers."""
    out: list[costs.Cost] = []
    for cost in parted(solved.costs, unseen.all(1)):
        if isinstance(cost, KeypointCost):
            cost = replace(cost, whitening=np.where(unseen[:, :, None, None], 0.0, cost.whitening))
        elif isinstance(cost, DepthHintCost):
            cost = replace(cost, information=np.where(unseen, 0.0, cost.information))
        if cost.name not in FINGER_COSTS:
            out.append(cost)
    return tuple(out)


def run(
    recordings: Sequence[Recording],
    tuning: Sequence[Path],
    testing: Sequence[Path],
    cache: Path,
    say: Say,
    arms: Sequence[Arm] = ARMS,
    size: Size = WHOLE,
) -> None:
    """Fit on recordings, tune on some clips, test on others; print."""
    began = time.process_time()
    say(str(size))
    tuning, testing = tuning[: size.clips], testing[: size.clips]
    say(f"{len(recordings)} runs to fit, {len(tuning)} clips to tune, {len(testing)} clips to test")
    fitted = functools.cache(lambda memory_s: fit(recordings, 1 / 30, memory_s))
    solved = [solve(observe(folder, cache)) for folder in tuning]
    holes = [hole for name, length in _TUNED_ON[: size.rows] for hole in holes_of(solved, HIDDEN[name], length)]
    posed = [(hole, hole.scene(fitted)) for hole in holes]
    numbers = tuned(arms, lambda arm, n: _value(arm, n, posed), say, size.rounds)
    say(f"(tuned in {time.process_time() - began:.0f} CPU s; mean error of hidden keypoints, mm, palm's frame)")
    say(header(arms))
    solved = [solve(observe(folder, cache)) for folder in testing]
    rows = []
    for hidden in (*ROWS, ONE_OF_TWO):
        for length in (0,) if hidden.throughout else size.lengths:
            for row in _rows(hidden, length, holes_of(solved, hidden, length), arms, numbers, fitted):
                say(row.told())
                rows.append(row)
    say(summed_up(rows))


def _rows(hidden: Hidden, length: int, holes: Sequence[Hole], arms, numbers, fitted: Fit) -> Iterator[Row]:
    if not holes:
        return
    name = f"{hidden.name}, {length or 'all'}"
    scenes = [hole.scene(fitted) for hole in holes]
    states = {arm.name: [arm.fill(scene, numbers[arm.name]) for scene in scenes] for arm in arms}
    sequences = [clip for hole in holes for clip in hole.sequences()]
    measures = {name: Hole.fingers_m}
    if len(hidden.points) == 21:
        measures[f"{name}: wrist"] = Hole.wrist_m
    for title, measure in measures.items():
        errors = {
            arm: np.concatenate([measure(hole, state) for hole, state in zip(holes, filled_in, strict=True)])
            for arm, filled_in in states.items()
        }
        yield Row(title, errors, tuple(sequences), tuple(arms))


def holes_of(solved: Sequence[Solved], hidden: Hidden, length: int) -> list[Hole]:
    return [hole for one in solved if (hole := make_hole(one, hidden, length)) is not None]


def _value(arm: Arm, numbers: Numbers, posed: Sequence[tuple[Hole, Scene]]) -> float:
    return float(np.mean([np.log(hole.fingers_m(arm.fill(scene, numbers))).mean() for hole, scene in posed]))
