"""What foretells that a hand is misread, from readings with known truth.

A hand that is half hidden behind what it holds is now and then drawn somewhere on what is seen of it, surely and too
small. Presence hardly tells, but the network then takes it for a hand of the other side, and reads it otherwise in the
mirror. The product makes no use of it: what carried over to clips was too little (``solver/hands/README.md``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from solver.camera.cameras import project
from solver.hand_model.layout import KEYPOINT_JOINTS
from solver.hands.geometry import Pyramid
from solver.hands.landmarks import LandmarkReader, Reading, next_roi

from .nuisance import degraded, shifted
from .observe import pictures
from .offsets import MIRROR
from .views import View

_PRESENT, _SHIFT = 0.5, 0.08
_NEAR = 0.8  # in hand sizes: a tracker follows a hand so far from where it is
_LEAST_ERROR = 0.03  # in hand sizes: below it all readings are good
_FOLDS = 5
_VOTE_SCALE = 3.0
_LEAST_DOUBT, _MOST_DOUBT, _LEAST_DISAGREEMENT = 0.002, 0.5, 0.005


@dataclass(frozen=True)
class Judged:
    """One reading: who, the four ``signs``, the rms error and by how much the hand is drawn too large (logarithm)."""

    identity: int
    signs: np.ndarray
    error: float
    growth: float


def signs(vote: np.ndarray, presence: np.ndarray, disagreement: np.ndarray) -> np.ndarray:
    """(n, 4) what foretells an error.

    Args:
        vote: (n,) log-odds of the side that the hand has.
        presence: (n,) of the reading.
        disagreement: (n,) root mean square distance of a mirrored reading, over sqrt 2, in hand sizes.
    """
    doubt = np.clip(1 - np.asarray(presence), _LEAST_DOUBT, _MOST_DOUBT)
    apart = np.maximum(disagreement, _LEAST_DISAGREEMENT)
    return np.stack([np.tanh(vote / _VOTE_SCALE), np.log(doubt), np.log(apart), np.ones(len(doubt))], axis=1)


def judged(folder: Path, views: list[View], offsets: np.ndarray) -> list[Judged]:
    """Readings of all rendered views, each as it is and degraded, right ones and misread ones."""
    reader, out = LandmarkReader(), []
    for view, picture, rng in pictures(folder, views):
        worse, scale = degraded(picture, rng)
        truth = _truth(view, offsets)
        out += _judged(reader, picture, truth, view, None)
        out += _judged(reader, worse, truth * scale, view, rng)
    return out


def fit_weights(rows: np.ndarray, errors: np.ndarray) -> np.ndarray:
    """(4,) least squares for the logarithm of the errors."""
    return np.linalg.lstsq(rows, np.log(np.maximum(errors, _LEAST_ERROR)), rcond=None)[0]


def foretold(rows: np.ndarray, errors: np.ndarray, identities: np.ndarray) -> np.ndarray:
    """(n,) logarithms of the errors, each person's by weights learnt from others."""
    out = np.empty(len(rows))
    for fold in range(_FOLDS):
        test = identities % _FOLDS == fold
        out[test] = rows[test] @ fit_weights(rows[~test], errors[~test])
    return out


def _judged(
    reader: LandmarkReader, picture: np.ndarray, truth: np.ndarray, view: View, rng: np.random.Generator | None
) -> Iterator[Judged]:
    frame, size = Pyramid(np.ascontiguousarray(picture[..., ::-1])), np.ptp(truth, axis=0).max()
    roi = next_roi(reader.read(frame, next_roi(truth)).points_px)
    roi = roi if rng is None else shifted(roi, rng, _SHIFT)
    reading = reader.read(frame, roi)
    away = np.linalg.norm(reading.points_px.mean(axis=0) - truth.mean(axis=0))
    if reading.presence >= _PRESENT and away <= _NEAR * size:
        yield _compared(reading, reader.read(frame, roi, mirrored=True), truth, view)


def _compared(reading: Reading, mirrored: Reading, truth: np.ndarray, view: View) -> Judged:
    towards = 1.0 if view.side == "right" else -1.0
    vote = towards * (reading.right_log_odds + mirrored.right_log_odds) / 2
    apart = np.sqrt(((reading.points_px - mirrored.points_px) ** 2).sum(axis=1).mean() / 2) / reading.size_px
    row = signs(np.array([vote]), np.array([reading.presence]), np.array([apart]))[0]
    error = np.sqrt(((reading.points_px - truth) ** 2).sum(axis=1).mean()) / np.ptp(truth, axis=0).max()
    drawn, true = (np.std(points - points.mean(axis=0)) for points in (reading.points_px, truth))
    return Judged(view.identity, row, float(error), float(np.log(drawn / true)))


def _truth(view: View, offsets: np.ndarray) -> np.ndarray:
    to_camera = view.frames[list(KEYPOINT_JOINTS)] * MIRROR[view.side]
    return project(view.keypoints + np.einsum("kij,kj->ki", to_camera, offsets), view.intrinsics)
