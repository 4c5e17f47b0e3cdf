"""Results into takes, takes into files."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .. import __version__
from ..atomic import write_npz
from ..camera.cameras import SOLVED, project
from ..errors import SolverError
from ..hand_model import HandModel, load
from ..take import MISSING, OBSERVED, Take
from . import dyn_hamr, mano_parameters, shape
from .result import Result

FORMATS = ("smplx", "dyn-hamr")
_DEFAULT_RATE = (30, 1)
_NEAREST_M = 0.02
# deviation of a landmark that is only a projection of a pose, in extents of the hand
_LANDMARK_SIGMA = 0.03


@dataclass(frozen=True)
class Footage:
    """What a result's file doesn't say about its clip.

    Attributes:
        path: the movie, or "".
        sha256: its digest, or "".
        frame_rate: as in a take; None: 30.
        size: (width, height) in px; None: as the result says.
        first_frame: the clip's number of the result's first frame.
        focal_px: the clip's own focal length in px, if it is known.
    """

    path: str = ""
    sha256: str = ""
    frame_rate: tuple[int, int] | None = None
    size: tuple[int, int] | None = None
    first_frame: int = 1
    focal_px: float | None = None


def to_take(result: Result, footage: Footage, models: Mapping[str, HandModel]) -> Take:
    """A result as a take that can be shown, edited and solved on.

    Betas of another model become betas of ``models`` with the same bone lengths where those are known, else the mean
    hand; wrists stay where they are. A translation that was made for a virtual lens is brought to the clip's focal
    length where that is known: z scales with it. The hands' own projections stand in for tracked landmarks, so that a
    later solve has something to hold on to.

    Args:
        result: as read.
        footage: the clip.
        models: by side: the hand of the take.

    Raises:
        SolverError: ``result-no-lens``: neither the result nor ``footage`` says what the camera is.
    """
    hands, count = result.status.shape
    intrinsics, size = _lens(result, footage)
    betas = np.array([_betas(result, row, models[side]) for row, side in enumerate(result.sides)])
    depth_factor = (
        footage.focal_px / result.intrinsics[0]
        if result.focal_is_virtual and footage.focal_px and result.intrinsics is not None
        else 1.0
    )
    wrists = np.array([_wrists(result, row, models[side], depth_factor) for row, side in enumerate(result.sides)])
    rest = [models[side].with_shape(betas[row]).joints_rest[0] for row, side in enumerate(result.sides)]
    camera = np.tile(np.eye(4), (count, 1, 1)) if result.world_from_camera is None else result.world_from_camera
    take = Take(
        clip_path=footage.path,
        clip_sha256=footage.sha256,
        frame_rate=footage.frame_rate or _DEFAULT_RATE,
        size=size,
        frames=footage.first_frame + np.arange(count),
        intrinsics=intrinsics,
        world_from_camera=camera,
        camera_kind="static" if result.world_from_camera is None else "given",
        camera_status=np.full(count, SOLVED, np.uint8),
        camera_error_px=np.full(count, np.nan),
        points=np.zeros((0, 3)),
        model=models[result.sides[0]].name,
        model_sha256=next(iter(models.values())).sha256,
        sides=result.sides,
        betas=betas,
        rotations=result.rotations,
        transl=wrists - np.array(rest)[:, None],
        status=result.status,
        confidence=np.where(result.status == MISSING, 0.0, 1.0),
        keypoints_px=np.full((hands, count, 21, 2), np.nan),
        keypoint_covariance_px=np.full((hands, count, 21, 2, 2), np.nan),
        joint_sigma=np.full((hands, count, 21), np.nan),
        landmark_offsets=np.zeros((21, 3)),
        provenance={"solver": __version__, "imported": result.program, "notes": list(result.notes)},
    )
    return _with_own_landmarks(take, models)


def _lens(result: Result, footage: Footage) -> tuple[np.ndarray, tuple[int, int]]:
    size = footage.size or result.size
    if size is None or (result.intrinsics is None and not footage.focal_px):
        raise SolverError(
            "result-no-lens",
            f"The {result.program} result does not say what the camera's lens and picture size are.",
            "Give the clip, or the size in pixels, and the focal length in pixels.",
        )
    if result.intrinsics is not None and not (result.focal_is_virtual and footage.focal_px):
        return result.intrinsics, size
    return np.array([footage.focal_px, footage.focal_px, size[0] / 2, size[1] / 2]), size


def _speaks(result: Result, model: HandModel) -> bool:
    """Are the result's betas those of this model?"""
    return (result.model == "open") == (model.name == "open")


def _betas(result: Result, row: int, model: HandModel) -> np.ndarray:
    if _speaks(result, model):
        return result.betas[row]
    if result.keypoints is not None and np.isfinite(result.keypoints[row]).any():
        seen = result.keypoints[row][np.isfinite(result.keypoints[row]).all(axis=(1, 2))]
        return shape.fit(model, np.median(shape.lengths(seen), axis=0))
    if result.model == "open":
        own = load(result.sides[row], "open").with_shape(result.betas[row])
        return shape.fit(model, shape.lengths(own.keypoints_rest))
    return np.zeros(10)


def _wrists(result: Result, row: int, model: HandModel, depth_factor: float) -> np.ndarray:
    """(T, 3) where the wrist is. The mean wrist at rest is the same point in MANO and in the open hand."""
    speaking = result.betas[row] if _speaks(result, model) else np.zeros(10)
    at_rest = model.with_shape(speaking).joints_rest[0]
    transl = result.transl[row]
    if result.keypoints is not None:
        transl = np.where(np.isfinite(result.keypoints[row, :, 0]), result.keypoints[row, :, 0] - at_rest, transl)
    return transl * [1.0, 1.0, depth_factor] + at_rest


def _with_own_landmarks(take: Take, models: Mapping[str, HandModel]) -> Take:
    keypoints_px, covariance = take.keypoints_px.copy(), take.keypoint_covariance_px.copy()
    camera_from_world = np.linalg.inv(take.world_from_camera)
    for row, side in enumerate(take.sides):
        world = models[side].with_shape(take.betas[row]).pose(take.rotations[row], take.transl[row]).keypoints
        seen = np.einsum("tab,tkb->tka", camera_from_world[:, :3, :3], world) + camera_from_world[:, None, :3, 3]
        ahead = (take.status[row] == OBSERVED) & (np.nan_to_num(seen[..., 2]) > _NEAREST_M).all(axis=1)
        keypoints_px[row, ahead] = project(seen[ahead], take.intrinsics)
        extent = np.ptp(keypoints_px[row, ahead], axis=1).max(axis=-1)
        covariance[row, ahead] = (_LANDMARK_SIGMA * extent[:, None, None, None]) ** 2 * np.eye(2)
    return dataclasses.replace(take, keypoints_px=keypoints_px, keypoint_covariance_px=covariance)


def export(
    take: Take,
    path: Path,
    form: str,
    own: Mapping[str, HandModel],
    models: Mapping[str, HandModel] | None = None,
    pca_count: int = 0,
    flat_hand_mean: bool = True,
) -> None:
    """Write a take for other programs.

    Args:
        take: any.
        path: the file, ``.npz``.
        form: one of FORMATS; ``mano_parameters`` and ``peers`` document the keys.
        own: by side: the hand that the take was solved with.
        models: by side: the hand that the reader will use, to which betas are converted; None: the take's own.
        pca_count, flat_hand_mean: as in ``mano_parameters.arrays``.

    Raises:
        SolverError: ``export-not-writable``.
    """
    take = retold(take, own, models) if models else take
    if form == "dyn-hamr":
        content = dyn_hamr.arrays(take)
    else:
        content = mano_parameters.arrays(take, models or own, pca_count, flat_hand_mean)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_npz(path, content)
    except OSError as error:
        raise SolverError(
            "export-not-writable",
            f"{path} could not be written ({error.strerror}).",
            "Choose a folder that you may write to, or free some space.",
        ) from error


def retold(take: Take, own: Mapping[str, HandModel], models: Mapping[str, HandModel]) -> Take:
    """A take in terms of another hand model: bone lengths and wrists stay as far as its shapes allow, rotations do."""
    betas, transl = take.betas.copy(), take.transl.copy()
    for row, side in enumerate(take.sides):
        before = own[side].with_shape(take.betas[row])
        betas[row] = shape.fit(models[side], shape.lengths(before.keypoints_rest))
        transl[row] += before.joints_rest[0] - models[side].with_shape(betas[row]).joints_rest[0]
    model = next(iter(models.values()))
    return take.moved(betas=betas, transl=transl, model=model.name, model_sha256=model.sha256)
