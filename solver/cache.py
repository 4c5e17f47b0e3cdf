"""Stage results on disk, keyed by their inputs: after a crash or a cancel a solve resumes from the last valid stage."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import logging
import os
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

import numpy as np

from .atomic import write_npz

log = logging.getLogger(__name__)


class StageCache:
    """A folder of ``<stage>-<key>.npz`` files, or nothing when ``folder`` is None.

    A file holds a list of dataclasses, whose fields are arrays, strings, numbers, None, and tuples or dataclasses of
    such; it is never unpickled. A file that
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
                return [_built(data, str(index), kind) for index in range(int(data["count"]))]
        except (OSError, ValueError, KeyError, EOFError, TypeError, zipfile.BadZipFile) as error:
            log.warning("cache file %s is not readable: %s", path, error)
            return None

    def store(self, stage: str, inputs: dict[str, Any], items: list[Any]) -> None:
        """Keep a list of dataclass instances for these inputs."""
        path = self._path(stage, inputs)
        if path is None:
            return
        arrays = {name: part for index, item in enumerate(items) for name, part in _parts(str(index), item)}
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


def _parts(name: str, value: Any) -> Iterator[tuple[str, np.ndarray]]:
    """A value as named arrays; None is absent."""
    if dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield from _parts(f"{name}.{field.name}", getattr(value, field.name))
    elif isinstance(value, tuple):
        yield f"{name}.count", np.array(len(value))
        for index, item in enumerate(value):
            yield from _parts(f"{name}.{index}", item)
    elif value is not None:
        yield name, np.asarray(value)


def _built(data: Mapping[str, np.ndarray], name: str, kind: Any) -> Any:
    """The value of a declared type out of its parts."""
    options = [option for option in get_args(kind) if option is not NoneType] if get_origin(kind) is UnionType else []
    if options:
        return _built(data, name, options[0]) if any(_belongs(key, name) for key in data) else None
    if dataclasses.is_dataclass(kind):
        hints = get_type_hints(kind)
        return kind(**{f.name: _built(data, f"{name}.{f.name}", hints[f.name]) for f in dataclasses.fields(kind)})
    if get_origin(kind) is tuple:
        item = get_args(kind)[0]
        return tuple(_built(data, f"{name}.{index}", item) for index in range(int(data[f"{name}.count"])))
    value = data[name]
    return value.item() if value.ndim == 0 else value


def _belongs(key: str, name: str) -> bool:
    return key == name or key.startswith(f"{name}.")
