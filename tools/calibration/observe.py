"""What the landmark net says about each rendered view, read the way the tracker reads a clip."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from solver.camera.cameras import project
from solver.hands.geometry import Pyramid
from solver.hands.landmarks import LandmarkReader, next_roi

from .views import View

_LEAST_PRESENCE = 0.5
_FARTHEST = 0.35  # in hand sizes: a reading whose median error is larger is of something else


@dataclass(frozen=True)
class Observation:
    """One view with the net's reading of it: landmarks_px (21, 2), landmarks_m (21, 3), presence."""

    view: View
    landmarks_px: np.ndarray
    landmarks_m: np.ndarray
    presence: float

    @property
    def size_px(self) -> float:
        return float(np.ptp(self.landmarks_px, axis=0).max())


def observe(folder: Path, views: list[View], mirrored: bool = False) -> list[Observation]:
    """Readings of all views that were rendered and in which the net finds the hand; ``mirrored``: each also as it reads
    the picture's mirror image, after all the others."""
    reader = LandmarkReader()
    read = [_read(reader, folder / f"{i:05d}.png", view, mirrored) for i, view in enumerate(views)]
    return [readings[way] for way in range(1 + mirrored) for readings in read if readings]


def _read(reader: LandmarkReader, picture: Path, view: View, mirrored: bool) -> list[Observation]:
    """The region is found from the truth, as a tracker's would be from the frame before, then once from the reading."""
    if not picture.exists():
        return []
    image = cv2.imread(str(picture))
    frame = Pyramid(np.ascontiguousarray(image[..., ::-1]))
    truth = project(view.keypoints, view.intrinsics)
    first = reader.read(frame, next_roi(truth))
    reading = reader.read(frame, next_roi(first.points_px))
    off = np.median(np.linalg.norm(reading.points_px - truth, axis=1)) / np.ptp(truth, axis=0).max()
    if reading.presence < _LEAST_PRESENCE or off > _FARTHEST:
        return []
    readings = [reading, *([reader.read(frame, reading.roi, mirrored=True)] if mirrored else [])]
    return [Observation(view, r.points_px, r.points_m, r.presence) for r in readings]
