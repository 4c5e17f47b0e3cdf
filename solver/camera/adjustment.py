"""Bundle adjustment with a rolling shutter: poses, points and one lens from pixels, by Levenberg-Marquardt.

Points are eliminated (Schur complement, Triggs 1999); the poses' matrix is dense, so frames are chosen (``resection``
places the others). A row that is read later than the middle one sees the camera farther on its way: its point is moved
by the camera's velocity there, which comes from neighbouring poses (a continuous-time model as in Hedborg 2012).
Because velocities are differences of poses and not unknowns of their own, the collapse of Albl 2016 can't happen.

Lens: x_d = x_u (1 + k1 r^2 + k2 r^4), r in focal lengths; ``readout``: frames that pass from the first row to the last.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.spatial.transform import Rotation

FOCAL, K1, K2, READOUT = range(4)
# An observation this many px off counts half (Cauchy's loss) until the residuals' own size is known.
WIDTH_PX = 1.0
# One-sigma of weak priors: of log focal length (where the start counts), k1, k2, readout in frames.
_PRIOR_SIGMA = np.array([2.0, 0.3, 0.15, 0.5])
# px of one observation's noise, against which the priors are weighed
_NOISE_PX = 0.3
_CHUNK = 48
# Observations, and frames, looked at together: as many as a processor's cache holds, however long the clip.
AT_ONCE = 4_000
_GAUGE = 1e-9


@dataclass(frozen=True)
class Observations:
    """Attributes:
    size: (width, height). frame_count, point_count: F and P.
    frames, points: (N,) int; a point at most once in a frame; in order of ``points``.
    pixels: (N, 2), half-integer centres.
    width_px: at which an observation of an ordinary point counts half (Cauchy's loss).
    worth: (P,) 1 for an ordinary point: inverse of the variance of its observations, in units of the usual one.
    """

    size: tuple[int, int]
    frame_count: int
    point_count: int
    frames: np.ndarray
    points: np.ndarray
    pixels: np.ndarray
    width_px: float = WIDTH_PX
    worth: np.ndarray | None = None

    @classmethod
    def sorted(cls, size, frame_count: int, point_count: int, frames, points, pixels) -> Observations:
        order = np.lexsort((frames, points))
        return cls(tuple(size), frame_count, point_count, frames[order], points[order], pixels[order])

    def where(self, keep: np.ndarray) -> Observations:
        return replace(self, frames=self.frames[keep], points=self.points[keep], pixels=self.pixels[keep])

    def whitened(self, error: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(N,) the observations' worth, and squares of their ``error`` (N, 2) px in units of ``width_px``."""
        worth = np.ones(len(error)) if self.worth is None else self.worth[self.points]
        return worth, worth * (error**2).sum(axis=1) / self.width_px**2

    @property
    def row_offset(self) -> np.ndarray:
        """(N,) -0.5 at the first row, 0.5 at the last."""
        return self.pixels[:, 1] / self.size[1] - 0.5


@dataclass(frozen=True)
class State:
    """``camera_from_world`` (F, 4, 4), ``twists`` (F, 6) turn and step per frame in the camera, ``points`` (P, 3),
    ``lens`` (4,): focal length in px, k1, k2, readout."""

    camera_from_world: np.ndarray
    twists: np.ndarray
    points: np.ndarray
    lens: np.ndarray


@dataclass(frozen=True)
class _Normal:
    """Linearised problem: ``gradient`` and blocks per frame and lens, per point, and between them."""

    frames: np.ndarray  # (F, 6, 6)
    frame_right: np.ndarray  # (F, 6)
    frame_lens: np.ndarray  # (F, 6, g)
    lens: np.ndarray  # (g, g)
    lens_right: np.ndarray  # (g,)
    points: np.ndarray  # (P, 3, 3)
    point_right: np.ndarray  # (P, 3)
    mixed: np.ndarray  # (N, 6, 3)
    mixed_lens: np.ndarray  # (P, g, 3)


def twists_of(camera_from_world: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """(F, 6) turn (rad) and step per frame in each camera's axes, from its neighbours in (F, 4, 4) at rising ``rows``.

    Zero where no neighbour is within three frames.
    """
    count = len(rows)
    twists = np.zeros((count, 6))
    if count < 2:
        return twists
    before, after = np.maximum(np.arange(count) - 1, 0), np.minimum(np.arange(count) + 1, count - 1)
    before = np.where(rows - rows[before] <= 3, before, np.arange(count))
    after = np.where(rows[after] - rows <= 3, after, np.arange(count))
    move = camera_from_world[after] @ np.linalg.inv(camera_from_world[before])
    # the step seen at the camera in the middle: half of it lies on either side
    span = np.maximum(rows[after] - rows[before], 1)[:, None]
    turn = Rotation.from_matrix(move[:, :3, :3]).as_rotvec()
    half = Rotation.from_rotvec(-turn / 2).as_matrix()
    twists[:, :3] = turn / span
    twists[:, 3:] = np.einsum("nij,nj->ni", half, move[:, :3, 3]) / span
    return twists


def part_of(seen: Observations, chosen: np.ndarray) -> tuple[Observations, np.ndarray]:
    """The observations of the chosen frames, numbered anew, and the rows of those."""
    rows = np.flatnonzero(chosen)
    number = np.full(len(chosen), -1)
    number[rows] = np.arange(len(rows))
    part = seen.where(chosen[seen.frames])
    enough = np.bincount(part.points, minlength=seen.point_count) >= 2
    part = part.where(enough[part.points])
    return replace(part, frames=number[part.frames], frame_count=len(rows)), rows


def at_rows(state: State, rows: np.ndarray) -> State:
    return replace(state, camera_from_world=state.camera_from_world[rows], twists=state.twists[rows])


def residuals(seen: Observations, state: State) -> np.ndarray:
    """(N, 2) px; 1e3 behind the camera."""
    error = np.empty((len(seen.frames), 2))
    for start in range(0, len(error), AT_ONCE):
        part = slice(start, start + AT_ONCE)
        error[part] = _projected(seen.where(part), state)[0]
    return error


def _projected(seen: Observations, state: State):
    """Residuals (N, 2), and what they are made of: points in the camera (N, 3), their velocity there (N, 3), ideal
    coordinates (N, 2), squared radius and bend (N,), and which lie behind the camera (N,)."""
    pose = state.camera_from_world[seen.frames]
    still = np.einsum("nij,nj->ni", pose[:, :3, :3], state.points[seen.points]) + pose[:, :3, 3]
    twist = state.twists[seen.frames]
    velocity = _cross(twist[:, :3], still) + twist[:, 3:]
    local = still + state.lens[READOUT] * seen.row_offset[:, None] * velocity
    behind = local[:, 2] < 1e-6
    ideal = local[:, :2] / np.where(behind, 1.0, local[:, 2])[:, None]
    focal, k1, k2 = state.lens[:3]
    squared = (ideal**2).sum(axis=1)
    bend = 1 + squared * (k1 + k2 * squared)
    error = focal * ideal * bend[:, None] + np.array(seen.size) / 2 - seen.pixels
    error[behind] = 1e3
    return error, local, velocity, ideal, squared, bend, behind


def linearise(seen: Observations, state: State):
    """Residuals (N, 2), image derivatives by the point in the camera (N, 2, 3) and by the lens (N, 2, 4), points."""
    error, local, velocity, ideal, squared, bend, behind = _projected(seen, state)
    x, y = ideal.T
    focal, k1, k2 = state.lens[:3]
    slope = 2 * (k1 + 2 * k2 * squared)
    # d(x_d, y_d) / d(x, y), then by the camera's axes
    xx, xy, yy = bend + slope * x * x, slope * x * y, bend + slope * y * y
    image = np.empty((len(x), 2, 3))
    scale = focal / np.where(behind, 1.0, local[:, 2])
    image[:, 0, 0], image[:, 0, 1], image[:, 0, 2] = xx * scale, xy * scale, -(xx * x + xy * y) * scale
    image[:, 1, 0], image[:, 1, 1], image[:, 1, 2] = xy * scale, yy * scale, -(xy * x + yy * y) * scale
    lens = np.empty((len(x), 2, 4))
    lens[:, :, FOCAL] = focal * ideal * bend[:, None]  # by log focal length
    lens[:, :, K1] = focal * ideal * squared[:, None]
    lens[:, :, K2] = focal * ideal * (squared**2)[:, None]
    lens[:, :, READOUT] = np.einsum("nij,nj->ni", image, seen.row_offset[:, None] * velocity)
    image[behind], lens[behind] = 0.0, 0.0
    return error, image, lens, local


def _cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(..., 3), several times as fast as NumPy's."""
    product = np.empty(np.broadcast_shapes(a.shape, b.shape))
    for axis in range(3):
        i, j = (axis + 1) % 3, (axis + 2) % 3
        product[..., axis] = a[..., i] * b[..., j] - a[..., j] * b[..., i]
    return product


def weights(seen: Observations, error: np.ndarray) -> np.ndarray:
    """(N,) of iteratively reweighted least squares with Cauchy's loss."""
    worth, squared = seen.whitened(error)
    return worth / (1 + squared)


def cost(seen: Observations, state: State) -> float:
    """Mean robust cost per observation."""
    return float(np.log1p(seen.whitened(residuals(seen, state))[1]).mean())


def _total(seen: Observations, state: State, start: np.ndarray, free: np.ndarray) -> float:
    prior = float((_prior(state, start, free)[0] ** 2).sum())
    return len(seen.frames) * cost(seen, state) * seen.width_px**2 + prior


def _prior(state: State, start: np.ndarray, free: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Residuals of the lens' priors and their slopes, for the free parameters."""
    value = np.array([np.log(state.lens[FOCAL] / start[FOCAL]), *state.lens[1:]])
    slope = _NOISE_PX / _PRIOR_SIGMA
    return (slope * value)[free], slope[free]


def skew_rows(image: np.ndarray, local: np.ndarray) -> np.ndarray:
    """(N, 2, 3): ``image @ -[local]x``, the derivative by a turn of the camera."""
    return _cross(local[:, None, :], image)


def _normal(seen: Observations, state: State, free: np.ndarray, start: np.ndarray) -> _Normal:
    count, g = seen.frame_count, int(free.sum())
    frames, own = np.zeros((count, 7 + g, 7 + g)), np.zeros((g, g + 1))
    points, mixed = np.zeros((seen.point_count, 3, 4 + g)), np.empty((len(seen.frames), 6, 3))
    for first in range(0, len(seen.frames), AT_ONCE):
        part = slice(first, first + AT_ONCE)
        some = seen.where(part)
        by_pose, by_point, rest = _weighted(some, state, free)
        for frame, gram in _grams(some.frames, np.concatenate([by_pose, rest], axis=2)):
            frames[frame] += gram
        products = by_point.transpose(0, 2, 1) @ np.concatenate([by_point, rest], axis=2)
        add(points, products, some.points)
        mixed[part] = by_pose.transpose(0, 2, 1) @ by_point
    own = frames[:, 6:-1, 6:].sum(axis=0)
    prior, slope = _prior(state, start, free)
    return _Normal(
        frames[:, :6, :6], -frames[:, :6, -1], frames[:, :6, 6:-1],
        own[:, :g] + np.diag(slope**2), -(own[:, g] + slope * prior),
        points[..., :3], -points[..., -1], mixed, points[..., 3:-1].transpose(0, 2, 1),
    )  # fmt: skip


def _weighted(seen: Observations, state: State, free: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Derivatives by poses (N, 2, 6), by points (N, 2, 3), and by the free of the lens with residuals (N, 2, g + 1)."""
    error, image, lens, local = linearise(seen, state)
    root = np.sqrt(weights(seen, error))[:, None, None]
    image = image * root
    rest = np.concatenate([lens[:, :, free], error[..., None]], axis=2) * root
    by_pose = np.concatenate([skew_rows(image, local), image], axis=2)
    return by_pose, image @ state.camera_from_world[seen.frames, :3, :3], rest


def _grams(groups: np.ndarray, rows: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Each group and A^T A of its rows: ``groups`` (N,), ``rows`` (N, 2, n)."""
    order = np.argsort(groups, kind="stable")
    rows, ranked = rows[order], groups[order]
    edges = np.flatnonzero(np.diff(ranked, prepend=-1, append=-1))
    for a, b in zip(edges[:-1], edges[1:], strict=True):
        own = rows[a:b].reshape(-1, rows.shape[2])
        yield int(ranked[a]), own.T @ own


def summed(values: np.ndarray, groups: np.ndarray, count: int) -> np.ndarray:
    """(count, ...) sums of (N, ...) by group, in order of groups."""
    total = np.zeros((count, *values.shape[1:]))
    add(total, values, groups)
    return total


def add(total: np.ndarray, values: np.ndarray, groups: np.ndarray) -> None:
    """To ``total`` (groups, ...) the sums of (N, ...) by group, in order of groups."""
    if len(groups):
        starts = np.flatnonzero(np.diff(groups, prepend=-1) > 0)
        total[groups[starts]] += np.add.reduceat(values, starts, axis=0)


class _Reduced:
    """The system of poses and lens that is left when points are eliminated."""

    def __init__(self, seen: Observations, normal: _Normal, damping: float) -> None:
        self._seen, self._normal = seen, normal
        count, g = seen.frame_count, normal.lens.shape[0]
        size = 6 * count + g
        identity = np.eye(3)
        bare = normal.points + damping * normal.points * identity + 1e-12 * identity
        empty = normal.points[:, 0, 0] == 0
        bare[empty] = identity
        factor = np.linalg.cholesky(bare)
        self._half = np.linalg.inv(factor).transpose(0, 2, 1)  # V^-1 = half @ half^T
        matrix = np.zeros((size, size))
        blocks = matrix[: 6 * count, : 6 * count].reshape(count, 6, count, 6)
        diagonal = np.arange(count)
        blocks[diagonal, :, diagonal, :] = normal.frames
        matrix[: 6 * count, 6 * count :] = normal.frame_lens.reshape(6 * count, g)
        matrix[6 * count :, : 6 * count] = matrix[: 6 * count, 6 * count :].T
        matrix[6 * count :, 6 * count :] = normal.lens
        own = np.diag(matrix).copy()
        right = np.concatenate([normal.frame_right.reshape(-1), normal.lens_right])
        self._eliminate(matrix, right)
        matrix[np.arange(size), np.arange(size)] += damping * own + _GAUGE * np.median(own)
        self._factor = cho_factor(matrix, lower=True, overwrite_a=True, check_finite=False)
        self.right = right

    def _eliminate(self, matrix: np.ndarray, right: np.ndarray) -> None:
        seen, normal = self._seen, self._normal
        count, g = seen.frame_count, normal.lens.shape[0]
        half = self._half
        weighted = normal.mixed @ half[seen.points]
        lens = normal.mixed_lens @ half
        wanted = (normal.point_right[:, None, :] @ half)[:, 0]
        edges = np.searchsorted(seen.points, np.arange(0, seen.point_count + _CHUNK, _CHUNK))
        for start, (a, b) in enumerate(zip(edges[:-1], edges[1:], strict=True)):
            if a == b:
                continue
            first = start * _CHUNK
            last = min(first + _CHUNK, seen.point_count)
            here, place = np.unique(seen.frames[a:b], return_inverse=True)
            block = np.zeros((len(here), 6, last - first, 3))
            block[place, :, seen.points[a:b] - first, :] = weighted[a:b]
            by_lens = lens[first:last].transpose(1, 0, 2).reshape(g, 3 * (last - first))
            wide = np.concatenate([block.reshape(6 * len(here), -1), by_lens])
            self._subtract(matrix, here, wide @ wide.T)
            index = np.concatenate([(6 * here[:, None] + np.arange(6)).reshape(-1), 6 * count + np.arange(g)])
            right[index] -= wide @ wanted[first:last].reshape(-1)

    @staticmethod
    def _subtract(matrix: np.ndarray, frames: np.ndarray, part: np.ndarray) -> None:
        """``part`` of ``frames`` (n,), rising, and the lens, from the whole; frames in a row are one block."""
        edges = np.flatnonzero(np.diff(frames, prepend=-2, append=-2) != 1)
        places = [
            (slice(6 * a, 6 * b), slice(6 * frames[a], 6 * frames[a] + 6 * (b - a)))
            for a, b in zip(edges[:-1], edges[1:], strict=True)
        ]
        tail = len(part) - 6 * len(frames)
        places.append((slice(6 * len(frames), len(part)), slice(len(matrix) - tail, len(matrix))))
        for here, there in places:
            for across, along in places:
                matrix[there, along] -= part[here, across]

    def solve(self, right: np.ndarray) -> np.ndarray:
        return cho_solve(self._factor, right, check_finite=False)

    def step(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(F, 6), (g,), (P, 3)."""
        seen, normal = self._seen, self._normal
        whole = self.solve(self.right)
        poses, lens = whole[: 6 * seen.frame_count].reshape(-1, 6), whole[6 * seen.frame_count :]
        pulled = (poses[seen.frames][:, None, :] @ normal.mixed)[:, 0]
        right = normal.point_right - summed(pulled, seen.points, seen.point_count)
        right -= (lens @ normal.mixed_lens.reshape(len(right), len(lens), 3)) if len(lens) else 0.0
        return poses, lens, (self._half @ (self._half.transpose(0, 2, 1) @ right[..., None]))[..., 0]


def moved(poses: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """(F, 4, 4) camera_from_world turned by and shifted by (F, 6)."""
    turn = Rotation.from_rotvec(steps[:, :3]).as_matrix()
    result = poses.copy()
    result[:, :3, :3] = turn @ poses[:, :3, :3]
    result[:, :3, 3] = (turn @ poses[:, :3, 3, None])[..., 0] + steps[:, 3:]
    return result


def _stepped(state: State, free: np.ndarray, poses: np.ndarray, lens: np.ndarray, points: np.ndarray) -> State:
    values = state.lens.copy()
    change = np.zeros(4)
    change[free] = lens
    values[FOCAL] *= np.exp(np.clip(change[FOCAL], -0.3, 0.3))
    values[1:] += change[1:]
    values[READOUT] = np.clip(values[READOUT], -1.0, 1.0)
    return State(moved(state.camera_from_world, poses), state.twists, state.points + points, values)


def adjust(seen: Observations, state: State, free: np.ndarray, iterations: int, tolerance: float = 1e-4) -> State:
    """Minimise the robust reprojection error from ``state``; ``free`` (4,) bool says which of the lens may change.

    Twists stay: recompute them (``twists_of``) and adjust again.
    """
    start, damping = state.lens, 1e-4
    now = _total(seen, state, start, free)
    for _ in range(iterations):
        normal = _normal(seen, state, free, start)
        relief = 10.0
        while damping < 1e3:
            try:
                tried = _stepped(state, free, *_Reduced(seen, normal, damping).step())
                then = _total(seen, tried, start, free)
            except np.linalg.LinAlgError:
                then = np.inf
            if then < now:
                break
            # what was too little once is likely to be so again
            damping, relief = 10 * damping, 1.0
        else:
            return state
        gain, now, state, damping = (now - then) / now, then, tried, max(damping / relief, 1e-9)
        if gain < tolerance:
            break
    return state


@dataclass(frozen=True)
class Spread:
    """What the estimate would change by, were groups of points left out (see ``spread``).

    Attributes:
        poses: (C, F, 6) change of turn and step by each of C groups. lens: (4,) one-sigma (focal: relative).
        by_focal: (F, 6) change of turn and step as the log focal length rises by one; 0 where that is known.
    """

    poses: np.ndarray
    lens: np.ndarray
    by_focal: np.ndarray


def spread(seen: Observations, state: State, free: np.ndarray, groups: np.ndarray) -> Spread:
    """How much the solution rests on each group of points: ``groups`` (P,) 0..C-1.

    To first order, leaving out a group moves the estimate by H^-1 times its gradient; the sum of their squares over
    groups is the covariance that allows for errors shared within a group (Liang and Zeger 1986). Noise alone gives the
    classical covariance; points that follow one another wrongly (a hand, a rolling shutter, a bent lens) give more.
    """
    error, image, lens, local = linearise(seen, state)
    weight = weights(seen, error)[:, None]
    by_pose = np.concatenate([skew_rows(image, local), image], axis=2)
    pose_pull = (by_pose.transpose(0, 2, 1) @ (weight * error)[..., None])[..., 0]
    lens_pull = (lens[:, :, free].transpose(0, 2, 1) @ (weight * error)[..., None])[..., 0]
    group = groups[seen.points]
    count = int(groups.max(initial=0)) + 1
    pulls = np.zeros((count, 6 * seen.frame_count + lens_pull.shape[1]))
    for axis in range(6):
        flat = np.bincount(group * seen.frame_count + seen.frames, pose_pull[:, axis], count * seen.frame_count)
        pulls[:, axis : 6 * seen.frame_count : 6] = flat.reshape(count, -1)
    for axis in range(lens_pull.shape[1]):
        pulls[:, 6 * seen.frame_count + axis] = np.bincount(group, lens_pull[:, axis], count)
    # what is left of the whole gradient is not the groups' doing
    pulls -= pulls.mean(axis=0)
    system = _Reduced(seen, _normal(seen, state, free, state.lens), 1e-6)
    solved = system.solve(pulls.T).T
    first = 6 * seen.frame_count
    sigma = np.zeros(4)
    sigma[free] = np.sqrt((solved[:, first:] ** 2).sum(axis=0))
    by_focal = np.zeros(pulls.shape[1])
    if free[FOCAL]:
        # pushed along, all else follows: the column of H^-1 that belongs to it, over its own entry
        by_focal[first] = 1.0
        by_focal = system.solve(by_focal)
        by_focal /= by_focal[first]
    return Spread(solved[:, :first].reshape(count, -1, 6), sigma, by_focal[:first].reshape(-1, 6))
