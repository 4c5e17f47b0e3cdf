"""The table of gaps: tuned on one source's recordings, tested once on another source's."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from solver.initialise.kinematics import Pose
from solver.optimise.problem import Problem

from . import recordings
from .arms import ARMS, FRAME_S, SMOOTHERS, Arm, Numbers, best_of, interpolations
from .fit import fit
from .gaps import LENGTHS, ROWS, VIEW, Puzzle, find, pose_puzzle
from .recordings import Recording
from .wide import descend

_TUNED_ON = (("ring and pinky", 20), ("four fingers", 30), ("ring and pinky never seen", 30))
_RESAMPLES = 4000
Say = Callable[[str], None]


@dataclass(frozen=True)
class Split:
    """Recordings by purpose: ``fit`` and ``tune`` from one source, different recordings; ``test`` from another."""

    name: str
    fit: tuple[Recording, ...]
    tune: tuple[Recording, ...]
    test: tuple[Recording, ...]


def splits(everything: Sequence[Recording]) -> list[Split]:
    """Each moving source tests what the other was fitted and tuned on. Still poses go with the fit."""
    moving = sorted({r.source for r in everything if len(r.angles) > 1})
    still = [r for r in everything if len(r.angles) == 1]
    out = []
    for source in moving:
        names = sorted({r.name for r in everything if r.source == source})
        chosen = set(names[::2])
        own = [r for r in everything if r.source == source]
        out.append(
            Split(
                f"fitted and tuned on {source}, tested on {', '.join(s for s in moving if s != source)}",
                (*(r for r in own if r.name in chosen), *still),
                tuple(r for r in own if r.name not in chosen),
                tuple(r for r in everything if r.source in moving and r.source != source),
            )
        )
    return out


def run(path: Path, say: Say) -> None:
    """Print everything."""
    everything, _ = recordings.load(path)
    for split in splits(everything):
        say(f"\n## {split.name}")
        _run_split(split, say)


def _run_split(split: Split, say: Say) -> None:
    began = time.process_time()
    fitted = functools.cache(lambda memory_s: fit(split.fit, FRAME_S, memory_s))
    puzzles = [_puzzle(split.tune, name, length, 1) for name, length in _TUNED_ON]
    numbers = {arm.name: arm.trials(lambda n, arm=arm: _value(arm, fitted, n, puzzles)) for arm in ARMS}
    for name, chosen in numbers.items():
        say(f"{name:36} noise x{chosen.scale:.2f}, memory {chosen.memory_s:.2f} s, pose x{chosen.pose:g}")
    say(f"(tuned in {time.process_time() - began:.0f} CPU s; mean error of hidden keypoints, mm, wrist's frame)")
    say(header())
    for hidden in ROWS:
        for length in LENGTHS[2:3] if hidden.throughout else LENGTHS:
            puzzle = _puzzle(split.test, hidden.name, length, 2)
            errors = _errors(puzzle, fitted, numbers)
            say(line_of(f"{hidden.name}, {length}", errors, puzzle.sequences))


def _puzzle(chosen: Sequence[Recording], name: str, length: int, seed: int) -> Puzzle:
    hidden = next(row for row in ROWS if row.name == name)
    return pose_puzzle(find(chosen, length), hidden, seed)


def _value(arm: Arm, fitted, numbers: Numbers, puzzles: Sequence[Puzzle]) -> float:
    """Mean over rows of the error: long rows don't outvote short ones."""
    return float(np.mean([np.log(p.errors_m(_solved(p, arm, fitted, numbers)).mean()) for p in puzzles]))


def _solved(puzzle: Puzzle, arm: Arm, fitted, numbers: Numbers):
    problem = Problem(puzzle.layout, VIEW, (*puzzle.evidence, *arm.costs(fitted, numbers)))
    return descend(problem, puzzle.start)


def _errors(puzzle: Puzzle, fitted, numbers: Mapping[str, Numbers]) -> dict[str, np.ndarray]:
    """Per arm (tracks,) metres."""
    out = {}
    for arm in ARMS:
        state = _solved(puzzle, arm, fitted, numbers[arm.name])
        out[arm.name] = puzzle.errors_m(state)
        if arm.name == "constant velocity":
            out |= _interpolated(puzzle, state)
    return out


def _interpolated(puzzle: Puzzle, state) -> dict[str, np.ndarray]:
    filled: dict[str, list[np.ndarray]] = {}
    for track in puzzle.layout.tracks:
        for name, angles in interpolations(state.hands.angles[track.hands], puzzle.known[track.hands]):
            filled.setdefault(name, []).append(angles)
    hands = state.hands
    return {
        name: puzzle.errors_m(replace(state, hands=Pose(hands.global_orient, np.concatenate(parts), hands.wrist)))
        for name, parts in filled.items()
    }


_COLUMNS = ("slerp", "cubic", *(arm.name for arm in ARMS))


def header() -> str:
    return (
        "| hidden, frames | sequences | "
        + " | ".join(_COLUMNS)
        + " | against the best smoother (95 %) |\n"
        + ("|---" * (len(_COLUMNS) + 3) + "|")
    )


def line_of(name: str, errors: Mapping[str, np.ndarray], sequences: Sequence[str]) -> str:
    best = best_of(SMOOTHERS, errors)
    cells = " | ".join(f"{1e3 * errors[column].mean():.1f}" for column in _COLUMNS)
    told = "; ".join(
        f"{arm.name}: {change(errors[arm.name], errors[best], sequences)}" for arm in ARMS if arm.name not in SMOOTHERS
    )
    return f"| {name} | {len(set(sequences))} | {cells} | {best}; {told} |"


def change(arm: np.ndarray, base: np.ndarray, sequences: Sequence[str]) -> str:
    middle, low, high = paired(arm, base, sequences)
    return f"{middle:+.0%} [{low:+.0%}, {high:+.0%}]"


def paired(arm: np.ndarray, base: np.ndarray, sequences: Sequence[str]) -> tuple[float, float, float]:
    """Relative change of the mean error with its 95 % bootstrap interval, sequences drawn whole."""
    groups = [np.flatnonzero(np.array(sequences) == name) for name in sorted(set(sequences))]
    sums = np.array([[arm[g].sum(), base[g].sum()] for g in groups])
    drawn = sums[np.random.default_rng(0).integers(0, len(groups), (_RESAMPLES, len(groups)))].sum(1)
    low, high = np.percentile(drawn[:, 0] / drawn[:, 1] - 1, [2.5, 97.5])
    return float(arm.sum() / base.sum() - 1), float(low), float(high)
