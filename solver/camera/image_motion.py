"""How the whole picture moves from frame to frame: where Lucas-Kanade should begin to look.

A fast turn exceeds its reach, and a turn about the line of sight can't be told by a shift. An affine map is fitted to
thumbnails by enhanced correlation (Evangelidis and Psarakis 2008), starting from the motion before.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

_WIDTH_PX, _BLUR_PX = 160, 1.0
_STOP = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 20, 1e-3)
# A worse correlation is tried again from the shift of the whole image, a much worse one is no match.
_GOOD, _MATCH = 0.95, 0.6
_MIN_FREE_SHARE = 0.2


class ImageMotion:
    """Feed it frames in order. ``size``: (width, height) of them."""

    def __init__(self, size: tuple[int, int]) -> None:
        self._size = (_WIDTH_PX, max(16, round(_WIDTH_PX * size[1] / size[0])))
        self._step = size[0] / _WIDTH_PX
        self._window = cv2.createHanningWindow(self._size, cv2.CV_32F)
        self._before: np.ndarray | None = None
        self._affine = _still()

    def step(self, gray: np.ndarray, mask: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
        """A function from points (n, 2) in the frame before to about where they are in ``gray`` (h, w).

        What ``mask`` (h, w) covers does not count.
        """
        small = cv2.resize(gray, self._size, interpolation=cv2.INTER_AREA)
        small = cv2.GaussianBlur(small, (0, 0), _BLUR_PX)
        free = (cv2.resize(mask, self._size, interpolation=cv2.INTER_AREA) < 16).astype(np.uint8)
        if self._before is not None:
            self._affine = self._fit(small, free)
        self._before = small
        affine = self._affine
        return lambda points: (
            ((points / self._step) @ affine[:, :2].T.astype(float) + affine[:, 2].astype(float)) * self._step
        )

    def _fit(self, small: np.ndarray, free: np.ndarray) -> np.ndarray:
        if free.mean() < _MIN_FREE_SHARE:
            return _still()
        likeness, affine = _aligned(self._before, small, self._affine, free)
        if likeness < _GOOD:
            again = _aligned(self._before, small, self._shift(small), free)
            likeness, affine = max((likeness, affine), again, key=lambda answer: answer[0])
        return affine if likeness > _MATCH else _still()

    def _shift(self, small: np.ndarray) -> np.ndarray:
        """By phase correlation."""
        before, now = self._before.astype(np.float32), small.astype(np.float32)
        (dx, dy), response = cv2.phaseCorrelate(before, now, self._window)
        return np.array([[1, 0, dx], [0, 1, dy]], np.float32) if response > 0.05 else _still()


def _aligned(before: np.ndarray, now: np.ndarray, start: np.ndarray, free: np.ndarray) -> tuple[float, np.ndarray]:
    """Correlation and the affine map (2, 3) that takes ``before`` to ``now``."""
    try:
        likeness, affine = cv2.findTransformECC(before, now, start.copy(), cv2.MOTION_AFFINE, _STOP, free, 3)
    except cv2.error:
        # OpenCV asserts where the images do not overlap or are blank
        return -1.0, _still()
    return (likeness, affine) if np.isfinite(affine).all() else (-1.0, _still())


def _still() -> np.ndarray:
    return np.eye(2, 3, dtype=np.float32)
