"""``python -m solver.bench``: solve every clip of a suite in every mode and say how far it is from the truth.

``--suite validation --clip walk --mode as-is`` measures one of them and prints its row. Exit status 1: a figure is
worse than the baseline has it; 2: there is nothing to measure.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

from ..optimise import PRESETS
from . import ablate, baseline, clips, peers, report, results, text
from .clips import MODES, SUITES, BenchClip
from .measure import measure, peer
from .results import Result


def main(arguments: list[str]) -> int:
    options = _parser().parse_args(arguments)
    root = options.clips or SUITES[options.suite]
    folders = [folder for folder in clips.find(root) if not options.clip or folder.name in options.clip]
    if not folders:
        print(f"There is no clip with truth in {root}: `python3 build.py bench --make` renders them.", file=sys.stderr)
        return 2
    chosen = [clips.load(folder) for folder in folders]
    with tempfile.TemporaryDirectory() as scratch:
        return (_ablate if options.ablate else _run)(chosen, options, Path(scratch))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m solver.bench", description="Measures the product on known motion.")
    parser.add_argument("--suite", choices=tuple(SUITES), default="test", help="test is reported, never tuned on")
    parser.add_argument("--clips", type=Path, metavar="FOLDER", help="clips of your own, instead of a suite's")
    parser.add_argument("--clip", nargs="+", metavar="CLIP", help="these alone")
    parser.add_argument("--mode", nargs="+", choices=tuple(MODES), default=tuple(MODES))
    parser.add_argument("--peers", type=Path, metavar="FOLDER", help="other programs' results: FOLDER/PROGRAM/CLIP...")
    parser.add_argument("--report", type=Path, metavar="FOLDER", help="leave takes, results.json and report.html here")
    parser.add_argument("--ablate", action="store_true", help="leave out one part after another: what is each worth?")
    parser.add_argument("--quality", choices=tuple(PRESETS), default="balanced", help="of what --ablate takes apart")
    parser.add_argument("--baseline", type=Path, default=baseline.PATH)
    parser.add_argument(
        "--update-baseline",
        action="store_true",
        help="make these the baseline, and write RESULTS.md (or ABLATION.md) beside it",
    )
    return parser


def _run(chosen: list[BenchClip], options: argparse.Namespace, scratch: Path) -> int:
    out, started = options.report or scratch, time.perf_counter()
    measured = []
    for mode in options.mode:
        for clip in chosen:
            print(f"{clip.name}, {mode} ...", file=sys.stderr, flush=True)
            measured.append(measure(clip, mode, out / "takes", pictures=options.report is not None))
    measured += _peers(chosen, options, measured)
    as_json = results.as_json(measured)
    known = {} if options.clips else baseline.read(options.baseline, options.suite)
    verdict = baseline.worse(as_json, known)
    before = {mode: pair[1] for mode, pair in baseline.shared(as_json, known).items()}
    print(text.as_text(measured, before))
    print("\n" + ("\n".join(verdict) or "No figure is worse than the baseline beyond noise."))
    took = f"{len(measured)} solves and their evaluation took {time.perf_counter() - started:.0f} s"
    print(f"\n{took}, {sum(r.run.cpu_seconds or 0.0 for r in measured if r.run):.0f} CPU s of it in the solver.")
    abouts = {clip.name: clip.about for clip in chosen}
    if options.report:
        (out / "results.json").write_text(json.dumps(as_json, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        (out / "report.html").write_text(report.as_html(measured, abouts, verdict), encoding="utf-8")
        print(f"\n{out / 'report.html'}")
    if options.update_baseline:
        baseline.update(options.baseline, options.suite, as_json)
        if options.suite == "test":
            page = options.baseline.with_name("RESULTS.md")
            page.write_text(text.as_markdown(measured, abouts, verdict), encoding="utf-8")
        return 0
    return 1 if verdict else 0


def _peers(chosen: list[BenchClip], options: argparse.Namespace, measured: list[Result]) -> list[Result]:
    own = {result.clip: result for result in measured if result.mode == "as-is"}
    return [
        peer(clip, name, path, own.get(clip.name), pictures=options.report is not None)
        for clip in (chosen if options.peers else ())
        for name, path in peers.find(options.peers, clip.name)
    ]


def _ablate(chosen: list[BenchClip], options: argparse.Namespace, scratch: Path) -> int:
    arms = ablate.run(chosen, options.quality, scratch, lambda line: print(line, file=sys.stderr, flush=True))
    print(ablate.as_text(arms))
    if options.update_baseline:
        page = ablate.as_markdown(arms, [clip.name for clip in chosen], options.quality)
        options.baseline.with_name("ABLATION.md").write_text(page, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
