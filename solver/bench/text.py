"""Results as tables for the console and as a page for the repository."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .results import Figures, Result, means, tables
from .table import BAD, FIGURES, FURTHER, SHORT, is_bad, show

Row = list[str]

PUBLISHED_ABOUT = (
    "H2O with a dynamic camera, from the table of Yu, Zafeiriou and Birdal, Dyn-HaMR, CVPR 2025. **Not comparable with "
    "the rows above**: other footage, other people; which segments its two aligned figures are over is not published."
)
PUBLISHED = [
    ["method", "G-MPJPE [mm]", "GA-MPJPE [mm]", "MPJPE [mm]", "Acc [m/s²]"],
    ["Dyn-HaMR", "45.6", "34.2", "22.5", "4.2"],
    ["HaMeR", "96.9", "75.7", "32.9", "9.21"],
]


def as_text(results: Sequence[Result], before: Mapping[str, Figures] | None = None) -> str:
    """A table per thing that was given. ``before``: overall figures of the baseline by mode, for rows of their own."""
    lines = []
    for given, chosen in tables(results).items():
        lines.append(f"\n{given}")
        for names in (SHORT, FURTHER):
            head = ["clip", "", *(FIGURES[name].title for name in names)]
            lines += [*columns([head, *figure_rows(chosen, names, before)]), ""]
        lines += [f"  {line}" for line in failures(chosen)]
        lines += columns(cost_rows(chosen))
    return "\n".join(lines)


def as_markdown(results: Sequence[Result], abouts: Mapping[str, str], worse: Sequence[str] = ()) -> str:
    """A page for the repository: what a person should know, good and bad. ``worse``: than the baseline before."""
    parts = ["# Where the product stands", "", "Written by `python3 build.py bench --update-baseline`; see README.md."]
    parts += ["", *(f"- **{name}**: {about}" for name, about in abouts.items())]
    since = [f"- {sentence}" for sentence in worse] or ["Nothing beyond noise."]
    parts += ["", "## What got worse since the baseline before", "", *since]
    parts += ["", "## What is bad", "", *bad(results)]
    for given, chosen in tables(results).items():
        parts += ["", f"## {given}"]
        for names in (SHORT, FURTHER):
            head = ["clip", "", *(f"{FIGURES[name].title} [{FIGURES[name].unit}]" for name in names)]
            parts += ["", *markdown([head, *figure_rows(chosen, names)])]
        parts += [f"- {line}" for line in failures(chosen)]
        parts += ["", *markdown(cost_rows(chosen))]
    parts += ["", "## Published figures, on another data set", "", PUBLISHED_ABOUT, "", *markdown(PUBLISHED)]
    parts += [
        "",
        "## What the figures are",
        "",
        *(f"- {FIGURES[n].title}: {FIGURES[n].about}." for n in SHORT + FURTHER),
    ]
    return "\n".join(parts) + "\n"


def figure_rows(
    results: Sequence[Result], names: Sequence[str], before: Mapping[str, Figures] | None = None
) -> list[Row]:
    """Clip, way of solving it, figures; then the means of each way, and of each way in the baseline."""
    rows = [[result.clip, result.title, *_cells(result.figures, names)] for result in results]
    for mode, (title, figures) in means(results).items():
        rows.append(["overall", title, *_cells(figures, names)])
        if before and mode in before:
            rows.append(["", "before", *_cells(before[mode], names)])
    return rows


def cost_rows(results: Sequence[Result]) -> list[Row]:
    """What each solve took; peers are not run here."""
    results = [result for result in results if result.run]
    stages = list(dict.fromkeys(stage for result in results for stage in result.run.stage_cpu_seconds))
    rows = [["clip", "", *(f"{stage} CPU ms/frame" for stage in stages), "wall / clip length", "peak MB"]]
    for result in results:
        spent = [1e3 * result.run.stage_cpu_seconds.get(stage, 0.0) / result.frames for stage in stages]
        spent += [result.real_time_factor, result.run.peak_mb]
        rows.append([result.clip, result.title, *map(show, spent)])
    return rows


def failures(results: Sequence[Result]) -> list[str]:
    return [f"{result.clip}, {result.title} failed: {result.failure}" for result in results if result.failure]


def bad(results: Sequence[Result]) -> list[str]:
    """Of what a person gets (the first mode alone) every figure beyond its limit, clip by clip."""
    own = [result for result in results if result.mode == results[0].mode]
    lines = []
    for result in own:
        named = [n for n in (*SHORT, *FURTHER) if is_bad(n, result.figures.get(n))]
        said = [f"{FIGURES[n].title} {show(result.figures[n])} {FIGURES[n].unit}" for n in named]
        lines.append(f"- **{result.clip}**: {', '.join(said) or 'nothing beyond its limit'}.")
    limits = ", ".join(f"{FIGURES[n].title} {show(limit)}" for n, limit in BAD.items())
    return [*lines, "", f"Named is what lies beyond: {limits}."]


def columns(rows: Sequence[Row]) -> list[str]:
    """Rows as right-aligned lines."""
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    return ["  " + "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]


def _cells(figures: Figures, names: Sequence[str]) -> Row:
    return [show(figures.get(name)) for name in names]


def markdown(rows: Sequence[Row]) -> list[str]:
    """Rows as lines of a table, the first one its head."""
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return [lines[0], "|" + "---|" * len(rows[0]), *lines[1:]]
