"""A camera on a tripod: rotations alone, with every background point at infinity. Never invents a translation.

Minimises the Cauchy reprojection error over the rotations of the keyframes, the directions of the points and (when
unknown) focal length and k1, by Levenberg-Marquardt with the directions eliminated (Schur complement). The frames in
between are then turned onto the directions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sparse
from scipy.sparse.linalg import splu
from scipy.spatial.transform import Rotation, Slerp

from .features import Keyframe
from .lens import rays_of
from .motion_kind import robust_rotation
from .structure import Lens
from .tracks import Tracks

_CAUCHY_PX = 0.4
# share of the cost that k1 must save to be worth having
_K1_GAIN = 0.02
_ITERATIONS, _ENOUGH = 25, 1e-7
_MIN_POINTS = 8
# far links hold a long pan together at its ends; more of them per pair add nothing
_LINKS_PER_PAIR, _LINK_PX = 60, 4.0


@dataclass(frozen=True)
class Turning:
    """Attributes:
    camera_from_world: (T, 3, 3), identity in the first frame. solved: (T,) bool, else interpolated.
    error_px: (T,) median reprojection error in working px, NaN where not solved.
    sigma_rad: (T,) one-sigma of each rotation from its own points; NaN where not solved.
    focal_px, k1: the lens. focal_sigma: relative one-sigma of the focal length (0 when fixed).
    directions: (P, 3) unit vectors in the world.
    """

    camera_from_world: np.ndarray
    solved: np.ndarray
    error_px: np.ndarray
    sigma_rad: np.ndarray
    focal_px: float
    k1: float
    focal_sigma: float
    directions: np.ndarray


@dataclass
class _Observations:
    """Point ``points[i]`` seen by camera ``cameras[i]`` at ``pixels[i]``."""

    cameras: np.ndarray
    points: np.ndarray
    pixels: np.ndarray


def solve(tracks: Tracks, keyframes: list[Keyframe], links: dict[tuple[int, int], np.ndarray], lens: Lens) -> Turning:
    """Everything in rows of ``tracks`` and working px; at least two keyframes."""
    rows = np.unique([k.row for k in keyframes] + [tracks.frame_count - 1])
    rotations = _chain(tracks, rows, lens)
    seen, track_ids = _track_observations(tracks, rows)
    seen = _with_links(seen, len(track_ids), keyframes, links, rows, rotations, lens, tracks.size)
    directions = _mean_directions(seen, rotations, lens, tracks.size)
    adjusted = _adjusted(seen, rotations, directions, lens, tracks.size)
    return _all_frames(tracks, rows, track_ids, adjusted)


def _adjusted(seen: _Observations, rotations, directions, lens: Lens, size: tuple[int, int]) -> _Adjustment:
    """With k1 only if it saves a good part of the cost: on a pan it trades against the focal length."""
    bent = _Adjustment(seen, rotations, directions, lens, size)
    bent.run()
    if lens.k1_fixed:
        return bent
    plain = _Adjustment(seen, rotations, directions, Lens(lens.focal_px, 0.0, lens.focal_fixed, True), size)
    plain.run()
    return bent if plain.cost > (1 + _K1_GAIN) * bent.cost else plain


def _chain(tracks: Tracks, rows: np.ndarray, lens: Lens) -> np.ndarray:
    """(K, 3, 3) camera_from_world from neighbour to neighbour."""
    rotations = [np.eye(3)]
    for first, second in zip(rows[:-1], rows[1:], strict=True):
        step = np.eye(3)
        for row in range(first, second):
            a, b = (rays_of(p, tracks.size, lens.focal_px, lens.k1) for p in tracks.shared(row, row + 1))
            if len(a) >= _MIN_POINTS:
                step = robust_rotation(a, b, 1 / lens.focal_px) @ step
        rotations.append(step @ rotations[-1])
    return np.array(rotations)


def _track_observations(tracks: Tracks, rows: np.ndarray) -> tuple[_Observations, np.ndarray]:
    keyed = tracks.where(np.isin(tracks.rows, rows)).lasting(2)
    ids, points = np.unique(keyed.ids, return_inverse=True)
    return _Observations(np.searchsorted(rows, keyed.rows), points, keyed.points_px), ids


def _with_links(seen, first_free: int, keyframes, links, rows, rotations, lens: Lens, size) -> _Observations:
    """Adds feature matches between keyframes that share too little time for tracks, as points seen twice."""
    cameras, points, pixels = [seen.cameras], [seen.points], [seen.pixels]
    for (a, b), pairs in links.items():
        if b - a < 3:
            continue
        a_px, b_px = keyframes[a].points_px[pairs[:, 0]], keyframes[b].points_px[pairs[:, 1]]
        rays_a, rays_b = (rays_of(p, size, lens.focal_px, lens.k1) for p in (a_px, b_px))
        turn = robust_rotation(rays_a, rays_b, 1 / lens.focal_px, rounds=12)
        near = np.flatnonzero(np.linalg.norm(rays_a @ turn.T - rays_b, axis=1) * lens.focal_px < _LINK_PX)
        if len(near) < max(15, 0.4 * len(pairs)):
            continue
        near = near[:_LINKS_PER_PAIR]
        fresh = first_free + np.arange(len(near))
        first_free += len(near)
        for key, px in ((a, a_px), (b, b_px)):
            cameras.append(np.full(len(near), np.searchsorted(rows, keyframes[key].row)))
            points.append(fresh)
            pixels.append(px[near])
    return _Observations(np.concatenate(cameras), np.concatenate(points), np.concatenate(pixels))


def _mean_directions(seen: _Observations, rotations: np.ndarray, lens: Lens, size: tuple[int, int]) -> np.ndarray:
    rays = rays_of(seen.pixels, size, lens.focal_px, lens.k1)
    world = np.einsum("nji,nj->ni", rotations[seen.cameras], rays)
    total = np.stack([np.bincount(seen.points, world[:, axis]) for axis in range(3)], axis=1)
    return total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-12)


class _Adjustment:
    def __init__(self, seen: _Observations, rotations, directions, lens: Lens, size: tuple[int, int]) -> None:
        self.seen, self.rotations, self.directions = seen, rotations, directions
        self.focal, self.k1 = lens.focal_px, lens.k1
        self.free_lens = np.array([not lens.focal_fixed, not lens.k1_fixed])
        self.size = size
        self.focal_sigma = 0.0
        self.cost = self._cost(self._residuals(rotations, directions, self.focal, self.k1)[0])

    def run(self) -> None:
        damping = 1e-4
        for _ in range(_ITERATIONS):
            system = self._linearise()
            while damping < 1e6:
                trial = self._moved(*self._step(system, damping))
                new_cost = self._cost(self._residuals(*trial)[0])
                if new_cost < self.cost:
                    break
                damping *= 10
            else:
                return
            self.rotations, self.directions, self.focal, self.k1 = trial
            damping = max(damping / 5, 1e-9)
            done = self.cost - new_cost < _ENOUGH * self.cost
            self.cost = new_cost
            if done:
                return

    def _residuals(self, rotations, directions, focal: float, k1: float):
        local = np.einsum("nij,nj->ni", rotations[self.seen.cameras], directions[self.seen.points])
        depth = np.maximum(local[:, 2:], 1e-3)
        ideal = local[:, :2] / depth
        bend = 1 + k1 * (ideal**2).sum(axis=1, keepdims=True)
        return focal * bend * ideal + np.array(self.size) / 2 - self.seen.pixels, local, depth, ideal, bend

    @staticmethod
    def _cost(residuals: np.ndarray) -> float:
        return float(np.log1p((residuals**2).sum(axis=1) / _CAUCHY_PX**2).sum())

    def _linearise(self):
        """Weighted Jacobians: cameras and lens (2N, 3K + 2) and points (2N, 2P), sparse; residuals (2N,)."""
        residual, local, depth, ideal, bend = self._residuals(self.rotations, self.directions, self.focal, self.k1)
        n, cameras = len(residual), len(self.rotations)
        outer = ideal[:, :, None] * ideal[:, None, :]
        by_ideal = self.focal * (bend[:, :, None] * np.eye(2) + 2 * self.k1 * outer)
        by_local = np.concatenate([by_ideal, -by_ideal @ ideal[:, :, None]], axis=2) / depth[:, :, None]
        by_camera = -by_local @ _cross(local)
        self._basis = _tangents(self.directions)
        by_point = by_local @ self.rotations[self.seen.cameras] @ self._basis[self.seen.points]
        by_lens = np.stack([self.focal * bend * ideal, self.focal * (bend - 1) / (self.k1 or 1) * ideal], axis=2)
        if not self.k1:
            by_lens[:, :, 1] = self.focal * (ideal**2).sum(axis=1, keepdims=True) * ideal
        # the focal length moves in relative steps
        by_lens *= self.free_lens
        by_camera[self.seen.cameras == 0] = 0
        root = np.sqrt(1 / (1 + (residual**2).sum(axis=1) / _CAUCHY_PX**2))[:, None, None]
        row = 2 * np.arange(n)[:, None, None] + np.arange(2)[:, None]
        left = [(by_camera, 3 * self.seen.cameras[:, None, None] + np.arange(3)), (by_lens, 3 * cameras + np.arange(2))]
        jc = sum(_scatter(root * block, row, column, (2 * n, 3 * cameras + 2)) for block, column in left)
        column = 2 * self.seen.points[:, None, None] + np.arange(2)
        jp = _scatter(root * by_point, row, column, (2 * n, 2 * len(self.directions)))
        return jc, jp, (root[:, :, 0] * residual).ravel()

    def _step(self, system, damping: float) -> tuple[np.ndarray, np.ndarray]:
        jc, jp, residual = system
        left, across = (jc.T @ jc).tocsc(), (jc.T @ jp).tocsr()
        blocks = _point_blocks(jp) * (1 + damping * np.eye(2)) + 1e-9 * np.eye(2)
        inverse = sparse.block_diag(list(np.linalg.inv(blocks)), format="csr")
        gradient_c, gradient_p = jc.T @ residual, jp.T @ residual
        reduced = (
            left
            + damping * sparse.diags(left.diagonal())
            + 1e-6 * sparse.eye(left.shape[0])
            - across @ inverse @ across.T
        )
        solver = splu(reduced.tocsc())
        step_c = solver.solve(-(gradient_c - across @ (inverse @ gradient_p)))
        unit = np.zeros(len(step_c))
        unit[-2] = 1.0
        self.focal_sigma = float(np.sqrt(max(solver.solve(unit)[-2], 0))) if self.free_lens[0] else 0.0
        return step_c, -(inverse @ (gradient_p + across.T @ step_c))

    def _moved(self, step_c: np.ndarray, step_p: np.ndarray):
        turns = Rotation.from_rotvec(step_c[:-2].reshape(-1, 3)).as_matrix()
        directions = self.directions + np.einsum("nij,nj->ni", self._basis, step_p.reshape(-1, 2))
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        focal = self.focal * float(np.exp(np.clip(step_c[-2] * self.free_lens[0], -0.3, 0.3)))
        return (
            turns @ self.rotations,
            directions,
            focal,
            float(np.clip(self.k1 + step_c[-1] * self.free_lens[1], -0.5, 0.5)),
        )


def _all_frames(tracks: Tracks, rows: np.ndarray, track_ids: np.ndarray, adjusted: _Adjustment) -> Turning:
    count = tracks.frame_count
    rotations, solved = np.tile(np.eye(3), (count, 1, 1)), np.zeros(count, bool)
    error, sigma = np.full(count, np.nan), np.full(count, np.nan)
    for row in range(count):
        ids, points = tracks.at(row)
        known = np.isin(ids, track_ids)
        if known.sum() < _MIN_POINTS:
            continue
        rays = rays_of(points[known], tracks.size, adjusted.focal, adjusted.k1)
        world = adjusted.directions[np.searchsorted(track_ids, ids[known])]
        rotations[row] = robust_rotation(world, rays, 0.3 / adjusted.focal, rounds=10)
        off = adjusted.focal * np.linalg.norm(world @ rotations[row].T - rays, axis=1)
        error[row] = np.median(off)
        sigma[row] = 1.5 * error[row] / (adjusted.focal * np.sqrt(known.sum()))
        solved[row] = True
    rotations = _interpolated(rotations, solved)
    return Turning(
        rotations @ rotations[0].T, solved, error, sigma, adjusted.focal, adjusted.k1, adjusted.focal_sigma,
        adjusted.directions[: len(track_ids)] @ rotations[0].T,
    )  # fmt: skip


def _interpolated(rotations: np.ndarray, solved: np.ndarray) -> np.ndarray:
    known = np.flatnonzero(solved)
    if len(known) == 0:
        return np.tile(np.eye(3), (len(rotations), 1, 1))
    if len(known) == 1:
        return np.tile(rotations[known[0]], (len(rotations), 1, 1))
    at = np.clip(np.arange(len(rotations)), known[0], known[-1])
    return Slerp(known, Rotation.from_matrix(rotations[known]))(at).as_matrix()


def _cross(v: np.ndarray) -> np.ndarray:
    """(n, 3, 3) matrices of the cross product with ``v`` (n, 3)."""
    zero = np.zeros(len(v))
    x, y, z = v.T
    return np.stack([zero, -z, y, z, zero, -x, -y, x, zero], axis=1).reshape(-1, 3, 3)


def _tangents(directions: np.ndarray) -> np.ndarray:
    """(P, 3, 2) two unit vectors across each direction."""
    helper = np.eye(3)[np.abs(directions).argmin(axis=1)]
    first = np.cross(directions, helper)
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    return np.stack([first, np.cross(directions, first)], axis=2)


def _scatter(blocks: np.ndarray, row: np.ndarray, column: np.ndarray, shape: tuple[int, int]) -> sparse.csr_matrix:
    row, column = np.broadcast_to(row, blocks.shape), np.broadcast_to(column, blocks.shape)
    return sparse.csr_matrix((blocks.ravel(), (row.ravel(), column.ravel())), shape)


def _point_blocks(jp: sparse.csr_matrix) -> np.ndarray:
    """(P, 2, 2) diagonal blocks of jp' jp."""
    normal = (jp.T @ jp).tocsr()
    even, odd = normal.diagonal()[0::2], normal.diagonal()[1::2]
    cross = normal.diagonal(1)[0::2]
    return np.stack([even, cross, cross, odd], axis=1).reshape(-1, 2, 2)
