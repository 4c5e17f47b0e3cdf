"""A path in metres, once the hands are there: each shot is scaled by what was measured, else by what hands tell."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from . import known_sizes, notes, scale
from .cameras import CameraPath, ScaleEstimate
from .known_sizes import KnownSizes
from .scale import Told
from .seen_hands import SeenHand

# fields of (rad, m)
_TURN_AND_LENGTH = ("pose_sigma", "expected_error")


def in_metres(
    path: CameraPath, hands: Sequence[SeenHand], first_frame: int, frame_s: float, known: KnownSizes
) -> CameraPath:
    """``path``, whose ``scale`` is a guess so far, with each shot's size from ``known`` or from the hands.

    Each shot grows about its world's origin. A path without ``scale`` is left as it is.

    Args:
        first_frame: the frame number of the path's first row.
        frame_s: seconds between frames.

    Raises:
        SolverError: what was measured is of no use in this clip (see ``known_sizes``).
    """
    if path.scale is None:
        return path
    require_useful(path, first_frame, known)
    shots = _shots(path)
    parts = [_part(path, shots, index) for index in range(len(shots))]
    by = [
        _scale_of(part, hands, first_frame + int(first), frame_s, known)
        for part, (first, _) in zip(parts, shots, strict=True)
    ]
    factors = np.array([one.scale.metres_per_unit if one else 1.0 for one in by])
    longest = max((i for i in range(len(by)) if by[i]), key=lambda i: shots[i, 1] - shots[i, 0], default=None)
    if longest is None:
        return path
    grown = _grown(path, shots, factors)
    guessed = path.scale.metres_per_unit
    found = dataclasses.replace(by[longest].scale, metres_per_unit=by[longest].scale.metres_per_unit * guessed)
    said = tuple(note for note in path.notes if note.code != notes.UNDETERMINED)
    said += () if found.determined else (notes.scale_undetermined(found, by[longest].readings),)
    return dataclasses.replace(grown, scale=found, notes=said)


def _part(path: CameraPath, shots: np.ndarray, index: int) -> CameraPath:
    first, last = shots[index]
    mine = slice(None) if path.point_shots is None else path.point_shots == index
    return dataclasses.replace(
        path, world_from_camera=path.world_from_camera[first : last + 1], points=path.points[mine],
        point_errors_px=path.point_errors_px[mine] if len(path.point_errors_px) else np.zeros(len(path.points[mine])),
    )  # fmt: skip


def _scale_of(
    part: CameraPath, hands: Sequence[SeenHand], first_frame: int, frame_s: float, known: KnownSizes
) -> Told | None:
    """None for a shot that does not travel."""
    if np.ptp(part.world_from_camera[:, :3, 3], axis=0).max() == 0:
        return None
    if measured := _measured(part, first_frame, frame_s, known):
        return Told(measured, ())
    during = [hand.during(first_frame, first_frame + len(part.world_from_camera) - 1) for hand in hands]
    return scale.tell(part, during, first_frame, frame_s, known.hand_is_measured)


def _measured(part: CameraPath, first_frame: int, frame_s: float | None, known: KnownSizes) -> ScaleEstimate | None:
    """By what a person measured in this shot; None if nothing.

    Raises:
        SolverError: see ``known_sizes``.
    """
    frames = range(first_frame, first_frame + len(part.world_from_camera))
    if known.length is not None and known.length.frame in frames:
        by = known_sizes.by_length(part, known.length, first_frame)
        return by if known.camera_height_m is None else known_sizes.with_height(by, part, known.camera_height_m)
    if known.camera_height_m is not None:
        return known_sizes.by_height(part, known.camera_height_m, frame_s)
    return None


def require_useful(path: CameraPath, first_frame: int, known: KnownSizes) -> None:
    """Can what was measured set the size of ``path``, if it has one to set?

    Raises:
        SolverError: as ``in_metres``.
    """
    if path.scale is None:
        return
    if known.length is not None:
        known_sizes.require_frame(known.length, first_frame, len(path.world_from_camera))
    shots = _shots(path)
    found = [
        _measured(_part(path, shots, index), first_frame + int(first), None, known)
        for index, (first, _) in enumerate(shots)
    ]
    if known.camera_height_m is not None and not any(one and known_sizes.HEIGHT_CUE in one.cues for one in found):
        raise known_sizes.no_floor()


def _shots(path: CameraPath) -> np.ndarray:
    return path.shots if path.shots is not None else np.array([[0, len(path.world_from_camera) - 1]])


def _grown(path: CameraPath, shots: np.ndarray, factors: np.ndarray) -> CameraPath:
    per_row = np.concatenate([np.full(last - first + 1, f) for (first, last), f in zip(shots, factors, strict=True)])
    poses = path.world_from_camera.copy()
    poses[:, :3, 3] *= per_row[:, None]
    lengths = np.stack([np.ones_like(per_row), per_row], axis=1)
    spread = {name: value * lengths for name in _TURN_AND_LENGTH if (value := getattr(path, name)) is not None}
    of_points = factors[path.point_shots] if path.point_shots is not None else np.full(len(path.points), factors[0])
    return dataclasses.replace(path, world_from_camera=poses, points=path.points * of_points[:, None], **spread)
