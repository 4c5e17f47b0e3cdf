"""The messages between the solver and its clients: one JSON object a line, the same for command line and Blender.

Imports only the standard library, so that both sides share this file. ``solver/README.md`` describes the dialogue.
Poses are in the solver's world: metres, OpenCV axes (x right, y down, z forward), quaternions as (w, x, y, z).
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import Any

PROTOCOL_VERSION = 1


class ProtocolError(ValueError):
    """A line that is not one of the messages below."""


@dataclass(frozen=True)
class Message:
    """Base of all messages. ``request`` is the id of the request that it answers (0: none)."""

    request: int = 0

    def redundancy_key(self) -> tuple[Any, ...] | None:
        """A later message with the same key makes an unread earlier one pointless. None: must be delivered."""
        return None


# --- client -> solver -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SolveRequest(Message):
    """Solve ``clip`` and write the take to ``output``. ``options`` are the fields of ``options.SolveOptions``."""

    clip: str = ""
    output: str = ""
    options: dict[str, Any] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True)
class ResolveRequest(Message):
    """Re-solve clip frames ``first`` to ``last`` of ``take``, which stays as it is: the answer are poses.

    Attributes:
        take: path of the take: what was seen, shapes, lens, and the motion where ``standing`` has none.
        model: "open", "auto" or a folder, as the solve's option.
        standing: path of the motion as it is by now (``standing.Standing``); "": the take's own.
        first, last: the clip's own frame numbers, inclusive.
        hands: the take's hands that may move; empty: all. absent: those that are no hands, or were removed.
        shown: the frame whose poses are told after every step; those of all others come at the end.
        constraints: as ``constraints.to_json`` gives them; ``track`` is the take's hand.
        smoothness: 1 as solved; above, calmer: the usual speeds of hands are divided by it.
    """

    take: str = ""
    model: str = "auto"
    standing: str = ""
    first: int = 0
    last: int = 0
    hands: tuple[int, ...] = ()
    absent: tuple[int, ...] = ()
    shown: int | None = None
    constraints: tuple[dict[str, Any], ...] = ()
    smoothness: float = 1.0


@dataclass(frozen=True)
class CancelRequest(Message):
    """Stop the request named by ``request`` at the next frame; what was solved is kept."""


@dataclass(frozen=True)
class ShutdownRequest(Message):
    """End the process after cancelling whatever runs."""


# --- solver -> client -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Hello(Message):
    """First line of every process."""

    protocol: int = PROTOCOL_VERSION
    solver_version: str = ""
    pid: int = 0


@dataclass(frozen=True)
class ClipOpened(Message):
    """What the clip is. Frame numbers are the clip's own, counted from ``first_frame``, inclusive of ``last_frame``."""

    path: str = ""
    width: int = 0
    height: int = 0
    frame_rate: tuple[int, int] = (0, 1)
    first_frame: int = 1
    last_frame: int = 0


@dataclass(frozen=True)
class StageStarted(Message):
    """``index`` of ``count`` stages, ``title`` for a person."""

    stage: str = ""
    title: str = ""
    index: int = 0
    count: int = 1


@dataclass(frozen=True)
class Progress(Message):
    """``done`` of ``total`` frames (or other units) of the running stage."""

    stage: str = ""
    done: int = 0
    total: int = 0

    def redundancy_key(self) -> tuple[Any, ...]:
        return ("progress", self.request)


@dataclass(frozen=True)
class StageFinished(Message):
    """Wall and CPU seconds that the stage took, all threads."""

    stage: str = ""
    wall_seconds: float = 0.0
    cpu_seconds: float = 0.0


@dataclass(frozen=True)
class CameraSolved(Message):
    """The camera as it is known by now; sent again when it is refined.

    ``kind`` is one of ``take.CAMERA_KINDS``; intrinsics (fx, fy, cx, cy) in pixels of the clip. ``poses`` has a row
    (qw, qx, qy, qz, x, y, z) for each frame from ``first_frame`` on: ``world_from_camera``, metres.
    ``distortion`` and its model as in ``camera.cameras.CameraPath``.
    """

    kind: str = ""
    intrinsics: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    first_frame: int = 1
    poses: tuple[tuple[float, float, float, float, float, float, float], ...] = ()
    distortion: tuple[float, ...] = ()
    distortion_model: str = "POLYNOMIAL"


@dataclass(frozen=True)
class TrackStarted(Message):
    """A hand that poses will follow for. ``betas`` (10,) is its shape, ``side`` is "left" or "right"."""

    track: int = 0
    side: str = ""
    betas: tuple[float, ...] = ()


@dataclass(frozen=True)
class TrackPose(Message):
    """One hand in one frame, in the solver's world.

    ``rotations`` holds 16 local joint rotations in MANO order as quaternions (w, x, y, z), the first is
    ``global_orient``; ``transl`` is in metres, with smplx's meaning (added after rotation about the rest wrist).
    """

    track: int = 0
    frame: int = 0
    rotations: tuple[tuple[float, float, float, float], ...] = ()
    transl: tuple[float, float, float] = (0.0, 0.0, 0.0)
    confidence: float = 1.0

    def redundancy_key(self) -> tuple[Any, ...]:
        return ("pose", self.request, self.track, self.frame)


@dataclass(frozen=True)
class HandJudged(Message):
    """How sure one hand is in n frames by now, after a re-solve.

    ``confidence`` (n) as ``take.Take`` has it; ``fingertip_sigma`` (n, 5) metres, relative to the wrist, thumb first;
    ``error_px`` (n) of its landmarks. None where it is not known; no error: the footage counts for nothing there.
    """

    track: int = 0
    frames: tuple[int, ...] = ()
    confidence: tuple[float, ...] = ()
    fingertip_sigma: tuple[tuple[float | None, ...], ...] = ()
    error_px: tuple[float | None, ...] = ()


@dataclass(frozen=True)
class Warned(Message):
    """Something the person should know; the solve goes on."""

    code: str = ""
    sentence: str = ""
    repair: str = ""


@dataclass(frozen=True)
class Finished(Message):
    """The request is done; ``take`` is complete on disk. ``cancelled`` when it holds only what there was so far.

    A re-solve writes no take: its poses before this message are the result, none of them if it was cancelled.
    """

    take: str = ""
    cancelled: bool = False
    summary: str = ""


@dataclass(frozen=True)
class Failed(Message):
    """The request ended with an error; nothing was overwritten. Fields as in ``errors.SolverError``."""

    code: str = ""
    sentence: str = ""
    repair: str = ""


_TYPES: dict[str, type[Message]] = {
    cls.__name__: cls
    for cls in (
        SolveRequest, ResolveRequest, CancelRequest, ShutdownRequest,
        Hello, ClipOpened, StageStarted, Progress, StageFinished, CameraSolved,
        TrackStarted, TrackPose, HandJudged, Warned, Finished, Failed,
    )
}  # fmt: skip
ENDINGS = (Finished, Failed)


def encode(message: Message) -> str:
    """One line of JSON, without the line end."""
    return json.dumps({"type": type(message).__name__, **vars(message)}, allow_nan=False)


def decode(line: str) -> Message:
    """The message in one line.

    Raises:
        ProtocolError: the line is no JSON object, its type is unknown, or its fields don't fit.
    """
    try:
        fields = json.loads(line)
        cls = _TYPES[fields.pop("type")]
        return cls(**{name: _as_tuples(value) for name, value in fields.items()})
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ProtocolError(f"not a message: {line[:200]!r} ({error})") from error


def _as_tuples(value: Any) -> Any:
    return tuple(_as_tuples(item) for item in value) if isinstance(value, list) else value
