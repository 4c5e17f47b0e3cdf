"""A camera that somebody else solved: it wins over ours, and only its scale may be ours to find."""

from __future__ import annotations

import dataclasses
import os
from dataclasses import dataclass

import numpy as np

from ..errors import SolverError
from . import formats, scale
from .cameras import BRIDGED, SOLVED, CameraNote, CameraPath
from .formats import KnownCamera, LensPart

REPAIR = "Solve or export the camera for all frames, or solve a range of frames that it covers."


@dataclass(frozen=True)
class Matching:
    """How a camera file belongs to a clip.

    Attributes:
        offset: frames of the clip added to the file's frame numbers.
        ratio: frames of the clip for one of the file's, for a camera of another frame rate; frame 1 stays.
        scale: metres per unit of the file; "hands" to find it by them; "auto" believes files that are in metres.
        focal_px: for files without a lens.
        order: of the turns in a .chan file.
    """

    offset: float = 0.0
    ratio: float = 1.0
    scale: float | str = "auto"
    focal_px: float | None = None
    order: str = "ZXY"


def read(
    path: str | os.PathLike[str], frames: np.ndarray, size: tuple[int, int], matching: Matching = Matching()
) -> tuple[CameraPath, bool]:
    """A camera file's poses at the clip's ``frames`` (T,), its lens for images of ``size`` (width, height).

    Frames that lie between the file's are interpolated, flagged BRIDGED, and a note says how many.

    Returns:
        The path, and whether it is in metres (else see ``guessed``).

    Raises:
        SolverError: codes ``camera-...``, see ``formats.read``; ``camera-too-short`` or ``camera-no-lens``.
    """
    known = formats.read(path, size, matching.order).retimed(matching.offset, matching.ratio)
    is_metric = known.is_metric if matching.scale == "auto" else matching.scale != "hands"
    if not isinstance(matching.scale, str):
        known = known.scaled(matching.scale)
    _require_covered(known, frames)
    lens = known.lens or _lens_of(matching.focal_px, size)
    own = known.has(frames)
    path = CameraPath(
        "given", lens.intrinsics, known.poses_at(frames), lens.distortion, distortion_model=lens.model,
        status=np.where(own, SOLVED, BRIDGED).astype(np.uint8), points=known.points,
        point_errors_px=known.point_errors_px, notes=_bridging_notes(frames, own),
        up_sigma=0.0 if known.is_metric else float("nan"),  # who says metres says which way is up
    )  # fmt: skip
    return path, is_metric


def guessed(path: CameraPath) -> CameraPath:
    """A given path of unknown units in what is likely to be metres, until hands are placed (``metric``)."""
    if np.ptp(path.world_from_camera[:, :3, 3], axis=0).max() == 0:
        return path
    by = scale.estimate(path, [], 0)
    poses = path.world_from_camera.copy()
    poses[:, :3, 3] *= by.metres_per_unit
    return dataclasses.replace(path, world_from_camera=poses, points=path.points * by.metres_per_unit, scale=by)


def _require_covered(known: KnownCamera, frames: np.ndarray) -> None:
    missing = np.asarray(frames)[~known.covers(frames)]
    if len(missing):
        raise SolverError(
            "camera-too-short",
            f"The camera has poses for frames {known.frames[0]:g} to {known.frames[-1]:g} of the clip; "
            f"it lacks {len(missing)} of {len(frames)} frames, the first is {missing[0]}.",
            REPAIR,
        )


def _lens_of(focal_px: float | None, size: tuple[int, int]) -> LensPart:
    if focal_px is None:
        raise SolverError(
            "camera-no-lens",
            "The camera file says nothing about the lens.",
            "Give the focal length, or export the camera with its field of view.",
        )
    width, height = size
    return LensPart(np.array([focal_px, focal_px, width / 2, height / 2]), size)


def _bridging_notes(frames: np.ndarray, own: np.ndarray) -> tuple[CameraNote, ...]:
    if own.all():
        return ()
    without = np.asarray(frames)[~own]
    sentence = (
        f"The camera has no pose of its own for {len(without)} of {len(frames)} frames, the first is {without[0]}; "
        "they were interpolated."
    )
    return (
        CameraNote("camera-interpolated", sentence, "Check there that what stands still in the clip stands still."),
    )
