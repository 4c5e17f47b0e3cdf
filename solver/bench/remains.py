"""``python -m solver.bench.remains``: whose share of the world error is what, and what could be gained at all.

One part after another of a result is replaced by the truth, and the rest is measured again: first the camera (a solve
that is told it), then in each hand its size, its mean distance from the lens over the clip, its distance in every
frame, its place across the view, the turn of its palm. What a hand has wrong throughout a clip is the same for the
product and for the fit per frame that it is compared with: no reasoning over time removes that, as the ratio shows.

In between stands what smoothing could do at best: distances through the linear filter that comes nearest to the true
ones (Wiener's, whose gain is S / (S + E) at each frequency), knowing the spectra S of the true distances and E of the
errors in this very clip. Nobody knows these; a method that only smooths gets no further. And one that could be built:
distances as an integrated Ornstein-Uhlenbeck process seen with a slowly varying (Ornstein-Uhlenbeck) bias, by Gaussian
process regression, with the constants that suit the rightly read hands of the validation clips best.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from .. import take as takes
from ..errors import SolverError
from . import clips, metrics, prediction
from .clips import MODES, SUITES, BenchClip
from .prediction import Prediction, in_camera
from .runner import solve
from .truth import SIDES, Truth, hand_length

_PAIRS = {"as it is": ("as-is", "per-frame"), "camera": ("camera", "camera-per-frame")}
_PALM = [0, 5, 9, 13, 17]
_SHORTEST_FILTERED = 8
_LAGS = (1, 5, 10)
# what is tried and not kept for the rows below
_TRIALS = ("(distance, latent bias)", "(distance, best filter)")
# shares of the distance (per second: its rate of change), and seconds
_SPEED, _MOTION_S, _BIAS, _BIAS_S, _NOISE = 0.1, 1.0, 0.02, 0.6, 0.01
_RATE = 30.0
_FIGURES = ("G", "GA", "G rigid", "GA rigid")
# (T, 2, 21, 3) predicted and true keypoints in the camera's frame, (T, 2) what counts -> predicted with a part true
Part = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m solver.bench.remains", description=__doc__.splitlines()[0])
    parser.add_argument("--suite", choices=tuple(SUITES), default="validation")
    parser.add_argument("--clip", nargs="+", metavar="CLIP", help="these alone")
    parser.add_argument("--takes", type=Path, required=True, metavar="FOLDER", help="solves are left and found here")
    options = parser.parse_args(arguments)
    found = [clips.load(folder) for folder in clips.find(SUITES[options.suite])]
    chosen = [clip for clip in found if not options.clip or clip.name in options.clip]
    if not chosen:
        print("There is no such clip with truth: `python3 build.py bench --make` renders them.", file=sys.stderr)
        return 2
    try:
        options.takes.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        print(f"{options.takes} can't be a folder of takes ({error.strerror}): name another.", file=sys.stderr)
        return 2
    try:
        tables = [dict(_rows(clip, options.takes)) for clip in chosen]
    except SolverError as error:
        print(error, file=sys.stderr)
        return 2
    for clip, table in zip(chosen, tables, strict=True):
        print("\n".join([*_as_text(clip.name, table), *_repeated(clip, options.takes)]), "\n")
    shared = [name for name in tables[0] if all(name in table for table in tables)]
    print("\n".join(_as_text("mean", {name: np.mean([table[name] for table in tables], axis=0) for name in shared})))
    return 0


def _rows(clip: BenchClip, folder: Path) -> Iterator[tuple[str, np.ndarray]]:
    """Name of what is true by then, and (2, F): figures of the product and of the fit per frame."""
    for name, modes in _PAIRS.items():
        pair = [_solved(clip, mode, folder) for mode in modes]
        counted = pair[0].found() & pair[1].found() & clip.truth.present()
        yield name, np.array([_figures(clip.truth, one.keypoints, counted) for one in pair])
    true = in_camera(clip.truth.keypoints, clip.truth.world_from_camera)
    local = [one.in_camera(one.keypoints) for one in pair]
    for name, part in PARTS.items():
        tried = [part(points, true, counted) for points in local]
        yield name, np.array([_figures(clip.truth, _in_world(clip.truth, points), counted) for points in tried])
        local = local if name in _TRIALS else tried


def _repeated(clip: BenchClip, folder: Path) -> Iterator[str]:
    """How long the fit per frame errs the same way in a hand's distance, with the true camera."""
    said = _solved(clip, _PAIRS["camera"][1], folder)
    true = in_camera(clip.truth.keypoints, clip.truth.world_from_camera)
    errors = np.log(_distance(said.in_camera(said.keypoints)) / _distance(true))
    for hand, side in enumerate(SIDES):
        error = np.where(said.found() & clip.truth.present(), errors, np.nan)[:, hand]
        if np.isfinite(error).sum() < 2 * max(_LAGS):
            continue
        error -= np.nanmean(error)
        alike = [np.nanmean(error[lag:] * error[:-lag]) / np.nanmean(error**2) for lag in _LAGS]
        lags = ", ".join(f"{value:.2f} over {lag}" for value, lag in zip(alike, _LAGS, strict=True))
        yield f"distance per frame, {side}: errs by {100 * np.nanstd(error):.1f} %, correlated {lags} frames"


def _solved(clip: BenchClip, mode: str, folder: Path) -> Prediction:
    path = (folder / f"{clip.name} {mode}.npz").resolve()
    if not path.exists():
        print(f"{clip.name}, {mode} ...", file=sys.stderr, flush=True)
        run = solve(clip.source, path, (*clip.arguments, *MODES[mode].arguments(clip)))
        if run.take is None:
            raise SolverError("no-solve", run.failure, "Mend that, or leave the clip out by --clip.")
    return prediction.from_take(takes.load(path), clip.truth)


def _figures(truth: Truth, keypoints: np.ndarray, counted: np.ndarray) -> list[float]:
    """``_FIGURES`` in mm, over the hands that there are."""
    kinds = [(measure, scale) for scale in (True, False) for measure in (metrics.g_mpjpe, metrics.ga_mpjpe)]
    hands = [
        (keypoints[:, hand], truth.keypoints[:, hand], counted[:, hand]) for hand in range(2) if counted[:, hand].any()
    ]
    return [float(np.mean([measure(*hand, scale=scale) for hand in hands])) for measure, scale in kinds]


def _in_world(truth: Truth, local: np.ndarray) -> np.ndarray:
    pose = truth.world_from_camera
    return np.einsum("thkj,tij->thki", local, pose[:, :3, :3]) + pose[:, None, None, :3, 3]


# --- the parts: points are (T, 2, 21, 3) in the camera's frame --------------------------------------------------------


def _size(points: np.ndarray, true: np.ndarray, counted: np.ndarray) -> np.ndarray:
    """Larger hands are farther away in proportion: the picture stays."""
    factor = [hand_length(true[:, hand]) / hand_length(points[:, hand]) for hand in range(2)]
    return points * np.nan_to_num(factor, nan=1.0)[:, None, None]


def _mean_depth(points: np.ndarray, true: np.ndarray, counted: np.ndarray) -> np.ndarray:
    error = np.where(counted, _distance(true) - _distance(points), np.nan)
    mean = [np.nanmean(column) if np.isfinite(column).any() else 0.0 for column in error.T]
    return _pushed(points, np.broadcast_to(mean, error.shape))


def _filtered(points: np.ndarray, true: np.ndarray, counted: np.ndarray) -> np.ndarray:
    return _smoothed(points, true, counted, _wiener)


def _unbiased(points: np.ndarray, true: np.ndarray, counted: np.ndarray) -> np.ndarray:
    return _smoothed(points, true, counted, _regressed)


def _smoothed(points: np.ndarray, true: np.ndarray, counted: np.ndarray, smooth: Callable) -> np.ndarray:
    """``smooth`` takes logarithms of measured and true distances of an unbroken run of frames."""
    best = np.log(_distance(points))
    for hand in range(2):
        rows = np.flatnonzero(counted[:, hand])
        for run in np.split(rows, np.flatnonzero(np.diff(rows) > 1) + 1):
            if len(run) >= _SHORTEST_FILTERED:
                best[run, hand] = smooth(best[run, hand], np.log(_distance(true)[run, hand]))
    return _pushed(points, np.exp(best) - _distance(points))


def _regressed(measured: np.ndarray, true: np.ndarray) -> np.ndarray:
    """Posterior mean; the place where the path begins is free."""
    t = np.arange(len(measured)) / _RATE
    gap, early = np.abs(t[:, None] - t), np.minimum(t[:, None], t)
    memory, forgotten = _MOTION_S, np.exp(-t / _MOTION_S)
    travel = 2 * early - memory * (1 - forgotten[:, None] - forgotten + np.exp(-gap / memory))
    motion = _SPEED**2 * memory * travel + 1.0
    error = _BIAS**2 * np.exp(-gap / _BIAS_S) + _NOISE**2 * np.eye(len(t))
    return measured.mean() + motion @ np.linalg.solve(motion + error, measured - measured.mean())


def _wiener(measured: np.ndarray, true: np.ndarray) -> np.ndarray:
    """(n,) filtered; the mean stays. Spectra are smoothed over three frequencies, or the gain would fit the phase."""
    mean, rest = measured.mean(), measured - measured.mean()
    signal, error = (
        np.convolve(np.pad(np.abs(np.fft.rfft(x - x.mean())) ** 2, 1, "reflect"), [0.25, 0.5, 0.25], "valid")
        for x in (true, measured - true)
    )
    gain = signal / np.maximum(signal + error, 1e-30)
    return mean + np.fft.irfft(gain * np.fft.rfft(rest), len(rest))


def _depth(points: np.ndarray, true: np.ndarray, counted: np.ndarray) -> np.ndarray:
    return _pushed(points, _distance(true) - _distance(points))


def _place(points: np.ndarray, true: np.ndarray, counted: np.ndarray) -> np.ndarray:
    return points + (true.mean(2) - points.mean(2))[:, :, None]


def _palm(points: np.ndarray, true: np.ndarray, counted: np.ndarray) -> np.ndarray:
    out, centre = points.copy(), points.mean(2)[:, :, None]
    for hand in range(2):
        rows = np.flatnonzero(counted[:, hand])
        turn = metrics.umeyama(points[rows, hand][:, _PALM], true[rows, hand][:, _PALM], scale=False).rotation
        out[rows, hand] = (points - centre)[rows, hand] @ np.swapaxes(turn, -1, -2) + centre[rows, hand]
    return out


def _distance(points: np.ndarray) -> np.ndarray:
    """(T, 2) of the hand's middle from the lens."""
    return np.linalg.norm(points.mean(2), axis=-1)


def _pushed(points: np.ndarray, by: np.ndarray) -> np.ndarray:
    """Hands as they are, (T, 2) metres farther along the ray to them."""
    middle = points.mean(2)
    return points + (middle / np.linalg.norm(middle, axis=-1, keepdims=True) * by[..., None])[:, :, None]


PARTS: dict[str, Part] = {
    "+ hand size": _size,
    "+ mean distance": _mean_depth,
    "(distance, latent bias)": _unbiased,
    "(distance, best filter)": _filtered,
    "+ distance": _depth,
    "+ place in view": _place,
    "+ palm's turn": _palm,
}


def _as_text(title: str, table: dict[str, np.ndarray]) -> list[str]:
    head = f"{title + ': true by then':26}" + "".join(f"{name:>26}" for name in _FIGURES)
    below = " " * 26 + f"{'ours per frame ratio':>26}" * len(_FIGURES)
    cells = "{:12.1f}{:8.1f}{:6.2f}"
    rows = [
        f"{name:26}" + "".join(cells.format(a, b, a / b) for a, b in zip(ours, each, strict=True))
        for name, (ours, each) in table.items()
    ]
    return [head, below, *rows]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
