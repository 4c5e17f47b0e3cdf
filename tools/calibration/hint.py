"""How good the landmark net's own depth is."""

from __future__ import annotations

import numpy as np

from solver.hand_model.layout import KEYPOINT_JOINTS
from solver.initialise.evidence import viewing_rays
from solver.initialise.kinematics import palm_size

from .observe import Observation
from .offsets import MIRROR


def hint_errors(
    observations: list[Observation], palm_lengths: np.ndarray, offsets: np.ndarray, along_ray: bool
) -> np.ndarray:
    """(n, 21) net's depth minus true depth of the landmarks, both relative to their centroid, in palm sizes.

    ``along_ray``: truth is measured along the ray to the hand, else along the optical axis.
    """
    errors = []
    for seen, growth in zip(observations, palm_lengths, strict=True):
        view = seen.view
        to_camera = view.frames[list(KEYPOINT_JOINTS)] * (MIRROR[view.side] * growth)
        points = view.keypoints + np.einsum("kij,kj->ki", to_camera, offsets)
        axis = viewing_rays(seen.landmarks_px[None], view.intrinsics)[0] if along_ray else np.array([0, 0, 1.0])
        depth = points @ axis / palm_size(points)
        hint = seen.landmarks_m[:, 2] / palm_size(seen.landmarks_m)
        errors.append((hint - hint.mean()) - (depth - depth.mean()))
    return np.array(errors)
