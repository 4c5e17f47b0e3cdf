"""Takes on disk, read once for as long as they don't change."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import bpy

from ..solver import take as takes
from ..solver.errors import SolverError
from ..solver.take import Take


def of_root(root: bpy.types.Object) -> Take:
    """The take that a root was made from.

    Raises:
        SolverError: ``take-missing``, or as ``take.load``.
    """
    path = Path(bpy.path.abspath(root.handheld.take))
    try:
        about = path.stat()
    except OSError as error:
        raise SolverError(
            "take-missing", f"The take {path} is not there.", "Find it, or solve the clip again."
        ) from error
    return _load(str(path), about.st_mtime_ns, about.st_size)


@lru_cache(maxsize=2)
def _load(path: str, *_: int) -> Take:
    return takes.load(path)
