"""The wrist's place on a body: the arm's two bones reach for it, forearm and twist bones share its roll. NumPy only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...solver.hand_model.rotations import exp
from .anatomy import frame, shortest_turn
from .transfer import twist_angle

# a straight arm has no plane: an elbow points this way (Blender's world, down), unless the arm does
_STRAIGHT = 0.02
_SHARE_OF_FOREARM = 0.5


@dataclass(frozen=True, eq=False)
class Arm:
    """An arm at zero, in the armature's space.

    Attributes:
        shoulder, elbow, wrist: (3,).
        down: (3,) the world's down in the armature's space.
    """

    shoulder: np.ndarray
    elbow: np.ndarray
    wrist: np.ndarray
    down: np.ndarray

    def pole(self) -> np.ndarray:
        """(3,) the way that the elbow points, square to the line from shoulder to wrist."""
        line = self.wrist - self.shoulder
        bend = self.elbow - self.shoulder
        bend = bend - line * (bend @ line) / (line @ line)
        if np.linalg.norm(bend) > _STRAIGHT * np.linalg.norm(line):
            return bend / np.linalg.norm(bend)
        down = self.down - line * (self.down @ line) / (line @ line)
        if np.linalg.norm(down) < 0.1 * np.linalg.norm(self.down):
            down = np.cross(line, np.eye(3)[np.abs(line).argmin()])
        return down / np.linalg.norm(down)


@dataclass(frozen=True, eq=False)
class Reach:
    """Attributes:
    upper_arm, forearm: (T, 3, 3) turns against zero, armature space.
    elbow: (T, 3).
    missed: (T,) by how much the wrist was out of reach, in the armature's units.
    """

    upper_arm: np.ndarray
    forearm: np.ndarray
    elbow: np.ndarray
    missed: np.ndarray


def reach(arm: Arm, shoulders: np.ndarray, wrists: np.ndarray) -> Reach:
    """Analytic two-bone inverse kinematics; the elbow's plane follows the arm by the shortest turn.

    Args:
        arm: at zero.
        shoulders: (T, 3) where the shoulder is.
        wrists: (T, 3) where the wrist should be.
    """
    upper, lower = np.linalg.norm(arm.elbow - arm.shoulder), np.linalg.norm(arm.wrist - arm.elbow)
    line = wrists - shoulders
    wanted = np.linalg.norm(line, axis=1)
    distance = np.clip(wanted, abs(upper - lower) + 1e-6, (upper + lower) * (1 - 1e-6))
    way = line / np.maximum(wanted, 1e-9)[:, None]
    at_zero = arm.wrist - arm.shoulder
    turn = shortest_turn(at_zero, way)
    pole = turn @ arm.pole()
    cosine = (upper**2 + distance**2 - lower**2) / (2 * upper * distance)
    sine = np.sqrt(np.clip(1 - cosine**2, 0, None))
    elbows = shoulders + upper * (cosine[:, None] * way + sine[:, None] * pole)
    reached = shoulders + way * distance[:, None]
    plane_zero, plane = arm.pole(), pole
    upper_turn = _turn(arm.elbow - arm.shoulder, plane_zero, elbows - shoulders, plane, at_zero, way)
    lower_turn = _turn(arm.wrist - arm.elbow, plane_zero, reached - elbows, plane, at_zero, way)
    return Reach(upper_turn, lower_turn, elbows, np.abs(wanted - distance))


def _turn(
    bone: np.ndarray, pole: np.ndarray, bones: np.ndarray, poles: np.ndarray, line: np.ndarray, lines: np.ndarray
) -> np.ndarray:
    """(T, 3, 3) the turn of a bone that keeps its side to the plane of the arm."""
    before = frame(bone, np.cross(line, pole))
    after = frame(bones, np.cross(lines, poles))
    return after @ before.T


def roll_of(hand: np.ndarray, forearm: np.ndarray, axis: np.ndarray) -> np.ndarray:
    """(T,) radians by which the hand is rolled about the forearm.

    Args:
        hand, forearm: (T, 3, 3) turns against zero, armature space.
        axis: (3,) along the forearm at zero.
    """
    axis = axis / np.linalg.norm(axis)
    angles = twist_angle(np.swapaxes(forearm, -1, -2) @ hand, axis)
    return np.unwrap(angles)


def rolled(forearm: np.ndarray, axis: np.ndarray, angles: np.ndarray) -> np.ndarray:
    """(T, 3, 3) the forearm's turn with a roll about itself."""
    axis = axis / np.linalg.norm(axis)
    return forearm @ exp(angles[:, None] * axis)


def shares(places: Sequence[float]) -> tuple[float, list[float]]:
    """Shares of the hand's roll for the forearm's bone and for its twist bones (places 0 elbow ... 1 wrist).

    With twist bones the forearm's bone stays unrolled, and each takes as much as its place says; one that starts at the
    elbow stands for the whole forearm and takes half. Without any the forearm takes half, as forearms do.
    """
    if not places:
        return _SHARE_OF_FOREARM, []
    return 0.0, [place if place > 0.1 else _SHARE_OF_FOREARM for place in places]
