"""The straight edges of imagined worlds, and how well they and the largest plane tell which way is down.

Beside the edges of rooms and furniture there are things that lie on them turned anyhow, planks, screens and pictures
that lean, and lines in the picture that mean nothing.

``python -m solver.bench.imagined_edges`` prints how far off the verticals are, by each alone and by both.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys

import numpy as np
from scipy.spatial.transform import Rotation

from ..camera import segments, upright
from ..camera.cameras import CameraPath
from ..camera.segments import Segments
from ..camera.surfaces import find_largest
from ..camera.upright import Down, Lines
from . import imagined
from .imagined import HELD_OUT, SIZE, Faces, World

# how many of the edges there are have any contrast; how many of those a picture shows as one line
_CONTRAST, _FOUND = 0.55, 0.8
_SHORTEST_PX, _MOST_IN_A_PICTURE, _NOISE_PX = 26, 150, 0.4
# of a face on which things lie, in square metres; how many samples of an edge are looked at
_LARGE_M2, _SAMPLES = 0.3, 41
_LEVEL = 0.99
_DOWN = np.array([0.0, 1.0, 0.0])


def seen(one: World, rng: np.random.Generator) -> Segments:
    """In every eighth frame, as a detector would find them."""
    edges = _edges(one.faces, rng)
    clutter = int(rng.integers(0, 50))
    rows, ends = [np.zeros(0, int)], [np.zeros((0, 2, 2))]
    for row in range(0, len(one.poses), segments.EVERY_FRAMES):
        visible = _visible(edges, one.faces, one.poses[row], one.path.intrinsics)
        shown = np.concatenate([visible[rng.random(len(visible)) < _FOUND], _clutter(rng, clutter)])
        shown = shown + rng.normal(0, _NOISE_PX, shown.shape)
        shown = shown[np.argsort(-np.linalg.norm(shown[:, 1] - shown[:, 0], axis=1))][:_MOST_IN_A_PICTURE]
        rows.append(np.full(len(shown), row))
        ends.append(shown)
    return Segments(np.concatenate(rows), np.concatenate(ends))


def _edges(faces: Faces, rng: np.random.Generator) -> np.ndarray:
    """(n, 2, 3) in the world."""
    found = []
    for corner, across, down in zip(faces.corner, faces.across, faces.down, strict=True):
        found += [edge for edge in _rectangle(corner, across, down) if rng.random() < _CONTRAST]
    normal = np.cross(faces.across, faces.down)
    area = np.linalg.norm(normal, axis=1)
    tops = np.flatnonzero((np.abs(normal[:, 1]) > _LEVEL * area) & (area > _LARGE_M2))
    for top in tops:
        for _ in range(int(rng.integers(0, 9))):
            found += _lying(rng, _place(rng, faces, top))
        if rng.random() < 0.35:
            found += _planks(rng, faces, top)
    for _ in range(int(rng.integers(0, 4))):
        found += _leaning(rng, _place(rng, faces, rng.choice(tops)))
    return np.array(found)


def _place(rng: np.random.Generator, faces: Faces, face: int) -> np.ndarray:
    a, b = rng.uniform(0.1, 0.9, 2)
    return faces.corner[face] + a * faces.across[face] + b * faces.down[face]


def _lying(rng: np.random.Generator, at: np.ndarray) -> list[np.ndarray]:
    """A book, a sheet, a box."""
    yaw = rng.uniform(0, np.pi) if rng.random() < 0.6 else 0.0
    a, b = _level(yaw) * rng.uniform(0.05, 0.4), _level(yaw + np.pi / 2) * rng.uniform(0.05, 0.4)
    height = rng.uniform(0.02, 0.3) if rng.random() < 0.4 else 0.0
    return _rectangle(at, a, b) + (_rectangle(at, a, np.array([0, -height, 0])) if height else [])


def _planks(rng: np.random.Generator, faces: Faces, face: int) -> list[np.ndarray]:
    yaw = 0.0 if rng.random() < 0.7 else rng.uniform(0, np.pi)
    middle = faces.corner[face] + (faces.across[face] + faces.down[face]) / 2
    reach = max(np.linalg.norm(faces.across[face]), np.linalg.norm(faces.down[face])) / 2
    found = []
    for _ in range(int(rng.integers(5, 25))):
        start = middle + reach * (rng.uniform(-1, 1) * _level(yaw + np.pi / 2) + rng.uniform(-1, 0.5) * _level(yaw))
        found.append(np.stack([start, start + rng.uniform(0.1, 0.8) * reach * _level(yaw)]))
    return found


def _leaning(rng: np.random.Generator, at: np.ndarray) -> list[np.ndarray]:
    """A screen, a picture, the back of a chair, with what is drawn on it."""
    turn = Rotation.from_euler("yx", [rng.uniform(-90, 90), rng.choice([-1, 1]) * rng.uniform(8, 40)], degrees=True)
    a, b = turn.apply([rng.uniform(0.1, 0.5), 0, 0]), turn.apply([0, -rng.uniform(0.1, 0.4), 0])
    found = _rectangle(at, a, b)
    for _ in range(int(rng.integers(0, 8))):
        start = at + rng.uniform(0.1, 0.5) * a + rng.uniform(0.1, 0.9) * b
        found.append(np.stack([start, start + rng.uniform(0.2, 0.5) * a]))
    return found


def _level(yaw: float) -> np.ndarray:
    return np.array([np.cos(yaw), 0.0, np.sin(yaw)])


def _rectangle(corner: np.ndarray, a: np.ndarray, b: np.ndarray) -> list[np.ndarray]:
    around = [corner, corner + a, corner + a + b, corner + b]
    return [np.stack([around[i], around[(i + 1) % 4]]) for i in range(4)]


def _visible(edges: np.ndarray, faces: Faces, pose: np.ndarray, lens: np.ndarray) -> np.ndarray:
    """(k, 2, 2) in px: the longest part of each edge that is in view and not behind anything."""
    along = np.linspace(0, 1, _SAMPLES)[None, :, None]
    points = (edges[:, :1] + along * (edges[:, 1:] - edges[:, :1])).reshape(-1, 3) - pose[:3, 3]
    depth = points @ pose[:3, 2]
    pixels = (points @ pose[:3, :2]) / np.where(depth > 0.05, depth, 1)[:, None] * lens[:2] + lens[2:]
    shown = (depth > 0.05) & ((pixels > 0) & (pixels < SIZE)).all(axis=1)
    ahead = np.flatnonzero(shown)
    before, _ = imagined.first_hit(faces, pose[:3, 3], points[ahead] / depth[ahead, None])
    shown[ahead] = before > 0.985 * depth[ahead] - 0.01
    found = []
    for run, at in zip(shown.reshape(len(edges), -1), pixels.reshape(len(edges), -1, 2), strict=True):
        first, stop = _longest_run(run)
        if stop - first > 1 and np.linalg.norm(at[stop - 1] - at[first]) > _SHORTEST_PX:
            found.append([at[first], at[stop - 1]])
    return np.array(found).reshape(-1, 2, 2)


def _longest_run(shown: np.ndarray) -> tuple[int, int]:
    changes = np.flatnonzero(np.diff(np.concatenate([[0], shown.astype(int), [0]])))
    if not len(changes):
        return 0, 0
    first, stop = changes[::2], changes[1::2]
    longest = int((stop - first).argmax())
    return int(first[longest]), int(stop[longest])


def _clutter(rng: np.random.Generator, count: int) -> np.ndarray:
    start, angle = rng.uniform(0, SIZE, (count, 2)), rng.uniform(0, np.pi, count)
    length = _SHORTEST_PX * (1 + rng.exponential(0.6, count))
    return np.stack([start, start + length[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)], axis=1)


# --- how well they tell which way is down -----------------------------------------------------------------------------

_WAYS = ("edges", "largest plane", "both")


def found_in(one: World, rng: np.random.Generator) -> dict[str, tuple[float, float]]:
    """Degrees that the vertical is off, and its sigma, by each of ``_WAYS``."""
    path = upright.stood_up(_lying_truly(one), upright.find_down(one.poses[:, :3, :3]))
    turns = path.world_from_camera[:, :3, :3]
    true = turns[0] @ one.poses[0, :3, :3].T @ _DOWN
    lines = Lines(*segments.normals(seen(one, rng), turns, path.intrinsics, np.zeros(2)))
    plane = find_largest(path)
    by = (
        upright.find_down(turns, lines),
        upright.find_down(turns, plane=plane),
        upright.find_down(turns, lines, plane),
    )
    return {way: _error_deg(down, true) for way, down in zip(_WAYS, by, strict=True)}


def _lying_truly(one: World) -> CameraPath:
    """Its path without the tilt that it was given."""
    back = one.poses[0, :3, :3] @ one.path.world_from_camera[0, :3, :3].T
    poses = one.poses.copy()
    poses[:, :3, 3] = one.path.world_from_camera[:, :3, 3] @ back.T
    return dataclasses.replace(one.path, world_from_camera=poses, points=one.path.points @ back.T)


def _error_deg(down: Down, true: np.ndarray) -> tuple[float, float]:
    return float(np.degrees(np.arccos(np.clip(down.direction @ true, -1, 1)))), float(np.degrees(down.sigma_rad))


def table(found: list[dict[str, tuple[float, float]]]) -> str:
    lines = [f"{'vertical by':>14}  worlds  off by: median    rms  over 5 deg  within 2 sigma  median sigma [deg]"]
    for way in _WAYS:
        off, sigma = np.array([one[way] for one in found]).T
        far, held = 100 * (off > 5).mean(), 100 * (off < 2 * sigma).mean()
        lines.append(
            f"{way:>14} {len(off):7d} {np.median(off):15.2f} {np.sqrt((off**2).mean()):6.1f} {far:9.0f} % "
            f"{held:13.0f} % {np.median(sigma):13.1f}"
        )
    return "\n".join(lines)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m solver.bench.imagined_edges", description=__doc__)
    parser.add_argument("--first", type=int, default=HELD_OUT, metavar="SEED")
    parser.add_argument("--count", type=int, default=50)
    options = parser.parse_args(arguments)
    seeds = range(options.first, options.first + options.count)
    print(table([found_in(imagined.world(seed), np.random.default_rng([77, seed])) for seed in seeds]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
