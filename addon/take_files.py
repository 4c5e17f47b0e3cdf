"""Takes on disk, read once for as long as they don't change."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import bpy

from ..solver import take as takes
from ..solver.errors import SolverError
from ..solver.take import Take
from . import file_paths
from .scene import members


def of_root(root: bpy.types.Object) -> Take:
    """The take that a root shows.

    Raises:
        SolverError: as ``read``.
    """
    return _read(path_of(root))


def path_of(root: bpy.types.Object) -> Path:
    """Where the take that a root shows should be."""
    return file_paths.absolute(root.handheld.take, root)


def read(path: str, root: bpy.types.Object) -> Take:
    """A take by the path that a root has for it.

    Raises:
        SolverError: ``take-missing``, or as ``take.load``.
    """
    return _read(file_paths.absolute(path, root))


def _read(path: Path) -> Take:
    try:
        about = path.stat()
    except OSError as error:
        raise SolverError(
            "take-missing", f"The take {path} is not there.", "Find it, or solve the clip again."
        ) from error
    return _load(str(path), about.st_mtime_ns, about.st_size)


def relink(root: bpy.types.Object, path: str) -> None:
    """Tell a root where its take is now.

    Raises:
        SolverError: the file is no take, or one of another clip; the root is as it was then.
    """
    found = takes.load(path)
    known = {hand.handheld.side for hand in members(root, "HAND")}
    if not known <= set(found.sides):
        raise SolverError("take-not-fitting", f"{Path(path).name} has other hands than these.", "Choose another take.")
    before, root.handheld.take = root.handheld.take, file_paths.stored(path)
    for entry in root.handheld_edit.takes:
        if entry.path == before:
            entry.path = root.handheld.take


@lru_cache(maxsize=2)
def _load(path: str, *_: int) -> Take:
    return takes.load(path)
