"""``python -m solver.bench CLIPS --report FOLDER``: solve every clip under CLIPS and say how far it is from the truth.

Each clip is solved once per mode of ``clips.MODES``. Exit status 1: a figure is worse than the baseline has it.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from .. import take as takes
from . import clips, prediction, report
from .clips import MODES, BenchClip
from .evaluate import evaluate
from .report import Result
from .runner import solve
from .strips import strip
from .table import regressions


def main(arguments: list[str]) -> int:
    options = _parser().parse_args(arguments)
    folders = [folder for folder in clips.find(options.clips) if not options.only or folder.name in options.only]
    if not folders:
        print(f"There is no clip with truth in {options.clips}.", file=sys.stderr)
        return 2
    chosen = [clips.load(folder) for folder in folders]
    results = []
    for mode in options.modes:
        for clip in chosen:
            print(f"{clip.name}, {mode} ...", flush=True)
            results.append(_measure(clip, mode, options.report))
    measured = report.as_json(results)
    verdict = _against_baseline(measured, options.baseline)
    print(report.as_text(results))
    print("\n" + ("\n".join(verdict) or "No figure is worse than the baseline beyond noise."))
    abouts = {clip.name: clip.about for clip in chosen}
    options.report.mkdir(parents=True, exist_ok=True)
    _write_json(options.report / "results.json", measured)
    (options.report / "report.html").write_text(report.as_html(results, abouts, verdict), encoding="utf-8")
    print(f"\n{options.report / 'report.html'}")
    if options.update_baseline:
        page = options.baseline.with_name("RESULTS.md")
        page.write_text(report.as_markdown(results, abouts), encoding="utf-8")
        _write_json(options.baseline, _merged(_read_baseline(options.baseline), _without_runs(measured)))
        return 0
    return 1 if verdict else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m solver.bench", description="Measures the product on known motion.")
    parser.add_argument("clips", type=Path)
    parser.add_argument("--report", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--only", nargs="*", metavar="CLIP")
    parser.add_argument("--modes", nargs="+", choices=tuple(MODES), default=tuple(MODES))
    parser.add_argument("--baseline", type=Path, default=Path(__file__).with_name("baseline.json"))
    parser.add_argument(
        "--update-baseline", action="store_true", help="make these results the baseline, and write RESULTS.md beside it"
    )
    return parser


def _measure(clip: BenchClip, mode: str, out: Path) -> Result:
    known = clip.truth
    take_path = (out / "takes" / f"{clip.name} {mode}.npz").resolve()
    take_path.parent.mkdir(parents=True, exist_ok=True)
    run = solve(clip.source, take_path, (*clip.arguments, *MODES[mode](clip)))
    about = (clip.name, mode, run, len(known.frames) / known.frame_rate, len(known.frames))
    if run.take is None:
        return Result(*about, report.figures_of(None))
    predicted = prediction.from_take(takes.load(run.take), known)
    evaluation = evaluate(known, predicted)
    pictures = strip(clip.source, known, predicted)
    return Result(*about, report.figures_of(evaluation), pictures, report.draw(known, evaluation))


def _against_baseline(measured: dict, path: Path) -> list[str]:
    """Sentences about what got worse, over the clips that both have."""
    before = _read_baseline(path)
    verdict = []
    for mode, solved in measured.items():
        shared = [clip for clip in solved if clip in before.get(mode, {})]
        now, then = (report.overall([known[mode][clip]["figures"] for clip in shared]) for known in (measured, before))
        verdict += [f"{mode}: {sentence}" for sentence in regressions(now, then)]
    return verdict


def _read_baseline(path: Path) -> dict:
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def _merged(before: dict, now: dict) -> dict:
    """``now`` over ``before``: clips that were not measured this time keep what they had."""
    return {mode: before.get(mode, {}) | now.get(mode, {}) for mode in before | now}


def _without_runs(measured: dict) -> dict:
    """Accuracy alone: what a machine's speed says has no place in a baseline that others compare with."""
    return {
        mode: {clip: {"figures": _rounded(entry["figures"])} for clip, entry in solved.items()}
        for mode, solved in measured.items()
    }


def _rounded(figures: dict[str, float | None]) -> dict[str, float | None]:
    return {name: None if value is None else round(value, 4) for name, value in figures.items()}


def _write_json(path: Path, value: dict) -> None:
    path.write_text(json.dumps(value, indent=1, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
