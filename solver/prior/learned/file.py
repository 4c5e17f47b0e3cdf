"""A trained prior's file: an ``.npz`` that is read without unpickling. ``README.md`` beside this documents it."""

from __future__ import annotations

import dataclasses
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ...errors import SolverError
from .features import FEATURES, PREDICTED
from .network import Network

FORMAT, VERSION, RATE = "handheld-prior", 1, 30.0
_INPUT, _OUTPUT = 3 * FEATURES, 2 * len(PREDICTED)
# shapes by name; k blocks, c channels
_SHAPES: dict[str, tuple[str | int, ...]] = {
    "dilations": ("k",),
    "mean": (FEATURES,),
    "deviation": (FEATURES,),
    "calibration": (len(PREDICTED),),
    "enter_weight": (_INPUT, "c"),
    "enter_bias": ("c",),
    "norm_gain": ("k", "c"),
    "norm_bias": ("k", "c"),
    "mix_weight": ("k", "3c", "c"),
    "mix_bias": ("k", "c"),
    "out_weight": ("k", "c", "c"),
    "out_bias": ("k", "c"),
    "last_gain": ("c",),
    "last_bias": ("c",),
    "leave_weight": ("c", _OUTPUT),
    "leave_bias": (_OUTPUT,),
}


def load(path: str | Path) -> Network:
    """Read a prior.

    Raises:
        SolverError: ``prior-not-found``, ``prior-not-readable`` (no such file as ``save`` writes), ``prior-too-new``,
            ``prior-not-valid`` (arrays are missing, of other shapes, or not finite).
    """
    path = Path(path)
    if not path.is_file():
        raise SolverError("prior-not-found", f"There is no motion prior {path}.", "Choose the prior's .npz file.")
    try:
        with np.load(path, allow_pickle=False) as data:
            header = json.loads(str(data["header"]))
            arrays = {name: data[name] for name in _SHAPES if name in data}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise _unreadable(path) from error
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise _unreadable(path)
    if header.get("version") != VERSION:
        raise SolverError(
            "prior-too-new", f"The motion prior {path.name} is of version {header.get('version')}, not {VERSION}.",
            "Train it with this version's tools, or update the extension.",
        )  # fmt: skip
    _require_valid(path, arrays)
    return Network(**arrays)


def save(path: str | Path, arrays: Mapping[str, np.ndarray], about: str) -> None:
    """Write a prior; ``about`` says what it was trained on, with licences.

    Raises:
        SolverError: ``prior-not-valid``.
    """
    path = Path(path)
    _require_valid(path, arrays)
    header = json.dumps({"format": FORMAT, "version": VERSION, "frame_rate": RATE, "about": about})
    with path.open("wb") as stream:  # numpy would add a suffix to a name
        np.savez_compressed(stream, header=np.array(header), **arrays)


def arrays_of(network: Network) -> dict[str, np.ndarray]:
    """What ``save`` takes."""
    return {field.name: getattr(network, field.name) for field in dataclasses.fields(network)}


def _require_valid(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    sizes: dict[str, int] = {}
    for name, shape in _SHAPES.items():
        if name not in arrays:
            raise _not_valid(path, f"has no {name}")
        array = arrays[name]
        kind = np.integer if name == "dilations" else np.floating
        if not np.issubdtype(array.dtype, kind) or not np.isfinite(array).all():
            raise _not_valid(path, f"has numbers in {name} that are not finite or of another kind")
        if name in ("dilations", "deviation", "calibration") and not (array > 0).all():
            raise _not_valid(path, f"has numbers in {name} that are not above 0")
        if array.ndim != len(shape) or not all(_fits(sizes, *pair) for pair in zip(shape, array.shape, strict=True)):
            raise _not_valid(path, f"has {name} in another shape, {array.shape}")


def _fits(sizes: dict[str, int], wanted: str | int, size: int) -> bool:
    """Whether a side is as long as it must be; ``k`` and ``c`` are set by the first array that has them."""
    if isinstance(wanted, int):
        return size == wanted
    letter = wanted[-1]
    times = int(wanted[:-1] or 1)
    return size == times * sizes.setdefault(letter, size // times) and size > 0


def _unreadable(path: Path) -> SolverError:
    return SolverError(
        "prior-not-readable", f"{path.name} is not a motion prior of this extension.",
        "Choose a .npz file that the prior's training wrote; solver/prior/learned/README.md says how to make one.",
    )  # fmt: skip


def _not_valid(path: Path, what: str) -> SolverError:
    return SolverError(
        "prior-not-valid", f"The motion prior {path.name} {what}.", "Train or save it again; it may be damaged."
    )
