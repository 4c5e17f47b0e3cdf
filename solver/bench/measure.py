"""One clip, solved in one way by the product from outside, against its truth."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from .. import take as takes
from ..hand_model import loading
from . import peers, prediction, report
from .clips import ALONE, MODES, BenchClip
from .evaluate import evaluate
from .prediction import Prediction
from .results import Result, figures_of
from .runner import Run, solve
from .strips import strip


def measure(clip: BenchClip, mode: str, folder: Path, pictures: bool, more: Sequence[str] = ()) -> Result:
    """Solve and evaluate. The take is left in ``folder``; ``more`` arguments go to the solver."""
    chosen = MODES[mode]
    folder.mkdir(parents=True, exist_ok=True)
    take_path = (folder / f"{clip.name} {mode}.npz").resolve()
    run = solve(clip.source, take_path, (*clip.arguments, *chosen.arguments(clip), *more))
    return evaluated(clip, mode, chosen.title, chosen.given, run, pictures)


def evaluated(clip: BenchClip, mode: str, title: str, given: str, run: Run, pictures: bool) -> Result:
    """What a run is worth; ``pictures`` draws its plots and frames too."""
    about = _about(clip, mode, title, given, run)
    if run.take is None:
        return Result(*about, figures_of(None))
    return _against_truth(clip, about, prediction.from_take(takes.load(run.take), clip.truth), pictures)


def peer(clip: BenchClip, name: str, path: Path, own: Result | None, pictures: bool) -> Result:
    """Another program's result for the clip; ``own``: the product's, whose camera it gets if it has none."""
    take = takes.load(own.run.take) if own and own.run and own.run.take else None
    said = peers.read(path, clip, loading.load_pair("auto"), take)
    return _against_truth(clip, _about(clip, name, name, ALONE, None), said, pictures)


def _about(clip: BenchClip, mode: str, title: str, given: str, run: Run | None) -> tuple:
    known = clip.truth
    return (clip.name, mode, title, given, run, len(known.frames) / known.frame_rate, len(known.frames))


def _against_truth(clip: BenchClip, about: tuple, predicted: Prediction, pictures: bool) -> Result:
    evaluation = evaluate(clip.truth, predicted)
    if not pictures:
        return Result(*about, figures_of(evaluation))
    drawn = strip(clip.source, clip.truth, predicted), report.draw(clip.truth, evaluation)
    return Result(*about, figures_of(evaluation), *drawn)
