"""All results as one JSON value and one HTML page."""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape

import numpy as np

from .evaluate import PENALTY_MM, Evaluation
from .plots import Line, plot
from .runner import Run
from .table import FIGURES, SHORT, show
from .truth import SIDES, Truth

_COLOURS = {"left": "#1f6fd0", "right": "#d0451f"}
# what a solve that failed scores: it found nothing
_FAILED = {"recall": 0.0, "recall_left": 0.0, "recall_right": 0.0, "c_within": 0.0, "c_mpjpe_covered": PENALTY_MM}


@dataclass(frozen=True)
class Result:
    """One clip solved in one mode. ``strip`` and ``plots`` are HTML; ``clip_seconds`` the clip's own length."""

    clip: str
    mode: str
    run: Run
    clip_seconds: float
    frames: int
    figures: dict[str, float | None]
    strip: str = ""
    plots: str = ""

    @property
    def real_time_factor(self) -> float:
        """Wall time of the whole solve over the clip's length."""
        return self.run.wall_seconds / self.clip_seconds


def figures_of(evaluation: Evaluation | None) -> dict[str, float | None]:
    """Figures fit for JSON: None where there was nothing to measure."""
    values = evaluation.figures if evaluation else _FAILED
    return {name: None if math.isnan(value) else value for name, value in values.items()}


def overall(rows: list[dict[str, float | None]]) -> dict[str, float | None]:
    """Mean of each figure over the clips that have it."""
    means = {}
    for name in FIGURES:
        known = [row[name] for row in rows if row.get(name) is not None]
        means[name] = float(np.mean(known)) if known else None
    return means


def as_json(results: list[Result]) -> dict:
    """``{mode: {clip: {figures, run}}}``, figures by the names of ``table.FIGURES``."""
    value: dict = {}
    for result in results:
        run = {
            "failure": result.run.failure,
            "frames": result.frames,
            "stage_cpu_seconds_per_frame": {k: v / result.frames for k, v in result.run.stage_cpu_seconds.items()},
            "cpu_seconds": result.run.cpu_seconds,
            "wall_seconds": result.run.wall_seconds,
            "real_time_factor": result.real_time_factor,
            "peak_mb": result.run.peak_mb,
        }
        value.setdefault(result.mode, {})[result.clip] = {"figures": result.figures, "run": run}
    return value


def as_text(results: list[Result]) -> str:
    """A table per mode for the console."""
    lines = []
    for mode in dict.fromkeys(result.mode for result in results):
        chosen = [result for result in results if result.mode == mode]
        heads = [FIGURES[name].title for name in SHORT]
        rows = [[result.clip, *(show(result.figures.get(name)) for name in SHORT)] for result in chosen]
        rows.append(["overall", *(show(overall([r.figures for r in chosen])[name]) for name in SHORT)])
        lines += [f"\n{mode}", *_columns([["clip", *heads], *rows])]
        lines += [f"  {result.clip}: {result.run.failure}" for result in chosen if result.run.failure]
        lines += ["", *_columns(_cost_rows(chosen))]
    return "\n".join(lines)


def as_markdown(results: list[Result], abouts: dict[str, str]) -> str:
    """A page for the repository: what a person should know, good and bad."""
    parts = [
        "# Where the product stands",
        "",
        "Written by `python3 build.py bench --update-baseline`; see README.md.",
        "",
    ]
    parts += [f"- **{name}**: {about}" for name, about in abouts.items()]
    for mode in dict.fromkeys(result.mode for result in results):
        chosen = [result for result in results if result.mode == mode]
        means = overall([result.figures for result in chosen])
        rows = [["clip", *(f"{FIGURES[name].title} [{FIGURES[name].unit}]" for name in SHORT)]]
        rows += [[result.clip, *(show(result.figures.get(name)) for name in SHORT)] for result in chosen]
        rows.append(["**overall**", *(show(means[name]) for name in SHORT)])
        parts += ["", f"## {mode.capitalize()}", "", *_markdown_rows(rows)]
        parts += [f"- {result.clip} failed: {result.run.failure}" for result in chosen if result.run.failure]
    names = dict.fromkeys(SHORT)
    parts += ["", "## What the figures are", "", *(f"- {FIGURES[n].title}: {FIGURES[n].about}." for n in names)]
    return "\n".join(parts) + "\n"


def _markdown_rows(rows: list[list[str]]) -> list[str]:
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return [lines[0], "|" + "---|" * len(rows[0]), *lines[1:]]


def _columns(rows: list[list[str]]) -> list[str]:
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    return ["  " + "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]


def _cost_rows(results: list[Result]) -> list[list[str]]:
    stages = list(dict.fromkeys(stage for result in results for stage in result.run.stage_cpu_seconds))
    head = ["clip", *(f"{stage} CPU ms/frame" for stage in stages), "wall / clip length", "peak MB"]
    rows = [head]
    for result in results:
        spent = [1e3 * result.run.stage_cpu_seconds.get(stage, 0.0) / result.frames for stage in stages]
        rows.append([result.clip, *map(show, spent), show(result.real_time_factor), show(result.run.peak_mb)])
    return rows


def draw(truth: Truth, evaluation: Evaluation) -> str:
    """The plots of one result."""
    seconds = truth.frames / truth.frame_rate
    errors = []
    for hand, side in enumerate(SIDES):
        errors.append(Line(f"{side}, camera", seconds, evaluation.camera_error_mm[:, hand], _COLOURS[side]))
        errors.append(Line(f"{side}, world", seconds, evaluation.world_error_mm[:, hand], _COLOURS[side], "4 3"))
    paths = [Line("camera", truth.world_from_camera[:, 0, 3], truth.world_from_camera[:, 2, 3], "#555")]
    paths.append(Line("camera, solved", *evaluation.aligned_camera[:, [0, 2]].T, "#555", "4 3"))
    for hand, side in enumerate(SIDES):
        paths.append(Line(f"{side} wrist", *truth.keypoints[:, hand, 0][:, [0, 2]].T, _COLOURS[side]))
        paths.append(Line(f"{side}, solved", *evaluation.aligned_wrists[:, hand][:, [0, 2]].T, _COLOURS[side], "4 3"))
    over_time = plot("Mean joint error", errors, "s", "mm")
    return over_time + plot("From above, hands aligned rigidly", paths, "x [m]", "z [m]", equal=True)


def as_html(results: list[Result], abouts: dict[str, str], verdict: list[str]) -> str:
    modes = dict.fromkeys(result.mode for result in results)
    parts = [_STYLE, "<h1>Benchmark</h1>", _verdict(verdict)]
    for mode in modes:
        chosen = [result for result in results if result.mode == mode]
        parts.append(f"<h2>{escape(mode)}</h2>{_table(chosen, SHORT)}{_html_rows(_cost_rows(chosen))}")
        parts.append(f"<details><summary>all figures</summary>{_table(chosen, tuple(FIGURES))}</details>")
    for clip in dict.fromkeys(result.clip for result in results):
        parts.append(f"<h2>{escape(clip)}</h2><p>{escape(abouts.get(clip, ''))}</p>")
        for result in (result for result in results if result.clip == clip):
            failure = f"<p class=bad>{escape(result.run.failure)}</p>" if result.run.failure else ""
            parts.append(f"<h3>{escape(result.mode)}</h3>{failure}{result.strip}<div>{result.plots}</div>")
    parts.append(_meanings())
    return f"<!doctype html><meta charset=utf-8><title>Benchmark</title>{''.join(parts)}"


def _verdict(verdict: list[str]) -> str:
    if not verdict:
        return "<p>No figure is worse than the baseline beyond noise.</p>"
    return "<ul class=bad>" + "".join(f"<li>{escape(line)}</li>" for line in verdict) + "</ul>"


def _table(results: list[Result], names: tuple[str, ...]) -> str:
    means = overall([result.figures for result in results])
    head = "".join(
        f'<th title="{escape(FIGURES[n].about)}">{FIGURES[n].title}<br>{FIGURES[n].unit}</th>' for n in names
    )
    lines = [f"<tr><th>clip</th>{head}</tr>"]
    for label, figures in [*((result.clip, result.figures) for result in results), ("overall", means)]:
        cells = "".join(f"<td>{show(figures.get(name))}</td>" for name in names)
        lines.append(f"<tr><th>{escape(label)}</th>{cells}</tr>")
    return f"<table>{''.join(lines)}</table>"


def _html_rows(rows: list[list[str]]) -> str:
    lines = ["<tr>" + "".join(f"<th>{escape(cell)}</th>" for cell in rows[0]) + "</tr>"]
    for row in rows[1:]:
        cells = "".join(f"<td>{escape(cell)}</td>" for cell in row[1:])
        lines.append(f"<tr><th>{escape(row[0])}</th>{cells}</tr>")
    return f"<table>{''.join(lines)}</table>"


def _meanings() -> str:
    lines = "".join(
        f"<tr><th>{figure.title}</th><td>{figure.unit}</td><td>{escape(figure.about)}</td></tr>"
        for figure in FIGURES.values()
    )
    return f"<h2>What the figures are</h2><table class=words>{lines}</table>"


_STYLE = """<style>
body{font:14px/1.45 system-ui,sans-serif;max-width:1180px;margin:2em auto;padding:0 1em;color:#222}
table{border-collapse:collapse;margin:.6em 0;font-size:12.5px}th,td{padding:2px 7px;border-bottom:1px solid #ddd}
td{text-align:right}.words td{text-align:left}th{text-align:left}.bad{color:#b00020}.strip{max-width:100%;display:block}
.plot{font:10px sans-serif;margin-right:8px}.plot .title{font-weight:bold;font-size:12px}.grid{stroke:#eee}
</style>"""
