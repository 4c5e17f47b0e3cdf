"""Reads hand models in MANO's file layout, ``.pkl`` or ``.npz``, without running anything that is in the file.

``inert_pickle`` knows the names that MANO's released files (protocol 2, Python 2, arrays wrapped in chumpy objects, a
SciPy matrix) and re-pickled copies of them contain, and refuses every other. Neither chumpy nor SciPy is needed.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from typing import Any

import numpy as np

from .. import inert_pickle
from ..errors import SolverError
from .layout import BETA_COUNT, JOINT_COUNT, PARENTS, POSE_FEATURE_COUNT

_REPAIR = "Download MANO_LEFT.pkl and MANO_RIGHT.pkl again from the MANO project and choose their folder."
# RuntimeError: the zip says it is encrypted
_UNZIPPING_ERRORS = (
    OSError, ValueError, EOFError, MemoryError, NotImplementedError, RuntimeError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip
_HAND_POSE = 3 * (JOINT_COUNT - 1)


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
        raw = inert_pickle.Unpickler(io.BytesIO(content), encoding="latin1").load()
    except inert_pickle.RefusedName as error:
        raise SolverError(
            "hand-model-unsafe", f"{name} was not opened, because {error}, which no MANO file does.", _REPAIR
        ) from error
    except inert_pickle.ERRORS as error:
        raise _damaged(name, error) from error
    if not isinstance(raw, dict):
        raise SolverError("hand-model-layout", f"{name} holds a {type(raw).__name__} instead of named arrays.", _REPAIR)
    return raw


def _damaged(name: str, error: Exception) -> SolverError:
    return SolverError("hand-model-damaged", f"{name} is damaged or no model file ({error}).", _REPAIR)


_DIMENSIONS = {
    "v_template": 2, "shapedirs": 3, "posedirs": 3, "J_regressor": 2, "weights": 2, "f": 2, "kintree_table": 2,
    "hands_mean": 1, "hands_components": 2,
}  # fmt: skip


def _checked(raw: dict[str, Any]) -> dict[str, np.ndarray]:
    arrays = {key: inert_pickle.array(raw[key], key) for key in _DIMENSIONS}
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
