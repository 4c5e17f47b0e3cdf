"""``python -m tools.corrections TAKES``: the curve of error against corrections on the benchmark's worst stretches."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from solver import take as takes
from solver.bench import truth as truths
from solver.hand_model import loading
from solver.optimise import resume

from . import artist

ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("takes", type=Path, help="folder with CLIP.npz for clips of the benchmark")
    parser.add_argument("--clips", type=Path, default=ROOT / "build" / "bench" / "clips")
    parser.add_argument("--stretches", type=int, default=5)
    parser.add_argument("--corrections", type=int, default=4)
    given = parser.parse_args()
    models = loading.load_pair("open")
    found, known = [], {}
    for path in sorted(given.takes.glob("*.npz")):
        name = path.stem.split()[0]
        truth, take = truths.load(given.clips / name / "truth.npz"), takes.load(path)
        known[path.stem] = truth, take
        errors = {hand: artist.errors_mm(take, truth, models, hand) for hand in range(len(take.sides))}
        found += artist.worst(path.stem, take, errors)
    if not found:
        print(f"{given.takes} holds no CLIP.npz with a stretch to correct: name a folder of takes.", file=sys.stderr)
        return 2
    found.sort(key=lambda stretch: -stretch.error_mm)
    _print_curves([_curve(stretch, *known[stretch.clip], models, given) for stretch in found[: given.stretches]])
    return 0


def _curve(stretch, truth, take, models, given):
    resumed = resume(take, models)
    curve = [error for error, _ in artist.corrected(resumed, truth, models, stretch, given.corrections)]
    return stretch, take.sides[stretch.hand], np.array(curve)


def _print_curves(curves: list) -> None:
    counts = range(len(curves[0][2]))
    sys.stdout.write("| clip | hand | frames | " + " | ".join(f"{n} corrections, mm" for n in counts) + " |\n")
    sys.stdout.write("|---" * (3 + len(counts)) + "|\n")
    for stretch, side, curve in curves:
        cells = [f"{error:.0f} ({error / curve[0] - 1:+.0%})" if n else f"{error:.0f}" for n, error in enumerate(curve)]
        frames = f"{stretch.first}-{stretch.last}"
        sys.stdout.write(f"| {stretch.clip} | {side} | {frames} | " + " | ".join(cells) + " |\n")
    mean = np.mean([curve / curve[0] for _, _, curve in curves], axis=0)
    sys.stdout.write("| mean | | | " + " | ".join(f"{share - 1:+.0%}" for share in mean) + " |\n")


if __name__ == "__main__":
    sys.exit(main())
