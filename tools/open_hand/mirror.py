"""The left hand as the exact mirror image of the right one in the plane x = 0."""

from __future__ import annotations

import numpy as np

_SIGNS = np.array([-1.0, 1.0, 1.0])  # of a point's coordinates
_ROTATION_SIGNS = np.array([1.0, -1.0, -1.0])  # of a rotation vector's


def mirrored(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """All arrays of one hand, mirrored. Mirroring twice gives the same hand again."""
    entries = np.tile(np.outer(_SIGNS, _SIGNS).ravel(), 15)  # of S R S, row by row, for the 15 finger joints
    return arrays | {
        "v_template": arrays["v_template"] * _SIGNS,
        "shapedirs": arrays["shapedirs"] * _SIGNS[:, None],
        "posedirs": arrays["posedirs"] * _SIGNS[:, None] * entries,
        "f": arrays["f"][:, ::-1].copy(),
        "hands_mean": arrays["hands_mean"] * np.tile(_ROTATION_SIGNS, 15),
        "hands_components": arrays["hands_components"] * np.tile(_ROTATION_SIGNS, 15),
    }
