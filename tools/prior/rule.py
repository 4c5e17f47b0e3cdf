"""The numbers of ``solver.prior.gaps.RULE``, by the search that tunes every other arm (``search``).

For each kind and length of gap: rows of every other recording of either source, fitted to the other source, and of
rendered clips for tuning, each of the three as much as the others. The other recordings and the test clips have no say.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import astuple
from pathlib import Path

import numpy as np

from solver.optimise.state import State
from solver.prior.gaps import RULE

from . import clip_table, table
from .arms import FRAME_S, Arm, Numbers, Scene, ruled
from .clip_table import Hole, Say, Solved
from .fit import fit
from .gaps import HIDDEN
from .recordings import Recording
from .rendered import observe
from .search import tune
from .size import WHOLE, Size

# errors of what was hidden, by the state that fills a scene
Posed = tuple[Callable[[State], np.ndarray], Scene]
_SEED = 2
# the rows by which numbers of a kind and length are tuned
_ROWS = {
    ("guided", "short"): (("ring and pinky", 10), ("index and middle", 10)),
    ("guided", "long"): (("ring and pinky", 30), ("index and middle", 30)),
    ("alone", "short"): (("four fingers", 10), ("all fingers", 10)),
    ("alone", "long"): (("four fingers", 20), ("all fingers", 30)),
    ("thumb", "short"): (("thumb", 10), ("all fingers", 10)),
    ("thumb", "long"): (("thumb", 20), ("thumb", 30)),
}


def run(
    everything: Sequence[Recording],
    clips: Sequence[Path],
    cache: Path,
    say: Say,
    size: Size = WHOLE,
    chosen: Sequence[str] = (),
) -> None:
    """Print what the search finds for the kinds ``chosen`` ("thumb short"; none: all), and what the rule has."""
    solved = [clip_table.solve(observe(folder, cache)) for folder in clips[: size.clips]]
    splits = table.splits(everything)
    for (kind, length), rows in _ROWS.items():
        if chosen and f"{kind} {length}" not in chosen:
            continue
        parts = [_of_recordings(everything, split, rows[: size.rows], size) for split in splits]
        parts.append(_of_clips(everything, solved, rows[: size.rows]))
        arm = ruled(kind, length)
        has = Numbers(*astuple(getattr(getattr(RULE, kind), length)))
        found = tune(arm, functools.partial(_value, arm, parts), size.rounds, has)
        for name, numbers in (("has", has), ("found", found.numbers)):
            worth = ", ".join(f"{1e3 * np.exp(_part(arm, numbers, part)):.2f}" for part in parts)
            told = str(found) if numbers is found.numbers else ", ".join(f"{value:g}" for value in astuple(numbers))
            say(f"{kind}, {length}, {name}: {told}; {worth} mm")


def _of_recordings(
    everything: Sequence[Recording], split: table.Split, rows: Sequence[tuple[str, int]], size: Size
) -> list[Posed]:
    """Puzzles of the half of the tested source that the other split fits, with their scenes."""
    source = split.test[0].source
    names = set(sorted({r.name for r in everything if r.source == source})[::2])
    half = [r for r in split.test if r.name in names]
    known = functools.cache(lambda memory_s: fit(split.fit, FRAME_S, memory_s))
    puzzles = [table.puzzle_of(half, name, length, _SEED, size.gaps) for name, length in rows]
    return [(puzzle.errors_m, puzzle.scene(known)) for puzzle in puzzles if puzzle is not None]


def _of_clips(
    everything: Sequence[Recording], solved: Sequence[Solved], rows: Sequence[tuple[str, int]]
) -> list[Posed]:
    known = functools.cache(lambda memory_s: fit(everything, FRAME_S, memory_s))
    holes = [hole for name, length in rows for hole in clip_table.holes_of(solved, HIDDEN[name], length)]
    return [(functools.partial(Hole.fingers_m, hole), hole.scene(known)) for hole in holes]


def _value(arm: Arm, parts: Sequence[Sequence[Posed]], numbers: Numbers) -> float:
    return float(np.mean([_part(arm, numbers, part) for part in parts if part]))


def _part(arm: Arm, numbers: Numbers, part: Sequence[Posed]) -> float:
    return float(np.mean([np.log(errors_m(arm.fill(scene, numbers)).mean()) for errors_m, scene in part]))
