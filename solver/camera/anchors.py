"""Points held to how they looked when they were found, so that following them from frame to frame does not drift.

Each step from a frame to the next is a little wrong, and the wrongs add up. A point that is held to its first look,
through an affine warp (Shi and Tomasi 1994), is only as wrong as one frame makes it. One step of the inverse
compositional method (Baker and Matthews 2004) per frame is enough: it begins where the trackers ended, with the warp of
the frame before.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

# Samples of a look: so many to a side, so far apart, of an image that is smoothed to be read so sparsely.
_SIDE, _SPACING_PX, _SMOOTH_PX = 15, 2, 1.0
# What holds a warp, and a place, back where the look tells little of them, in shares of what it tells of the place.
_STIFF_WARP, _STIFF_PLACE = 0.02, 4e-4
# From this correlation on a look is found again, not farther than this from where the trackers say, nor more warped.
_ALIKE, _MOST_PX, _MOST_WARP = 0.6, 1.5, 0.7
# A look that was not found for so many frames is taken anew.
_PATIENCE = 6
_GRID = ((np.stack(np.meshgrid(*[np.arange(_SIDE)] * 2), axis=-1).reshape(-1, 2) - _SIDE // 2) * _SPACING_PX).astype(
    np.float32
)
_EYE = np.eye(2, dtype=np.float32)


@dataclass(frozen=True)
class Anchors:
    """Attributes, of n points:
    looks: (n, S) float32, with zero mean and unit norm.
    pull: (n, 6, S) from differences of looks to a change of place (px) and warp.
    warps: (n, 2, 2) since the look was taken.
    missed: (n,) frames since the look was last found.
    """

    looks: np.ndarray
    pull: np.ndarray
    warps: np.ndarray
    missed: np.ndarray

    @classmethod
    def at(cls, smooth: np.ndarray, points: np.ndarray) -> Anchors:
        """How ``points`` (n, 2) (OpenCV's integer pixel centres) look in an image that was ``smoothed``."""
        return cls(*_taken(smooth, points), np.tile(_EYE, (len(points), 1, 1)), np.zeros(len(points), int))

    @classmethod
    def later(cls, count: int) -> Anchors:
        """Of so many points whose looks are taken when they are first to be held."""
        size = len(_GRID)
        nothing = np.zeros((count, size), np.float32), np.zeros((count, 6, size), np.float32)
        return cls(*nothing, np.tile(_EYE, (count, 1, 1)), np.full(count, _PATIENCE))

    def where(self, kept: np.ndarray) -> Anchors:
        return Anchors(self.looks[kept], self.pull[kept], self.warps[kept], self.missed[kept])

    def and_those(self, others: Anchors) -> Anchors:
        return Anchors(*(np.concatenate([getattr(self, name), getattr(others, name)]) for name in vars(self)))

    def held(self, smooth: np.ndarray, points: np.ndarray) -> tuple[Anchors, np.ndarray]:
        """``points`` (n, 2) moved to where they look as they did, or left where nothing looks so; and what holds them
        in the next frame."""
        now = _normalised(_sampled(smooth, points, self.warps))
        change = (self.pull @ (self.looks - now)[..., None])[..., 0]
        found = points + (self.warps @ change[:, :2, None])[..., 0]
        warps = self.warps + self.warps @ change[:, 2:].reshape(-1, 2, 2)
        good = (now * self.looks).sum(axis=1) > _ALIKE
        good &= np.linalg.norm(found - points, axis=1) < _MOST_PX
        good &= np.abs(warps - _EYE).max(axis=(1, 2)) < _MOST_WARP
        points = np.where(good[:, None], found, points).astype(np.float32)
        held = Anchors(
            self.looks, self.pull, np.where(good[:, None, None], warps, self.warps), np.where(good, 0, self.missed + 1)
        )
        return held._renewed(smooth, points), points

    def _renewed(self, smooth: np.ndarray, points: np.ndarray) -> Anchors:
        old = self.missed >= _PATIENCE
        if not old.any():
            return self
        anchors = self.where(np.arange(len(points)))
        anchors.looks[old], anchors.pull[old] = _taken(smooth, points[old])
        anchors.warps[old], anchors.missed[old] = _EYE, 0
        return anchors


def smoothed(gray: np.ndarray) -> np.ndarray:
    return cv2.GaussianBlur(gray, (0, 0), _SMOOTH_PX)


def _taken(smooth: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    still = np.tile(_EYE, (len(points), 1, 1))
    values = _sampled(smooth, points, still)
    norm, look = _norm(values), _normalised(values)
    gx, gy = (
        (_sampled(smooth, points + step, still) - _sampled(smooth, points - step, still)) / (2 * norm) for step in _EYE
    )
    u, v = _GRID.T
    slopes = np.stack([gx, gy, gx * u, gx * v, gy * u, gy * v], axis=1)
    # what a change of brightness or contrast explains is no change of place
    slopes -= slopes.mean(axis=2, keepdims=True)
    slopes -= (slopes @ look[..., None]) * look[:, None, :]
    gram = slopes @ slopes.transpose(0, 2, 1)
    told = np.trace(gram[:, :2, :2], axis1=1, axis2=2)[:, None, None] + np.float32(1e-9)
    reach_px = _SIDE * _SPACING_PX / 2
    stiffness = np.diag([_STIFF_PLACE] * 2 + [_STIFF_WARP * reach_px**2] * 4).astype(np.float32)
    return look, np.linalg.inv(gram + told * stiffness) @ slopes


def _norm(values: np.ndarray) -> np.ndarray:
    return np.maximum(values.std(axis=1, keepdims=True) * np.float32(np.sqrt(values.shape[1])), np.float32(1e-3))


def _normalised(values: np.ndarray) -> np.ndarray:
    return (values - values.mean(axis=1, keepdims=True)) / _norm(values)


def _sampled(smooth: np.ndarray, points: np.ndarray, warps: np.ndarray) -> np.ndarray:
    """(n, S) float32 around ``points`` (n, 2), through ``warps`` (n, 2, 2)."""
    if not len(points):
        return np.zeros((0, len(_GRID)), np.float32)
    places = (points[:, None, :] + _GRID @ warps.transpose(0, 2, 1)).astype(np.float32)
    return cv2.remap(smooth, places, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).astype(np.float32)
