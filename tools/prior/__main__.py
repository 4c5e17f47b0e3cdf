"""``python -m tools.prior``: fits the prior's numbers, prints what filling gaps is worth. One thread; CPU.

fit RECORDINGS                      write solver/prior/numbers.json
recordings RECORDINGS               the table of gaps in recordings, each source tested on what the other taught
clips RECORDINGS TUNING TESTING     the same on rendered clips (folders of clips), with real detections
solid CLIPS                         what non-penetration does on rendered clips
intervals RECORDINGS                do draws hold the truth as often as they say
"""

from __future__ import annotations

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import sys  # noqa: E402
from pathlib import Path  # noqa: E402

from solver.prior.distribution import NUMBERS, unparse  # noqa: E402

from . import clip_table, intervals, recordings, solidity, table  # noqa: E402
from .fit import fit  # noqa: E402

_CACHE = Path("build") / "bench" / "observed"
_PROVENANCE = (
    "Fitted by tools/prior to recordings of finger motion: leapjs-playback and siblings (Apache-2.0), hand_dapg "
    "(Apache-2.0), handy.js (MIT)."
)
MEMORY_S = 0.1


def _fit(path: str) -> None:
    everything, fps = recordings.load(Path(path))
    NUMBERS.write_text(unparse(fit(everything, 1 / fps, MEMORY_S), _PROVENANCE), encoding="utf-8")


def _recordings(path: str) -> None:
    table.run(Path(path), _say)


def _clips(path: str, tuning: str, testing: str) -> None:
    everything, _ = recordings.load(Path(path))
    clip_table.run(everything, _folders(tuning), _folders(testing), _CACHE, _say)


def _solid(clips: str) -> None:
    solidity.run(_folders(clips), _CACHE, _say)


def _intervals(path: str) -> None:
    intervals.run(Path(path), _say)


def _folders(root: str) -> list[Path]:
    return sorted(path.parent for path in Path(root).glob("*/truth.npz"))


def _say(line: str) -> None:
    print(line, flush=True)


_COMMANDS = {"fit": _fit, "recordings": _recordings, "clips": _clips, "solid": _solid, "intervals": _intervals}


def main(arguments: list[str]) -> int:
    if not arguments or arguments[0] not in _COMMANDS:
        print(__doc__)
        return 2
    _COMMANDS[arguments[0]](*arguments[1:])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
