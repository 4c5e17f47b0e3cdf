"""One clip, solved in one way by the product from outside, against its truth."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from .. import take as takes
from . import prediction, report
from .clips import MODES, BenchClip
from .evaluate import evaluate
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
    known = clip.truth
    about = (clip.name, mode, title, given, run, len(known.frames) / known.frame_rate, len(known.frames))
    if run.take is None:
        return Result(*about, figures_of(None))
    predicted = prediction.from_take(takes.load(run.take), known)
    evaluation = evaluate(known, predicted)
    if not pictures:
        return Result(*about, figures_of(evaluation))
    return Result(*about, figures_of(evaluation), strip(clip.source, known, predicted), report.draw(known, evaluation))
