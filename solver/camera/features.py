"""SIFT features of keyframes: they link what Lucas-Kanade tracks lose behind hands, in blur and after a look around."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

FEATURES = 800
# Lowe's ratio, on RootSIFT (Arandjelovic and Zisserman 2012); one-to-one matches only
RATIO = 0.85
MAX_DISTANCE = 0.8


@dataclass(frozen=True)
class Keyframe:
    """``row`` of the frame; features (n, 2) in working px (half-integer centres), RootSIFT (n, 128) float16."""

    row: int
    points_px: np.ndarray
    descriptors: np.ndarray


def describe(row: int, gray: np.ndarray, mask: np.ndarray) -> Keyframe:
    """Features of ``gray`` (h, w) uint8 where ``mask`` is 0."""
    sift = cv2.SIFT_create(nfeatures=FEATURES, contrastThreshold=0.015)
    # OpenCV doubles the image first: from half the size it begins at the working image's own pixels, four times faster
    small, small_mask = (cv2.resize(i, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA) for i in (gray, mask))
    keypoints, descriptors = sift.detectAndCompute(small, np.where(small_mask > 0, 0, 255).astype(np.uint8))
    if descriptors is None:
        return Keyframe(row, np.zeros((0, 2)), np.zeros((0, 128), np.float16))
    root = np.sqrt(descriptors / np.maximum(descriptors.sum(axis=1, keepdims=True), 1e-9))
    return Keyframe(row, 2 * (np.array([k.pt for k in keypoints]) + 0.5), root.astype(np.float16))


def match(first: Keyframe, second: Keyframe) -> np.ndarray:
    """(n, 2) indices of features that are each other's best match and pass the ratio test."""
    if min(len(first.points_px), len(second.points_px)) < 8:
        return np.zeros((0, 2), int)
    similarity = first.descriptors.astype(np.float32) @ second.descriptors.astype(np.float32).T
    squared = np.clip(2 - 2 * similarity, 0, None)
    best = squared.argmin(axis=1)
    nearest = np.partition(squared, 1, axis=1)[:, :2]
    mutual = squared.argmin(axis=0)[best] == np.arange(len(best))
    good = mutual & (nearest[:, 0] < RATIO**2 * nearest[:, 1]) & (nearest[:, 0] < MAX_DISTANCE)
    return np.stack([np.flatnonzero(good), best[good]], axis=1)


def agreeing(first: Keyframe, second: Keyframe, tolerance_px: float = 2.0) -> np.ndarray:
    """The matches that one fundamental matrix explains, (0, 2) where fewer than 15 do."""
    pairs = match(first, second)
    if len(pairs) < 15:
        return np.zeros((0, 2), int)
    try:
        _, inliers = cv2.findFundamentalMat(
            first.points_px[pairs[:, 0]], second.points_px[pairs[:, 1]], cv2.USAC_MAGSAC, tolerance_px, 0.999, 1000
        )
    except cv2.error:
        return np.zeros((0, 2), int)
    if inliers is None or inliers.sum() < 15:
        return np.zeros((0, 2), int)
    return pairs[inliers[:, 0] == 1]
