"""Files of arrays as other programs leave them, read without running what is in them: .npz, .npy, .json, .pkl,
joblib's, torch's. NumPy alone; neither joblib nor torch is needed.
"""

from __future__ import annotations

import io
import json
import math
import pickle
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .. import inert_pickle
from ..errors import SolverError

SUFFIXES = (".npz", ".npy", ".json", ".pkl", ".pickle", ".joblib", ".pth", ".pt", ".pyd")
_TORCH_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
_LARGEST_FILE = 2 * 2**30
_UNZIPPING_ERRORS = (OSError, EOFError, NotImplementedError, RuntimeError, zipfile.BadZipFile, zlib.error)


def read(path: Path) -> Any:
    """The content of a file: containers, numbers, strings and arrays; whatever else it names is refused.

    Raises:
        SolverError: ``result-not-readable`` or ``result-unsafe``.
    """
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise _not_readable(path, "it is larger than 2 GB")
        return _plain(_parse(path.read_bytes(), path.suffix.lower()))
    except inert_pickle.RefusedName as error:
        raise SolverError(
            "result-unsafe",
            f"{path.name} was not opened, because {error}: a file of arrays never does.",
            "Save the result again as .npz with plain arrays.",
        ) from error
    except OSError as error:
        raise _not_readable(path, str(error.strerror)) from error
    except (*inert_pickle.ERRORS, *_UNZIPPING_ERRORS) as error:
        raise _not_readable(path, "it is damaged, or in a format that is not known") from error


def _not_readable(path: Path, reason: str) -> SolverError:
    return SolverError("result-not-readable", f"{path} could not be read: {reason}.", "Choose another file.")


def _parse(content: bytes, suffix: str) -> Any:
    if suffix == ".json":
        return json.loads(content)
    if content[:4] == b"PK\x03\x04":
        return _read_zip(content)
    if content[:6] == b"\x93NUMPY":
        return _read_npy(content)
    if content[:1] == b"x" or content[:2] == b"\x1f\x8b":  # joblib's compressed files
        content = zlib.decompress(content, 47)
    return _read_pickle(content)


def _plain(value: Any) -> Any:
    """Records of arrays as arrays, all the way down; scalars and 0-d object arrays as what they hold."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [_plain(item) for item in value]
    if isinstance(value, inert_pickle.Record):
        return _tensor(value) if value.kind == "tensor" else inert_pickle.array(value, "a value")
    return value


# --- archives ---------------------------------------------------------------------------------------------------------


def _read_zip(content: bytes) -> Any:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = archive.namelist()
        pickled = [name for name in names if name.endswith("data.pkl")]
        if pickled:
            return _read_torch_archive(archive, pickled[0])
        members = [name for name in names if name.endswith(".npy")]
        return {name.removesuffix(".npy"): _read_npy(archive.read(name)) for name in members}


def _read_npy(content: bytes) -> Any:
    """An array; one of objects, which NumPy pickles, as the containers that it holds."""
    stream = io.BytesIO(content)
    version = np.lib.format.read_magic(stream)
    read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read_header(stream)
    if not dtype.hasobject:
        return np.load(io.BytesIO(content), allow_pickle=False)
    _, _, _, _, items = _Stream(stream).load().state
    return items[0] if shape == () else items


# --- pickles ----------------------------------------------------------------------------------------------------------


class _Stream(inert_pickle.Inert, pickle._Unpickler):
    """Python's own unpickler, whose instructions can be followed: joblib leaves arrays between them.

    Attributes:
        storages: where torch's tensors find their numbers, by torch's key.
    """

    dispatch = dict(pickle._Unpickler.dispatch)

    def __init__(self, stream: io.BytesIO, contents: dict[str, bytes] | None = None) -> None:
        super().__init__(stream, encoding="latin1")
        self.storages: dict[str, _Storage] = {}
        self._contents = contents or {}
        self._bytes = stream

    def _load_build(self) -> None:
        self.load_build()
        built = self.stack[-1]
        if isinstance(built, inert_pickle.Record) and built.kind == "array in stream":
            self.stack[-1] = self._array_in_stream(built.state)

    dispatch[pickle.BUILD[0]] = _load_build

    # joblib 1.x, numpy_pickle.NumpyArrayWrapper: padding, then the array's bytes
    def _array_in_stream(self, state: dict[str, Any]) -> np.ndarray:
        kind = inert_pickle.dtype(state["dtype"])
        if state.get("numpy_array_alignment_bytes") is not None:
            self._bytes.read(self._bytes.read(1)[0])
        count = math.prod(state["shape"])
        values = np.frombuffer(self._bytes.read(count * kind.itemsize), kind)
        return values.reshape(state["shape"], order=state["order"])

    def persistent_load(self, key: Any) -> _Storage:
        """torch's ("storage", type, key, location, count, ...)."""
        if key[0] != "storage":
            raise inert_pickle.RefusedName(f"it refers to {key[0]!r}")
        kind, name = np.dtype(inert_pickle.TORCH_STORAGES[key[1].kind]), str(key[2])
        return self.storages.setdefault(name, _Storage(kind, self._contents.get(name, b"")))


@dataclass
class _Storage:
    """The numbers of one or more tensors; in torch's older files they come after the tensors."""

    dtype: np.dtype
    content: bytes


def _read_pickle(content: bytes) -> Any:
    stream = io.BytesIO(content)
    first = _Stream(stream).load()
    is_torch = isinstance(first, int) and first == _TORCH_LEGACY_MAGIC
    return _read_torch_legacy(stream) if is_torch else first


def _read_torch_archive(archive: zipfile.ZipFile, pickled: str) -> Any:
    folder = pickled.removesuffix("data.pkl") + "data/"
    names = [name for name in archive.namelist() if name.startswith(folder)]
    contents = {name.removeprefix(folder): archive.read(name) for name in names}
    return _Stream(io.BytesIO(archive.read(pickled)), contents).load()


def _read_torch_legacy(stream: io.BytesIO) -> Any:
    """torch.save without a zip: protocol, system, object, keys of storages, then each storage's count and bytes."""
    for _ in ("protocol", "system"):
        _Stream(stream).load()
    reader = _Stream(stream)
    content = reader.load()
    for key in _Stream(stream).load():
        storage = reader.storages[str(key)]
        count = int.from_bytes(stream.read(8), "little")
        storage.content = stream.read(count * storage.dtype.itemsize)
    return content


def _tensor(record: inert_pickle.Record) -> np.ndarray:
    storage, offset, shape, strides = record.args[:4]
    if isinstance(storage, inert_pickle.Record):  # pickled by itself, so that it carries a file of torch's
        storage = _read_pickle(storage.args[0])
    values = np.frombuffer(storage.content, storage.dtype)
    last = offset + sum((n - 1) * step for n, step in zip(shape, strides, strict=True))
    if min(offset, *shape, *strides, 0) < 0 or (0 not in shape and last >= len(values)):
        raise ValueError("its tensor lies outside of its storage")
    steps = [step * values.itemsize for step in strides]
    return np.lib.stride_tricks.as_strided(values[offset:], shape, steps).copy()
