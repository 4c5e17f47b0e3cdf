"""Where a mask's border runs, from the light that its pixels hold.

A pixel on a border, or one that a moving border swept, holds light of the hand for a share of its area and of the
exposure, and of the background for the rest: where the share is one half, the border was at mid exposure. Shares add up
in light, not in a picture's values, which are about its 2.2nd root: by values the brighter side looks broader.
"""

from __future__ import annotations

import cv2
import numpy as np

from .morphology import grown, shrunk

_BAND = 2  # crop pixels: how far a border may move
_WINDOW, _LEAST_PIXELS = 7, 3.5  # where colours on either side are looked up
_WITHIN, _BEYOND = 1, 2  # crop pixels: nearer to the border colours are mixed
_LEAST_CONTRAST = 12 / 255  # of light; with less between the sides shares are noise
_LIGHT = np.power(np.arange(256) / 255, 2.2).astype(np.float32)  # of a picture's values


def refined(inside: np.ndarray, picture: np.ndarray, outside: np.ndarray) -> np.ndarray:
    """A mask (h, w) with its border where pixels hold as much light of the hand as of what is beside it.

    Args:
        picture: (h, w, 3) RGB, uint8. outside: (h, w) bool, beyond the picture.
    """
    light = _LIGHT[picture]
    hand, hand_known = _beside(light, shrunk(inside, _WITHIN))
    ground, ground_known = _beside(light, ~grown(inside, _BEYOND) & ~outside)
    contrast = hand - ground
    squared = (contrast**2).sum(-1)
    here = cv2.GaussianBlur(light, (0, 0), 0.6)
    more_hand = ((here - ground) * contrast).sum(-1) > 0.5 * squared
    told = hand_known & ground_known & (squared > _LEAST_CONTRAST**2) & grown(inside, _BAND) & ~shrunk(inside, _BAND)
    return cv2.medianBlur(np.where(told, more_hand, inside).astype(np.uint8), 3) > 0


def _beside(light: np.ndarray, where: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(h, w, 3) mean light around each pixel of those that a mask has, (h, w) bool where there are enough."""
    weight, window = where.astype(np.float32), (_WINDOW, _WINDOW)
    count = cv2.boxFilter(weight, -1, window, normalize=False)
    total = cv2.boxFilter(light * weight[..., None], -1, window, normalize=False)
    return total / np.maximum(count, 1)[..., None], count > _LEAST_PIXELS
