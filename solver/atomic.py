"""Files that are either the old one or the whole new one. numpy alone."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from .errors import SolverError


def write_npz(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Write atomically: ``path`` is either the old file or the whole new one.

    Raises:
        OSError: the folder is not writable or full; nothing is left behind.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with partial.open("wb") as file:  # not a temporary file of the library's: those only their owner may read
            np.savez_compressed(file, **arrays)
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)
        raise


def require_other(output: str | os.PathLike[str] | None, *read: str | os.PathLike[str] | None) -> None:
    """Refuse to write over what is read: a slip in a command must not cost a clip or a take.

    Raises:
        SolverError: ``same-file``.
    """
    for path in filter(None, read):
        if output and Path(output).exists() and Path(path).exists() and Path(output).samefile(path):
            raise SolverError("same-file", f"{output} would replace what is read from it.", "Give -o another name.")
