"""``python -m tools.prior``: fits the prior's numbers, prints what filling gaps is worth. One thread; CPU.

fit RECORDINGS                      write solver/prior/numbers.json
recordings RECORDINGS               the table of gaps in recordings, each source tested on what the other taught
rule RECORDINGS TUNING [KIND ...]    numbers of the rule by which gaps are filled ("thumb short"; none: all)
clips RECORDINGS TUNING TESTING     the same on rendered clips (folders of clips), with real detections
solid CLIPS                         what non-penetration does on rendered clips
intervals RECORDINGS                do draws hold the truth as often as they say
capsules                            where capsules lie best in a hand, and how far its skin is from them
coupling CLIPS [TAKE ...]           what one hand's motion tells of the other's
touches                             are touches found where hands touch, and what do they do; on made-up scenes
touches TAKE ...                    those in solved takes

A table that is made whole is also written to ``tools/prior/tables``. ``--quick``: a small part of each, to see that it
runs; nothing is written.
"""

from __future__ import annotations

import inspect
import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import sys  # noqa: E402
import time  # noqa: E402
from pathlib import Path  # noqa: E402

from solver.prior.distribution import NUMBERS, unparse  # noqa: E402

from . import (  # noqa: E402
    clip_table,
    coupling,
    flesh,
    intervals,
    recordings,
    rule,
    solidity,
    table,
    touch_table,
    touch_takes,
)
from .fit import fit  # noqa: E402
from .size import QUICK, WHOLE, Size  # noqa: E402

_TABLES = Path(__file__).with_name("tables")
_CACHE = Path("build") / "bench" / "observed"
_PROVENANCE = (
    "Fitted by tools/prior to recordings of finger motion: leapjs-playback and siblings (Apache-2.0), hand_dapg "
    "(Apache-2.0), handy.js (MIT)."
)
MEMORY_S = 0.1
_KEPT = ("recordings", "clips", "intervals", "coupling", "solid")
_said: list[str] = []


def _fit(size: Size, path: str) -> None:
    everything, fps = recordings.load(Path(path))
    NUMBERS.write_text(unparse(fit(everything, 1 / fps, MEMORY_S), _PROVENANCE), encoding="utf-8")


def _recordings(size: Size, path: str) -> None:
    table.run(Path(path), _say, size=size)


def _clips(size: Size, path: str, tuning: str, testing: str) -> None:
    everything, _ = recordings.load(Path(path))
    clip_table.run(everything, _folders(tuning), _folders(testing), _CACHE, _say, size=size)


def _rule(size: Size, path: str, tuning: str, *kinds: str) -> None:
    everything, _ = recordings.load(Path(path))
    rule.run(everything, _folders(tuning), _CACHE, _say, size, kinds)


def _solid(size: Size, clips: str) -> None:
    solidity.run(_folders(clips)[: size.clips], _CACHE, _say)


def _capsules(size: Size) -> None:
    flesh.run(_say)


def _intervals(size: Size, path: str) -> None:
    intervals.run(Path(path), _say, size)


def _coupling(size: Size, clips: str, *solved: str) -> None:
    coupling.run(_folders(clips)[: size.clips], [Path(path) for path in solved], _say)


def _touches(size: Size, *paths: str) -> None:
    if not paths:
        touch_table.run(_say, size.scenes)
    for path in paths:
        touch_takes.run(Path(path), _say)


def _folders(root: str) -> list[Path]:
    found = sorted(path.parent for path in Path(root).glob("*/truth.npz"))
    if not found:
        # before a table without rows takes the place of the last one
        raise SystemExit(f"There is no clip with truth in {root}: `python3 build.py bench --make` renders them.")
    return found


def _say(line: str) -> None:
    print(line, flush=True)
    _said.append(line)


_COMMANDS = {
    "fit": _fit,
    "recordings": _recordings,
    "clips": _clips,
    "rule": _rule,
    "solid": _solid,
    "intervals": _intervals,
    "capsules": _capsules,
    "coupling": _coupling,
    "touches": _touches,
}


def main(arguments: list[str]) -> int:
    rest = [argument for argument in arguments if argument != "--quick"]
    if not rest or rest[0] not in _COMMANDS:
        print(__doc__)
        return 2
    size = QUICK if len(rest) < len(arguments) else WHOLE
    command, given = _COMMANDS[rest[0]], (size, *rest[1:])
    try:
        inspect.signature(command).bind(*given)
    except TypeError:
        print(__doc__)
        return 2
    began = time.process_time()
    command(*given)
    _say(f"({time.process_time() - began:.0f} CPU s)")
    if size is WHOLE and rest[0] in _KEPT:
        _TABLES.mkdir(exist_ok=True)
        (_TABLES / f"{rest[0]}.md").write_text("\n".join(_said) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
