"""The table of gaps on rendered clips: real detections, hidden on purpose; the whole solve fills them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from solver.bench.truth import SIDES
from solver.initialise import default_calibration
from solver.initialise.anatomy import palm_axes
from solver.initialise.kinematics import Pose
from solver.optimise import costs
from solver.optimise.clip import Clip, assemble, fill
from solver.optimise.costs.hint import DepthHintCost
from solver.optimise.costs.keypoints import KeypointCost
from solver.optimise.objective import clip_costs
from solver.optimise.problem import Problem
from solver.optimise.state import State
from solver.optimise.weights import BALANCED
from solver.prior.makers import solid

from .arms import ARMS, SMOOTHERS, Arm, Numbers, best_of, interpolations
from .fit import fit
from .gaps import ROWS, Hidden
from .recordings import Recording
from .rendered import Observed, observe
from .table import change, header, line_of
from .wide import descend

_TESTED = (
    ("ring and pinky", 20), ("four fingers", 20), ("hand and wrist", 20), ("ring and pinky never seen", 0),
)  # fmt: skip
_TUNED_ON = (("ring and pinky", 20), ("ring and pinky never seen", 0))
# the fingers' costs: what an arm replaces
_REPLACED = ("finger-dynamics", "pose-distribution", "pose-covariance")
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
        clip.layout, clip.start, clip.seen, clip.camera, observed.frame_s, BALANCED, (solid(observed.models),)
    )
    return Solved(observed, clip, made, descend(Problem(clip.layout, clip.view, made), clip.start))


@dataclass(frozen=True)
class Hole:
    """A clip with a gap in each hand: ``unseen`` (N, 21) hidden on purpose, ``known`` (N, hinges), the start."""

    solved: Solved
    unseen: np.ndarray
    known: np.ndarray
    start: State
    evidence: tuple[costs.Cost, ...]

    def errors_m(self, state: State) -> tuple[list[str], np.ndarray]:
        """Sequences (clip and hand), and their hidden keypoints' mean distance from the truth, in the palm's frame."""
        observed, layout = self.solved.observed, self.solved.clip.layout
        at = Problem(layout, self.solved.clip.view, ()).at(state)
        names, errors = [], []
        for track in layout.tracks:
            side = track.skeleton.side
            truth = observed.truth.keypoints[track.frames, SIDES.index(side)]
            own, real = _in_palm(at.keypoints[track.hands], side), _in_palm(truth, side)
            counted = self.unseen[track.hands] & (np.arange(21) > 0) & np.isfinite(real[..., 0])
            if counted.any():
                names.append(f"{observed.name} {side}")
                errors.append(np.linalg.norm(own - real, axis=-1)[counted].mean())
        return names, np.array(errors)


def _in_palm(keypoints: np.ndarray, side: str) -> np.ndarray:
    """(n, 21, 3) keypoints about the wrist, along the palm's own axes."""
    axes = palm_axes(keypoints[:, 0], keypoints[:, 5], keypoints[:, 9], keypoints[:, 17], side)
    return (keypoints - keypoints[:, :1]) @ axes.swapaxes(1, 2)


def make_hole(solved: Solved, hidden: Hidden, length: int) -> Hole:
    """Hide in each track the ``length`` frames around its middle that are seen best; 0: throughout."""
    layout = solved.clip.layout
    seen = solved.clip.seen.whitening.any((2, 3))
    unseen = np.zeros((layout.hand_count, 21), bool)
    for track in layout.tracks:
        first = max((track.count - length) // 2, 5)
        if track.count >= length + 10:
            hole = slice(track.packed + first, track.packed + first + length) if length else track.hands
            unseen[hole, list(hidden.points)] = True
    keypoint, hinge = layout.tracks[0].skeleton.hinges.moves
    known = np.zeros((layout.hand_count, len(layout.tracks[0].skeleton.hinges)), bool)
    for k, h in zip(keypoint, hinge, strict=True):
        known[:, h] |= seen[:, k] & ~unseen[:, k]
    return Hole(solved, unseen, known, _start(solved, unseen, known), _evidence(solved, unseen))


def _start(solved: Solved, unseen: np.ndarray, known: np.ndarray) -> State:
    hands, layout = solved.state.hands, solved.clip.layout
    angles, orient, wrist = hands.angles.copy(), hands.global_orient.copy(), hands.wrist.copy()
    for track in layout.tracks:
        mine = track.hands
        angles[mine] = _filled(angles[mine], known[mine], track.skeleton.hinges.mean)
        gone = unseen[mine].all(1)
        if gone.any():
            orient[mine], wrist[mine] = _wrist_between(orient[mine], wrist[mine], gone)
    return replace(solved.state, hands=Pose(orient, angles, wrist))


def _filled(angles: np.ndarray, known: np.ndarray, rest: np.ndarray) -> np.ndarray:
    out = angles.copy()
    out[:, ~known.any(0)] = rest[~known.any(0)]
    return dict(interpolations(out, known))["slerp"]


def _wrist_between(orient: np.ndarray, wrist: np.ndarray, gone: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    seen = np.flatnonzero(~gone)
    pose = fill(Pose(orient[seen], np.zeros((len(seen), 1)), wrist[seen]), ~gone)
    return pose.global_orient, pose.wrist


def _evidence(solved: Solved, unseen: np.ndarray) -> tuple[costs.Cost, ...]:
    """The costs without what is hidden, and without those of the fingers."""
    out: list[costs.Cost] = []
    for cost in solved.costs:
        if isinstance(cost, KeypointCost):
            cost = replace(cost, whitening=np.where(unseen[:, :, None, None], 0.0, cost.whitening))
        elif isinstance(cost, DepthHintCost):
            cost = replace(cost, information=np.where(unseen, 0.0, cost.information))
        if cost.name not in _REPLACED:
            out.append(cost)
    return tuple(out)


def run(
    recordings: Sequence[Recording], tuning: Sequence[Path], testing: Sequence[Path], cache: Path, say: Say
) -> None:
    """Fit on recordings, tune on some clips, test on others; print."""
    fitted = functools.cache(lambda memory_s: fit(recordings, 1 / 30, memory_s))
    holes = _holes([solve(observe(folder, cache)) for folder in tuning], _TUNED_ON)
    numbers = {arm.name: arm.trials(lambda n, arm=arm: _value(arm, fitted, n, holes)) for arm in ARMS}
    for name, chosen in numbers.items():
        say(f"{name:36} noise x{chosen.scale:.2f}, memory {chosen.memory_s:.2f} s, pose x{chosen.pose:g}")
    solved = [solve(observe(folder, cache)) for folder in testing]
    say(header())
    for row in _TESTED:
        errors: dict[str, list[np.ndarray]] = {}
        sequences: list[str] = []
        for hole in _holes(solved, (row,)):
            names, _ = hole.errors_m(hole.start)
            sequences += names
            for name, values in _errors(hole, fitted, numbers).items():
                errors.setdefault(name, []).append(values)
        whole = {name: np.concatenate(parts) for name, parts in errors.items()}
        clips = [name.split()[0] for name in sequences]
        say(line_of(f"{row[0]}, {row[1] or 'all'}", whole, clips))
        best = best_of(SMOOTHERS, whole)
        say(f"  slerp against {best}: {change(whole['slerp'], whole[best], clips)}")


def _holes(solved: Sequence[Solved], rows: Sequence[tuple[str, int]]) -> list[Hole]:
    hidden = {row.name: row for row in ROWS}
    return [make_hole(one, hidden[name], length) for name, length in rows for one in solved]


def _fill(hole: Hole, arm: Arm, fitted, numbers: Numbers) -> State:
    clip = hole.solved.clip
    return descend(Problem(clip.layout, clip.view, (*hole.evidence, *arm.costs(fitted, numbers))), hole.start)


def _value(arm: Arm, fitted, numbers: Numbers, holes: Sequence[Hole]) -> float:
    return float(np.mean([np.log(h.errors_m(_fill(h, arm, fitted, numbers))[1]).mean() for h in holes]))


def _errors(hole: Hole, fitted, numbers: Mapping[str, Numbers]) -> dict[str, np.ndarray]:
    out = {}
    for arm in ARMS:
        state = _fill(hole, arm, fitted, numbers[arm.name])
        out[arm.name] = hole.errors_m(state)[1]
        if arm.name == "constant velocity":
            out |= _interpolated(hole, state)
    return out


def _interpolated(hole: Hole, state: State) -> dict[str, np.ndarray]:
    filled: dict[str, list[np.ndarray]] = {}
    for track in hole.solved.clip.layout.tracks:
        for name, angles in interpolations(state.hands.angles[track.hands], hole.known[track.hands]):
            filled.setdefault(name, []).append(angles)
    return {
        name: hole.errors_m(replace(state, hands=replace(state.hands, angles=np.concatenate(parts))))[1]
        for name, parts in filled.items()
    }
