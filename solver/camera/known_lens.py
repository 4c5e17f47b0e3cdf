"""A lens that is known before the solve: the camera stage works with what a pinhole would have seen in its place."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from ..observations import HandTrack
from .cameras import CameraPath
from .distortion import straighten
from .features import Keyframe
from .footage import Footage
from .formats import LensPart


def through_pinhole(lens: LensPart, footage: Footage, tracks: Sequence[HandTrack]) -> tuple[Footage, list[HandTrack]]:
    """Background and hands as a pinhole of focal length fx, its principal point in the picture's middle, sees them."""

    def moved(points: np.ndarray, scale: float) -> np.ndarray:
        ideal = straighten((points / scale - lens.intrinsics[2:]) / lens.intrinsics[:2], lens.distortion, lens.model)
        return (ideal * lens.intrinsics[0] + np.array(lens.size) / 2) * scale

    keyframes = tuple(
        Keyframe(key.row, moved(key.points_px, footage.scale), key.descriptors) for key in footage.keyframes
    )
    background = dataclasses.replace(footage.tracks, points_px=moved(footage.tracks.points_px, footage.scale))
    segments = dataclasses.replace(footage.segments, ends_px=moved(footage.segments.ends_px, footage.scale))
    hands = [dataclasses.replace(track, landmarks_px=moved(track.landmarks_px, 1.0)) for track in tracks]
    return dataclasses.replace(footage, tracks=background, keyframes=keyframes, segments=segments), hands


def with_lens(path: CameraPath, lens: LensPart) -> CameraPath:
    """``path`` with a lens that is known; its own distortion stays where ``lens`` has none."""
    if not np.any(lens.distortion):
        return dataclasses.replace(path, intrinsics=lens.intrinsics, focal_sigma=0.0)
    return dataclasses.replace(
        path, intrinsics=lens.intrinsics, distortion=np.asarray(lens.distortion), distortion_model=lens.model,
        focal_sigma=0.0,
    )  # fmt: skip
