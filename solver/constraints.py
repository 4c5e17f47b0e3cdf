"""What an artist asks of a re-solve, in clip terms. NumPy only: the add-on makes them, ``optimise.constraints`` obeys.

Every request is either hard (``deviation`` None) or has a tolerance.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Pose:
    """The hand's pose at a frame. Any of the three may be None (free).

    Attributes:
        track, frame: layout track and problem frame.
        global_orient: (3, 3) world. wrist: (3,) wrist joint's position, metres.
        rotations: (15, 3, 3) finger joints; those that are NaN are free.
        deviation: None (hard), or a factor 1 for "about as sure as a careful eye": 3 deg and 3 mm.
    """

    track: int
    frame: int
    global_orient: np.ndarray | None = None
    wrist: np.ndarray | None = None
    rotations: np.ndarray | None = None
    deviation: float | None = None


@dataclass(frozen=True)
class Point:
    """Keypoint ``keypoint`` (0-20) at ``position`` (3,) in the world; ``deviation`` in metres."""

    track: int
    frame: int
    keypoint: int
    position: np.ndarray
    deviation: float | None = None


@dataclass(frozen=True)
class ImagePoint:
    """Landmark ``keypoint`` (0-20) seen at ``position_px`` (2,); ``deviation`` in px. Replaces what the tracker saw.

    Without a position the landmark counts as unseen. ``of_model``: it is the model's own joint or tip that is seen
    there, not what the tracker means by its name.
    """

    track: int
    frame: int
    keypoint: int
    position_px: np.ndarray | None = None
    deviation: float | None = None
    of_model: bool = False


@dataclass(frozen=True)
class HoldStill:
    """A keypoint does not move in the world from frame ``first`` to ``last``; ``deviation`` metres per frame."""

    track: int
    first: int
    last: int
    keypoint: int
    deviation: float | None = None


@dataclass(frozen=True)
class Together:
    """Keypoints of two hands (or of one) touch from frame ``first`` to ``last``; ``deviation`` in metres."""

    track: int
    keypoint: int
    other_track: int
    other_keypoint: int
    first: int
    last: int
    deviation: float | None = None


@dataclass(frozen=True)
class Ignore:
    """Distrust the footage for this hand from frame ``first`` to ``last``."""

    track: int
    first: int
    last: int


@dataclass(frozen=True)
class CameraPose:
    """The camera at a frame, hard: (3, 3) camera_from_world and centre (3,) in the camera path's unit."""

    frame: int
    camera_from_world: np.ndarray
    centre: np.ndarray


Constraint = Pose | Point | ImagePoint | HoldStill | Together | Ignore | CameraPose

_KINDS = {kind.__name__: kind for kind in (Pose, Point, ImagePoint, HoldStill, Together, Ignore, CameraPose)}


def to_json(constraint: Constraint) -> dict[str, Any]:
    """Fields as a message carries them: lists for arrays, None for NaN, the class's name as "kind"."""
    fields = {name: _plain(value) for name, value in vars(constraint).items()}
    return {"kind": type(constraint).__name__, **fields}


def from_json(fields: Mapping[str, Any]) -> Constraint:
    """What ``to_json`` was given.

    Raises:
        ValueError: no constraint has this kind or these fields.
    """
    kind = _KINDS.get(fields.get("kind"))
    if kind is None:
        raise ValueError(f"no constraint is called {fields.get('kind')!r}")
    known = {field.name for field in dataclasses.fields(kind)}
    if not set(fields) - {"kind"} <= known:
        raise ValueError(f"{kind.__name__} has no {', '.join(sorted(set(fields) - {'kind'} - known))}")
    values = {name: value for name, value in fields.items() if name != "kind"}
    return kind(**{name: np.array(v, float) if isinstance(v, list | tuple) else v for name, v in values.items()})


def _plain(value: Any) -> Any:
    if not isinstance(value, np.ndarray):
        return value.item() if isinstance(value, np.generic) else value
    return np.where(np.isnan(value), None, value).tolist()
