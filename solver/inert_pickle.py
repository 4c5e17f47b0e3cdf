"""Pickles read without running anything that is in them.

A pickle is a program. The unpickler below knows the few names that files of arrays contain (NumPy's, and those of
wrappers around arrays that old hand models use), puts inert records in their place, and refuses every other name.
``array`` then makes an array from a record's checked bytes.
"""

from __future__ import annotations

import collections
import pickle
import re
import struct
from typing import Any

import numpy as np

# what a damaged pickle can raise; MemoryError because it may announce a string of any length
ERRORS = (
    pickle.UnpicklingError, EOFError, AttributeError, ImportError, IndexError, KeyError, TypeError, ValueError,
    OverflowError, RecursionError, MemoryError, struct.error,
)  # fmt: skip


TORCH_STORAGES = {
    "FloatStorage": "f4", "DoubleStorage": "f8", "HalfStorage": "f2", "LongStorage": "i8", "IntStorage": "i4",
    "ShortStorage": "i2", "CharStorage": "i1", "ByteStorage": "u1", "BoolStorage": "?",
}  # fmt: skip


class RefusedName(pickle.UnpicklingError):
    """The pickle names something that no file of arrays contains."""


class Record:
    """Stands for whatever the file builds: keeps the arguments and the state that it is given, and does nothing.

    NumPy's own classes are records too: their ``__setstate__`` trusts its input and can crash on a forged one.
    """

    kind = ""
    args: tuple[Any, ...]
    state: Any

    def __new__(cls, *args: Any, **_: Any) -> Record:
        record = object.__new__(cls)
        record.args, record.state = args, None
        return record

    def __setstate__(self, state: Any) -> None:
        self.state = state


_KINDS = {
    ("numpy", "ndarray"): "ndarray",
    ("numpy", "dtype"): "dtype",
    ("copy_reg", "_reconstructor"): "instance",
    ("copyreg", "_reconstructor"): "instance",
    ("_codecs", "encode"): "bytes",
    ("__builtin__", "object"): "object",
    ("builtins", "object"): "object",
    ("torch._utils", "_rebuild_tensor_v2"): "tensor",
    ("torch.storage", "_load_from_bytes"): "storage bytes",
    ("joblib.numpy_pickle", "NumpyArrayWrapper"): "array in stream",
}
for _core in ("numpy.core", "numpy._core"):
    _KINDS |= {
        (f"{_core}.multiarray", "_reconstruct"): "array",
        (f"{_core}.multiarray", "scalar"): "scalar",
        (f"{_core}.numeric", "_frombuffer"): "buffer",
    }
_CONTAINERS = {
    ("__builtin__", "set"): set,
    ("builtins", "set"): set,
    ("collections", "OrderedDict"): collections.OrderedDict,
}
# any name of these packages that is listed stands for itself; torch names its storages after what they hold
_FOREIGN_KINDS = {"chumpy": ("Ch", "Select"), "scipy": ("csc_matrix", "csr_matrix"), "torch": TORCH_STORAGES}


class Inert:
    """What makes an unpickler safe: mixed into ``pickle``'s own."""

    def find_class(self, module: str, name: str) -> type:
        if (module, name) in _CONTAINERS:
            return _CONTAINERS[module, name]
        kind = _KINDS.get((module, name))
        if kind is None and name in _FOREIGN_KINDS.get(module.split(".")[0], ()):
            kind = name
        if kind is None:
            raise RefusedName(f"it names {module}.{name}")
        # a class of its own each time: a file may set attributes on what it is given
        return type(kind, (Record,), {"kind": kind})


class Unpickler(Inert, pickle.Unpickler):
    """Gives containers, numbers, strings, and a ``Record`` for everything else."""


def array(value: Any, name: str) -> np.ndarray:
    """The array behind a value, be it one already (``.npz``), a record of one, or a wrapper around one."""
    if isinstance(value, np.ndarray):
        return value
    kind = kind_of(value)
    if kind not in _CONVERT:
        raise ValueError(f"{name} is a {kind} instead of an array")
    return _CONVERT[kind](value)


def kind_of(value: Any) -> str:
    """What a value is: a record's kind, or the name of its type."""
    if not isinstance(value, Record):
        return type(value).__name__
    if value.kind == "instance":  # protocols 0 and 1 build objects by copy_reg._reconstructor(class, base, None)
        return getattr(value.args[0], "kind", "object")
    return value.kind


def _from_array(record: Record) -> np.ndarray:
    _, shape, numbers, column_major, content = record.state
    return _from_bytes(content, numbers, shape, "F" if column_major else "C")


def _from_buffer(record: Record) -> np.ndarray:
    content, numbers, shape, order = record.args
    return _from_bytes(content, numbers, shape, order)


def _from_scalar(record: Record) -> np.ndarray:
    numbers, content = record.args
    return _from_bytes(content, numbers, (), "C")


def _from_bytes(content: Any, numbers: Any, shape: tuple[int, ...], order: str) -> np.ndarray:
    if kind_of(content) == "bytes" and isinstance(content, Record):  # Python 3's way to write bytes at protocol 2
        content = content.args[0]
    content = content.encode("latin1") if isinstance(content, str) else content
    return np.frombuffer(content, dtype(numbers)).reshape(shape, order=order)


def dtype(record: Any) -> np.dtype:
    """The type of numbers that a pickled dtype stands for."""
    if kind_of(record) != "dtype" or not re.fullmatch("[fiu][1248]|b1", str(record.args[0])):
        raise ValueError(f"it holds an array of {getattr(record, 'args', [record])[0]!r} where numbers belong")
    order = record.state[1] if record.state else "="
    return np.dtype(("<" if order == "|" else order) + record.args[0])


def _from_ch(record: Record) -> np.ndarray:
    return array(record.state["x"], "x")


def _from_select(record: Record) -> np.ndarray:
    state = record.state
    chosen = array(state["a"], "a").ravel()[array(state["idxs"], "idxs")]
    return chosen.reshape(state["preferred_shape"]) if "preferred_shape" in state else chosen


def _from_csc(record: Record) -> np.ndarray:
    rows, columns = _matrix_shape(record.state)
    return _dense(record.state, columns, rows).T


def _from_csr(record: Record) -> np.ndarray:
    return _dense(record.state, *_matrix_shape(record.state))


def _matrix_shape(state: dict[str, Any]) -> tuple[int, int]:
    rows, columns = (int(n) for n in (state["_shape"] if "_shape" in state else state["shape"]))
    if min(rows, columns) < 1 or rows * columns > 10_000_000:
        raise ValueError(f"it holds a matrix of {rows} x {columns}")
    return rows, columns


def _dense(state: dict[str, Any], major_count: int, minor_count: int) -> np.ndarray:
    ends, minor, data = (array(state[key], key) for key in ("indptr", "indices", "data"))
    ends = ends.astype(np.int64)  # differences of narrow integers may wrap round
    counts = np.diff(ends)
    if len(counts) != major_count or counts.min() < 0 or ends[0] != 0 or not ends[-1] == len(minor) == len(data):
        raise ValueError("its sparse matrix is inconsistent")
    major = np.repeat(np.arange(major_count), counts)
    dense = np.zeros((major_count, minor_count))
    np.add.at(dense, (major, minor), data)  # entries that name the same cell twice add up
    return dense


_CONVERT = {
    "array": _from_array,
    "buffer": _from_buffer,
    "scalar": _from_scalar,
    "Ch": _from_ch,
    "Select": _from_select,
    "csc_matrix": _from_csc,
    "csr_matrix": _from_csr,
}
