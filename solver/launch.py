"""Starts the solver from an installed extension: ``python -I launch.py solve ...``.

Blender's own Python runs isolated and ignores PYTHONPATH, so the folder of the dependencies is put on the path here.
They are data of the extension, for this child process alone: nothing of Blender ever imports them.
"""

import importlib.util
import os
import sys
from pathlib import Path

EXTENSION = Path(__file__).resolve().parent.parent
VENDOR = EXTENSION / "vendor"
PYTHON = "{}.{}".format(*sys.version_info)
EXIT_UNFIT = 2
# More BLAS threads are slower on the solver's small blocks, 4 to 12 times so on a busy machine.
THREAD_LIMITS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


def _vendored() -> list[str]:
    """The folder of the dependencies, unless they were built for another Python: that one has to bring its own."""
    built_for = _built_for()
    return [str(VENDOR)] if built_for in ("", PYTHON) and VENDOR.is_dir() else []


def _built_for() -> str:
    """As "3.11"; "" where nothing is vendored."""
    file = VENDOR / "PYTHON"
    return file.read_text(encoding="utf-8").strip() if file.is_file() else ""


def _what_fits() -> str:
    if built_for := _built_for():
        return f"This zip is for Python {built_for}, not {PYTHON}: install the one that fits, or set Solver Python."
    return "Run `python3 build.py setup` and use the Python in .venv."


def main() -> int:
    for name in THREAD_LIMITS:
        os.environ.setdefault(name, "1")
    sys.path[:0] = [str(EXTENSION), *_vendored()]
    if importlib.util.find_spec("cv2") is None:
        sys.stderr.write(f"{sys.executable} lacks the solver's libraries. {_what_fits()}\n")
        return EXIT_UNFIT
    from solver.cli import main as run

    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
