"""The learned prior against what ships and the tuned smoothers, on recordings of a source that it never saw."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from .. import recordings
from ..arms import ARMS, FRAME_S, REFITTED, SHIPPED, Arm, Scene, best_of
from ..fit import fit
from ..gaps import HIDDEN, Puzzle, find, pose_puzzle
from ..recordings import Recording
from ..table import Split, change, splits, tuned
from . import gaussian
from .arm import Learned, standardised_errors
from .windows import Windows

Say = Callable[[str], None]
# arms by name for a split's own fit
Trained = Callable[[Split], Sequence[Learned]]

_LENGTHS = (10, 20, 30, 60)
_ROWS = (
    *((name, length) for name in ("ring and pinky", "four fingers", "thumb", "all fingers") for length in _LENGTHS),
    *((f"{name} never seen", 30) for name in ("ring and pinky", "four fingers", "thumb")),
)
_TUNED_ON = (("ring and pinky", 20), ("four fingers", 30), ("ring and pinky never seen", 30))
_SMOOTHERS = tuple(arm for arm in ARMS if arm.smoother)


@dataclass(frozen=True)
class Effort:
    """Of a table: ``rows`` of it and how large the closed form's pool is."""

    rows: Sequence[tuple[str, int]] = _ROWS
    procedural: int = 400


def run(path: Path, say: Say, trained: Trained, effort: Effort = Effort()) -> None:
    """Print all rounds. ``trained``: gives networks that were trained on a split's recordings to fit alone."""
    everything, _ = recordings.load(path)
    for split in splits(everything):
        say(f"\n## {split.name}")
        _round(split, trained(split), effort, say)


def _round(split: Split, networks: Sequence[Learned], effort: Effort, say: Say) -> None:
    began = time.process_time()
    arms: list[Arm] = [*_SMOOTHERS, SHIPPED, REFITTED, *candidates(split, networks, effort)]
    fitted = functools.cache(lambda memory_s: fit(split.fit, FRAME_S, memory_s))
    posed = [(p, p.scene(fitted)) for name, n in _TUNED_ON if (p := _puzzle(split.tune, name, n, 1))]
    numbers = tuned(arms, lambda arm, n: _value(posed, arm, n), say)
    say(f"({time.process_time() - began:.0f} CPU s; mean error of hidden keypoints, mm, wrist's frame)")
    learned = [arm for arm in arms if isinstance(arm, Learned)]
    told = "".join(f" {arm.name}: against {REFITTED.name}; against the best smoother |" for arm in learned)
    say(f"| hidden, frames | sequences | {' | '.join(arm.name for arm in arms)} |{told}")
    say("|---" * (2 + len(arms) + len(learned)) + "|")
    inside = {arm.name: [] for arm in learned}
    for name, length in effort.rows:
        puzzle = _puzzle(split.test, name, length, 2)
        if puzzle is None:
            continue
        scene = puzzle.scene(fitted)
        errors = {arm.name: puzzle.errors_m(arm.fill(scene, numbers[arm.name])) for arm in arms}
        say(_line(f"{name}, {length}", puzzle, errors, arms))
        for arm in learned:
            inside[arm.name].append(_coverage(arm, puzzle, scene))
    for name, shares in inside.items():
        say(f"{name}: {np.mean(shares, 0)[0]:.0%} and {np.mean(shares, 0)[1]:.0%} of hidden angles in 68 and 95 %")
    say(f"({time.process_time() - began:.0f} CPU s)")


def candidates(split: Split, networks: Sequence[Learned], effort: Effort) -> list[Learned]:
    """What is trained on the split's recordings to fit; deviations calibrated on those to tune."""
    closed = gaussian.fit(Windows(split.fit, 1, effort.procedural))
    return [*networks, Learned("closed form", calibrated(closed, split.tune), REFITTED)]


def calibrated(model, held_out: Sequence[Recording]):
    """``model`` with its deviations such that 68 % of hidden angles of ``held_out`` lie within one of them."""
    nothing = functools.cache(lambda memory_s: fit(held_out, FRAME_S, memory_s))
    shares = []
    for name, length in _TUNED_ON:
        puzzle = _puzzle(held_out, name, length, 3)
        if puzzle is not None:
            z = standardised_errors(Learned("", model).foreseen(puzzle.scene(nothing)), puzzle.truth.hands.angles)
            shares.append(np.abs(z[np.isfinite(z)]))
    factor = np.percentile(np.concatenate(shares), 68.27) if shares else 1.0
    return replace(model, calibration=np.float32(model.calibration * factor))


def _puzzle(chosen: Sequence[Recording], name: str, length: int, seed: int) -> Puzzle | None:
    gaps = find(chosen, length)
    return pose_puzzle(gaps, HIDDEN[name], seed) if gaps else None


def _value(posed: Sequence[tuple[Puzzle, Scene]], arm: Arm, numbers) -> float:
    return float(np.mean([np.log(puzzle.errors_m(arm.fill(scene, numbers)).mean()) for puzzle, scene in posed]))


def _coverage(arm: Learned, puzzle: Puzzle, scene: Scene) -> tuple[float, float]:
    z = standardised_errors(arm.foreseen(scene), puzzle.truth.hands.angles)
    z = np.abs(z[np.isfinite(z)])
    return float((z < 1).mean()), float((z < 1.96).mean())


def _line(name: str, puzzle: Puzzle, errors: Mapping[str, np.ndarray], arms: Sequence[Arm]) -> str:
    best = best_of([arm.name for arm in arms if arm.smoother], errors)
    cells = " | ".join(f"{1e3 * errors[arm.name].mean():.1f}" for arm in arms)
    told = " | ".join(
        f"{change(errors[arm.name], errors[REFITTED.name], puzzle.sequences)}; "
        f"{change(errors[arm.name], errors[best], puzzle.sequences)} ({best})"
        for arm in arms if isinstance(arm, Learned)
    )  # fmt: skip
    return f"| {name} | {len(set(puzzle.sequences))} | {cells} | {told} |"
