"""Results of other programs on the same clips, as rows of the same table: ``FOLDER/PROGRAM/CLIP...``, as written.

``solver.formats.peers`` says which files and keys. A method that has no camera (HaMeR, WiLoR: one frame at a time) gets
the product's own, as papers give it a SLAM's.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from .. import take as takes
from ..formats import convert
from ..formats import peers as files
from ..formats.result import Result
from ..hand_model.model import HandModel
from . import prediction
from .clips import BenchClip
from .prediction import Prediction
from .truth import SIDES


def find(root: Path, clip: str) -> list[tuple[str, Path]]:
    """Name of the program and its file or folder for a clip: ``root/NAME/CLIP`` or ``root/NAME/CLIP.*``."""
    found = []
    for program in sorted(path for path in root.iterdir() if path.is_dir()):
        candidates = [program / clip, *sorted(program.glob(f"{clip}.*"))]
        found += [(program.name, path) for path in candidates if path.exists()][:1]
    return found


def read(path: Path, clip: BenchClip, models: Mapping[str, HandModel], own: takes.Take | None) -> Prediction:
    """What the program says about the clip.

    Args:
        path: its result.
        models: the hands to show it with. Betas mean something in MANO only: with another hand the peers are shown with
            the bone lengths that their files tell, else with the mean hand's.
        own: the product's take of the clip, whose camera is used where the result has none; None: it stands still.

    Raises:
        SolverError: the file can't be read, or neither it nor ``own`` says what the lens is.
    """
    result = files.read(path, models)
    known = clip.truth
    focal = None if own is None else float(own.intrinsics[0])
    footage = convert.Footage(size=known.size, first_frame=_first_frame(result, known.frames), focal_px=focal)
    take = convert.to_take(result, footage, models)
    said = prediction.from_take(take, known, models)
    said = _with_their_joints(said, result, take, known.frames)
    if result.world_from_camera is None and own is not None:
        said = _moved(said, prediction.from_take(own, known, models))
    return dataclasses.replace(said, sigma=None)


def _first_frame(result: Result, frames: np.ndarray) -> int:
    """The clip's number of the result's first frame: files count from 1, or from 0 where a 0 occurs."""
    if result.frames is None:
        return int(frames[0])
    return int(frames[0] + result.frames[0] - (1 if result.frames[0] > 0 else 0))


def _with_their_joints(said: Prediction, result: Result, take: takes.Take, frames: np.ndarray) -> Prediction:
    """The joints that the file tells about the wrist, in the place of those of a hand that is only like theirs."""
    if result.keypoints is None:
        return said
    keypoints = said.keypoints.copy()
    rows = np.clip(frames - take.frames[0], 0, len(take.frames) - 1)
    inside = take.frames[rows] == frames
    for track, side in enumerate(result.sides):
        hand = SIDES.index(side)
        theirs = result.keypoints[track, rows]
        known = inside & np.isfinite(theirs).all(axis=(1, 2)) & said.found()[:, hand]
        keypoints[known, hand] = theirs[known] - theirs[known, :1] + said.keypoints[known, hand, :1]
    return dataclasses.replace(said, keypoints=keypoints)


def _moved(said: Prediction, own: Prediction) -> Prediction:
    """From each frame's camera into the world of another method's cameras."""
    poses = own.world_from_camera
    turn, centre = poses[:, :3, :3], poses[:, :3, 3]

    def into_world(points: np.ndarray) -> np.ndarray:
        return np.einsum("tij,t...j->t...i", turn, points) + centre.reshape(-1, *[1] * (points.ndim - 2), 3)

    return dataclasses.replace(
        said,
        keypoints=into_world(said.keypoints),
        vertices=into_world(said.vertices),
        claims=np.stack([into_world(track) for track in said.claims]) if len(said.claims) else said.claims,
        world_from_camera=poses,
        intrinsics=own.intrinsics,
    )
