"""Reads hand models in MANO's file layout, ``.pkl`` or ``.npz``, without running anything that is in the file.

A pickle is a program. The unpickler below knows the few names that MANO's released files (protocol 2, Python 2, arrays
wrapped in chumpy objects, a SciPy matrix) and re-pickled copies of them contain, replaces the foreign ones by inert
records, and refuses every other name. Neither chumpy nor SciPy is needed.
"""

from __future__ import annotations

import collections
import io
import pickle
import struct
import zipfile
import zlib
from typing import Any

import numpy as np

from ..errors import SolverError
from .layout import BETA_COUNT, JOINT_COUNT, PARENTS, POSE_FEATURE_COUNT

_REPAIR = "Download MANO_LEFT.pkl and MANO_RIGHT.pkl again from the MANO project and choose their folder."
# what a damaged pickle can raise, besides MemoryError, which is not the file's word on itself
_UNPICKLING_ERRORS = (
    pickle.UnpicklingError, EOFError, AttributeError, ImportError, IndexError, KeyError, TypeError, ValueError,
    OverflowError, RecursionError, struct.error,
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
    except (KeyError, ValueError, TypeError, IndexError) as error:
        reason = f"it has no {error}" if isinstance(error, KeyError) else str(error)
        raise SolverError(
            "hand-model-layout", f"{name} is not a hand model in MANO's layout: {reason}.", _REPAIR
        ) from error


def _read_npz(content: bytes, name: str) -> dict[str, Any]:
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as data:
            return {key: data[key] for key in data.files if key in _DIMENSIONS}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error, NotImplementedError) as error:
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
    """Stands for a chumpy or SciPy object: keeps its state and does nothing."""

    kind = ""

    def __new__(cls, *_: Any, **__: Any) -> _Record:
        return object.__new__(cls)

    def __setstate__(self, state: Any) -> None:
        # (dict, slots) is what objects with slots write
        self.state = state[0] if isinstance(state, tuple) else state


class _Ch(_Record):
    kind = "Ch"


class _Select(_Record):
    kind = "Select"


class _Csc(_Record):
    kind = "csc_matrix"


class _Csr(_Record):
    kind = "csr_matrix"


_RECORDS = {record.kind: record for record in (_Ch, _Select, _Csc, _Csr)}


def _blank_array(*_: Any) -> np.ndarray:
    # whatever class, shape and type the file asks for, ndarray.__setstate__ sets them again, with checks
    return np.empty(0, np.int8)


def _scalar(dtype: np.dtype, content: bytes | str) -> Any:
    content = content.encode("latin1") if isinstance(content, str) else content
    return np.frombuffer(content, dtype, 1)[0]


def _reconstruct_record(record: type, *_: Any) -> Any:
    if not (isinstance(record, type) and issubclass(record, _Record)):
        raise RefusedName("it rebuilds an object of an unknown kind")
    return record()


def _latin1_bytes(text: str, _: str = "latin1") -> bytes:
    return text.encode("latin1")


_NAMES: dict[tuple[str, str], Any] = {
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    ("copy_reg", "_reconstructor"): _reconstruct_record,
    ("copyreg", "_reconstructor"): _reconstruct_record,
    ("_codecs", "encode"): _latin1_bytes,
    ("collections", "OrderedDict"): collections.OrderedDict,
}
for _module in ("__builtin__", "builtins"):
    _NAMES |= {(_module, "set"): set, (_module, "object"): object}
for _module in ("numpy.core.multiarray", "numpy._core.multiarray"):
    _NAMES |= {(_module, "_reconstruct"): _blank_array, (_module, "scalar"): _scalar}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        found = _NAMES.get((module, name))
        if found is None and module.split(".")[0] in ("chumpy", "scipy"):
            found = _RECORDS.get(name)
        if found is None:
            raise RefusedName(f"it names {module}.{name}")
        return found


# --- from what was read to arrays -------------------------------------------------------------------------------------


def _array(value: Any) -> np.ndarray:
    """The plain array behind a value; nested records included."""
    if isinstance(value, _Record):
        return _CONVERT[value.kind](value.state)
    if isinstance(value, np.ndarray) and value.dtype.kind != "O":
        return value
    raise ValueError(f"it stores a {type(value).__name__} where an array belongs")


def _from_ch(state: dict[str, Any]) -> np.ndarray:
    return _array(state["x"])


def _from_select(state: dict[str, Any]) -> np.ndarray:
    chosen = _array(state["a"]).ravel()[_array(state["idxs"])]
    return chosen.reshape(state["preferred_shape"]) if "preferred_shape" in state else chosen


def _from_csc(state: dict[str, Any]) -> np.ndarray:
    rows, columns = (int(n) for n in state.get("_shape", state.get("shape")))
    return _dense(state, columns, rows).T


def _from_csr(state: dict[str, Any]) -> np.ndarray:
    rows, columns = (int(n) for n in state.get("_shape", state.get("shape")))
    return _dense(state, rows, columns)


def _dense(state: dict[str, Any], major_count: int, minor_count: int) -> np.ndarray:
    if not (0 < major_count * minor_count <= 10_000_000):
        raise ValueError(f"its joint regressor is {major_count} x {minor_count}")
    ends, minor, data = (_array(state[key]) for key in ("indptr", "indices", "data"))
    major = np.repeat(np.arange(major_count), np.diff(ends))
    dense = np.zeros((major_count, minor_count))
    np.add.at(dense, (major, minor), data)  # entries that name the same cell twice add up
    return dense


_CONVERT = {"Ch": _from_ch, "Select": _from_select, "csc_matrix": _from_csc, "csr_matrix": _from_csr}

_DIMENSIONS = {
    "v_template": 2, "shapedirs": 3, "posedirs": 3, "J_regressor": 2, "weights": 2, "f": 2, "kintree_table": 2,
    "hands_mean": 1, "hands_components": 2,
}  # fmt: skip


def _checked(raw: dict[str, Any]) -> dict[str, np.ndarray]:
    arrays = {key: _array(raw[key]) for key in _DIMENSIONS}
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
