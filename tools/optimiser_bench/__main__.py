"""``python -m tools.optimiser_bench``: the tables. One thread; CPU seconds; the same simulated clip for everybody.

lbfgs [FRAMES] [BUDGET]   cost against CPU time: ours, L-BFGS preconditioned, L-BFGS as the papers run it
length                    CPU time and memory over the number of frames
whole                     likewise with every cost, touching hands, second looks: from tracks to covariances
local                     the re-solve of a window
serve TAKE                likewise in a running process, from request to answer
whitening TAKE ...        landmarks' residuals in stated deviations
drift                     is the truth a minimum
intervals                 do stated intervals hold the truth
"""

from __future__ import annotations

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import inspect  # noqa: E402
import sys  # noqa: E402

from solver.errors import SolverError  # noqa: E402

from .tables import TABLES  # noqa: E402


def main(arguments: list[str]) -> int:
    if not arguments or arguments[0] not in TABLES:
        print(__doc__)
        return 2
    table, given = TABLES[arguments[0]], [_number(argument) for argument in arguments[1:]]
    try:
        inspect.signature(table).bind(*given)
    except TypeError:
        print(__doc__)
        return 2
    try:
        table(*given)
    except SolverError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _number(argument: str) -> float | str:
    try:
        return float(argument)
    except ValueError:
        return argument


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
