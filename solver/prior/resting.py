"""A hand that is out of sight for too long to be invented: it rests where it was last seen, and is labelled so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from ..hand_model.model import HandModel
from ..hand_model.rotations import exp, log
from ..initialise.kinematics import Pose, joint_rotations, skeleton_of
from ..take import MISSING, RESTING, Take

# seconds in which a hand goes to rest, and in which it leaves for where it is seen next
_EASE_S = 0.6


def rested(take: Take, models: Mapping[str, HandModel]) -> Take:
    """The take with hands at rest where they were missing between sightings; before the first and after the last of
    them a hand stays absent. Nothing is known in these frames: ``joint_sigma`` is NaN and ``confidence`` 0 there."""
    rotations, transl, status = take.rotations.copy(), take.transl.copy(), take.status.copy()
    for hand, side in enumerate(take.sides):
        rest = _resting_fingers(models[side])
        there = np.flatnonzero(take.status[hand] != MISSING)
        for before in np.flatnonzero(np.diff(there) > 1):
            rows = np.arange(there[before], there[before + 1] + 1)
            frame_s = take.frame_rate[1] / take.frame_rate[0]
            inner = rows[1:-1]
            rotations[hand, inner], transl[hand, inner] = _filling(
                rotations[hand, rows[[0, -1]]], transl[hand, rows[[0, -1]]], len(inner), rest, frame_s
            )
            status[hand, inner] = RESTING
    return replace(take, rotations=rotations, transl=transl, status=status)


def _resting_fingers(model: HandModel) -> np.ndarray:
    """(15, 3, 3) where fingers usually are."""
    skeleton = skeleton_of(model, np.zeros((21, 3)))
    return joint_rotations(skeleton, Pose(np.eye(3)[None], skeleton.hinges.mean[None], np.zeros((1, 3))))[0, 1:]


def _filling(
    rotations: np.ndarray, transl: np.ndarray, count: int, rest: np.ndarray, frame_s: float
) -> tuple[np.ndarray, np.ndarray]:
    """Rotations and transl of ``count`` frames between two poses, (2, 16, 3, 3) and (2, 3)."""
    frames = np.arange(1, count + 1)
    ease = min(_EASE_S / frame_s, count / 2)
    settled = _smooth(frames / ease)[:, None, None]
    leaving = _smooth(1 - (count + 1 - frames) / ease)[:, None]
    start, end = rotations
    resting = np.concatenate([start[:1], rest])
    turned = start @ exp(settled * log(np.swapaxes(start, -1, -2) @ resting))
    turned = turned @ exp(leaving[..., None] * log(np.swapaxes(turned, -1, -2) @ end))
    return turned, transl[0] + leaving * (transl[1] - transl[0])


def _smooth(share: np.ndarray) -> np.ndarray:
    """From 0 to 1 with zero speed at both ends."""
    u = np.clip(share, 0, 1)
    return u * u * (3 - 2 * u)
