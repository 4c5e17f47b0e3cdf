"""What was measured: one result per clip and way of solving it, their means, and all of it as JSON."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .evaluate import PENALTY_MM, Evaluation
from .runner import Run
from .table import FIGURES

# what a solve that failed scores: it found nothing
_FAILED = {"recall": 0.0, "recall_left": 0.0, "recall_right": 0.0, "c_within": 0.0, "c_mpjpe_covered": PENALTY_MM}

Figures = dict[str, float | None]


@dataclass(frozen=True)
class Result:
    """One clip solved in one way.

    Attributes:
        clip: its name. mode: a key of ``clips.MODES``, or a peer's name.
        title: of the row. given: of the table that the row belongs to.
        run: None for a peer, whose program is not run here.
        clip_seconds: the clip's own length. frames: their number.
        strip, plots: HTML.
    """

    clip: str
    mode: str
    title: str
    given: str
    run: Run | None
    clip_seconds: float
    frames: int
    figures: Figures
    strip: str = ""
    plots: str = ""

    @property
    def real_time_factor(self) -> float:
        """Wall time of the whole solve over the clip's length."""
        return self.run.wall_seconds / self.clip_seconds

    @property
    def failure(self) -> str:
        return self.run.failure if self.run else ""


def figures_of(evaluation: Evaluation | None) -> Figures:
    """Figures fit for JSON: None where there was nothing to measure."""
    values = evaluation.figures if evaluation else _FAILED
    return {name: None if math.isnan(value) else value for name, value in values.items()}


def overall(rows: Sequence[Figures]) -> Figures:
    """Mean of each figure over the clips that have it; of its size where it has a sign."""
    means = {}
    for name, figure in FIGURES.items():
        known = [row[name] for row in rows if row.get(name) is not None]
        known = [abs(value) for value in known] if figure.signed else known
        means[name] = float(np.mean(known)) if known else None
    return means


def tables(results: Sequence[Result]) -> dict[str, list[Result]]:
    """Results by what the product was given, each list sorted by clip, ways of solving it beside each other."""
    return {
        given: sorted((r for r in results if r.given == given), key=lambda r: r.clip)
        for given in dict.fromkeys(result.given for result in results)
    }


def means(results: Sequence[Result]) -> dict[str, tuple[str, Figures]]:
    """By mode: title and overall figures."""
    modes = dict.fromkeys((result.mode, result.title) for result in results)
    return {mode: (title, overall([r.figures for r in results if r.mode == mode])) for mode, title in modes}


def as_json(results: Sequence[Result]) -> dict:
    """``{mode: {clip: {figures, run}}}``, figures by the names of ``table.FIGURES``."""
    value: dict = {}
    for result in results:
        entry = {"figures": result.figures, **({"run": _run(result)} if result.run else {})}
        value.setdefault(result.mode, {})[result.clip] = entry
    return value


def _run(result: Result) -> dict:
    return {
        "failure": result.run.failure,
        "frames": result.frames,
        "stage_cpu_seconds_per_frame": {k: v / result.frames for k, v in result.run.stage_cpu_seconds.items()},
        "cpu_seconds": result.run.cpu_seconds,
        "wall_seconds": result.run.wall_seconds,
        "real_time_factor": result.real_time_factor,
        "peak_mb": result.run.peak_mb,
    }
