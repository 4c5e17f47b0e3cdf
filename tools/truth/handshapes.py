"""Named hand shapes: finger angles within a healthy hand's limits, and what turns them into joint rotations."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from .figure import FINGERS, Arm
from .rotations import axis_angle

# share of a spread that each finger takes: the index to the thumb's side, the others away from it
_SPREAD_SHARE = {"index": 1.0, "middle": 0.15, "ring": -0.6, "pinky": -1.4}


@dataclass(frozen=True)
class HandShape:
    """Angles in degrees. ``index`` ... ``pinky``: knuckle, middle and end joint. ``thumb``: swing out of the palm's
    plane, swing away from the fingers, middle joint, end joint. ``spread``: of the four fingers."""

    index: tuple[float, float, float] = (5.0, 6.0, 4.0)
    middle: tuple[float, float, float] = (5.0, 6.0, 4.0)
    ring: tuple[float, float, float] = (5.0, 6.0, 4.0)
    pinky: tuple[float, float, float] = (5.0, 6.0, 4.0)
    thumb: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    spread: float = 0.0

    def vector(self) -> np.ndarray:
        """(17,) all angles in degrees, in the order of the fields."""
        return np.array([*self.index, *self.middle, *self.ring, *self.pinky, *self.thumb, self.spread])


def _curl(knuckle: float, middle: float, end: float) -> dict[str, tuple[float, float, float]]:
    return dict.fromkeys(("index", "middle", "ring", "pinky"), (knuckle, middle, end))


OPEN = HandShape(spread=5.0)
WIDE = replace(OPEN, spread=12.0, thumb=(0.0, 10.0, -5.0, -5.0))
RELAXED = HandShape((20, 26, 14), (24, 29, 17), (27, 31, 17), (29, 31, 17), (14, -4, 11, 14))
FIST = HandShape(**_curl(77, 92, 52), thumb=(42, -24, 34, 40))
GRASP = HandShape((43, 46, 26), (46, 48, 28), (48, 51, 28), (51, 51, 28), (40, 4, 14, 20))
HOLD = HandShape((50, 40, 22), (54, 44, 24), (57, 46, 24), (58, 44, 24), (44, 6, 10, 16))
POINT = HandShape((6, 6, 3), (74, 92, 52), (77, 92, 52), (77, 88, 52), (40, -22, 28, 34))
PINCH = HandShape((50, 44, 22), (28, 28, 17), (23, 26, 17), (20, 23, 17), (43, -8, 14, 20))
COUNT_TWO = HandShape((4, 5, 3), (4, 5, 3), (76, 92, 52), (76, 88, 52), (40, -24, 30, 36), spread=9.0)
FLAT = HandShape(**_curl(2, 3, 2), thumb=(0, 4, 0, 0), spread=3.0)

SHAPES = {
    "open": OPEN, "wide": WIDE, "relaxed": RELAXED, "fist": FIST, "grasp": GRASP, "hold": HOLD,
    "point": POINT, "pinch": PINCH, "count_two": COUNT_TWO, "flat": FLAT,
}  # fmt: skip


def finger_rotations(arm: Arm, angles: np.ndarray) -> np.ndarray:
    """(16, 3, 3) local joint rotations for the (17,) degrees of ``HandShape.vector``; [0] is the identity."""
    radians = np.deg2rad(angles)
    rotations = np.broadcast_to(np.eye(3), (16, 3, 3)).copy()
    for column, name in enumerate(("index", "middle", "ring", "pinky")):
        base = 1 + 3 * FINGERS.index(name)
        for k in range(3):
            rotations[base + k] = axis_angle(arm.flexion[base + k] * radians[3 * column + k])
        rotations[base] = axis_angle(arm.abduction[base] * radians[16] * _SPREAD_SHARE[name]) @ rotations[base]
    out, away, middle, end = radians[12:16]
    rotations[13] = axis_angle(arm.abduction[13] * away) @ axis_angle(arm.flexion[13] * out)
    rotations[14] = axis_angle(arm.flexion[14] * middle)
    rotations[15] = axis_angle(arm.flexion[15] * end)
    return rotations
