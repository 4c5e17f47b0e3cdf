"""Tracks in, poses out: shapes first, then every hand in every frame, a stretch of time at once."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ..hand_model import HandModel
from ..observations import HandTrack
from .calibration import LandmarkCalibration, default_calibration
from .evidence import Weights
from .motion import PER_FRAME, InitialMotion
from .shape import share_shapes
from .track_fit import TrackFit


@dataclass(frozen=True)
class FitOptions:
    """What the person may choose.

    Attributes:
        hand_length_m: known length from the wrist joint to the middle fingertip along the bones; None for the
            population's.
        share_shape: give tracks that do not contradict each other one shape (one person's hands).
        chunk_frames: frames that are fitted, and handed on, together.
        weights: of the evidence.
    """

    hand_length_m: float | None = None
    share_shape: bool = True
    chunk_frames: int = 32
    weights: Weights = Weights()


def fit_tracks(
    tracks: Sequence[HandTrack],
    models: dict[str, HandModel],
    intrinsics: np.ndarray,
    options: FitOptions = FitOptions(),
    calibration: LandmarkCalibration | None = None,
) -> Iterator[InitialMotion]:
    """Poses of all tracks in rising time, a chunk of one track at a time, each frame in its own camera's frame.

    At the end come the frames, if any, whose choice between two poses was changed by what followed: a later piece
    replaces an earlier one. ``collect`` puts the pieces together. Close the generator to cancel.

    Args:
        models: "left" and "right".
        intrinsics: (4,) fx, fy, cx, cy in px.
        calibration: landmark offsets and their residual covariance; None for the shipped ones.
    """
    calibration = calibration or default_calibration()
    fits = [
        TrackFit(i, track, models[track.side], np.asarray(intrinsics, float), options.weights, calibration)
        for i, track in enumerate(tracks)
        if len(track.frames)
    ]
    _settle_shapes(fits, models, options)
    for start, stop in _chunks(fits, options.chunk_frames):
        for fit in fits:
            count = int(((fit.track.frames >= start) & (fit.track.frames < stop)).sum())
            if count:
                yield fit.extend(count)
    for fit in fits:
        revised = fit.revise()
        if revised is not None:
            yield revised


def collect(pieces: Iterable[InitialMotion]) -> dict[int, InitialMotion]:
    """The whole motion of each track (key: its index) from ``fit_tracks``' pieces; later pieces win."""
    parts: dict[int, list[InitialMotion]] = {}
    for piece in pieces:
        parts.setdefault(piece.track, []).append(piece)
    return {track: _merged(pieces) for track, pieces in parts.items()}


def _merged(parts: list[InitialMotion]) -> InitialMotion:
    fields = {name: np.concatenate([getattr(part, name) for part in parts]) for name in PER_FRAME}
    last_row = {int(frame): row for row, frame in enumerate(fields["frames"])}
    return dataclasses.replace(parts[0], **fields).take(np.array([last_row[frame] for frame in sorted(last_row)]))


def _chunks(fits: list[TrackFit], size: int) -> Iterator[tuple[int, int]]:
    """Ranges [start, stop) of frame numbers in which there is some track."""
    frames = np.unique(np.concatenate([fit.track.frames for fit in fits])) if fits else np.zeros(0, int)
    while len(frames):
        start = int(frames[0])
        yield start, start + size
        frames = frames[frames >= start + size]


def _settle_shapes(fits: list[TrackFit], models: dict[str, HandModel], options: FitOptions) -> None:
    shapes = [fit.estimate_shape(options.hand_length_m) for fit in fits]
    if options.share_shape:
        sides = (("left", "right"),) if _mirror_images(models) else (("left",), ("right",))
        for group in sides:
            members = [i for i, fit in enumerate(fits) if fit.track.side in group]
            shared = share_shapes([shapes[i] for i in members])
            for i, shape in zip(members, shared, strict=True):
                shapes[i] = shape
    for fit, shape in zip(fits, shapes, strict=True):
        fit.betas = shape.betas


def _mirror_images(models: dict[str, HandModel]) -> bool:
    """Whether the same betas mean the same hand on both sides (to 1 mm per unit)."""
    if not {"left", "right"} <= models.keys():
        return False
    mirror = np.array([-1.0, 1.0, 1.0])[:, None]
    left, right = models["left"].joints_shapedirs, models["right"].joints_shapedirs
    return bool(np.abs(left * mirror - right).max() < 1e-3)
