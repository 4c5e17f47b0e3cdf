"""All results as one HTML page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from .evaluate import Evaluation
from .plots import Line, plot
from .results import Result, tables
from .table import FIGURES, FURTHER, SHORT
from .text import cost_rows, figure_rows
from .truth import SIDES, Truth

_COLOURS = {"left": "#1f6fd0", "right": "#d0451f"}


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


def as_html(results: Sequence[Result], abouts: Mapping[str, str], verdict: Sequence[str]) -> str:
    parts = [_STYLE, "<h1>Benchmark</h1>", _verdict(verdict)]
    for given, chosen in tables(results).items():
        both = "".join(_figures(chosen, names) for names in (SHORT, FURTHER))
        parts.append(f"<h2>{escape(given)}</h2>{both}{_rows(cost_rows(chosen))}")
        parts.append(f"<details><summary>all figures</summary>{_figures(chosen, tuple(FIGURES))}</details>")
    for clip in dict.fromkeys(result.clip for result in results):
        parts.append(f"<h2>{escape(clip)}</h2><p>{escape(abouts.get(clip, ''))}</p>")
        for result in (result for result in results if result.clip == clip):
            failure = f"<p class=bad>{escape(result.failure)}</p>" if result.failure else ""
            heading = f"{result.title}, given: {result.given}"
            parts.append(f"<h3>{escape(heading)}</h3>{failure}{result.strip}<div>{result.plots}</div>")
    parts.append(_meanings())
    return f"<!doctype html><meta charset=utf-8><title>Benchmark</title>{''.join(parts)}"


def _verdict(verdict: Sequence[str]) -> str:
    if not verdict:
        return "<p>No figure is worse than the baseline beyond noise.</p>"
    return "<ul class=bad>" + "".join(f"<li>{escape(line)}</li>" for line in verdict) + "</ul>"


def _figures(results: Sequence[Result], names: Sequence[str]) -> str:
    head = "".join(
        f'<th title="{escape(FIGURES[n].about)}">{FIGURES[n].title}<br>{FIGURES[n].unit}</th>' for n in names
    )
    return _table(f"<tr><th>clip</th><th></th>{head}</tr>", figure_rows(results, names))


def _rows(rows: Sequence[list[str]]) -> str:
    return _table("<tr>" + "".join(f"<th>{escape(cell)}</th>" for cell in rows[0]) + "</tr>", rows[1:])


def _table(head: str, rows: Sequence[list[str]]) -> str:
    """The first two cells of each row are its names."""
    lines = [head]
    for first, second, *cells in rows:
        shown = "".join(f"<td>{escape(cell)}</td>" for cell in cells)
        lines.append(f"<tr><th>{escape(first)}</th><th>{escape(second)}</th>{shown}</tr>")
    return f"<table>{''.join(lines)}</table>"


def _meanings() -> str:
    lines = "".join(
        f"<tr><th>{figure.title}</th><td>{figure.unit}</td><td>{escape(figure.about)}</td></tr>"
        for figure in FIGURES.values()
    )
    return f"<h2>What the figures are</h2><table class=words>{lines}</table>"


_STYLE = """<style>
body{font:14px/1.45 system-ui,sans-serif;max-width:1280px;margin:2em auto;padding:0 1em;color:#222}
table{border-collapse:collapse;margin:.6em 0;font-size:12.5px}th,td{padding:2px 7px;border-bottom:1px solid #ddd}
td{text-align:right}.words td{text-align:left}th{text-align:left}.bad{color:#b00020}.strip{max-width:100%;display:block}
.plot{font:10px sans-serif;margin-right:8px}.plot .title{font-weight:bold;font-size:12px}.grid{stroke:#eee}
</style>"""
