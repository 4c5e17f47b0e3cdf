"""Rendered clips with real detections: what the optimiser is given, kept so that many arms can be tried on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from solver import hands, initialise
from solver.bench import truth as truths
from solver.bench.truth import Truth
from solver.cache import StageCache
from solver.camera.cameras import CameraPath
from solver.hand_model import loading
from solver.hand_model.model import HandModel
from solver.initialise import InitialMotion
from solver.observations import HandTrack
from solver.video import content_digest, open_clip


@dataclass(frozen=True)
class Observed:
    """A clip up to the optimiser, with its true camera."""

    name: str
    truth: Truth
    tracks: list[HandTrack]
    motions: dict[int, InitialMotion]
    models: Mapping[str, HandModel]
    camera: CameraPath

    @property
    def frames(self) -> np.ndarray:
        return self.truth.frames

    @property
    def frame_s(self) -> float:
        return 1 / self.truth.frame_rate


def observe(folder: Path, cache: Path) -> Observed:
    """Detections and initial fit of a clip's folder, from the cache if they are there."""
    known = truths.load(folder / "truth.npz")
    clip, models = open_clip(str(folder / "clip.mp4")), loading.load_pair("open")
    store, key = StageCache(cache), {"clip": content_digest(clip)}
    tracks = store.load("hands", key, HandTrack)
    if tracks is None:
        tracks = _result(hands.track(clip))
        store.store("hands", key, tracks)
    fitted = store.load("motions", key, InitialMotion)
    if fitted is None:
        pieces = initialise.fit_tracks(tracks, models, known.intrinsics, initialise.FitOptions())
        fitted = list(initialise.collect(list(pieces)).values())
        store.store("motions", key, fitted)
    camera = CameraPath("given", known.intrinsics, known.world_from_camera)
    return Observed(folder.name, known, tracks, {m.track: m for m in fitted}, models, camera)


def _result(work) -> list[HandTrack]:
    while True:
        try:
            next(work)
        except StopIteration as end:
            return end.value
