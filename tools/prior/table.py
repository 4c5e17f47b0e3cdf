"""The table of gaps: tuned on one source's recordings, tested once on another source's."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from . import recordings
from .arms import ARMS, FRAME_S, Arm, Numbers, Scene, best_of, smoothers
from .fit import fit
from .gaps import HIDDEN, ROWS, Puzzle, find, pose_puzzle
from .recordings import Recording
from .search import tune
from .size import WHOLE, Size

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

    def parts(self) -> dict[str, tuple[Recording, ...]]:
        return {"fit": self.fit, "tune": self.tune, "test": self.test}


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


def run(path: Path, say: Say, arms: Sequence[Arm] = ARMS, size: Size = WHOLE) -> None:
    """Print everything."""
    say(str(size))
    everything, _ = recordings.load(path)
    for split in splits(everything):
        say(f"\n## {split.name}")
        _run_split(split, arms, say, size)


def _run_split(split: Split, arms: Sequence[Arm], say: Say, size: Size) -> None:
    began = time.process_time()
    say(", ".join(f"{len(part)} runs to {name}" for name, part in split.parts().items()))
    fitted = functools.cache(lambda memory_s: fit(split.fit, FRAME_S, memory_s))
    puzzles = [
        puzzle
        for name, length in _TUNED_ON[: size.rows]
        if (puzzle := puzzle_of(split.tune, name, length, 1, size.tuned_gaps))
    ]
    posed = [(puzzle, puzzle.scene(fitted)) for puzzle in puzzles]
    numbers = tuned(arms, lambda arm, n: _value(arm, n, posed), say, size.rounds)
    say(f"(tuned in {time.process_time() - began:.0f} CPU s; mean error of hidden keypoints, mm, wrist's frame)")
    say(header(arms))
    rows = []
    for hidden in ROWS:
        for length in size.lengths[-2:] if hidden.throughout else size.lengths:
            puzzle = puzzle_of(split.test, hidden.name, length, 2, size.gaps)
            if puzzle is None:
                continue
            scene = puzzle.scene(fitted)
            errors = {arm.name: puzzle.errors_m(arm.fill(scene, numbers[arm.name])) for arm in arms}
            rows.append(Row(f"{hidden.name}, {length}", errors, tuple(puzzle.sequences), tuple(arms)))
            say(rows[-1].told())
    say(summed_up(rows))


def tuned(
    arms: Sequence[Arm], value: Callable[[Arm, Numbers], float], say: Say, rounds: int = WHOLE.rounds
) -> dict[str, Numbers]:
    """Every arm's best numbers, told as they are found."""
    out = {}
    for arm in arms:
        found = tune(arm, lambda n, arm=arm: value(arm, n), rounds)
        say(f"{arm.name:36} {found}")
        out[arm.name] = found.numbers
    return out


def puzzle_of(chosen: Sequence[Recording], name: str, length: int, seed: int, most: int) -> Puzzle | None:
    gaps = find(chosen, length, most)
    return pose_puzzle(gaps, HIDDEN[name], seed) if gaps else None


def _value(arm: Arm, numbers: Numbers, posed: Sequence[tuple[Puzzle, Scene]]) -> float:
    """Mean over rows of the error: long rows don't outvote short ones."""
    return float(np.mean([np.log(puzzle.errors_m(arm.fill(scene, numbers)).mean()) for puzzle, scene in posed]))


def header(arms: Sequence[Arm]) -> str:
    return (
        "| hidden, frames | sequences | "
        + " | ".join(arm.name for arm in arms)
        + " | against the best smoother (95 %) |\n"
        + ("|---" * (len(arms) + 3) + "|")
    )


@dataclass(frozen=True)
class Row:
    """Errors (n,) in metres of one row by arm's name, of n gaps of these sequences."""

    name: str
    errors: Mapping[str, np.ndarray]
    sequences: tuple[str, ...]
    arms: tuple[Arm, ...]

    @property
    def best(self) -> str:
        """The smoother with the lowest error here."""
        return best_of(list(smoothers(self.arms)), self.errors)

    def told(self) -> str:
        cells = " | ".join(f"{1e3 * self.errors[arm.name].mean():.1f}" for arm in self.arms)
        told = "; ".join(
            f"{arm.name}: {change(self.errors[arm.name], self.errors[self.best], self.sequences)}"
            for arm in self.arms
            if not arm.smoother
        )
        return f"| {self.name} | {len(set(self.sequences))} | {cells} | {self.best}; {told} |"

    def interval(self, name: str) -> tuple[float, float]:
        """Of an arm's change against the best smoother."""
        return paired(self.errors[name], self.errors[self.best], self.sequences)[1:]


def summed_up(rows: Sequence[Row]) -> str:
    """Per candidate, the rows in which its interval lies above and below the best smoother of the row."""
    out = []
    for arm in rows[0].arms if rows else ():
        if arm.smoother:
            continue
        intervals = {row.name: row.interval(arm.name) for row in rows}
        worse = [name for name, (low, _) in intervals.items() if low > 0]
        better = [name for name, (_, high) in intervals.items() if high < 0]
        out.append(
            f"- {arm.name}: of {len(rows)} rows surely better than the best smoother in {len(better)}, surely worse in "
            f"{len(worse)}" + (f" ({'; '.join(worse)})" if worse else "")
        )
    return "\n".join(["", *out])


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
