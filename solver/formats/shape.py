"""A hand's shape in another model's coefficients: those of two models mean different things, lengths don't."""

from __future__ import annotations

import itertools

import numpy as np

from ..hand_model.layout import KEYPOINT_PARENTS
from ..hand_model.model import HandModel

# a bone's length is matched to about this; a coefficient is about one standard deviation of people
_BONE_SIGMA_M = 0.001
_STEPS = 6
_PALM = (0, 1, 5, 9, 13, 17)
# pairs of keypoints whose distance no pose changes: the bones, and across the palm
_PAIRS = np.array(
    sorted(
        {(min(pair), max(pair)) for pair in [*enumerate(KEYPOINT_PARENTS), *itertools.combinations(_PALM, 2)]}
        - {(-1, 0)}
    )
)


def lengths(keypoints: np.ndarray) -> np.ndarray:
    """(..., 21, 3) -> (..., 30) distances in metres that a hand has in every pose."""
    return np.linalg.norm(keypoints[..., _PAIRS[:, 1], :] - keypoints[..., _PAIRS[:, 0], :], axis=-1)


def fit(model: HandModel, wanted: np.ndarray) -> np.ndarray:
    """(10,) betas with which the model has these ``lengths`` (30,), as near as plausible hands come."""
    directions = model.keypoints_rest_shapedirs
    bone_directions = directions[_PAIRS[:, 1]] - directions[_PAIRS[:, 0]]
    betas = np.zeros(directions.shape[-1])
    for _ in range(_STEPS):
        keypoints = model.with_shape(betas).keypoints_rest
        bones = keypoints[_PAIRS[:, 1]] - keypoints[_PAIRS[:, 0]]
        now = np.linalg.norm(bones, axis=1)
        jacobian = np.einsum("bc,bck->bk", bones / now[:, None], bone_directions) / _BONE_SIGMA_M
        residual = (now - wanted) / _BONE_SIGMA_M
        normal = jacobian.T @ jacobian + np.eye(len(betas))
        betas = betas - np.linalg.solve(normal, jacobian.T @ residual + betas)
    return betas
