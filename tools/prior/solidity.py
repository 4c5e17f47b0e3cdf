"""Hands of rendered clips with and without non-penetration: depth, shared volume, contact, what it does to the rest.

Truth has a line, too: where rendered hands go through each other no solid ones can touch as they do.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from solver.bench.contact import Bodies, gaps, penetration, touches
from solver.bench.truth import SIDES, VISIBLE
from solver.optimise.refine import Refined, RefineOptions, refine
from solver.optimise.weights import BALANCED, Preset

from .rendered import Observed, observe

_ARMS = {
    "off": replace(BALANCED, solid=False),
    "solid": replace(BALANCED, off=frozenset({"touch", "no-slip", "relative-wrist"})),
    "solid, touching": BALANCED,
}


def run(folders: Sequence[Path], cache: Path, say: Callable[[str], None]) -> None:
    """Print a line per clip and arm."""
    say("| clip | hands | depth p95, max mm | volume cm3 | gap at true contacts p50, p95 mm | visible mm | CPU s |")
    say("|---|---|---|---|---|---|---|")
    for folder in folders:
        observed = observe(folder, cache)
        real = _true_bodies(observed)
        wanted = set() if real is None else _between_hands(real)
        if real is not None:
            say(f"| {observed.name} | truth | {_meeting(real, wanted)} | - | - |")
        for name, preset in _ARMS.items():
            say(f"| {observed.name} | {name} | {_figures(observed, preset, wanted)} |")


def _figures(observed: Observed, preset: Preset, wanted: set[tuple[int, int, int]]) -> str:
    began = time.process_time()
    options = RefineOptions(preset, uncertainty=False)
    steps = refine(
        observed.tracks, observed.motions, observed.models, observed.camera, observed.frames, observed.frame_s, options
    )
    refined = deque(steps, maxlen=1).pop()
    seconds = time.process_time() - began
    bodies = _bodies(observed, refined)
    return f"{_meeting(bodies, wanted)} | {1e3 * _visible_error(observed, bodies):.1f} | {seconds:.2f}"


def _meeting(bodies: Bodies, wanted: set[tuple[int, int, int]]) -> str:
    depth, volume = penetration(bodies)
    apart = gaps(bodies, wanted)
    told = f"{1e3 * np.median(apart):.1f}, {1e3 * np.percentile(apart, 95):.1f} ({len(apart)})" if len(apart) else "-"
    deepest = f"{1e3 * np.percentile(depth, 95):.1f}, {1e3 * depth.max():.1f}" if len(depth) else "-"
    return f"{deepest} | {1e6 * volume.sum():.2f} | {told}"


def _true_bodies(observed: Observed) -> Bodies | None:
    truth = observed.truth
    if truth.vertices is None:
        return None
    meshes = [truth.mesh(hand) for hand in range(2)]
    return Bodies(tuple(mesh[0] for mesh in meshes), tuple(mesh[1] for mesh in meshes), truth.keypoints)


def _between_hands(bodies: Bodies) -> set[tuple[int, int, int]]:
    """What touches between two hands."""
    return {(frame, first, second) for frame, first, second in touches(bodies) if first < 20 <= second}


def _bodies(observed: Observed, refined: Refined) -> Bodies:
    count = len(observed.frames)
    keypoints = np.full((count, 2, 21, 3), np.nan)
    vertices = [np.full((count, len(observed.models[side].v_template), 3), np.nan) for side in SIDES]
    for track in refined.tracks:
        hand, rows = SIDES.index(track.side), track.frames - observed.frames[0]
        posed = observed.models[track.side].with_shape(track.betas).pose(track.rotations, track.transl)
        keypoints[rows, hand], vertices[hand][rows] = posed.keypoints, posed.vertices()
    faces = tuple(observed.models[side].watertight_faces for side in SIDES)
    return Bodies(tuple(vertices), faces, keypoints)


def _visible_error(observed: Observed, bodies: Bodies) -> float:
    """Metres, of visible keypoints relative to the wrist."""
    own, real = (points - points[:, :, :1] for points in (bodies.keypoints, observed.truth.keypoints))
    distance = np.linalg.norm(own - real, axis=-1)
    return float(distance[(observed.truth.visibility == VISIBLE) & np.isfinite(distance)].mean())
