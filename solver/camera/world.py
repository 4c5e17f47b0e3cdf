"""The world that a person has set (floor, origin, size): the next solve's path is brought into it."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import numpy as np

from .cameras import CameraPath, ScaleEstimate
from .formats import KnownCamera, npz
from .notes import UNDETERMINED, UP_GUESSED
from .similarity import Similarity, between_paths, robust_between_paths

_MIN_COMMON = 2
_NO_TRAVEL = 1e-9
# fields of (rad, m)
_TURN_AND_LENGTH = ("pose_sigma", "expected_error")


def read(path: str | os.PathLike[str], size: tuple[int, int]) -> KnownCamera:
    """A path in the wanted world, as ``formats.npz`` writes it.

    Raises:
        SolverError: ``camera-not-readable`` or ``camera-damaged``.
    """
    return npz.read(Path(path), size)


def brought_into(path: CameraPath, frames: np.ndarray, wanted: KnownCamera, keep_size: bool) -> CameraPath:
    """``path`` turned and moved (and scaled, if ``keep_size``) so that its cameras stand where ``wanted`` has them.

    Each shot by itself; one that ``wanted`` says nothing about stays where it is.

    Args:
        frames: (T,) clip frame numbers of ``path``'s rows.
        keep_size: is the size of ``wanted`` measured? Its path is then the measure, exactly.
    """
    rows = path.shots if path.shots is not None else np.array([[0, len(frames) - 1]])
    poses, points, size = path.world_from_camera.copy(), path.points, 1.0
    own = wanted.has(frames)
    for first, last in rows.tolist():
        common = np.flatnonzero(own[first : last + 1]) + first
        if len(common) < _MIN_COMMON:
            continue
        move = _move(path.world_from_camera[common], wanted.poses_at(frames[common]), keep_size)
        poses[first : last + 1] = move.poses(path.world_from_camera[first : last + 1])
        if len(rows) == 1:
            points = move.points(path.points)
        size = move.scale
    grown = {name: value * [1.0, size] for name in _TURN_AND_LENGTH if (value := getattr(path, name)) is not None}
    said = path.notes if not own.any() else tuple(note for note in path.notes if note.code != UP_GUESSED)
    moved = dataclasses.replace(path, world_from_camera=poses, points=points, notes=said, **grown)
    return _measured(moved, size) if keep_size else moved


def _move(source: np.ndarray, target: np.ndarray, keep_size: bool) -> Similarity:
    if _travel(source) < _NO_TRAVEL or _travel(target) < _NO_TRAVEL:
        return between_paths(source, target)
    found = robust_between_paths(source, target)
    if keep_size:
        return found
    start = source[0, :3, 3]
    return Similarity(1.0, found.rotation, found.points(start) - found.rotation @ start)


def _travel(poses: np.ndarray) -> float:
    return float(np.ptp(poses[:, :3, 3], axis=0).max())


def _measured(path: CameraPath, size: float) -> CameraPath:
    if path.scale is None:
        return path
    known = ScaleEstimate(path.scale.metres_per_unit * size, cues=("measured",))
    notes = tuple(note for note in path.notes if note.code != UNDETERMINED)
    return dataclasses.replace(path, scale=known, notes=notes)
