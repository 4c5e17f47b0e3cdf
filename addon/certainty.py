"""How sure a take is of each hand and finger, where it isn't, and why. NumPy only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..solver.hand_model.layout import FINGERS
from ..solver.take import MISSING, OBSERVED, RESTING, Take

# deviation of a fingertip, relative to the wrist, at which it is as likely useful as not: twice that of a hand that is
# seen well (about 20 mm, most of it depth), a third of that of a hidden one
_HALF_SURE_M = 0.045
# a hand whose landmarks are this uncertain, in shares of its size, was blurred or too small
_BLURRED = 0.08
# share of a hand's box that the other's covers when it hides behind it
_COVERED = 0.35
_FINGERTIPS = [4, 8, 12, 16, 20]
# landmarks this near to the border, in shares of the hand's size, leave the picture
_AT_BORDER = 0.1

REASONS = {
    "": "Fine",
    "outside": "Partly out of view",
    "hidden": "Hidden by the other hand",
    "blurred": "Blurred, or very small",
    "undetected": "No detection",
    "infilled": "Filled in between sightings",
    "resting": "Out of sight for long: at rest",
    "apart": "Far from what was seen",
}


@dataclass(frozen=True)
class Footage:
    """What a take has of a hand in its T frames: (T,) size in the picture in px, and four times bool."""

    size_px: np.ndarray
    blurred: np.ndarray
    hidden: np.ndarray
    outside: np.ndarray
    resting: np.ndarray


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

    def coverage(self) -> tuple[float, float]:
        """Shares of the frames in which the hand was seen, and in which it was filled in."""
        infilled = float(np.isin(self.reason, ("infilled", "resting")).mean())
        return 1.0 - infilled - float((self.reason == "undetected").mean()), infilled

    def weak(self, below: float) -> np.ndarray:
        """(T,) bool: is the hand, or a finger, less sure than that?"""
        return np.minimum(self.confidence, self.fingers.min(axis=1)) < below


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


def of_hand(take: Take, row: int) -> HandReview:
    """One of the take's hands, as it was solved."""
    there = take.status[row] != MISSING
    confidence = np.where(there, take.confidence[row], 0.0)
    fingers = np.where(there[:, None], of_fingers(take.joint_sigma[row][:, _FINGERTIPS], confidence), 0.0)
    infilled = there & (take.status[row] != OBSERVED)
    return judged(footage(take, row), there, infilled, confidence, fingers, errors_px(take, row))


def errors_px(take: Take, row: int) -> np.ndarray:
    """(T,) reprojection as it was solved, NaN where it is not known and where the hand is filled in."""
    if not take.reprojection_px.size:
        return np.full(len(take.frames), np.nan)
    return np.where(take.status[row] == OBSERVED, take.reprojection_px[row], np.nan)


def of_fingers(sigma: np.ndarray, confidence: np.ndarray) -> np.ndarray:
    """(n, 5) 0..1 by the fingertips' deviations (n, 5) in metres; where there is none, the hand's confidence (n,)."""
    sure = 1.0 / (1.0 + (sigma / _HALF_SURE_M) ** 2)
    return np.where(np.isfinite(sure), sure, confidence[:, None])


def footage(take: Take, row: int) -> Footage:
    """Of one of the take's hands."""
    low, high = take.keypoints_px[row].min(axis=1), take.keypoints_px[row].max(axis=1)
    size_px = (high - low).max(axis=1)
    blur_px = np.sqrt(np.median(np.trace(take.keypoint_covariance_px[row], axis1=-2, axis2=-1) / 2, axis=-1))
    with np.errstate(invalid="ignore"):
        margin = _AT_BORDER * size_px[:, None]
        outside = ((low < -margin) | (high > np.array(take.size) + margin)).any(axis=1)
        blurred = blur_px > _BLURRED * size_px
    return Footage(size_px, blurred, _covered(take, row), outside, take.status[row] == RESTING)


def judged(
    seen: Footage,
    there: np.ndarray,
    infilled: np.ndarray,
    confidence: np.ndarray,
    fingers: np.ndarray,
    error_px: np.ndarray,
) -> HandReview:
    """The reasons for what is known of a hand: (T,) is it there, is it filled in, and as in ``HandReview``."""
    reason = np.full(len(there), "", dtype="U10")
    with np.errstate(invalid="ignore"):
        reason[error_px > 0.15 * seen.size_px] = "apart"
    reason[seen.blurred] = "blurred"
    reason[seen.hidden] = "hidden"
    reason[seen.outside] = "outside"
    reason[infilled] = "infilled"
    reason[infilled & seen.resting] = "resting"
    reason[~there] = "undetected"
    return HandReview(confidence, fingers, reason, error_px, error_px / seen.size_px)


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
