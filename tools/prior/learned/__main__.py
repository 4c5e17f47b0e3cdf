"""``python -m tools.prior.learned``: a motion prior from recordings. One thread; a CPU is enough.

convert KEYPOINTS.npz... -o RECORDINGS.npz        21 keypoints per hand as recordings
train RECORDINGS -o PRIOR.npz [--cpu-minutes 25]  train on all of them; give the file to ``solver solve --prior``
table RECORDINGS [--cpu-minutes 7]                train on one source, test on the others; what ships beside it
clips RECORDINGS CLIPS [--prior PRIOR.npz]        the closed form of all recordings, and a prior, on rendered clips
"""

from __future__ import annotations

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import argparse  # noqa: E402
import sys  # noqa: E402
from dataclasses import replace  # noqa: E402
from pathlib import Path  # noqa: E402

from solver.prior.learned import file  # noqa: E402
from solver.prior.learned.network import Network  # noqa: E402

from .. import recordings  # noqa: E402
from ..arms import REFITTED  # noqa: E402
from ..table import Split  # noqa: E402
from . import clips, convert, gaussian, table  # noqa: E402
from .arm import Learned  # noqa: E402
from .train import Effort, train  # noqa: E402
from .windows import Windows, wrists  # noqa: E402

# of recordings, every so-many-th is kept from the training, to calibrate what is said of errors
_KEPT = 6
_CACHE = Path("build") / "bench" / "observed"


def _convert(options: argparse.Namespace) -> int:
    count = convert.convert(options.keypoints, options.output)
    _say(f"{count} runs" + (f" in {options.output}" if count else "; nothing was written"))
    return 0 if count else 1


def _train(options: argparse.Namespace) -> int:
    everything, _ = recordings.load(options.recordings)
    names = sorted({r.name for r in everything if len(r.angles) > 1})
    kept = set(names[_KEPT - 1 :: _KEPT])
    learnt = [r for r in everything if r.name not in kept]
    arrays = train(learnt, _effort(options), options.seed, _say, wrists(options.recordings, everything))
    network = table.calibrated(Network(**arrays), [r for r in everything if r.name in kept])
    sources = ", ".join(sorted({r.source for r in learnt}))
    file.save(options.output, file.arrays_of(network), f"trained by tools.prior.learned on {sources}. {options.about}")
    _say(f"{options.output}: {options.output.stat().st_size / 1e6:.1f} MB")
    return 0


def _table(options: argparse.Namespace) -> int:
    def trained(split: Split) -> list[Learned]:
        if not options.cpu_minutes:
            return []
        network = Network(**train(split.fit, _effort(options), options.seed, _say))
        return [Learned("network", table.calibrated(network, split.tune), REFITTED)]

    table.run(options.recordings, _say, trained)
    return 0


def _clips(options: argparse.Namespace) -> int:
    everything, _ = recordings.load(options.recordings)
    closed = gaussian.fit(Windows(everything, 1, table.Effort.procedural))
    arms = {"closed form": Learned("closed form", closed)}
    if options.prior:
        arms["network"] = Learned("network", file.load(options.prior))
    folders = sorted(path.parent for path in options.clips.glob("*/truth.npz"))
    clips.run(everything, folders, _CACHE, arms, options.widths, _say)
    return 0


def _effort(options: argparse.Namespace) -> Effort:
    cpu_s = 60.0 * options.cpu_minutes
    return replace(Effort(), channels=options.channels, cpu_s=cpu_s, steps=int(1e9))


def _say(line: str) -> None:
    print(line, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.prior.learned", description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(required=True)
    made = commands.add_parser("convert")
    made.add_argument("keypoints", nargs="+", type=Path)
    made.add_argument("-o", "--output", required=True, type=Path)
    made.set_defaults(run=_convert)
    rendered = commands.add_parser("clips")
    rendered.add_argument("recordings", type=Path)
    rendered.add_argument("clips", type=Path)
    rendered.add_argument("--prior", type=Path)
    rendered.add_argument("--widths", nargs="+", type=float, default=(1.0, 2.0))
    rendered.set_defaults(run=_clips)
    for name, run, minutes in (("train", _train, 25.0), ("table", _table, 7.0)):
        command = commands.add_parser(name)
        command.add_argument("recordings", type=Path)
        command.add_argument("--cpu-minutes", type=float, default=minutes)
        command.add_argument("--channels", type=int, default=Effort.channels)
        command.add_argument("--seed", type=int, default=0)
        command.set_defaults(run=run)
        if name == "train":
            command.add_argument("-o", "--output", required=True, type=Path)
            command.add_argument("--about", default="", help="said in the file: sources and their licences")
    return parser


def main(arguments: list[str]) -> int:
    options = _parser().parse_args(arguments)
    return options.run(options)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
