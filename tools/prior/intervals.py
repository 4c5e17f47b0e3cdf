"""Do draws of a hidden stretch hold the truth as often as they say?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from solver.optimise.gaps import freed, landmarks_seen
from solver.optimise.objective import motion_costs
from solver.optimise.observed import CameraBelief
from solver.optimise.problem import Problem
from solver.optimise.weights import Weights
from solver.prior.sampling import drawn

from . import recordings
from .gaps import ROWS as ALL_ROWS
from .gaps import VIEW, Puzzle, find, local_keypoints, pose_puzzle
from .size import WHOLE, Size
from .wide import descend

_ROWS = (("ring and pinky", 20), ("four fingers", 10), ("all fingers", 30))
# every other recording of a source, on which the draws' spread was set; and the others
_HALVES = {"set on": 0, "held out": 1}


def run(path: Path, say: Callable[[str], None], size: Size = WHOLE) -> None:
    """Print, per source and row, the share of the truth within the central 68 and 95 % of the draws."""
    say(str(size))
    everything, _ = recordings.load(path)
    hidden = {row.name: row for row in ALL_ROWS}
    say("| source, recordings, hidden, frames | in 68 % | in 95 % | deviation mm | acceleration of draws / truth |")
    say("|---|---|---|---|---|")
    for source in sorted({r.source for r in everything if len(r.angles) > 1}):
        names = sorted({r.name for r in everything if r.source == source})
        for half, first in _HALVES.items():
            own = [r for r in everything if r.source == source and r.name in set(names[first::2])]
            for name, length in _ROWS[: size.rows]:
                puzzle = pose_puzzle(find(own, length, size.gaps), hidden[name], 3)
                say(f"| {source}, {half}, {name}, {length} | {_figures(puzzle, size.draws)} |")


def _figures(puzzle: Puzzle, count: int) -> str:
    t = puzzle.layout.frame_count
    camera = CameraBelief(np.tile(np.eye(3), (t, 1, 1)), np.zeros((t, 3)))
    seen = landmarks_seen(puzzle.evidence, puzzle.layout)
    moving = freed(motion_costs(puzzle.layout, camera, 1 / 30, Weights()), puzzle.layout, seen, 1 / 30)
    problem = Problem(puzzle.layout, VIEW, (puzzle.evidence[0], *moving))
    state = descend(problem, puzzle.start)
    draws = np.array([
        local_keypoints(descend(drawn(problem, np.random.default_rng(seed)), state).hands.angles)
        for seed in range(count)
    ])  # fmt: skip
    truth = local_keypoints(puzzle.truth.hands.angles)
    counted = puzzle.hidden & (np.arange(21) > 0)
    inside = [_share_inside(draws[:, counted], truth[counted], share) for share in (0.68, 0.95)]
    speed = [np.linalg.norm(np.diff(x, 2, axis=0), axis=-1).mean() for x in (draws[0], truth)]
    spread = 1e3 * draws[:, counted].std(0, ddof=1).mean()
    return f"{inside[0]:.0%} | {inside[1]:.0%} | {spread:.1f} | {speed[0] / speed[1]:.2f}"


def _share_inside(draws: np.ndarray, truth: np.ndarray, share: float) -> float:
    """Share of (n, 3) coordinates within the draws' normal interval of that share."""
    factor = {0.68: 0.994, 0.95: 1.96}[share] * np.sqrt(1 + 1 / len(draws))
    return float((np.abs(truth - draws.mean(0)) < factor * draws.std(0, ddof=1)).mean())
