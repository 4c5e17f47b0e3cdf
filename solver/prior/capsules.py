"""A hand as capsules in its flesh, measured on the loaded model's own skin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..hand_model.model import HandModel

# each finger's bones between keypoints, thumb first
_BONES = tuple((first + k, first + k + 1) for first in (1, 5, 9, 13, 17) for k in range(3))
_TIPS = (4, 8, 12, 16, 20)
_ROUNDS = 6
# more skin shall lie inside than outside, by some tenths of a millimetre: what is outside goes through other hands
_INSIDE = 0.6


@dataclass(frozen=True)
class Ends:
    """Where capsules lie whose flesh is not about a bone, at both ends.

    Attributes:
        palm: as steps from the wrist to the knuckles of the index and of the pinky.
        ball: the thumb's, as steps from its first joint to its second, to the index's knuckle and to the wrist.
    """

    palm: Sequence[Sequence[Sequence[float]]]
    ball: Sequence[Sequence[float]]


# where they meet the skin of the hand that comes with the product best (``python -m tools.prior capsules``)
ENDS = Ends(
    palm=(
        ((0.18, -0.22), (0.77, 0.05)),
        ((0.05, 0.41), (0.69, 0.43)),
        ((0.0, 0.10), (0.33, 0.78)),
        ((-0.03, 0.06), (0.10, 0.74)),
    ),
    ball=((-0.01, 0.11, 0.48), (0.49, 0.16, 0.06)),
)


@dataclass(frozen=True, eq=False)
class Capsules:
    """c capsules of one hand of mean shape: four of the palm, the thumb's ball, then the other bones, thumb first.

    Attributes:
        ends: (2, c, 21) where the axes begin and end, as weights on the keypoints (OpenPose order) that sum to 1.
        radius: (c,) metres.
        apart: (p, 2) pairs of this hand's own capsules that can touch, as they are apart when the hand is open.
    """

    ends: np.ndarray
    radius: np.ndarray
    apart: np.ndarray

    def axes(self, keypoints: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Both ends of the axes, (..., c, 3) each, of hands with keypoints (..., 21, 3)."""
        return self.ends[0] @ keypoints, self.ends[1] @ keypoints

    def on_axis(self, capsule: np.ndarray, share: np.ndarray) -> np.ndarray:
        """(m, 21) weights on the keypoints of points at ``share`` of single capsules' axes."""
        return (1 - share)[:, None] * self.ends[0][capsule] + share[:, None] * self.ends[1][capsule]


def capsules_of(model: HandModel) -> Capsules:
    """Measured on the model's skin."""
    ends, radius = measured(ends_of(ENDS), model.v_template, model.keypoints_rest_template)
    return Capsules(ends, radius, _apart(*ends @ model.keypoints_rest_template, radius))


def ends_of(ends: Ends) -> np.ndarray:
    """(2, c, 21) as ``Capsules`` has them, fingertips' at the tip."""
    bony = np.eye(21)[np.array(_BONES[1:])]
    return np.concatenate([_steps(ends.palm, 0, [5, 17]), _steps([ends.ball], 1, [2, 5, 0]), bony]).swapaxes(0, 1)


def _steps(capsules: Sequence, origin: int, to: list[int]) -> np.ndarray:
    """(c, 2, 21)."""
    steps = np.array(capsules)
    out = np.zeros((*steps.shape[:2], 21))
    out[..., origin], out[..., to] = 1 - steps.sum(-1), steps
    return out


def measured(ends: np.ndarray, skin: np.ndarray, keypoints: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Ends, fingertips' now a radius short of the tip, and radii (c,): as far from an axis as most of the skin (v, 3)
    to which that capsule's surface is the nearest."""
    radius = np.full(ends.shape[1], 0.01)
    for _ in range(_ROUNDS):
        distance = to_segments(skin, *_short(ends, radius, keypoints) @ keypoints)
        nearest = (distance - radius).argmin(1)
        for c in np.unique(nearest):
            radius[c] = np.quantile(distance[nearest == c, c], _INSIDE)
    return _short(ends, radius, keypoints), radius


def _short(ends: np.ndarray, radius: np.ndarray, keypoints: np.ndarray) -> np.ndarray:
    """The same axes, those of fingertips a radius short of the tip."""
    length = np.linalg.norm(np.diff(ends @ keypoints, axis=0)[0], axis=1)
    tips = ends[1][:, list(_TIPS)].any(1)
    short = np.where(tips, np.minimum(radius / length, 0.9), 0.0)[:, None]
    return np.stack([ends[0], (1 - short) * ends[1] + short * ends[0]])


def _apart(start: np.ndarray, stop: np.ndarray, radius: np.ndarray) -> np.ndarray:
    """Pairs of capsules that don't overlap at rest."""
    a, b = np.triu_indices(len(radius), 1)
    distance = closest(start[a], stop[a], start[b], stop[b])[0]
    return np.stack([a, b], 1)[distance > radius[a] + radius[b]]


def closest(
    start: np.ndarray, stop: np.ndarray, other_start: np.ndarray, other_stop: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Nearest points of segments (m, 3): distance (m,), direction (m, 3) from the other to this one, both shares (m,).

    C. Ericson, "Real-Time Collision Detection" (2005), section 5.1.9.
    """
    along, other, between = stop - start, other_stop - other_start, start - other_start
    a, e = _dot(along, along), _dot(other, other)
    b, c, f = _dot(along, other), _dot(along, between), _dot(other, between)
    crossing = a * e - b * b
    s = np.where(crossing > 1e-12, np.clip((b * f - c * e) / np.maximum(crossing, 1e-12), 0, 1), 0.0)
    t = (b * s + f) / np.maximum(e, 1e-12)
    held = np.clip(t, 0, 1)
    s = np.where(t != held, np.clip((b * held - c) / np.maximum(a, 1e-12), 0, 1), s)
    apart = between + s[:, None] * along - held[:, None] * other
    distance = np.sqrt(_dot(apart, apart))
    return distance, apart / np.maximum(distance, 1e-9)[:, None], s, held


def _dot(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.einsum("...i,...i->...", a, b)


def to_segments(points: np.ndarray, start: np.ndarray, stop: np.ndarray) -> np.ndarray:
    """(v, c) distance from each segment."""
    along = stop - start
    share = ((points[:, None] - start) * along).sum(-1) / (along * along).sum(-1)
    return np.linalg.norm(points[:, None] - start - np.clip(share, 0, 1)[..., None] * along, axis=-1)
