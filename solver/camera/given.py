"""A camera that somebody else solved: it wins over ours."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path

import numpy as np

from ..errors import SolverError
from .cameras import CameraPath

REPAIR = "Export the camera again for the whole frame range."


def read(path: str | os.PathLike[str], frames: np.ndarray) -> CameraPath:
    """The camera file's poses at the clip's ``frames`` (T,).

    The file is an ``.npz``: ``frames`` (N,), ``world_from_camera`` (N, 4, 4) in the solver's axes, ``intrinsics`` (4,).

    Raises:
        SolverError: ``camera-not-readable``, ``camera-damaged`` or ``camera-too-short``.
    """
    known, poses, intrinsics = _read_arrays(path)
    _check(path, known, poses, intrinsics)
    missing = np.setdiff1d(frames, known)
    if len(missing):
        raise SolverError(
            "camera-too-short",
            f"The camera has no pose for {len(missing)} of the clip's {len(frames)} frames, the first is {missing[0]}.",
            REPAIR,
        )
    order = np.argsort(known)
    rows = order[np.searchsorted(known, frames, sorter=order)]
    return CameraPath("given", intrinsics, poses[rows])


def _read_arrays(path: str | os.PathLike[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    try:
        with np.load(io.BytesIO(Path(path).read_bytes()), allow_pickle=False) as data:
            return data["frames"].astype(int), data["world_from_camera"].astype(float), data["intrinsics"].astype(float)
    except OSError as error:
        raise SolverError("camera-not-readable", f"{path} could not be read ({error.strerror}).", REPAIR) from error
    except (ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:  # whose words aren't meant for artists
        raise SolverError("camera-not-readable", f"{path} is no camera file, or it is damaged.", REPAIR) from error


def _check(path, frames: np.ndarray, poses: np.ndarray, intrinsics: np.ndarray) -> None:
    shapes_fit = frames.ndim == 1 and poses.shape == (len(frames), 4, 4) and intrinsics.shape == (4,)
    if not shapes_fit or not np.isfinite(poses).all() or not (intrinsics[:2] > 0).all():
        raise SolverError("camera-damaged", f"The poses or the focal length in {path} make no sense.", REPAIR)
    rotations = poses[:, :3, :3]
    error = np.abs(rotations @ rotations.transpose(0, 2, 1) - np.eye(3)).max(initial=0.0)
    if error > 1e-3 or (np.linalg.det(rotations) < 0).any():
        raise SolverError(
            "camera-not-rigid",
            f"The camera in {path} is scaled or mirrored (its axes are off by {error:.3g}).",
            "Remove scale from the camera and its parents, then export it again.",
        )
