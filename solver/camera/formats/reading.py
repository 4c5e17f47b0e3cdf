"""Any camera file, by what it is."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import numpy as np

from ...errors import SolverError
from . import chan, colmap, npz
from .known import KnownCamera, LensPart

_SAME_SHAPE = 0.01
_RIGID = 1e-3


def read(path: str | os.PathLike[str], size: tuple[int, int], order: str = "ZXY") -> KnownCamera:
    """A camera of Nuke (.chan), COLMAP (its folder or one of its files), or the project's own (.npz).

    Args:
        size: (width, height) in px of the clip; the lens comes back for images of that size.
        order: of a .chan's turns.

    Raises:
        SolverError: codes ``camera-...``; what is the matter with the file, or with its size.
    """
    path = Path(path)
    try:
        camera = _read(path, size, order)
    except OSError as error:
        raise SolverError(
            "camera-not-readable", f"{path} could not be read ({error.strerror}).", "Choose a camera file that exists."
        ) from error
    _require_sense(path, camera)
    return camera if camera.lens is None else dataclasses.replace(camera, lens=scaled_to(camera.lens, size))


def _read(path: Path, size: tuple[int, int], order: str) -> KnownCamera:
    if colmap.is_model(path):
        return colmap.read(path)
    if path.suffix.lower() == ".chan":
        return chan.read(path, size, order)
    if path.suffix.lower() == ".npz":
        return npz.read(path, size)
    if not path.exists():
        path.stat()  # raises
    raise SolverError(
        "camera-format-unknown",
        f"{path.name} is no camera that can be read.",
        "Choose a .chan file, a folder with a COLMAP model (cameras and images), or an .npz camera.",
    )


def scaled_to(lens: LensPart, size: tuple[int, int]) -> LensPart:
    """The same lens for images of another size, e.g. when proxies were tracked.

    Raises:
        SolverError: ``camera-other-size``: the images have another shape.
    """
    ratio = np.array(size) / lens.size
    if abs(ratio[0] / ratio[1] - 1) > _SAME_SHAPE:
        raise SolverError(
            "camera-other-size",
            f"The camera was solved on images of {lens.size[0]} x {lens.size[1]}, the clip has {size[0]} x {size[1]}.",
            "Solve the camera on images of the clip's shape, not cropped or turned.",
        )
    return dataclasses.replace(lens, intrinsics=lens.intrinsics * np.tile(ratio, 2), size=tuple(size))


def _require_sense(path: Path, camera: KnownCamera) -> None:
    rotations = camera.world_from_camera[:, :3, :3]
    error = np.abs(rotations @ rotations.transpose(0, 2, 1) - np.eye(3)).max(initial=0.0)
    if not np.isfinite(camera.world_from_camera).all() or not np.isfinite(camera.frames).all():
        raise SolverError("camera-damaged", f"The poses in {path} make no sense.", "Export the camera again.")
    if error > _RIGID or (np.linalg.det(rotations) < 0).any():
        raise SolverError(
            "camera-not-rigid",
            f"The camera in {path} is scaled or mirrored (its axes are off by {error:.3g}).",
            "Remove scale from the camera and its parents, then export it again.",
        )
    if camera.lens is not None and not (camera.lens.intrinsics[:2] > 0).all():
        raise SolverError("camera-damaged", f"The focal length in {path} makes no sense.", "Export the camera again.")
