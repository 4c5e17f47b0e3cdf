"""From many hands to a linear model: mean, shape directions, joint regressor."""

from __future__ import annotations

import numpy as np
from scipy.optimize import nnls

from solver.hand_model.layout import BETA_COUNT

_REGRESSOR_VERTICES = 60  # nearest vertices that a joint may be computed from
_SUM_TO_ONE = 10.0  # weight of the row that asks the coefficients to sum to one; coordinates are about 0.1 m


def shape_directions(vertices: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Mean (V, 3), directions (V, 3, 10) of one standard deviation each, and the share of variance they explain.

    Directions point to the side on which the hand grows: their signs don't depend on the linear algebra library.
    """
    mean = vertices.mean(axis=0)
    deviation = (vertices - mean).reshape(len(vertices), -1)
    _, singular, directions = np.linalg.svd(deviation, full_matrices=False)
    directions = directions[:BETA_COUNT] * singular[:BETA_COUNT, None] / np.sqrt(len(vertices) - 1)
    growth = directions @ (mean - mean.mean(axis=0)).ravel()
    directions *= np.where(growth < 0, -1.0, 1.0)[:, None]
    explained = float((singular[:BETA_COUNT] ** 2).sum() / (singular**2).sum())
    return mean, directions.T.reshape(-1, 3, BETA_COUNT), explained


def joint_regressor(vertices: np.ndarray, joints: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(16, V) non-negative rows that sum to one, and the error (N, 16) in metres that they leave."""
    mean, targets = vertices.mean(axis=0), joints.mean(axis=0)
    regressor = np.zeros((joints.shape[1], len(mean)))
    for joint, target in enumerate(targets):
        near = np.argsort(np.linalg.norm(mean - target, axis=1), kind="stable")[:_REGRESSOR_VERTICES]
        system = vertices[:, near].transpose(0, 2, 1).reshape(-1, len(near))
        system = np.vstack([system, np.full(len(near), _SUM_TO_ONE)])
        coefficients, _ = nnls(system, np.append(joints[:, joint].ravel(), _SUM_TO_ONE))
        regressor[joint, near] = coefficients / coefficients.sum()
    error = np.linalg.norm(np.einsum("jv,nvc->njc", regressor, vertices) - joints, axis=-1)
    return regressor, error
