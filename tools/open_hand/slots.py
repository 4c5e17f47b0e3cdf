"""Gives fingertips and the rim at the wrist, which others address by number, the vertex numbers they have in MANO."""

from __future__ import annotations

import numpy as np

from solver.hand_model.layout import FINGER_JOINTS, FINGERS, TIP_VERTICES, WRIST_LOOP

from .surface import boundary_loop

_TIP_WEIGHT = 0.6  # a tip is skinned at least this much to the last joint


def fingertips(vertices: np.ndarray, weights: np.ndarray, joints: np.ndarray, tips: np.ndarray) -> list[int]:
    """For each finger the vertex furthest along its last bone."""
    found = []
    for tip, finger in zip(tips, FINGERS, strict=True):
        last = FINGER_JOINTS[finger][2]
        reach = (vertices - joints[last]) @ (tip - joints[last])
        found.append(int(np.where(weights[:, last] > _TIP_WEIGHT, reach, -np.inf).argmax()))
    return found


def new_order(vertices: np.ndarray, faces: np.ndarray, tips: list[int]) -> np.ndarray:
    """(V,) old vertex number for each new one. Tips and rim get their slots, all others follow in order.

    The rim starts at its thumb side (+z) and runs against the mesh's own rim edges, as the closing fan does.
    """
    rim = boundary_loop(faces)[::-1]
    start = int(np.argmax(vertices[rim, 2]))
    special = dict(zip((*TIP_VERTICES, *WRIST_LOOP), (*tips, *rim[start:], *rim[:start]), strict=True))
    taken = set(special.values())
    others = iter(old for old in range(len(vertices)) if old not in taken)
    return np.array([special[new] if new in special else next(others) for new in range(len(vertices))])
