"""The hands' outlines: points of the skin held to lines in the picture."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from ..evaluation import Evaluation
from ..layout import Window
from ..skin import Skinned, SkinPoints, along, skinned
from .base import Rows, RowsCost

_NEAREST = 0.03


@dataclass(frozen=True, kw_only=True)
class ContourCost(RowsCost):
    """Point to line: ``normal . project(x) - place``, for points x of the skin that make the outline.

    Which points make it, and which line each belongs to, is found anew from time to time (``silhouette.matching``) and
    is a constant here, as are the pose blend shapes and the camera: an outline is no measurement of the camera.

    Attributes:
        skins: the points, by track.
        points: (N, R) which of them; normals: (N, R, 2) 1/px, the line's normal over its deviation, 0 in unused rows;
            places: (N, R) the line's place along that normal.
        blend: (N, R, 3) the points' pose blend shapes, metres.
        camera_from_world: (T, 3, 3); camera_centre: (T, 3) metres; focal_px, centre_px: (2,).
    """

    skins: tuple[SkinPoints, ...]
    points: np.ndarray
    normals: np.ndarray
    places: np.ndarray
    blend: np.ndarray
    camera_from_world: np.ndarray
    camera_centre: np.ndarray
    focal_px: np.ndarray
    centre_px: np.ndarray

    name = "contour"
    touches = ("wrists", "fingers", "betas")
    evidence = ("normals", "places")

    def within(self, window: Window) -> Self:
        rows = {name: getattr(self, name)[window.hands] for name in ("points", "normals", "places", "blend")}
        return replace(
            self,
            skins=tuple(self.skins[track] for track in window.tracks),
            camera_from_world=self.camera_from_world[window.frames],
            camera_centre=self.camera_centre[window.frames],
            **rows,
        )

    def residuals(self, at: Evaluation) -> np.ndarray:
        out = np.zeros(self.places.shape)
        for index, track in enumerate(at.layout.tracks):
            known = self._known(track.hands)
            if len(known):
                out[known] = self._residual(at, known, self._skinned(at, index, known))[0]
        return out.reshape(-1, 1)

    def linearise(self, at: Evaluation, index: int, hands: slice) -> Rows | None:
        known = self._known(hands)
        if not len(known):
            return None
        skin = self._skinned(at, index, known)
        residual, directions = self._residual(at, known, skin)
        by_hand, by_shape = along(self.skins[index], at.layout.tracks[index].bare, skin, directions)
        return Rows(known, residual, by_hand, by_shape)

    def _known(self, hands: slice) -> np.ndarray:
        return hands.start + np.flatnonzero(self.normals[hands].any((1, 2)))

    def _skinned(self, at: Evaluation, index: int, hands: np.ndarray) -> Skinned:
        track = at.layout.tracks[index]
        return skinned(
            self.skins[index], track.bare, at.betas(track), at.hands(hands), self.points[hands], self.blend[hands]
        )

    def _residual(self, at: Evaluation, hands: np.ndarray, skin: Skinned) -> tuple[np.ndarray, np.ndarray]:
        """(n, r) residuals, and their (n, r, 3) derivative by the points' world positions."""
        frames = at.layout.frame_of[hands]
        rotation, normals = self.camera_from_world[frames], self.normals[hands]
        x = (skin.positions - self.camera_centre[frames, None]) @ rotation.swapaxes(-1, -2)
        depth = np.maximum(x[..., 2:], _NEAREST)
        slope = normals * self.focal_px / depth
        forward = np.where(x[..., 2:] > _NEAREST, -(slope * x[..., :2]).sum(-1, keepdims=True) / depth, 0.0)
        residual = (slope * x[..., :2]).sum(-1) + normals @ self.centre_px - self.places[hands]
        return residual, np.concatenate([slope, forward], axis=-1) @ rotation
