"""Hand tracks as a lens without distortion would have seen them: what everything behind the camera stage works with."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from ..observations import HandTrack
from .cameras import CameraPath
from .distortion import undistort_with_covariance


def ideal_tracks(tracks: Sequence[HandTrack], camera: CameraPath) -> list[HandTrack]:
    """``tracks`` in px of the clip -> the same rays in px of ``camera``'s pinhole, covariance to first order.

    The clip's pixels are kept in the take; whoever draws over the clip distorts again (``distortion.distort``).
    """
    if not np.any(camera.distortion):
        return list(tracks)
    moved = []
    for track in tracks:
        landmarks, covariance = undistort_with_covariance(
            track.landmarks_px, track.covariance_px, camera.intrinsics, camera.distortion, camera.distortion_model
        )
        moved.append(dataclasses.replace(track, landmarks_px=landmarks, covariance_px=covariance))
    return moved
