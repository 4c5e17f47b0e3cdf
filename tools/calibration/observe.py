"""What the landmark net says about each rendered view, read the way the tracker reads a clip."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from solver.camera.cameras import project
from solver.hands.geometry import Pyramid
from solver.hands.landmarks import LandmarkReader, Reading, next_roi

from .nuisance import degraded, shifted
from .views import View

PLAIN, MIRRORED, SHIFTED, DEGRADED, DEGRADED_MIRRORED = "plain", "mirrored", "shifted", "degraded", "degraded, mirrored"
_LEAST_PRESENCE = 0.5
_FARTHEST = 0.35  # in hand sizes: a reading whose median error is larger is of something else
_SHIFT, _SHIFT_DEGRADED = 0.12, 0.08


@dataclass(frozen=True)
class Observation:
    """One view with the net's reading of it: landmarks_px (21, 2), landmarks_m (21, 3), presence, and the way in which
    it was read (``PLAIN`` ...)."""

    view: View
    landmarks_px: np.ndarray
    landmarks_m: np.ndarray
    presence: float
    way: str = PLAIN

    @property
    def size_px(self) -> float:
        return float(np.ptp(self.landmarks_px, axis=0).max())


def observe(folder: Path, views: list[View], in_all_ways: bool = False) -> list[Observation]:
    """Readings of all views that were rendered and in which the net finds the hand; ``in_all_ways``: each also
    mirrored, from a shifted region, and degraded, by the view's own random numbers."""
    reader = LandmarkReader()
    seen: list[Observation] = []
    for view, picture, rng in pictures(folder, views):
        seen += _read(reader, picture, view, rng if in_all_ways else None)
        if in_all_ways:
            seen += _read_degraded(reader, picture, view, rng)
    return seen


def pictures(folder: Path, views: list[View]) -> Iterator[tuple[View, np.ndarray, np.random.Generator]]:
    """The views that were rendered, each with its (H, W, 3) BGR picture and its own random numbers."""
    for number, view in enumerate(views):
        path = folder / f"{number:05d}.png"
        if path.exists():
            yield view, cv2.imread(str(path)), np.random.default_rng(view.seed)


def _read(
    reader: LandmarkReader, picture: np.ndarray, view: View, rng: np.random.Generator | None
) -> Iterator[Observation]:
    """The region is found from the truth, as a tracker's would be from the frame before, then once from the reading."""
    frame = Pyramid(np.ascontiguousarray(picture[..., ::-1]))
    roi = next_roi(reader.read(frame, next_roi(_truth(view))).points_px)
    plain = _kept(reader.read(frame, roi), view, PLAIN)
    yield from plain
    if plain and rng is not None:
        yield from _kept(reader.read(frame, roi, mirrored=True), view, MIRRORED)
        yield from _kept(reader.read(frame, shifted(roi, rng, _SHIFT)), view, SHIFTED)


def _read_degraded(
    reader: LandmarkReader, picture: np.ndarray, view: View, rng: np.random.Generator
) -> Iterator[Observation]:
    worse, scale = degraded(picture, rng)
    frame = Pyramid(np.ascontiguousarray(worse[..., ::-1]))
    first = reader.read(frame, next_roi(_truth(view) * scale))
    roi = shifted(next_roi(first.points_px), rng, _SHIFT_DEGRADED)
    plain = _kept(reader.read(frame, roi), view, DEGRADED, scale)
    yield from plain
    if plain:
        yield from _kept(reader.read(frame, roi, mirrored=True), view, DEGRADED_MIRRORED, scale)


def _truth(view: View) -> np.ndarray:
    return project(view.keypoints, view.intrinsics)


def _kept(reading: Reading, view: View, way: str, scale: float = 1.0) -> list[Observation]:
    """The reading in px of the view, or nothing when it is of something else."""
    truth, points = _truth(view), reading.points_px / scale
    off = np.median(np.linalg.norm(points - truth, axis=1)) / np.ptp(truth, axis=0).max()
    if reading.presence < _LEAST_PRESENCE or off > _FARTHEST:
        return []
    return [Observation(view, points, reading.points_m, reading.presence, way)]
