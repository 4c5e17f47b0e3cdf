"""Stage results on disk, keyed by their inputs: after a crash or a cancel a solve resumes from the last valid stage."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import logging
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from .atomic import write_npz

log = logging.getLogger(__name__)


class StageCache:
    """A folder of ``<stage>-<key>.npz`` files, or nothing when ``folder`` is None.

    A file holds the fields of a list of flat dataclasses (arrays, strings, numbers); it is never unpickled. A file that
    can't be read counts as absent, and a folder that can't be written to only costs the resumption: a cache never fails
    a solve.
    """

    def __init__(self, folder: str | os.PathLike[str] | None) -> None:
        self._folder = Path(folder) if folder else None

    def load(self, stage: str, inputs: dict[str, Any], kind: type) -> list[Any] | None:
        """The list stored for these inputs, or None."""
        path = self._path(stage, inputs)
        if path is None or not path.is_file():
            return None
        try:
            with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as data:
                return [_restore(data, index, kind) for index in range(int(data["count"]))]
        except (OSError, ValueError, KeyError, EOFError, TypeError, zipfile.BadZipFile) as error:
            log.warning("cache file %s is not readable: %s", path, error)
            return None

    def store(self, stage: str, inputs: dict[str, Any], items: list[Any]) -> None:
        """Keep a list of dataclass instances for these inputs."""
        path = self._path(stage, inputs)
        if path is None:
            return
        arrays = {
            f"{index}.{field.name}": np.asarray(getattr(item, field.name))
            for index, item in enumerate(items)
            for field in dataclasses.fields(item)
        }
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_npz(path, {"count": np.array(len(items)), **arrays})
        except OSError as error:
            log.warning("stage %s was not kept in %s: %s", stage, path.parent, error)

    def _path(self, stage: str, inputs: dict[str, Any]) -> Path | None:
        if self._folder is None:
            return None
        key = hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()[:24]
        return self._folder / f"{stage}-{key}.npz"


def _restore(data: Any, index: int, kind: type) -> Any:
    fields = {f.name: data[f"{index}.{f.name}"] for f in dataclasses.fields(kind)}
    return kind(**{name: value.item() if value.ndim == 0 else value for name, value in fields.items()})
