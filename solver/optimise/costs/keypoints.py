"""2D landmarks, whitened by their covariance: the evidence."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from ..evaluation import Evaluation
from ..layout import Track, Window
from ..system import VIEW_SIZE, PointTerms
from .base import PointCost

# a landmark nearer than this to the camera's plane has no useful projection; its depth is held there
_NEAREST = 0.03


@dataclass(frozen=True, kw_only=True)
class KeypointCost(PointCost):
    """Reprojection: ``W (project(x) - z)`` with ``W' W`` the inverse covariance.

    Attributes:
        targets_px: (N, 21, 2) observed landmarks (any value where ``whitening`` is 0).
        whitening: (N, 21, 2, 2) 1/px; 0 where nothing was seen.
    """

    targets_px: np.ndarray
    whitening: np.ndarray

    name = "keypoints"
    touches = ("wrists", "fingers", "betas", "camera", "scale", "focal", "offsets")
    evidence = ("whitening",)

    def within(self, window: Window) -> Self:
        return replace(self, targets_px=self.targets_px[window.hands], whitening=self.whitening[window.hands])

    def residuals(self, at: Evaluation) -> np.ndarray:
        return self._errors(at, slice(None)).reshape(-1, 2)

    def _errors(self, at: Evaluation, hands: slice) -> np.ndarray:
        x = at.points_camera[hands]
        projected = at.focal_px * x[..., :2] / np.maximum(x[..., 2:], _NEAREST) + at.view.centre_px
        difference = projected - self.targets_px[hands]
        return (self.whitening[hands] @ difference[..., None])[..., 0]

    def terms(self, at: Evaluation, track: Track, hands: slice) -> PointTerms | None:
        if not self.whitening[hands].any():
            return None
        frames = at.layout.frame_of[hands]
        rotation = at.state.camera_from_world[frames]
        x = at.points_camera[hands]
        error = self._errors(at, hands)
        weight = self.kernel.weight((error * error).sum(-1))
        by_camera_point = _times(self.whitening[hands], _projection_slope(x, at.focal_px))  # (n, 21, 2, 3)
        slope = by_camera_point @ rotation[:, None]
        weighted = weight[..., None, None] * slope
        gradient = (weighted * error[..., None]).sum(-2)
        hessian = _outer(weighted, slope)
        if not at.layout.view_free:
            return PointTerms(gradient, hessian)
        view = self._view_slope(at, hands, x, by_camera_point, slope)
        weighted_view = weight[..., None, None] * view
        return PointTerms(
            gradient,
            hessian,
            _outer(weighted, view),
            np.einsum("nkrv,nkrw->nvw", weighted_view, view, optimize=True),
            np.einsum("nkrv,nkr->nv", weighted_view, error),
        )

    def _view_slope(
        self, at: Evaluation, hands: slice, x: np.ndarray, by_camera_point: np.ndarray, slope: np.ndarray
    ) -> np.ndarray:
        """(n, 21, 2, 8) by camera turn (left), centre, log scale, log focal."""
        frames = at.layout.frame_of[hands]
        out = np.empty((*x.shape[:2], 2, VIEW_SIZE))
        jx, jy, jz = np.moveaxis(by_camera_point, -1, 0)
        px, py, pz = np.moveaxis(x[..., None, :], -1, 0)
        # d x / d turn = -hat(x)
        out[..., 0], out[..., 1], out[..., 2] = jz * py - jy * pz, jx * pz - jz * px, jy * px - jx * py
        out[..., 3:6] = -np.exp(at.state.log_scale) * slope
        out[..., 6] = -(slope * at.scaled_centre[frames, None, None]).sum(-1)
        centred = at.focal_px * x[..., :2] / np.maximum(x[..., 2:], _NEAREST)
        out[..., 7] = (self.whitening[hands] @ centred[..., None])[..., 0]
        return out


def _projection_slope(x: np.ndarray, focal_px: np.ndarray) -> np.ndarray:
    """(..., 2, 3) derivative of the pinhole's image by the point in the camera's frame."""
    z = np.maximum(x[..., 2], _NEAREST)
    out = np.zeros((*x.shape[:-1], 2, 3))
    out[..., 0, 0], out[..., 1, 1] = focal_px[0] / z, focal_px[1] / z
    out[..., 2] = np.where(x[..., 2:] > _NEAREST, -focal_px * x[..., :2] / (z * z)[..., None], 0.0)
    return out


def _times(small: np.ndarray, wide: np.ndarray) -> np.ndarray:
    """(..., 2, 2) @ (..., 2, k) without NumPy's overhead for tiny matrices."""
    return small[..., 0, None] * wide[..., None, 0, :] + small[..., 1, None] * wide[..., None, 1, :]


def _outer(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """(..., 2, a)' @ (..., 2, b) without NumPy's overhead for tiny matrices."""
    return left[..., 0, :, None] * right[..., 0, None, :] + left[..., 1, :, None] * right[..., 1, None, :]


def whitening_of(covariance_px: np.ndarray) -> np.ndarray:
    """(..., 2, 2) matrices W with ``W' W`` = covariance^-1 (inverse of the lower Cholesky factor)."""
    a, b, c = covariance_px[..., 0, 0], covariance_px[..., 1, 0], covariance_px[..., 1, 1]
    first = np.sqrt(a)
    below = b / first
    second = np.sqrt(c - below * below)
    out = np.zeros(covariance_px.shape)
    out[..., 0, 0], out[..., 1, 1], out[..., 1, 0] = 1 / first, 1 / second, -below / (first * second)
    return out
