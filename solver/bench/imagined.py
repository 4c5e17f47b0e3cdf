"""Worlds that nobody renders: a room, a person, a camera and hands by chance, and of them what a solve would know.

Four rendered clips are too few to judge a guess by, and a size that rests on floors and tables is one that can be right
in either of two ways. Here are as many worlds as one likes, with points where a tracker would find some (spread over
the picture, on what is in front there), with their noise, and hands as far off as the initial fit puts them.

World: metres, x right, y down, z forward; the floor lies at y = 0.

``python -m solver.bench.imagined`` prints how true their sizes are found. The constants of ``camera.scale_*`` were
chosen on worlds below ``HELD_OUT``, which is where those that are printed begin.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from ..camera import scale
from ..camera.cameras import CameraPath
from ..camera.seen_hands import SeenHand
from .imagined_hands import Person, seen

FRAME_RATE, HELD_OUT = 30.0, 1000
SIZE = (640, 360)
# (share, mean, spread) of how high furniture is: tables and desks, kitchen tops and benches, low tables
_TOPS = ((0.62, 0.74, 0.02), (0.2, 0.91, 0.025), (0.18, 0.44, 0.05))
_KINDS = ("walk", "seated", "standing", "orbit", "around", "floor")
_SHARES = (0.26, 0.28, 0.18, 0.14, 0.08, 0.06)
_ROWS, _RAYS = 8, 900


@dataclass(frozen=True)
class World:
    """``path``: as a solve gives it, in units of ``metres_per_unit``; ``hands``: as the initial fit puts them.

    ``poses`` (T, 4, 4), ``faces``: as they truly are.
    """

    kind: str
    path: CameraPath
    hands: list[SeenHand]
    metres_per_unit: float
    poses: np.ndarray
    faces: Faces


@dataclass(frozen=True)
class Faces:
    """Rectangles ``corner + a * across + b * down`` with a, b in 0..1, each (n, 3); ``texture`` (n,) 0 to 1."""

    corner: np.ndarray
    across: np.ndarray
    down: np.ndarray
    texture: np.ndarray


@dataclass(frozen=True)
class _Table:
    centre: np.ndarray
    size: np.ndarray
    height: float


def world(seed: int) -> World:
    """The same one for the same ``seed``."""
    rng = np.random.default_rng([20, seed])
    kind = str(rng.choice(_KINDS, p=_SHARES))
    person = Person.by_chance(rng)
    table = _table(rng, kind)
    room = rng.uniform([3.2, 2.4, 3.2], [7, 2.8, 7])
    faces = _room(rng, room, table, kind == "floor" or kind == "around" and rng.random() < 0.5)
    times = np.arange(int(rng.integers(60, 160))) / FRAME_RATE
    poses = _camera(rng, kind, person, table, room, times)
    focal = float(rng.uniform(380, 620))
    lens = np.array([focal, focal, SIZE[0] / 2, SIZE[1] / 2])
    points = _points(rng, faces, poses, lens)
    middle = np.array([table.centre[0], -table.height, table.centre[1]])
    hands = seen(rng, kind, person, poses, lens, times, middle if kind != "floor" else np.array([0, 0, 0.4]))
    unit = float(np.exp(rng.uniform(-3, 3)))
    return World(kind, _solved(rng, poses, points, lens, unit), hands, unit, poses, faces)


def _solved(rng: np.random.Generator, poses: np.ndarray, points: np.ndarray, lens: np.ndarray, unit: float):
    """In the units and the vertical of a solve."""
    up_sigma = float(rng.choice([0.01, 0.03, 0.05]))
    tilt = Rotation.from_rotvec(rng.normal(0, up_sigma, 3) * [1, 0, 1]).as_matrix()
    start, poses = poses[0, :3, 3].copy(), poses.copy()
    poses[:, :3, 3] = (poses[:, :3, 3] - start) @ tilt.T / unit
    poses[:, :3, :3] = tilt @ poses[:, :3, :3]
    points = (points - start) @ tilt.T / unit
    errors = rng.gamma(4.0, 0.1, len(points))
    return CameraPath("general", lens, poses, points=points, point_errors_px=errors, up_sigma=up_sigma)


# --- rooms ------------------------------------------------------------------------------------------------------------


def _table(rng: np.random.Generator, kind: str) -> _Table:
    """Before the origin, its near edge at z = 0, where somebody sits or stands."""
    kinds = {"standing": [0.45, 0.55, 0.0], "seated": [0.9, 0.0, 0.1]}.get(kind, [s for s, _, _ in _TOPS])
    _, mean, spread = _TOPS[rng.choice(3, p=kinds)]
    size = np.array([rng.uniform(0.9, 2.2), rng.uniform(0.5, 1.0)])
    return _Table(np.array([rng.normal(0, 0.15), size[1] / 2]), size, float(rng.normal(mean, spread)))


def _room(rng: np.random.Generator, room: np.ndarray, table: _Table, without_table: bool) -> Faces:
    found: list[tuple] = []
    width, height, depth = room
    left, near = -width * rng.uniform(0.35, 0.65), -depth * rng.uniform(0.3, 0.55)
    corner = np.array([left, 0.0, near])
    x, y, z = np.diag([width, -height, depth])
    plain = rng.random(6) < [0.15, 0.8, 0.3, 0.3, 0.3, 0.3]
    texture = np.where(plain, rng.uniform(0.01, 0.15, 6), rng.uniform(0.3, 1, 6))
    for face, much in zip(
        ((corner, x, z), (corner + y, x, z), (corner, x, y), (corner, z, y), (corner + z, x, y), (corner + x, z, y)),
        texture, strict=True,
    ):  # fmt: skip
        found.append((*face, much))
    if not without_table:
        low = np.array([table.centre[0] - table.size[0] / 2, -table.height, table.centre[1] - table.size[1] / 2])
        _box(found, low, np.array([table.size[0], 0.04, table.size[1]]), rng.choice([0.1, 0.6, 1.0]))
        for _ in range(int(rng.integers(0, 15))):
            at = low + [rng.uniform(0.05, table.size[0] - 0.2), 0, rng.uniform(0.25, 0.8) * table.size[1]]
            size = rng.uniform([0.04, 0.02, 0.04], [0.2, 0.28, 0.2])
            _box(found, at - [0, size[1], 0], size, 1.0)
    for _ in range(int(rng.integers(0, 12))):
        size = rng.uniform([0.2, 0.15, 0.2], [0.9, 0.9, 0.7])
        at = corner + rng.uniform([0, 0, 0], [width - size[0], 0, depth - size[2]])
        beside = np.abs(at[[0, 2]] + size[[0, 2]] / 2 - table.centre) > table.size / 2 + size[[0, 2]] / 2 + 0.3
        if beside.any():
            _box(found, at - [0, size[1], 0], size, rng.uniform(0.2, 1))
    return Faces(*(np.array(part) for part in zip(*found, strict=True)))


def _box(found: list[tuple], low: np.ndarray, size: np.ndarray, texture: float) -> None:
    """From the corner with the least x, y and z."""
    x, y, z = np.diag(size)
    for face in ((low, x, z), (low + y, x, z), (low, x, y), (low + z, x, y), (low, z, y), (low + x, z, y)):
        found.append((*face, texture))


# --- cameras ----------------------------------------------------------------------------------------------------------


def _camera(rng: np.random.Generator, kind: str, person: Person, table: _Table, room: np.ndarray, times: np.ndarray):
    """(T, 4, 4) world_from_camera."""
    worn = kind in ("seated", "standing", "floor") or rng.random() < 0.6
    over_floor = {"seated": person.seated_eye, "floor": person.floor_eye}.get(kind, person.eye)
    height = over_floor - (0.0 if worn else rng.uniform(0.1, 0.35))
    move = {"walk": _walk, "orbit": _orbit, "around": _around}.get(kind, _at_work)
    centres, targets = move(rng, height, table, room, times)
    centres = centres + _waves(rng, times, (0.8, 3.0), rng.uniform(0.001, 0.004))
    return np.stack([_look_at(centre, target) for centre, target in zip(centres, targets, strict=True)])


def _walk(rng: np.random.Generator, height: float, table: _Table, room: np.ndarray, times: np.ndarray):
    """At step length over step rate as people have it (Sekiya and Nagasaki 1998), past the table."""
    steps_hz = rng.uniform(1.45, 2.1)
    speed = min(60 * rng.normal(0.006, 0.0006) * steps_hz**2, 0.8 * room[0] / times[-1])
    heading = rng.normal(0, 0.3) + np.cumsum(rng.normal(0, 0.01, len(times)))
    side = rng.choice([-1, 1])
    ahead = np.stack([side * np.cos(heading), 0 * heading, np.sin(heading)], axis=1)
    ground = np.cumsum(ahead * speed / FRAME_RATE, axis=0)
    ground -= ground[len(ground) // 2] + [0, 0, rng.uniform(0.3, 0.7) + 0.5]
    bounce = rng.uniform(0.012, 0.03) * np.sin(2 * np.pi * steps_hz * times)
    sway = rng.uniform(0.0, 0.02) * np.sin(np.pi * steps_hz * times)
    centres = ground + np.stack([0 * times, bounce - height, sway], axis=1)
    return centres, centres + ahead * rng.uniform(1, 2) + [0, rng.uniform(0.2, 0.9), 0]


def _orbit(rng: np.random.Generator, height: float, table: _Table, room: np.ndarray, times: np.ndarray):
    """About hands at a table, camera in hand."""
    radius, over = rng.uniform(0.35, 0.9), rng.uniform(0.3, 0.8)
    angle = rng.uniform(-0.5, 0.5) + rng.choice([-1, 1]) * rng.uniform(0.15, 0.6) * times
    middle = np.array([table.centre[0], -table.height - 0.12, table.centre[1]])
    around = np.stack([radius * np.sin(angle), 0 * angle - over, -radius * np.cos(angle)], axis=1)
    return middle + around + _waves(rng, times, (0.2, 0.8), 0.02), np.broadcast_to(middle, (len(times), 3))


def _around(rng: np.random.Generator, height: float, table: _Table, room: np.ndarray, times: np.ndarray):
    """Somebody stands and looks about."""
    centres = np.array([0, -height, -rng.uniform(0.4, 0.9)]) + _waves(rng, times, (0.15, 0.5), rng.uniform(0.05, 0.15))
    heading = rng.uniform(-1, 1) + rng.uniform(0.4, 1.2) * np.sin(rng.uniform(0.8, 2) * times + rng.uniform(0, 6))
    ahead = np.stack([np.sin(heading), 0.3 + 0 * heading, np.cos(heading)], axis=1)
    return centres, centres + ahead


def _at_work(rng: np.random.Generator, height: float, table: _Table, room: np.ndarray, times: np.ndarray):
    """The head over the near edge of what is worked at, or before it."""
    start = np.array([table.centre[0] + rng.normal(0, 0.1), -height, rng.uniform(-0.3, 0.1)])
    centres = start + _waves(rng, times, (0.15, 0.6), rng.uniform(0.02, 0.1))
    low = table.height if height > table.height + 0.25 else 0.0
    targets = np.array([table.centre[0], -low, rng.uniform(0.2, 0.8)]) + _waves(rng, times, (0.1, 0.5), 0.1)
    return centres, targets


def _waves(rng: np.random.Generator, times: np.ndarray, hertz: tuple[float, float], metres: float) -> np.ndarray:
    """(T, 3) smooth and aimless, ``metres`` in the root mean square of an axis."""
    rates, phases = rng.uniform(*hertz, (3, 3)), rng.uniform(0, 2 * np.pi, (3, 3))
    return metres * np.sqrt(2 / 3) * np.sin(2 * np.pi * rates[:, None] * times[:, None] + phases[:, None]).sum(axis=0)


def _look_at(position: np.ndarray, target: np.ndarray) -> np.ndarray:
    forward = (target - position) / np.linalg.norm(target - position)
    right = np.cross((0, 1.0, 0), forward)
    right /= np.linalg.norm(right)
    pose = np.eye(4)
    pose[:3, :3] = np.stack([right, np.cross(forward, right), forward], axis=1)
    pose[:3, 3] = position
    return pose


# --- what is tracked --------------------------------------------------------------------------------------------------


def _points(rng: np.random.Generator, faces: Faces, poses: np.ndarray, lens: np.ndarray) -> np.ndarray:
    """(n, 3) what random pixels of some frames show, where it has texture, with the noise of triangulation."""
    found = []
    reach = max(0.02, float(np.linalg.norm(np.ptp(poses[:, :3, 3], axis=0))))
    for row in np.linspace(0, len(poses) - 1, _ROWS).astype(int):
        pixels = rng.uniform(0, SIZE, (_RAYS // _ROWS, 2))
        rays = np.concatenate([(pixels - lens[2:]) / lens[:2], np.ones((len(pixels), 1))], axis=1)
        away = rays @ poses[row, :3, :3].T
        depth, texture = first_hit(faces, poses[row, :3, 3], away)
        kept = np.isfinite(depth) & (rng.random(len(depth)) < texture)
        # a match is half a pixel off, and a point is seen along a part of the path
        sigma = 0.5 / lens[0] * depth[kept] / (rng.uniform(0.2, 0.8, kept.sum()) * reach)
        sigma = np.where(rng.random(kept.sum()) < 0.03, 0.2, np.minimum(sigma, 0.15))
        found.append(poses[row, :3, 3] + away[kept] * (depth[kept] * np.exp(rng.normal(0, sigma)))[:, None])
    return np.concatenate(found)


def first_hit(faces: Faces, origin: np.ndarray, rays: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(n,) depths, inf where nothing is hit, and the texture there."""
    normal = np.cross(faces.across, faces.down)
    with np.errstate(divide="ignore", invalid="ignore"):
        depth = np.einsum("fk,fk->f", normal, faces.corner - origin) / (rays @ normal.T)
    at = origin + rays[:, None] * np.where(np.isfinite(depth), depth, 0)[..., None] - faces.corner
    a = np.einsum("rfk,fk->rf", at, faces.across) / (faces.across**2).sum(axis=1)
    b = np.einsum("rfk,fk->rf", at, faces.down) / (faces.down**2).sum(axis=1)
    hit = np.isfinite(depth) & (depth > 0.05) & (a >= 0) & (a <= 1) & (b >= 0) & (b <= 1)
    depth = np.where(hit, depth, np.inf)
    nearest = depth.argmin(axis=1)
    return depth[np.arange(len(rays)), nearest], faces.texture[nearest]


# --- how true their sizes are found -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Found:
    """``error``: logarithm of the size found over the true one; ``width`` of its interval; is it ``told`` by hands?"""

    kind: str
    error: float
    width: float
    holds: bool
    told: bool


def found_in(one: World, with_hands: bool = True) -> Found:
    by = scale.estimate(one.path, one.hands if with_hands else [], 1, 1 / FRAME_RATE)
    error = float(np.log(by.metres_per_unit / one.metres_per_unit))
    return Found(one.kind, error, float(np.log(by.high / by.low)), by.low <= np.exp(-error) <= by.high, by.determined)


def table(found: list[Found]) -> str:
    """As text: all, those told by hands, and each kind."""
    groups = [("all", found), ("told by hands", [one for one in found if one.told])]
    groups += [(kind, [one for one in found if one.kind == kind]) for kind in _KINDS]
    lines = ["        worlds  count  size off by: median      rms  within 5 %  95 % interval holds  its width"]
    for name, of in groups:
        if of:
            error = np.array([one.error for one in of])
            median, rms = 100 * np.expm1([np.median(np.abs(error)), np.sqrt((error**2).mean())])
            close, held = (100 * np.mean(which) for which in (np.abs(error) < 0.05, [one.holds for one in of]))
            width = np.exp(np.mean([one.width for one in of]))
            lines.append(
                f"{name:>14} {len(of):6d} {median:12.0f} % {rms:9.0f} % {close:9.0f} % {held:18.0f} % {width:10.2f}"
            )
    return "\n".join(lines)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m solver.bench.imagined", description=__doc__)
    parser.add_argument("--first", type=int, default=HELD_OUT, metavar="SEED")
    parser.add_argument("--count", type=int, default=100)
    options = parser.parse_args(arguments)
    worlds = [world(seed) for seed in range(options.first, options.first + options.count)]
    for title, with_hands in (("Without the hands", False), ("With the hands", True)):
        print(f"{title}\n{table([found_in(one, with_hands) for one in worlds])}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
