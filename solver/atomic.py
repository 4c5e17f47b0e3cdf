"""Files that are either the old one or the whole new one. numpy alone."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np


def write_npz(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Write atomically: ``path`` is either the old file or the whole new one.

    Raises:
        OSError: the folder is not writable or full; nothing is left behind.
    """
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        try:
            np.savez_compressed(file, **arrays)
        except OSError:
            Path(file.name).unlink()
            raise
    Path(file.name).replace(path)
