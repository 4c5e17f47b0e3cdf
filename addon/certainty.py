"""How sure a take is of each hand and finger, where it isn't, and why. NumPy only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..solver.hand_model.layout import FINGERS
from ..solver.take import INFILLED, MISSING, Take

# deviation of a fingertip, relative to the wrist, at which it is as likely useful as not: twice that of a hand that is
# seen well (about 20 mm, most of it depth), a third of that of a hidden one
_HALF_SURE_M = 0.045
# a hand whose landmarks are this uncertain, in shares of its size, was blurred or too small
_BLURRED = 0.08
# share of a hand's box that the other's covers when it hides behind it
_COVERED = 0.35
# landmarks this near to the border, in shares of the hand's size, leave the picture
_AT_BORDER = 0.1

REASONS = {
    "": "Fine",
    "outside": "Out of view",
    "hidden": "Hidden by the other hand",
    "blurred": "Blurred, or very small",
    "undetected": "No detection",
    "infilled": "Filled in between sightings",
    "apart": "Far from what was seen",
}


@dataclass(frozen=True)
class HandReview:
    """One hand over the take's T frames.

    Attributes:
        confidence: (T,) 0..1. fingers: (T, 5) 0..1, thumb first.
        reason: (T,) keys of REASONS.
        error_px: (T,) reprojection, NaN where unknown; error_share: the same in shares of the hand's size.
    """

    confidence: np.ndarray
    fingers: np.ndarray
    reason: np.ndarray
    error_px: np.ndarray
    error_share: np.ndarray

    def weak(self, below: float) -> np.ndarray:
        """(T,) bool: is the hand, or a finger, less sure than that?"""
        return np.minimum(self.confidence, self.fingers.min(axis=1)) < below


def of_take(take: Take) -> list[HandReview]:
    """One for each of the take's hands."""
    return [of_hand(take, row) for row in range(len(take.sides))]


def described(review: HandReview, row: int) -> str:
    """One frame of a hand in words."""
    words = [f"{review.confidence[row]:.0%} sure"]
    if np.isfinite(review.error_px[row]):
        words.append(f"{review.error_px[row]:.1f} px off ({review.error_share[row]:.1%} of the hand)")
    fingers = [name for name, sure in zip(FINGERS, review.fingers[row], strict=True) if sure < 0.5]
    if 0 < len(fingers) < 5:
        words.append(f"unsure of {', '.join(fingers)}")
    if review.reason[row]:
        words.append(REASONS[review.reason[row]].lower())
    return ", ".join(words)


def coverage(take: Take, row: int) -> tuple[float, float]:
    """Shares of the frames in which a hand was seen, and in which it was filled in."""
    return float(((take.status[row] != MISSING) & (take.status[row] != INFILLED)).mean()), float(
        (take.status[row] == INFILLED).mean()
    )


def of_hand(take: Take, row: int) -> HandReview:
    """One of the take's hands."""
    there = take.status[row] != MISSING
    low, high = take.keypoints_px[row].min(axis=1), take.keypoints_px[row].max(axis=1)
    size_px = (high - low).max(axis=1)
    error_px = take.reprojection_px[row] if take.reprojection_px.size else np.full(len(there), np.nan)
    confidence = np.where(there, take.confidence[row], 0.0)
    fingers = _fingers(take, row, confidence)
    reason = np.full(len(there), "", dtype="U10")
    blur_px = np.sqrt(np.median(np.trace(take.keypoint_covariance_px[row], axis1=-2, axis2=-1) / 2, axis=-1))
    with np.errstate(invalid="ignore"):
        reason[error_px > 0.15 * size_px] = "apart"
        reason[blur_px > _BLURRED * size_px] = "blurred"
        reason[_covered(take, row)] = "hidden"
        margin = _AT_BORDER * size_px[:, None]
        reason[((low < -margin) | (high > np.array(take.size) + margin)).any(axis=1)] = "outside"
    reason[take.status[row] == INFILLED] = "infilled"
    reason[~there] = "undetected"
    return HandReview(confidence, fingers, reason, error_px, error_px / size_px)


def _fingers(take: Take, row: int, confidence: np.ndarray) -> np.ndarray:
    """(T, 5): by the deviation of the fingertips, or all alike where none was computed."""
    sigma = take.joint_sigma[row][:, [4, 8, 12, 16, 20]]
    sure = 1.0 / (1.0 + (sigma / _HALF_SURE_M) ** 2)
    there = take.status[row] != MISSING
    return np.where(there[:, None], np.where(np.isfinite(sure), sure, confidence[:, None]), 0.0)


def _covered(take: Take, row: int) -> np.ndarray:
    """(T,) does another hand's box cover much of this one's?"""
    out = np.zeros(len(take.frames), bool)
    low, high = take.keypoints_px[row].min(axis=1), take.keypoints_px[row].max(axis=1)
    for other in range(len(take.sides)):
        if other == row:
            continue
        points = take.keypoints_px[other]
        overlap = np.minimum(high, points.max(axis=1)) - np.maximum(low, points.min(axis=1))
        with np.errstate(invalid="ignore"):
            out |= np.maximum(overlap, 0).prod(axis=1) > _COVERED * (high - low).prod(axis=1)
    return out
