"""The project's own camera file: an ``.npz`` of ``frames``, ``world_from_camera`` and ``intrinsics``.

Further keys may be there: ``size`` (2,), ``distortion`` and ``distortion_model``, ``points`` and
``point_errors_px``. A take has them all, so a take is a camera file too.
"""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import numpy as np

from ...errors import SolverError
from ..distortion import COEFFICIENTS
from .known import KnownCamera, LensPart

REPAIR = "Export the camera again for the whole frame range."


def read(path: Path, size: tuple[int, int]) -> KnownCamera:
    """Intrinsics without a ``size`` are taken to be of the clip's (width, height).

    Raises:
        SolverError: ``camera-not-readable`` or ``camera-damaged``.
    """
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as data:
            arrays = {name: data[name] for name in data.files}
            header = json.loads(str(arrays["header"])) if "header" in arrays else {}
            camera = _camera(arrays, header, size)
    except (ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:  # whose words aren't meant for artists
        raise SolverError("camera-not-readable", f"{path} is no camera file, or it is damaged.", REPAIR) from error
    _check(path, camera)
    order = np.argsort(camera.frames)
    return KnownCamera(
        camera.frames[order], camera.world_from_camera[order], camera.lens, True, camera.points, camera.point_errors_px
    )


def write(path: Path, camera: KnownCamera) -> None:
    """The file that ``read`` reads."""
    lens = camera.lens
    np.savez(
        path, frames=camera.frames, world_from_camera=camera.world_from_camera, intrinsics=lens.intrinsics,
        size=np.array(lens.size), distortion=lens.distortion, distortion_model=np.array(lens.model),
        points=camera.points, point_errors_px=camera.point_errors_px,
    )  # fmt: skip


def _camera(arrays: dict[str, np.ndarray], header: dict, size: tuple[int, int]) -> KnownCamera:
    width, height = arrays["size"].tolist() if "size" in arrays else header.get("size", size)
    model = str(arrays["distortion_model"]) if "distortion_model" in arrays else header.get("distortion_model")
    lens = LensPart(
        arrays["intrinsics"].astype(float),
        (int(width), int(height)),
        arrays["distortion"].astype(float) if "distortion" in arrays else np.zeros(2),
        model or "POLYNOMIAL",
    )
    points = arrays["points"].astype(float) if "points" in arrays else np.zeros((0, 3))
    errors = arrays.get("point_errors_px")
    errors = np.zeros(len(points)) if errors is None or len(errors) != len(points) else errors.astype(float)
    return KnownCamera(
        arrays["frames"].astype(float), arrays["world_from_camera"].astype(float), lens, points=points,
        point_errors_px=errors,
    )  # fmt: skip


def _check(path: Path, camera: KnownCamera) -> None:
    count, lens = len(camera.frames), camera.lens
    shapes_fit = camera.frames.ndim == 1 and count and camera.world_from_camera.shape == (count, 4, 4)
    lens_fits = lens.intrinsics.shape == (4,) and (lens.intrinsics[:2] > 0).all() and lens.model in COEFFICIENTS
    lens_fits = lens_fits and lens.distortion.ndim == 1 and len(lens.distortion) <= COEFFICIENTS[lens.model]
    if not shapes_fit or not lens_fits or not np.isfinite(camera.world_from_camera).all():
        raise SolverError("camera-damaged", f"The poses or the focal length in {path} make no sense.", REPAIR)
