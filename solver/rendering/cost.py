"""The rendered hands against their masks, pixel by pixel, as a cost of the joint solver."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from ..optimise.costs.base import Cost
from ..optimise.evaluation import Evaluation
from ..optimise.layout import BETA_COUNT, Window
from ..optimise.skin import SkinPoints
from ..optimise.system import System
from ..silhouette.contour import Posed, look
from ..silhouette.crop import SIZE, Crop
from ..silhouette.surface import Surface
from .band import Band, band
from .coverage import coverage
from .mesh import vertex_slopes, world_vertices
from .target import Target

_NEAREST_M = 0.05
_CHUNK = 64  # frames whose meshes are in memory at once


@dataclass(frozen=True)
class Rendered:
    """One hand's crop as rendered.

    Attributes:
        hands: hand-frames in it. bands: of each. slopes: of each (m,), of the picture by the band's coverage.
        misfit: (SIZE * SIZE,) rendered minus wanted, 0 where nothing is said.
        crop: where. positions: of each hand (V, 3), in the camera's frame.
    """

    hands: tuple[int, ...]
    bands: tuple[Band, ...]
    slopes: tuple[np.ndarray, ...]
    misfit: np.ndarray
    crop: Crop
    positions: tuple[np.ndarray, ...]


@dataclass(frozen=True, kw_only=True)
class RenderCost(Cost):
    """Rendered coverage minus the mask's, over its deviation, at every known pixel of every hand's crop.

    All hands of a frame are rendered together, so that what one hides of another is hidden here too. Derivatives are
    those of the picture as rendered (``band``, ``coverage``), so that two hands that share a pixel are coupled.
    Cameras and pose blend shapes are constants: an outline is no measurement of the camera.

    Attributes:
        surfaces, skins: by track: its mesh, and all of the mesh's vertices.
        targets: by hand-frame. blend: (N, V, 3) pose blend shapes, metres.
        softness: width of soft borders, crop pixels. information: of a pixel, as a square root.
        camera_from_world: (T, 3, 3); camera_centre: (T, 3) metres; focal_px, centre_px: (2,).
    """

    surfaces: tuple[Surface, ...]
    skins: tuple[SkinPoints, ...]
    targets: Mapping[int, Target]
    blend: np.ndarray
    softness: float
    information: float
    camera_from_world: np.ndarray
    camera_centre: np.ndarray
    focal_px: np.ndarray
    centre_px: np.ndarray

    name = "rendering"
    touches = ("wrists", "fingers", "betas")
    evidence = ("information",)

    def within(self, window: Window) -> Self:
        targets = {place: self.targets.get(hand) for place, hand in enumerate(window.hands.tolist())}
        return replace(
            self,
            surfaces=tuple(self.surfaces[track] for track in window.tracks),
            skins=tuple(self.skins[track] for track in window.tracks),
            targets={place: target for place, target in targets.items() if target is not None},
            blend=self.blend[window.hands],
            camera_from_world=self.camera_from_world[window.frames],
            camera_centre=self.camera_centre[window.frames],
        )

    def residuals(self, at: Evaluation) -> np.ndarray:
        rows = [self._root(hand) * shown.misfit for hand, shown in self.rendered(at)]
        return np.concatenate([np.zeros(0), *rows])[:, None]

    def value(self, at: Evaluation) -> float:
        return sum(0.5 * self._root(hand) ** 2 * (shown.misfit @ shown.misfit) for hand, shown in self.rendered(at))

    def add_to(self, system: System, at: Evaluation) -> None:
        for hand, shown in self.rendered(at):
            pixels, slopes = self._slopes(at, shown)
            root = self._root(hand)
            _add(system, at, shown.hands, root * shown.misfit[pixels], [(root * h, root * b) for h, b in slopes])

    def _root(self, hand: int) -> float:
        return self.information * float(np.sqrt(self.targets[hand].trust))

    def rendered(self, at: Evaluation) -> Iterator[tuple[int, Rendered]]:
        """Each hand-frame that has a target, with its crop as rendered; few frames are in memory at once."""
        frame_of = at.layout.frame_of
        wanted: dict[int, list[int]] = {}
        for hand in self.targets:
            wanted.setdefault(int(frame_of[hand]), []).append(hand)
        for start in range(0, at.layout.frame_count, _CHUNK):
            frames = [frame for frame in range(start, start + _CHUNK) if frame in wanted]
            there = self._meshes(at, np.isin(frame_of, frames)) if frames else {}
            for frame in frames:
                meshes = {hand: mesh for hand, mesh in there.items() if frame_of[hand] == frame}
                for hand in wanted[frame]:
                    if hand in meshes:
                        yield hand, self._render(at, hand, meshes)

    def _meshes(self, at: Evaluation, chosen: np.ndarray) -> dict[int, np.ndarray]:
        """(V, 3) in the camera's frame by hand-frame, of those chosen (N,) that are before the camera."""
        out = {}
        for index, track in enumerate(at.layout.tracks):
            hands = track.packed + np.flatnonzero(chosen[track.hands])
            if len(hands):
                frames = at.layout.frame_of[hands]
                world = world_vertices(at, index, hands, self.skins[index], self.blend[hands])
                seen = (world - self.camera_centre[frames, None]) @ self.camera_from_world[frames].swapaxes(-1, -2)
                out.update(zip(hands.tolist(), seen, strict=True))
        return {hand: mesh for hand, mesh in out.items() if mesh[:, 2].min() > _NEAREST_M}

    def _render(self, at: Evaluation, hand: int, meshes: Mapping[int, np.ndarray]) -> Rendered:
        target = self.targets[hand]
        places = {other: target.crop.inside(self._project(mesh)) for other, mesh in meshes.items()}
        hands = [hand, *(o for o, p in places.items() if o != hand and ((p.max(0) > 0) & (p.min(0) < SIZE)).all())]
        surfaces = [self.surfaces[at.layout.track_of[other]] for other in hands]
        view = look([Posed(s, meshes[o]) for s, o in zip(surfaces, hands, strict=True)], [places[o] for o in hands])
        bands = tuple(
            band(view, surface, index, 1 / meshes[other][:, 2], self.softness)
            for index, (surface, other) in enumerate(zip(surfaces, hands, strict=True))
        )
        shown = coverage(view, bands)
        misfit = np.where(target.known, shown.picture.reshape(SIZE, SIZE) - target.picture, 0.0).reshape(-1)
        return Rendered(tuple(hands), bands, shown.slopes, misfit, target.crop, tuple(meshes[o] for o in hands))

    def _project(self, mesh: np.ndarray) -> np.ndarray:
        return self.focal_px * mesh[:, :2] / mesh[:, 2:] + self.centre_px

    def _slopes(self, at: Evaluation, shown: Rendered) -> tuple[np.ndarray, list[tuple[np.ndarray, np.ndarray]]]:
        """Pixels (m,) whose misfit may feel a hand; by hand their slopes (m, d) by its columns and (m, 10) by betas."""
        pixels = np.unique(np.concatenate([band.pixels for band in shown.bands]))
        pixels = pixels[self._known(shown)[pixels]]
        return pixels, [self._hand_slopes(at, shown, index, pixels) for index in range(len(shown.hands))]

    def _known(self, shown: Rendered) -> np.ndarray:
        return self.targets[shown.hands[0]].known.reshape(-1)

    def _hand_slopes(
        self, at: Evaluation, shown: Rendered, index: int, pixels: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        hand, band = shown.hands[index], shown.bands[index]
        track = int(at.layout.track_of[hand])
        felt = np.flatnonzero(np.isin(band.pixels, pixels) & (shown.slopes[index] != 0))
        if not len(felt):
            return np.zeros((len(pixels), at.layout.hand_size)), np.zeros((len(pixels), BETA_COUNT))
        rows = np.searchsorted(pixels, band.pixels[felt])
        vertices, ends = np.unique(band.ends[felt], return_inverse=True)
        moved = vertex_slopes(
            at, track, hand, self.skins[track], self.blend[hand], vertices, self._by_world(at, shown, index, vertices)
        )
        # a pixel's coverage grows as the nearest point of the outline comes towards it
        towards = (shown.slopes[index][felt] / self.softness)[:, None] * band.normals[felt]
        shares = np.stack([1 - band.share[felt], band.share[felt]], axis=1)
        out = []
        for by in moved:
            slopes = np.zeros((len(pixels), by.shape[-1]))
            point = (shares[..., None, None] * by[ends.reshape(-1, 2)]).sum(1)
            slopes[rows] = (towards[:, None] @ point)[:, 0]
            out.append(slopes)
        return out[0], out[1]

    def _by_world(self, at: Evaluation, shown: Rendered, index: int, vertices: np.ndarray) -> np.ndarray:
        """(r, 2, 3) derivative of vertices' places in the crop by those in the world."""
        frame = at.layout.frame_of[shown.hands[index]]
        x, rotation = shown.positions[index][vertices], self.camera_from_world[frame]
        slope = shown.crop.scale * self.focal_px / x[:, 2:]
        return slope[..., None] * (rotation[:2] - (x[:, :2] / x[:, 2:])[..., None] * rotation[2])


def _add(
    system: System,
    at: Evaluation,
    hands: tuple[int, ...],
    residual: np.ndarray,
    slopes: list[tuple[np.ndarray, np.ndarray]],
) -> None:
    """Add rows (m,) of one frame that depend on several of its hands."""
    layout = at.layout
    frame = layout.frame_of[hands[0]]
    columns = [slice(c, c + layout.hand_size) for c in layout.column_of[list(hands)].tolist()]
    for own, (by_hand, _) in zip(columns, slopes, strict=True):
        system.gradient[frame, own] += by_hand.T @ residual
        for other, (by_other, _) in zip(columns, slopes, strict=True):
            system.diagonal[frame, own, other] += by_hand.T @ by_other
    if not layout.shape_free:
        return
    by_border = np.zeros((len(residual), layout.border_size))
    for hand, (_, by_shape) in zip(hands, slopes, strict=True):
        by_border[:, layout.betas_columns(layout.tracks[layout.track_of[hand]])] += by_shape
    system.corner += by_border.T @ by_border
    system.border_gradient += by_border.T @ residual
    for own, (by_hand, _) in zip(columns, slopes, strict=True):
        system.border[frame, own] += by_hand.T @ by_border
