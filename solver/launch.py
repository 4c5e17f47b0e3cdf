"""Starts the solver from an installed extension: ``python -I launch.py solve ...``.

Blender's own Python runs isolated and ignores PYTHONPATH, so the folder of the dependencies is put on the path here.
They are data of the extension, for this child process alone: nothing of Blender ever imports them.
"""

import os
import sys
from pathlib import Path

EXTENSION = Path(__file__).resolve().parent.parent
# More BLAS threads are slower on the solver's small blocks, 4 to 12 times so on a busy machine.
THREAD_LIMITS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


def main() -> int:
    for name in THREAD_LIMITS:
        os.environ.setdefault(name, "1")
    sys.path[:0] = [str(path) for path in (EXTENSION, EXTENSION / "vendor") if path.is_dir()]
    from solver.cli import main as run

    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
