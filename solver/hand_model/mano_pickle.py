"""Reads hand models in MANO's file layout, ``.pkl`` or ``.npz``, without running anything that is in the file.

A pickle is a program. The unpickler below knows the few names that MANO's released files (protocol 2, Python 2, arrays
wrapped in chumpy objects, a SciPy matrix) and re-pickled copies of them contain, puts inert records in their place, and
refuses every other name. Arrays are then made from the records' checked bytes. Neither chumpy nor SciPy is needed.
"""

from __future__ import annotations

import collections
import io
import pickle
import re
import struct
import zipfile
import zlib
from typing import Any

import numpy as np

from ..errors import SolverError
from .layout import BETA_COUNT, JOINT_COUNT, PARENTS, POSE_FEATURE_COUNT

_REPAIR = "Download MANO_LEFT.pkl and MANO_RIGHT.pkl again from the MANO project and choose their folder."
# what a damaged pickle can raise; MemoryError because it may announce a string of any length
_UNPICKLING_ERRORS = (
    pickle.UnpicklingError, EOFError, AttributeError, ImportError, IndexError, KeyError, TypeError, ValueError,
    OverflowError, RecursionError, MemoryError, struct.error,
)  # fmt: skip
# RuntimeError: the zip says it is encrypted
_UNZIPPING_ERRORS = (
    OSError, ValueError, EOFError, MemoryError, NotImplementedError, RuntimeError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip
_HAND_POSE = 3 * (JOINT_COUNT - 1)


class RefusedName(pickle.UnpicklingError):
    """The pickle names something that no MANO file contains."""


def read(content: bytes, name: str) -> dict[str, np.ndarray]:
    """The arrays of one hand model, checked.

    Args:
        content: the whole file.
        name: file name, for its suffix and for messages.

    Returns:
        float64 arrays v_template, shapedirs (V, 3, 10), posedirs, J_regressor (dense), weights, hands_mean,
        hands_components, int32 faces.

    Raises:
        SolverError: ``hand-model-unsafe``, ``hand-model-damaged`` or ``hand-model-layout``.
    """
    raw = _read_npz(content, name) if name.lower().endswith(".npz") else _read_pickle(content, name)
    try:
        return _checked(raw)
    except (KeyError, ValueError, TypeError, IndexError, AttributeError, OverflowError) as error:
        reason = f"it has no {error}" if isinstance(error, KeyError) else str(error)
        raise SolverError(
            "hand-model-layout", f"{name} is not a hand model in MANO's layout: {reason}.", _REPAIR
        ) from error


def _read_npz(content: bytes, name: str) -> dict[str, Any]:
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as data:
            return {key: data[key] for key in data.files if key in _DIMENSIONS}
    except _UNZIPPING_ERRORS as error:
        raise _damaged(name, error) from error


def _read_pickle(content: bytes, name: str) -> dict[str, Any]:
    try:
        raw = _Unpickler(io.BytesIO(content), encoding="latin1").load()
    except RefusedName as error:
        raise SolverError(
            "hand-model-unsafe", f"{name} was not opened, because {error}, which no MANO file does.", _REPAIR
        ) from error
    except _UNPICKLING_ERRORS as error:
        raise _damaged(name, error) from error
    if not isinstance(raw, dict):
        raise SolverError("hand-model-layout", f"{name} holds a {type(raw).__name__} instead of named arrays.", _REPAIR)
    return raw


def _damaged(name: str, error: Exception) -> SolverError:
    return SolverError("hand-model-damaged", f"{name} is damaged or no model file ({error}).", _REPAIR)


# --- the unpickler ----------------------------------------------------------------------------------------------------


class _Record:
    """Stands for whatever the file builds: keeps the arguments and the state that it is given, and does nothing.

    NumPy's own classes are records too: their ``__setstate__`` trusts its input and can crash on a forged one.
    """

    kind = ""
    args: tuple[Any, ...]
    state: Any

    def __new__(cls, *args: Any, **_: Any) -> _Record:
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
_FOREIGN_KINDS = {"chumpy": ("Ch", "Select"), "scipy": ("csc_matrix", "csr_matrix")}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> type:
        if (module, name) in _CONTAINERS:
            return _CONTAINERS[module, name]
        kind = _KINDS.get((module, name))
        if kind is None and name in _FOREIGN_KINDS.get(module.split(".")[0], ()):
            kind = name
        if kind is None:
            raise RefusedName(f"it names {module}.{name}")
        # a class of its own each time: a file may set attributes on what it is given
        return type(kind, (_Record,), {"kind": kind})


# --- from records to arrays -------------------------------------------------------------------------------------------


def _array(value: Any, name: str) -> np.ndarray:
    """The array behind a value, be it one already (``.npz``), a record of one, or a wrapper around one."""
    if isinstance(value, np.ndarray):
        return value
    kind = _kind(value)
    if kind not in _CONVERT:
        raise ValueError(f"{name} is a {kind} instead of an array")
    return _CONVERT[kind](value)


def _kind(value: Any) -> str:
    if not isinstance(value, _Record):
        return type(value).__name__
    if value.kind == "instance":  # protocols 0 and 1 build objects by copy_reg._reconstructor(class, base, None)
        return getattr(value.args[0], "kind", "object")
    return value.kind


def _from_array(record: _Record) -> np.ndarray:
    _, shape, dtype, column_major, content = record.state
    return _from_bytes(content, dtype, shape, "F" if column_major else "C")


def _from_buffer(record: _Record) -> np.ndarray:
    content, dtype, shape, order = record.args
    return _from_bytes(content, dtype, shape, order)


def _from_bytes(content: Any, dtype: Any, shape: tuple[int, ...], order: str) -> np.ndarray:
    if _kind(content) == "bytes" and isinstance(content, _Record):  # Python 3's way to write bytes at protocol 2
        content = content.args[0]
    content = content.encode("latin1") if isinstance(content, str) else content
    return np.frombuffer(content, _dtype(dtype)).reshape(shape, order=order)


def _dtype(record: Any) -> np.dtype:
    if _kind(record) != "dtype" or not re.fullmatch("[fiu][1248]", str(record.args[0])):
        raise ValueError(f"it holds an array of {getattr(record, 'args', [record])[0]!r} where numbers belong")
    order = record.state[1] if record.state else "="
    return np.dtype(("<" if order == "|" else order) + record.args[0])


def _from_ch(record: _Record) -> np.ndarray:
    return _array(record.state["x"], "x")


def _from_select(record: _Record) -> np.ndarray:
    state = record.state
    chosen = _array(state["a"], "a").ravel()[_array(state["idxs"], "idxs")]
    return chosen.reshape(state["preferred_shape"]) if "preferred_shape" in state else chosen


def _from_csc(record: _Record) -> np.ndarray:
    rows, columns = _matrix_shape(record.state)
    return _dense(record.state, columns, rows).T


def _from_csr(record: _Record) -> np.ndarray:
    return _dense(record.state, *_matrix_shape(record.state))


def _matrix_shape(state: dict[str, Any]) -> tuple[int, int]:
    rows, columns = (int(n) for n in (state["_shape"] if "_shape" in state else state["shape"]))
    if min(rows, columns) < 1 or rows * columns > 10_000_000:
        raise ValueError(f"it holds a matrix of {rows} x {columns}")
    return rows, columns


def _dense(state: dict[str, Any], major_count: int, minor_count: int) -> np.ndarray:
    ends, minor, data = (_array(state[key], key) for key in ("indptr", "indices", "data"))
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
    "Ch": _from_ch,
    "Select": _from_select,
    "csc_matrix": _from_csc,
    "csr_matrix": _from_csr,
}

_DIMENSIONS = {
    "v_template": 2, "shapedirs": 3, "posedirs": 3, "J_regressor": 2, "weights": 2, "f": 2, "kintree_table": 2,
    "hands_mean": 1, "hands_components": 2,
}  # fmt: skip


def _checked(raw: dict[str, Any]) -> dict[str, np.ndarray]:
    arrays = {key: _array(raw[key], key) for key in _DIMENSIONS}
    for key, dimensions in _DIMENSIONS.items():
        if arrays[key].ndim != dimensions or arrays[key].dtype.kind not in "fiu":
            raise ValueError(f"{key} has type {arrays[key].dtype} and shape {arrays[key].shape}")
    faces = arrays.pop("f").astype(np.int64)
    parents = arrays.pop("kintree_table").astype(np.int64)
    arrays = {key: array.astype(np.float64) for key, array in arrays.items()}
    arrays["shapedirs"] = np.ascontiguousarray(arrays["shapedirs"][..., :BETA_COUNT])
    _check_shapes(arrays)
    vertex_count = len(arrays["v_template"])
    if faces.shape[1] != 3 or faces.min() < 0 or faces.max() >= vertex_count:
        raise ValueError(f"its faces do not index its {vertex_count} vertices")
    if parents.shape != (2, JOINT_COUNT) or tuple(parents[0, 1:]) != PARENTS[1:]:
        raise ValueError("its joints form another tree")
    return arrays | {"faces": faces.astype(np.int32)}


def _check_shapes(arrays: dict[str, np.ndarray]) -> None:
    v = len(arrays["v_template"])
    expected = {
        "v_template": (v, 3),
        "shapedirs": (v, 3, BETA_COUNT),
        "posedirs": (v, 3, POSE_FEATURE_COUNT),
        "J_regressor": (JOINT_COUNT, v),
        "weights": (v, JOINT_COUNT),
        "hands_mean": (_HAND_POSE,),
        "hands_components": (_HAND_POSE, _HAND_POSE),
    }
    for key, shape in expected.items():
        if arrays[key].shape != shape:
            raise ValueError(f"{key} has shape {arrays[key].shape}, expected {shape}")
        if not np.isfinite(arrays[key]).all():
            raise ValueError(f"{key} has values that are not finite")
