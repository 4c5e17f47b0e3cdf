"""``python -m solver.bench CLIPS --report FOLDER``: solve every clip under CLIPS and say how far it is from the truth.

A clip is a folder with ``clip.mp4``, ``truth.npz`` and ``camera.npz``. Each is solved twice: "given camera" (its true
camera and lens are handed over) and "as is" (nothing is). Exit status 1: a figure is worse than the baseline has it.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from .. import take as takes
from . import prediction, report, truth
from .evaluate import evaluate
from .report import Result
from .runner import solve
from .strips import strip
from .table import regressions

MODES = ("given camera", "as is")


def main(arguments: list[str]) -> int:
    options = _parser().parse_args(arguments)
    folders = sorted(path.parent for path in options.clips.glob("*/truth.npz"))
    folders = [folder for folder in folders if not options.only or folder.name in options.only]
    if not folders:
        print(f"There is no clip with truth in {options.clips}.", file=sys.stderr)
        return 2
    results = []
    for folder in folders:
        for mode in options.modes:
            print(f"{folder.name}, {mode} ...", flush=True)
            results.append(_measure(folder, mode, options.report))
    measured = report.as_json(results)
    verdict = _against_baseline(measured, options.baseline)
    print(report.as_text(results))
    print("\n" + ("\n".join(verdict) or "No figure is worse than the baseline beyond noise."))
    options.report.mkdir(parents=True, exist_ok=True)
    _write_json(options.report / "results.json", measured)
    (options.report / "report.html").write_text(report.as_html(results, _abouts(folders), verdict), encoding="utf-8")
    print(f"\n{options.report / 'report.html'}")
    if options.update_baseline:
        _write_json(options.baseline, _without_runs(measured))
        return 0
    return 1 if verdict else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m solver.bench", description="Measures the product on known motion.")
    parser.add_argument("clips", type=Path)
    parser.add_argument("--report", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--only", nargs="*", metavar="CLIP")
    parser.add_argument("--modes", nargs="+", choices=MODES, default=MODES)
    parser.add_argument("--baseline", type=Path, default=Path(__file__).with_name("baseline.json"))
    parser.add_argument("--update-baseline", action="store_true", help="make these results the baseline")
    return parser


def _measure(folder: Path, mode: str, out: Path) -> Result:
    known = truth.load(folder / "truth.npz")
    take_path = out / "takes" / f"{folder.name}-{mode.replace(' ', '-')}.npz"
    take_path.parent.mkdir(parents=True, exist_ok=True)
    arguments = ("--camera", str((folder / "camera.npz").resolve())) if mode == "given camera" else ()
    run = solve((folder / "clip.mp4").resolve(), take_path.resolve(), arguments)
    length = len(known.frames) / known.frame_rate
    if run.take is None:
        return Result(folder.name, mode, run, length, len(known.frames), report.figures_of(None))
    predicted = prediction.from_take(takes.load(run.take), known)
    evaluation = evaluate(known, predicted)
    return Result(
        folder.name, mode, run, length, len(known.frames), report.figures_of(evaluation),
        strip(folder / "clip.mp4", known, predicted), report.draw(known, evaluation),
    )  # fmt: skip


def _against_baseline(measured: dict, path: Path) -> list[str]:
    """Sentences about what got worse, over the clips that both have."""
    if not path.exists():
        return []
    before = json.loads(path.read_text(encoding="utf-8"))
    verdict = []
    for mode, clips in measured.items():
        shared = [clip for clip in clips if clip in before.get(mode, {})]
        now, then = (report.overall([known[mode][clip]["figures"] for clip in shared]) for known in (measured, before))
        verdict += [f"{mode}: {sentence}" for sentence in regressions(now, then)]
    return verdict


def _without_runs(measured: dict) -> dict:
    """Accuracy alone: what a machine's speed says has no place in a baseline that others compare with."""
    return {
        mode: {clip: {"figures": _rounded(entry["figures"])} for clip, entry in clips.items()}
        for mode, clips in measured.items()
    }


def _rounded(figures: dict[str, float | None]) -> dict[str, float | None]:
    return {name: None if value is None else round(value, 4) for name, value in figures.items()}


def _abouts(folders: list[Path]) -> dict[str, str]:
    specs = {folder.name: folder / "spec.json" for folder in folders}
    return {name: json.loads(path.read_text())["about"] for name, path in specs.items() if path.exists()}


def _write_json(path: Path, value: dict) -> None:
    path.write_text(json.dumps(value, indent=1, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
