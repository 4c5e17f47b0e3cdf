"""The motion of a scene on its way to a re-solve. NumPy only: the add-on writes it, ``resolving`` reads it."""

from __future__ import annotations

import dataclasses
import io
import os
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from .errors import SolverError


@dataclass(frozen=True)
class Standing:
    """The motion of all hands in consecutive frames, as the client has it.

    Attributes:
        frames: (n,) the clip's own numbers.
        rotations: (H, n, 16, 3, 3), transl: (H, n, 3) as in ``Take``; NaN where the client shows no hand.
        world_from_camera: (n, 4, 4).
    """

    frames: np.ndarray
    rotations: np.ndarray
    transl: np.ndarray
    world_from_camera: np.ndarray

    def save(self, path: str | os.PathLike[str]) -> None:
        np.savez(path, **vars(self))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Raises SolverError ``standing-not-readable``."""
        try:
            with np.load(io.BytesIO(Path(path).read_bytes()), allow_pickle=False) as data:
                return cls(**{field.name: data[field.name] for field in dataclasses.fields(cls)})
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise SolverError(
                "standing-not-readable", f"The motion to re-solve was not readable ({error}).", "Try again."
            ) from error
