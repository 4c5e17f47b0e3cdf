"""What one hand's motion tells of the other's: how much a coupling of the two, estimated from the clip, could bring.

From the covariance of both wrists' velocities in one half of a clip, shrunk towards none, one wrist's velocity in the
other half is foreseen from the other's. The share of its variance that this explains bounds what a coupling can
take off a hidden wrist's error: no more than ``1 - sqrt(1 - share)``. And while hands touch: how fast one wrist moves
about the other, against the rest of the frames.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from scipy.ndimage import gaussian_filter1d

from solver import take as takes
from solver.bench import truth as truths
from solver.bench.contact import Bodies, touches
from solver.bench.truth import Truth

# frames over which velocities are smoothed, and after which they count as seen anew
_SMOOTH, _INDEPENDENT = 2.0, 10
# a covariance of so many independent velocities counts half, the rest is none
_HALF = 20.0


def run(clips: Sequence[Path], solved: Sequence[Path], say: Callable[[str], None]) -> None:
    """Print a line per rendered clip (its truth) and per solved take."""
    say("| two hands of | frames | left tells right | right tells left | at most | touching / apart, m/s |")
    say("|---|---|---|---|---|---|")
    for folder in clips:
        truth = truths.load(folder / "truth.npz")
        say(_line(folder.name, truth.keypoints[:, :, 0], float(truth.frame_rate), _touching(truth)))
    for path in solved:
        take = takes.load(path)
        rate = take.frame_rate[0] / take.frame_rate[1]
        say(_line(path.stem, np.stack([_wrist(take, hand) for hand in range(2)], 1), rate, None))


def explained(told: np.ndarray, by: np.ndarray) -> float:
    """Share of the variance of velocities ``told`` (n, 3) that those of the other hand foresee, in each half by the
    covariances of the other half; below zero when that does harm."""
    half = len(told) // 2
    parts = [(slice(0, half), slice(half, None)), (slice(half, None), slice(0, half))]
    left = sum(((told[test] - by[test] @ _map(told[seen], by[seen])) ** 2).sum() for seen, test in parts)
    return float(1 - left / (told**2).sum())


def _map(told: np.ndarray, by: np.ndarray) -> np.ndarray:
    """(3, 3) shrunken regression."""
    trust = len(by) / _INDEPENDENT
    shrunk = trust / (trust + _HALF)
    own = by.T @ by
    return shrunk * np.linalg.solve(own + 1e-3 * np.trace(own) * np.eye(3), by.T @ told)


def _line(name: str, wrists: np.ndarray, rate: float, touching: np.ndarray | None) -> str:
    both = np.isfinite(wrists).all((1, 2))
    velocity = rate * np.gradient(gaussian_filter1d(wrists[both], _SMOOTH, axis=0), axis=0)
    shares = [explained(velocity[:, other], velocity[:, own]) for own, other in ((0, 1), (1, 0))]
    most = 1 - np.sqrt(1 - np.clip(max(shares), 0, 1))
    about = np.linalg.norm(velocity[:, 1] - velocity[:, 0], axis=-1)
    told = "-" if touching is None or not touching[both].any() else _speeds(about, touching[both])
    return f"| {name} | {both.sum()} | {shares[0]:.0%} | {shares[1]:.0%} | {most:.0%} | {told} |"


def _speeds(about: np.ndarray, touching: np.ndarray) -> str:
    apart = f"{about[~touching].mean():.2f}" if not touching.all() else "-"
    return f"{about[touching].mean():.2f} / {apart}"


def _touching(truth: Truth) -> np.ndarray:
    """(T,) frames in which the hands touch each other; contacts are looked for in every second frame."""
    out = np.zeros(len(truth.frames), bool)
    if truth.vertices is None:
        return out
    meshes = [truth.mesh(hand) for hand in range(2)]
    bodies = Bodies(tuple(mesh[0] for mesh in meshes), tuple(mesh[1] for mesh in meshes), truth.keypoints)
    for frame, first, second in touches(bodies):
        if first < 20 <= second:
            out[frame : frame + 2] = True
    return out


def _wrist(take: takes.Take, hand: int) -> np.ndarray:
    """(T, 3) in the world; NaN where the hand was not observed."""
    # the wrist at rest does not move: for velocities it may be left out
    return np.where((take.status[hand] == takes.OBSERVED)[:, None], take.transl[hand], np.nan)
