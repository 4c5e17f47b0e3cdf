"""What the skin's shading is worth: ``python -m tools.shading_bench FOLDER [CLIP ...]`` over clips of ``tools.truth``.

Per clip, with its true camera and the product's own masks: the outlines' result, then that with the picture inside the
hands taken up, too; the same after the rendering stage. Points of the skin get an albedo each, learnt over their track
as it is posed, in light of second order spherical harmonics (R. Ramamoorthi, P. Hanrahan, SIGGRAPH 2001) that is one
for the clip and fixed in its world; how a frame's picture differs from that is brought to nothing along its gradient
(Lucas, Kanade 1981), in the solver beside all else. Not in the product, as the figures say.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from solver import optimise
from solver.camera.cameras import CameraPath
from solver.hand_model import loading
from solver.optimise.costs import ContourCost
from solver.optimise.kernels import GemanMcClure
from solver.optimise.refine import continued
from solver.optimise.solve import Stage, run
from solver.rendering.stage import fit_rendered
from solver.silhouette.contour import sample
from solver.silhouette.evidence import Lens
from solver.silhouette.mattes import NONE
from solver.silhouette.morphology import shrunk
from solver.silhouette.outlines import PosedHands, point_blend
from solver.silhouette.stage import Outlined
from solver.silhouette.surface import Surface, edge_points, surface_of
from solver.video import Clip

from . import outline_bench as bench

_POINTS = 160
_WITHIN = 4  # crop pixels from the mask's border: nearer to it, the picture is also of what lies beside the hand
_ROUNDS, _FITS = 3, 4
_STAGE = Stage("shading", steps=3, tolerance=1e-3)
_SHARE = 0.1  # of independent evidence in a point: neighbours err alike


@dataclass(frozen=True)
class _Look:
    """A hand-frame's points: which edges, where (n, 2) px, normals (n, 3) in the world, light (n,), gradient (n, 2)."""

    edges: np.ndarray
    places_px: np.ndarray
    normals: np.ndarray
    light: np.ndarray
    gradient: np.ndarray


def _looks(outlined: Outlined, surfaces: list[Surface], camera: CameraPath, clip: Clip) -> dict[int, _Look]:
    """By hand-frame with a mask."""
    refined, out = outlined.refined, {}
    at, first = refined.problem.at(refined.state), int(refined.origin.clip.frames[0])
    hands, lens = PosedHands.of(at, surfaces), Lens(camera)
    for number, image in clip.frames():
        for hand in hands.present(number - first):
            seen = outlined.evidence.get(hand)
            if seen is None or not hands.beside(hand):
                continue
            picture = cv2.cvtColor(lens.cut(image, seen.crop), cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
            picture = cv2.GaussianBlur(picture**2.2, (0, 0), 1.5)
            slopes = [cv2.Sobel(picture, cv2.CV_32F, *axis, ksize=3) / 8 for axis in ((1, 0), (0, 1))]
            known = shrunk(seen.inside, _WITHIN) & ~seen.unknown & (hands.view(hand, seen.crop).owner == 0)
            turn = at.state.camera_from_world[number - first]
            found = _look(hands, hand, np.dstack([picture, *slopes, known]), seen.crop, turn)
            if len(found.edges) > 20:
                out[hand] = found
    return out


def _look(hands: PosedHands, hand: int, picture: np.ndarray, crop, camera_from_world: np.ndarray) -> _Look:
    surface, vertices = hands.surface(hand), hands.vertices[hand]
    edges = np.arange(0, len(surface.edges), max(1, len(surface.edges) // (4 * _POINTS)))
    corners = vertices[surface.faces]
    flat = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals = flat[surface.edge_faces[edges]].sum(1)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    middle = vertices[surface.edges[edges]].mean(1)
    places = hands.project(hand)[surface.edges[edges]].mean(1)
    told = sample(picture, crop.inside(places))
    facing = -(normals * middle).sum(1) > 0.4 * np.linalg.norm(middle, axis=1)
    good = np.flatnonzero(facing & (told[:, 3] > 0.99))
    good = good[np.linspace(0, len(good) - 1, min(_POINTS, len(good))).astype(int)]
    return _Look(
        edges[good], places[good], normals[good] @ camera_from_world, told[good, 0], told[good, 1:3] * crop.scale
    )


def _harmonics(n: np.ndarray) -> np.ndarray:
    """(m, 9) of unit normals, up to constant factors."""
    x, y, z = n.T
    return np.stack([np.ones_like(x), x, y, z, x * y, y * z, z * x, x * x - y * y, 3 * z * z - 1], axis=1)


def _appearance(looks: list[_Look], count: int) -> tuple[list[np.ndarray], float]:
    """What light each point of each look should have, and the deviation from that."""
    edges, light = (np.concatenate([getattr(look, name) for look in looks]) for name in ("edges", "light"))
    basis, albedo = _harmonics(np.concatenate([look.normals for look in looks])), np.ones(count)
    for _ in range(_FITS):
        shade = basis @ np.linalg.lstsq(albedo[edges, None] * basis, light, rcond=None)[0]
        own, both = (np.bincount(edges, values, count) for values in (shade**2, shade * light))
        prior = 3 * float((shade**2).mean())  # a point that is seen rarely has the albedo of most
        albedo = (both + prior) / (own + prior)
    wanted = albedo[edges] * shade
    deviation = 1.4826 * float(np.median(np.abs(light - wanted)))
    return np.split(wanted, np.cumsum([len(look.edges) for look in looks])[:-1]), max(deviation, 1e-4)


def _shading_cost(cost: ContourCost, looks: Mapping[int, _Look], at, surfaces: list[Surface]) -> ContourCost:
    """``cost``'s cameras with points that are held to their light."""
    n = at.layout.hand_count
    points, places = np.zeros((n, _POINTS), np.int32), np.zeros((n, _POINTS))
    normals, blend = np.zeros((n, _POINTS, 2)), np.zeros((n, _POINTS, 3))
    skins = tuple(edge_points(surface) for surface in surfaces)
    for index, track in enumerate(at.layout.tracks):
        mine = [hand for hand in range(track.hands.start, track.hands.stop) if hand in looks]
        if not mine:
            continue
        wanted, deviation = _appearance([looks[hand] for hand in mine], len(surfaces[index].edges))
        for hand, light in zip(mine, wanted, strict=True):
            look, used = looks[hand], slice(0, len(looks[hand].edges))
            slope = np.sqrt(_SHARE) / deviation * look.gradient
            points[hand, used], normals[hand, used] = look.edges, slope
            error = np.sqrt(_SHARE) / deviation * (light - look.light)
            places[hand, used] = (slope * look.places_px).sum(1) + error
        blend[track.hands] = point_blend(at, index, skins[index].blend, points[track.hands])
    return replace(
        cost, skins=skins, points=points, normals=normals, places=places, blend=blend, kernel=GemanMcClure(3.0)
    )


def _shaded(outlined: Outlined, models: Mapping, camera: CameraPath, clip: Clip) -> Outlined:
    """The state after rounds of learning how the skin looks and of solving."""
    refined = outlined.refined
    surfaces = [surface_of(models[track.bare.side]) for track in refined.problem.layout.tracks]
    cameras = next(cost for cost in refined.problem.costs if isinstance(cost, ContourCost))
    for _ in range(_ROUNDS):
        looks = _looks(replace(outlined, refined=refined), surfaces, camera, clip)
        at = refined.problem.at(refined.state)
        problem = replace(
            refined.problem, costs=(*outlined.refined.problem.costs, _shading_cost(cameras, looks, at, surfaces))
        )
        *_, iterate = run(problem, refined.state, (_STAGE,))
        refined = continued(refined.origin, problem, iterate)
    return replace(outlined, refined=refined)


def measure(folder: Path) -> Iterator[tuple[str, bench.Figures]]:
    """Without and with shading, after the outlines and after rendering."""
    clip, truth, camera = bench.opened(folder)
    models = loading.load_pair("open")
    true, started = bench.TrueMasks(folder, camera), bench.begin(clip, camera, models, None)
    refined = bench.optimised(clip, camera, models, started, replace(optimise.FINAL, outlines=False))
    outlined, _ = bench.fit(refined, models, camera, clip, NONE)
    *_, rendered = fit_rendered(outlined, models)
    for name, of in (("outlines", outlined), ("rendered", rendered)):
        yield name, bench.figures_of(of.refined, truth, true, models)
        yield f"{name}, shaded", bench.figures_of(_shaded(of, models, camera, clip).refined, truth, true, models)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("clips", nargs="*")
    options = parser.parse_args()
    print(f"{'clip':12} {'':20} {'visible':>8} {'hidden':>8} {'relative':>8} {'overlap':>8}")
    for path in sorted(options.folder.glob("*/truth.npz")):
        if options.clips and path.parent.name not in options.clips:
            continue
        for name, f in measure(path.parent):
            row = f"{f.visible_mm:8.1f} {f.hidden_mm:8.1f} {f.relative_mm:8.1f} {f.overlap:8.3f}"
            print(f"{path.parent.name:12} {name:20} {row}", flush=True)


if __name__ == "__main__":
    main()
