"""Recorded finger motion as hinge angles of the open hand.

The file (see ``README.md``) has 20 anatomical angles per frame that device after device could give: of each finger the
direction of its first bone (spread towards the thumb, flexion) and the bends of its two joints, of the thumb the
direction of its first bone (towards the index, out of the palm) and two bends. A hinge turns from the model's rest, so
the rest's own angles are taken off, and the first bones' two hinges are found such that the bone points where it did.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from solver import hand_model
from solver.hand_model.layout import FINGER_JOINTS
from solver.hand_model.rotations import exp
from solver.initialise.anatomy import palm_axes
from solver.initialise.kinematics import Skeleton, skeleton_of

_FILE_FINGERS = ("index", "middle", "ring", "pinky")
_FIRST_POINT = {"thumb": 1, "index": 5, "middle": 9, "ring": 13, "pinky": 17}
_ROUNDS = 8
# rad: how well a device knows where a bone points
_POINTING = 0.05


@dataclass(frozen=True)
class Recording:
    """One unbroken run of one hand: ``angles`` (n, hinges) rad at ``fps``. ``name`` is shared by what was recorded at
    once, so that both hands of a take never land on two sides of a split."""

    source: str
    name: str
    hand: str
    angles: np.ndarray


@cache
def open_skeleton(side: str = "right") -> Skeleton:
    """The open hand's skeleton with the model's own keypoints."""
    return skeleton_of(hand_model.load(side), np.zeros((21, 3)))


def load(path: Path) -> tuple[list[Recording], float]:
    """All recordings of a file, and their frames per second."""
    with np.load(path, allow_pickle=False) as data:
        angles = hinge_angles(np.radians(data["q_centideg"] / 100.0))
        ends = np.cumsum(data["seg_len"])
        labels = zip(data["source"].tolist(), data["recording"].tolist(), data["hand"].tolist(), strict=True)
        runs = np.split(angles, ends[:-1])
        return [Recording(*label, run) for label, run in zip(labels, runs, strict=True)], float(data["fps"])


def hinge_angles(anatomical: np.ndarray) -> np.ndarray:
    """(n, 20) anatomical angles, rad, to (n, hinges) hinge angles of the open hand; twists stay zero."""
    skeleton = open_skeleton()
    hinges = skeleton.hinges
    out = np.zeros((len(anatomical), len(hinges)))
    for finger, name in enumerate(_FILE_FINGERS):
        spread, flexion, middle, last = anatomical[:, 4 * finger : 4 * finger + 4].T
        towards = np.stack([np.cos(spread) * np.cos(flexion), np.cos(spread) * np.sin(flexion), np.sin(spread)], -1)
        _point(skeleton, out, name, towards)
        _bend(skeleton, out, name, middle, last)
    radial, palmar, middle, last = anatomical[:, 16:].T
    towards = np.stack([np.cos(palmar) * np.cos(radial), np.sin(palmar), np.cos(palmar) * np.sin(radial)], -1)
    _point(skeleton, out, "thumb", towards)
    _bend(skeleton, out, "thumb", middle, last)
    return out


def _point(skeleton: Skeleton, angles: np.ndarray, finger: str, towards: np.ndarray) -> None:
    """Turn a finger's first joint, in place, so that its bone points ``towards`` (n, 3): along the hand, out of the
    palm, to the thumb's side. Gauss-Newton on its two hinges, drawn weakly to rest: a finger bent by 90 deg spreads
    about its own bone, and nobody sees by how much."""
    hinges, joint, first = skeleton.hinges, FINGER_JOINTS[finger][0], _FIRST_POINT[finger]
    spread, flexion = np.flatnonzero(hinges.joint == joint)[:2]
    bone = skeleton.landmarks[first + 1, :, 0] - skeleton.landmarks[first, :, 0]
    target, own = towards @ _palm(skeleton), np.zeros((len(angles), 2))
    information = np.diag(1 / hinges.sigma[[spread, flexion]] ** 2)
    for _ in range(_ROUNDS):
        outer, inner = (exp(angle[:, None] * hinges.axis[h]) for angle, h in zip(own.T, (spread, flexion), strict=True))
        bent = inner @ (bone / np.linalg.norm(bone))
        points = (outer @ bent[..., None])[..., 0]
        by_flexion = (outer @ np.cross(hinges.axis[flexion], bent)[..., None])[..., 0]
        slopes = np.stack([np.cross(hinges.axis[spread], points), by_flexion], -1) / _POINTING
        gradient = slopes.swapaxes(1, 2) @ ((target - points) / _POINTING)[..., None] - information @ own[..., None]
        own += np.linalg.solve(slopes.swapaxes(1, 2) @ slopes + information, gradient)[..., 0]
    angles[:, [spread, flexion]] = own


def _bend(skeleton: Skeleton, angles: np.ndarray, finger: str, middle: np.ndarray, last: np.ndarray) -> None:
    """Set a finger's second and third flexion, in place, from the angles between its bones."""
    hinges, first = skeleton.hinges, _FIRST_POINT[finger]
    bones = np.diff(skeleton.landmarks[first : first + 4, :, 0], axis=0)
    for bend, joint, before, after in zip((middle, last), FINGER_JOINTS[finger][1:], bones[:2], bones[1:], strict=True):
        hinge = hinges.flexion[joint - 1]
        at_rest = np.arctan2(np.cross(before, after) @ hinges.axis[hinge], before @ after)
        angles[:, hinge] = bend - at_rest


def _palm(skeleton: Skeleton) -> np.ndarray:
    joints = skeleton.joints[..., 0]
    return palm_axes(joints[0], joints[1], joints[4], joints[7], skeleton.side)
