"""A camera that stands still: the world is its frame."""

from __future__ import annotations

import numpy as np

from .cameras import CameraPath

# focal length / longer side when nothing is known: 0.8 is a 29 mm lens on full frame, about what phones film video with
ASSUMED_FOCAL = 0.8


def assume(frame_count: int, size: tuple[int, int], focal_px: float | None) -> CameraPath:
    """Identity poses, principal point at the centre of ``size`` (width, height); no focal: the assumed lens."""
    width, height = size
    focal = focal_px or ASSUMED_FOCAL * max(width, height)
    return CameraPath(
        "static", np.array([focal, focal, width / 2, height / 2]), np.tile(np.eye(4), (frame_count, 1, 1)),
        focal_sigma=0.0 if focal_px else float("inf"),
    )  # fmt: skip
