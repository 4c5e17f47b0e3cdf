"""A hand as capsules about its bones, measured on the loaded model's own skin."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..hand_model.layout import KEYPOINT_JOINTS
from ..hand_model.model import HandModel

# keypoints at both ends: the palm's rays, then each finger's bones, thumb first
_PALM = ((0, 5), (0, 9), (0, 13), (0, 17))
_BONES = tuple((first + k, first + k + 1) for first in (1, 5, 9, 13, 17) for k in range(3))
_TIPS = (4, 8, 12, 16, 20)
# the palm is wider than thick: its outer rays would swallow the air over its inner ones
_PALM_QUANTILE = 0.25


@dataclass(frozen=True, eq=False)
class Capsules:
    """c capsules of one hand of mean shape.

    Attributes:
        first, second: (c,) keypoints (OpenPose order) that carry the axis.
        begin, end: (c,) where the axis begins and ends between them: 0 at ``first``, 1 at ``second``.
        radius: (c,) metres.
        apart: (p, 2) pairs of this hand's own capsules that can touch, as they are apart when the hand is open.
    """

    first: np.ndarray
    second: np.ndarray
    begin: np.ndarray
    end: np.ndarray
    radius: np.ndarray
    apart: np.ndarray

    def axes(self, keypoints: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Both ends of the axes, (..., c, 3) each, of hands with keypoints (..., 21, 3)."""
        start = keypoints[..., self.first, :]
        along = keypoints[..., self.second, :] - start
        return start + self.begin[:, None] * along, start + self.end[:, None] * along


def capsules_of(model: HandModel) -> Capsules:
    """Radii from the model: the skin's median distance from a bone's axis, in the palm a lower quantile of it."""
    keypoints, skin = model.keypoints_rest_template, model.v_template
    pairs = np.array(_PALM + _BONES)
    start, stop = keypoints[pairs[:, 0]], keypoints[pairs[:, 1]]
    share, distance = _to_segments(skin, start, stop)
    owner = model.weights.argmax(1)
    carrier = np.array(KEYPOINT_JOINTS)[pairs[:, 0]]
    distance = np.where(owner[:, None] == carrier, distance, np.inf)
    nearest = distance.argmin(1)
    beside = (share > 0.1) & (share < 0.9)
    quantile = np.where(np.arange(len(pairs)) < len(_PALM), _PALM_QUANTILE, 0.5)
    radius = np.array([
        np.quantile(distance[(nearest == c) & beside[:, c] & np.isfinite(distance[:, c]), c], quantile[c])
        for c in range(len(pairs))
    ])  # fmt: skip
    length = np.linalg.norm(stop - start, axis=1)
    at_tip = np.isin(pairs[:, 1], _TIPS)
    end = np.where(at_tip, 1 - np.minimum(radius / length, 0.9), 1.0)
    capsules = Capsules(pairs[:, 0], pairs[:, 1], np.zeros(len(pairs)), end, radius, np.zeros((0, 2), int))
    return Capsules(
        *(getattr(capsules, f) for f in ("first", "second", "begin", "end", "radius")), _apart(capsules, keypoints)
    )


def _apart(capsules: Capsules, keypoints: np.ndarray) -> np.ndarray:
    """Pairs of capsules that don't overlap at rest."""
    a, b = np.triu_indices(len(capsules.radius), 1)
    start, stop = capsules.axes(keypoints)
    distance = closest(start[a], stop[a], start[b], stop[b])[0]
    return np.stack([a, b], 1)[distance > capsules.radius[a] + capsules.radius[b]]


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


def _to_segments(points: np.ndarray, start: np.ndarray, stop: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(v, c) share along each segment, and distance from it."""
    along = stop - start
    share = ((points[:, None] - start) * along).sum(-1) / (along * along).sum(-1)
    foot = start + np.clip(share, 0, 1)[..., None] * along
    return share, np.linalg.norm(points[:, None] - foot, axis=-1)
