"""Recordings in the tables' form from 21 keypoints per hand, which every source can give: so that a user can train.

Input: ``.npz`` files with ``keypoints_m`` (n, 2, 21, 3), left and right, metres, in one world's axes, NaN where a hand
is not known, and ``fps``. Output: a file as ``tools/prior/README.md`` says, and in it ``wrist`` (frames, 9), where the
other hand is, NaN where that is not known.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from solver.initialise.anatomy import palm_axes

RATE = 30.0
_SIDES = ("left", "right")
_FINGERS = (5, 9, 13, 17)
# the thumb bends about this axis in (finger, palmward, thumb's side) axes, as in ``solver.initialise.anatomy``
_THUMB_AXIS = np.array([0.10, 0.90, 0.40])
_BEND_AXIS = np.array([0.0, 0.0, 1.0])
_SHORTEST = 20
_FINGER_NAMES, _FINGER_ANGLES = ("index", "middle", "ring", "pinky"), ("spread", "MCP", "PIP", "DIP")
NAMES = (
    *(f"{finger} {angle}" for finger in _FINGER_NAMES for angle in _FINGER_ANGLES),
    "thumb CMC radial", "thumb CMC palmar", "thumb MCP", "thumb IP",
)  # fmt: skip


def convert(paths: Sequence[Path], output: Path) -> int:
    """Write all runs of all files to ``output``; returns how many. Runs shorter than 2/3 s are left out."""
    angles, wrists, labels = [], [], []
    for path in paths:
        with np.load(path, allow_pickle=False) as data:
            keypoints, there = _resampled(data["keypoints_m"], float(data["fps"]))
        for hand, side in enumerate(_SIDES):
            for run in _runs(there[:, hand]):
                own, other = keypoints[run, hand], keypoints[run, 1 - hand]
                angles.append(anatomical_angles(own, side))
                wrists.append(relative_wrist(own, other, side))
                labels.append((path.parent.name or "own", path.stem, side[0].upper()))
    if angles:
        source, recording, hand = zip(*labels, strict=True)
        np.savez_compressed(
            output, q_centideg=np.rint(100 * np.degrees(np.concatenate(angles))).astype(np.int16),
            seg_len=np.array([len(run) for run in angles]), source=np.array(source), recording=np.array(recording),
            hand=np.array(hand), fps=np.array(RATE), names=np.array(NAMES),
            wrist=np.concatenate(wrists).astype(np.float32),
        )  # fmt: skip
    return len(angles)


def anatomical_angles(keypoints: np.ndarray, side: str) -> np.ndarray:
    """(n, 20) rad from (n, 21, 3): the inverse of ``recordings.hinge_angles``."""
    axes = _axes(keypoints, side)
    local = keypoints @ axes.swapaxes(1, 2)
    out = np.zeros((len(keypoints), 20))
    for finger, first in enumerate(_FINGERS):
        bones = _unit(np.diff(local[:, first : first + 4], axis=1))
        towards = bones[:, 0]
        out[:, 4 * finger] = np.arcsin(np.clip(towards[:, 2], -1, 1))
        out[:, 4 * finger + 1] = np.arctan2(towards[:, 1], towards[:, 0])
        out[:, 4 * finger + 2 : 4 * finger + 4] = _bends(bones, _BEND_AXIS)
    bones = _unit(np.diff(local[:, 1:5], axis=1))
    out[:, 16] = np.arctan2(bones[:, 0, 2], bones[:, 0, 0])
    out[:, 17] = np.arcsin(np.clip(bones[:, 0, 1], -1, 1))
    out[:, 18:] = _bends(bones, _THUMB_AXIS)
    return out


def relative_wrist(own: np.ndarray, other: np.ndarray, side: str) -> np.ndarray:
    """(n, 9) as ``solver.prior.learned.features`` has it; NaN where the other hand is not known."""
    axes, others = _axes(own, side), _axes(other, _SIDES[1 - _SIDES.index(side)])
    bones = np.linalg.norm(np.diff(own[:, [0, 9, 10, 11, 12]], axis=1), axis=-1)
    place = (axes @ (other[:, 0] - own[:, 0])[..., None])[..., 0] / np.median(bones.sum(1))
    return np.concatenate([place, *((axes @ others[:, k, :, None])[..., 0] for k in range(2))], axis=1)


def _axes(keypoints: np.ndarray, side: str) -> np.ndarray:
    return palm_axes(keypoints[:, 0], keypoints[:, 5], keypoints[:, 9], keypoints[:, 17], side)


def _bends(bones: np.ndarray, axis: np.ndarray) -> np.ndarray:
    """(n, 2) angles between three bones (n, 3, 3) one after another, positive about ``axis``."""
    before, after = bones[:, :2], bones[:, 1:]
    turn = np.cross(before, after)
    return np.where(turn @ axis < 0, -1, 1) * np.arctan2(np.linalg.norm(turn, axis=-1), (before * after).sum(-1))


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)


def _resampled(keypoints: np.ndarray, fps: float) -> tuple[np.ndarray, np.ndarray]:
    """(m, 2, 21, 3) at ``RATE``, between neighbours that are both known, and (m, 2) which hands are."""
    known = np.isfinite(keypoints).all((2, 3))
    at = np.arange(0, len(keypoints) - 1 + 1e-9, fps / RATE)
    low = np.floor(at).astype(int)
    high = np.minimum(low + 1, len(keypoints) - 1)
    share = (at - low)[:, None, None, None]
    return (1 - share) * keypoints[low] + share * keypoints[high], known[low] & known[high]


def _runs(there: np.ndarray) -> list[slice]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], there, [False]]).astype(int)))
    return [slice(a, b) for a, b in zip(edges[::2], edges[1::2], strict=True) if b - a >= _SHORTEST]
