"""Five hand poses that show what a retargeting does wrong, for either side, in the solver's terms."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from solver import hand_model
from solver.hand_model import rotations as so3
from solver.hand_model.layout import FINGER_JOINTS, FINGERS

NAMES = ("flat", "fist", "point", "pinch", "claw")
# per pose and finger: bend of the three joints and spread of the first, in degrees; thumb, index, middle, ring, pinky
_BENDS = {
    "flat": ((0, 0, 0, 0), (0, 0, 0, 6), (0, 0, 0, 0), (0, 0, 0, -4), (0, 0, 0, -10)),
    "fist": ((20, 35, 40, 0), (80, 95, 60, 0), (85, 95, 60, 0), (85, 95, 60, 0), (85, 90, 60, 0)),
    "point": ((25, 30, 40, 0), (0, 5, 0, 0), (80, 95, 60, 0), (85, 95, 60, 0), (85, 90, 60, 0)),
    "pinch": ((0, 0, 0, 0), (0, 0, 0, 0), (30, 40, 20, 0), (20, 30, 20, -4), (15, 25, 15, -12)),
    "claw": ((10, -10, 50, 0), (-15, 85, 55, 10), (-15, 85, 55, 2), (-15, 85, 55, -8), (-15, 85, 55, -18)),
}
_TURNS = {
    "flat": (0, 0, 0),
    "fist": (0.5, 0.3, -0.2),
    "point": (-0.4, 0.8, 0.3),
    "pinch": (0.9, -0.5, 0.6),
    "claw": (-0.7, -0.9, 1.1),
}


def five_poses(side: str, wrist: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(5, 16, 3, 3) local rotations and (5, 3) transl with the wrists near a place (3,) of the solver's world."""
    rotations, at_rest = _rotations(side)
    steps = np.array([[0, 0, 0], [0.02, -0.03, 0.01], [0.0, 0.05, 0.0], [-0.04, 0.02, 0.03], [0.03, 0.0, -0.02]])
    return rotations.copy(), wrist + steps - at_rest


@lru_cache(maxsize=2)
def _rotations(side: str) -> tuple[np.ndarray, np.ndarray]:
    """(5, 16, 3, 3), and (3,) the wrist at rest."""
    hand = hand_model.load(side, "open").with_shape(np.zeros(10))
    axes = _axes(hand)
    rotations = np.tile(np.eye(3), (5, 16, 1, 1))
    for row, name in enumerate(NAMES):
        rotations[row, 0] = so3.exp(np.array(_TURNS[name]) * (1 if side == "right" else [1, -1, -1]))
        for finger, bends in zip(FINGERS, _BENDS[name], strict=True):
            for number, joint in enumerate(FINGER_JOINTS[finger]):
                spread = so3.exp(axes[joint][:, 2] * np.radians(_outward(side) * bends[3] if number == 0 else 0))
                rotations[row, joint] = spread @ so3.exp(axes[joint][:, 0] * np.radians(bends[number]))
    rotations[NAMES.index("pinch")] = _pinched(hand, axes, rotations[NAMES.index("pinch")])
    return rotations, hand.joints_rest[0]


def _outward(side: str) -> float:
    """A positive spread goes to the thumb's side."""
    return 1.0 if side == "right" else -1.0


def _axes(hand) -> np.ndarray:
    """(16, 3, 3) bend axis X, along the bone Y, palm's side Z of every joint, from the flat hand."""
    points = hand.keypoints_rest
    axes = np.tile(np.eye(3), (16, 1, 1))
    palm = np.cross(points[5] - points[0], points[17] - points[0]) * (1 if hand.model.side == "right" else -1)
    for row, finger in enumerate(FINGERS):
        for number, joint in enumerate(FINGER_JOINTS[finger]):
            start, end = points[4 * row + 1 + number], points[4 * row + 2 + number]
            y = (end - start) / np.linalg.norm(end - start)
            to_palm = palm if finger != "thumb" else points[17] - start
            x = np.cross(y, to_palm)
            x /= np.linalg.norm(x)
            axes[joint] = np.stack([x, y, np.cross(x, y)], axis=1)
    return axes


def _pinched(hand, axes: np.ndarray, rotations: np.ndarray) -> np.ndarray:
    """Thumb and index bent and spread until their tips meet: a search over six angles."""
    thumb, index = FINGER_JOINTS["thumb"], FINGER_JOINTS["index"]
    turns = [(thumb[0], 0), (thumb[0], 2), (thumb[1], 0), (thumb[2], 0), (index[0], 0), (index[1], 0), (index[2], 0)]
    angles = np.radians([10.0, 0, 15, 20, 40, 40, 20])

    def pose(values):
        out = rotations.copy()
        for joint in {joint for joint, _ in turns}:
            out[joint] = np.eye(3)
        for (joint, axis), value in zip(turns, values, strict=True):
            out[joint] = out[joint] @ so3.exp(axes[joint][:, axis] * value)
        return out

    def gap(values):
        points = hand.pose(pose(values)).keypoints
        return points[8] - points[4]

    for _ in range(40):
        jacobian = np.stack([(gap(angles + 1e-5 * step) - gap(angles)) / 1e-5 for step in np.eye(len(angles))], axis=1)
        normal = jacobian @ jacobian.T + 1e-5 * np.eye(3)
        angles = angles - np.clip(jacobian.T @ np.linalg.solve(normal, gap(angles)), -0.1, 0.1)
    return pose(angles)
