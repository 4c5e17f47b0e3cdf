"""Masks made larger and smaller by discs."""

from __future__ import annotations

import cv2
import numpy as np


def _disc(radius: int) -> np.ndarray:
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))


def grown(mask: np.ndarray, radius: int) -> np.ndarray:
    """(h, w) bool, all within ``radius`` pixels of a mask."""
    return cv2.dilate(mask.astype(np.uint8), _disc(radius)) > 0


def shrunk(mask: np.ndarray, radius: int) -> np.ndarray:
    """(h, w) bool, a mask without what is within ``radius`` pixels of its border; it goes on beyond the picture."""
    return cv2.erode(mask.astype(np.uint8), _disc(radius), borderValue=1) > 0


def opened(mask: np.ndarray, radius: int) -> np.ndarray:
    """(h, w) bool, a mask without what a disc of ``radius`` pixels doesn't fit into."""
    return cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, _disc(radius), borderValue=0) > 0
