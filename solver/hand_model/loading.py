"""Finds and loads a hand model: the open hand that comes with the product, or a user's own files in MANO's layout."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import os
from pathlib import Path

import numpy as np

from ..errors import SolverError
from . import mano_pickle
from .layout import TIP_VERTICES
from .model import HandModel

SIDES = ("left", "right")
OPEN_HAND_FOLDER = Path(__file__).resolve().parent.parent / "data"
_LARGEST_FILE = 256 * 2**20


def load(
    side: str, source: str | os.PathLike[str] = "auto", mano_folder: str | os.PathLike[str] | None = None
) -> HandModel:
    """One hand.

    Args:
        side: "left" or "right".
        source: "open": the open hand. "auto": the files in ``mano_folder`` if one is set, else the open hand. Otherwise
            a folder with MANO_LEFT and MANO_RIGHT (``.pkl`` or ``.npz``), or one of the two files.
        mano_folder: the user's setting.

    Raises:
        SolverError: ``hand-model-missing``, ``hand-model-not-readable``, and those of ``mano_pickle.read``.
    """
    if side not in SIDES:
        raise ValueError(f"side is {side!r}, expected one of {SIDES}")
    if source == "auto":
        source = mano_folder or "open"
    if source == "open":
        return _load_open(side)
    model = load_file(_user_file(Path(source), side), side)
    if side == "right":
        return model
    return repair_left_shape(model, load_file(_user_file(Path(source), "right"), "right"))


def load_pair(
    source: str | os.PathLike[str] = "auto", mano_folder: str | os.PathLike[str] | None = None
) -> dict[str, HandModel]:
    """Both hands by side; arguments and errors as ``load``."""
    return {side: load(side, source, mano_folder) for side in SIDES}


def _load_open(side: str) -> HandModel:
    try:
        return load_file(OPEN_HAND_FOLDER / f"open_hand_{side}.npz", side, name="open")
    except SolverError as error:
        raise SolverError(
            error.code, error.sentence, "Reinstall Handheld; in a source checkout run `python build.py setup`."
        ) from error


def load_file(path: Path, side: str, name: str = "") -> HandModel:
    """The hand in exactly this file, as it is."""
    content = _read(path)
    arrays = mano_pickle.read(content, path.name)
    if len(arrays["v_template"]) <= max(TIP_VERTICES):
        raise SolverError(
            "hand-model-layout",
            f"{path.name} has {len(arrays['v_template'])} vertices, too few for MANO's fingertips.",
            "Choose a file with MANO's 778 vertices.",
        )
    digest = hashlib.sha256(content).hexdigest()
    return HandModel(side=side, name=name or path.name, sha256=digest, provenance=_provenance(path, content), **arrays)


def repair_left_shape(left: HandModel, right: HandModel) -> HandModel:
    """``left`` with the known defect of the released MANO_LEFT mended: x of its shapedirs has the right hand's sign.

    The two hands are mirror images in x, so the left shapedirs should be near the negative of the right ones; in the
    released file they are near the right ones themselves. Models that are no mirror images of each other stay as they
    are. (smplx, issue 48.)
    """
    if left.shapedirs.shape != right.shapedirs.shape:
        return left
    x_left, x_right = left.shapedirs[:, 0], right.shapedirs[:, 0]
    if np.abs(x_left - x_right).sum() >= 0.25 * np.abs(x_left + x_right).sum():
        return left
    return dataclasses.replace(left, shapedirs=left.shapedirs * np.array([-1.0, 1.0, 1.0])[:, None])


def _provenance(path: Path, content: bytes) -> str:
    if path.suffix.lower() != ".npz":
        return ""
    with np.load(io.BytesIO(content), allow_pickle=False) as data:
        return str(data["provenance"]) if "provenance" in data else ""


def _user_file(path: Path, side: str) -> Path:
    candidates = _candidates(path, side)
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    names = dict.fromkeys(candidate.name for candidate in candidates)
    raise SolverError(
        "hand-model-missing",
        f"There is no {side} hand model at {path} (looked for {' and '.join(names)}).",
        "Choose the folder that holds both MANO_LEFT.pkl and MANO_RIGHT.pkl, or set the hand model to Open.",
    )


def _candidates(path: Path, side: str) -> list[Path]:
    if path.is_dir() or path.suffix.lower() not in (".pkl", ".npz"):
        folders = (path, path / "mano", path / "models")
        return [folder / f"MANO_{side.upper()}{suffix}" for folder in folders for suffix in (".pkl", ".npz")]
    return [path.with_name(_name_for_side(path.name, side))]


def _name_for_side(name: str, side: str) -> str:
    """A file name with the word for the other side replaced: MANO_LEFT.pkl -> MANO_RIGHT.pkl."""
    other = "left" if side == "right" else "right"
    for spelled in (str.upper, str.lower, str.capitalize):
        if spelled(other) in name or spelled(side) in name:
            return name.replace(spelled(other), spelled(side))
    raise SolverError(
        "hand-model-missing",
        f"{name} does not say whether it is a left or a right hand.",
        "Choose the folder that holds both MANO_LEFT.pkl and MANO_RIGHT.pkl.",
    )


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise SolverError(
                "hand-model-layout", f"{path} is far too large for a hand model.", "Choose a file in MANO's layout."
            )
        return path.read_bytes()
    except OSError as error:
        missing = isinstance(error, FileNotFoundError)
        raise SolverError(
            "hand-model-missing" if missing else "hand-model-not-readable",
            f"{path} could not be read ({error.strerror}).",
            "Choose a file that you may read, or set the hand model to Open.",
        ) from error
