"""Full joint rotations to hinge angles: what an artist's pose means to the solver."""

from __future__ import annotations

import numpy as np

from ..hand_model.rotations import log, right_jacobian_inverse
from ..initialise.anatomy import Hinges
from ..initialise.kinematics import hinge_rotations

_STEPS = 12
_STILL_RAD = 1e-9


def angles_of(hinges: Hinges, rotations: np.ndarray, start: np.ndarray) -> np.ndarray:
    """(n, hinges) angles whose joint rotations are nearest, in angle, to (n, 15, 3, 3).

    Joints with fewer than three hinges keep a rest that no hinge can make. Gauss-Newton from ``start`` (n, hinges).
    """
    angles = np.array(start, float)
    for joint in range(1, 16):
        mine = np.flatnonzero(hinges.joint == joint)
        for _ in range(_STEPS):
            made, slopes = _turned(hinges, angles, mine)
            error = log(np.swapaxes(rotations[:, joint - 1], -1, -2) @ made)
            jacobian = right_jacobian_inverse(error) @ slopes
            normal = np.swapaxes(jacobian, 1, 2) @ jacobian + 1e-9 * np.eye(len(mine))
            gradient = np.swapaxes(jacobian, 1, 2) @ error[..., None]
            step = np.linalg.solve(normal, gradient)[..., 0]
            angles[:, mine] -= step
            if np.abs(step).max(initial=0.0) < _STILL_RAD:
                break
    return angles


def _turned(hinges: Hinges, angles: np.ndarray, mine: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A joint's rotation (n, 3, 3), and (n, 3, k) its right-hand derivative by each of its hinges, in their order."""
    single = hinge_rotations(hinges, angles)[:, mine]
    slopes, later = [], np.tile(np.eye(3), (len(angles), 1, 1))
    for k in range(len(mine) - 1, -1, -1):
        slopes.append(np.swapaxes(later, -1, -2) @ hinges.axis[mine[k]])
        later = single[:, k] @ later
    return later, np.stack(slopes[::-1], axis=-1)
