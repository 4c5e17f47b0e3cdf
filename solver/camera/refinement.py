"""From a sparse model of keyframes to poses of all frames that see enough of it, one lens, and how far to trust them.

The frames in between start between their keyframes and are placed by the points; the adjustment runs over as many of
them as it can take, in turns with the camera's velocity (rolling shutter). What the clip does not tell stays 0.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial.transform import Rotation, Slerp

from . import adjustment, breaks, moving, resection, trust
from .adjustment import FOCAL, K1, K2, READOUT, Observations, State
from .job import MappedModel, MappingJob

MIN_POSE_POINTS = 12
# Observations per frame that are worth their cost, and the length of a track that is worth a point.
_POINTS_PER_FRAME, _MIN_LENGTH = 110, 5
# Frames adjusted together; the others are placed by the points that these determine.
_ADJUSTED_FRAMES = 32
# Of a long clip not even all keyframes: the matrix of their poses is dense.
_MOST_FRAMES = 300
# px at the working size: worse observations are dropped between rounds, poses worse than the last are none
_GROSS_PX, _BAD_PX, _LOST_PX = 6.0, 3.0, 3.0
# Cauchy's width over the median residual, and in px at least
_WIDTH, _MIN_WIDTH_PX = 1.7, 0.25
# A point counts as if it had been seen to scatter as usual for this many frames more; so many times more or less than
# others at most.
_SCATTER_FRAMES, _MOST_WORTH = 10, 9.0
# A parameter of the lens stays only if it is this many of its sigmas from nought and saves this share of the cost (k1
# trades against the focal length: a useless one took that 4 % away), or if it saves very much.
_TELLING_SIGMAS, _GAIN, _LARGE_GAIN = 3.0, np.array([0.0, 0.02, 0.01, 0.01]), 0.1
_ROUNDS, _TRIED_STEPS = 3, 5
# Points are put in order by when they end among those that begin within so many frames.
_BEGUN_TOGETHER = 8
# Beyond the keyframes a pose is followed this far.
_REACH_FRAMES = 12


@dataclass(frozen=True)
class SparseModel:
    """What the mapper found: ``rows`` (K,) rising with ``camera_from_world`` (K, 4, 4), ``points`` (P, 3).

    ``seen_rows``, ``seen_keypoints``, ``seen_points`` (M,): a keypoint of a keyframe shows a point. ``lens`` (4,) as in
    ``MappedModel``: the start.
    """

    rows: np.ndarray
    camera_from_world: np.ndarray
    points: np.ndarray
    seen_rows: np.ndarray
    seen_keypoints: np.ndarray
    seen_points: np.ndarray
    lens: np.ndarray


@dataclass(frozen=True)
class Images:
    """Keypoints per row: ``ids[row]`` (n,) of tracks at the head of ``keypoints[row]`` (n + features, 2)."""

    ids: list[np.ndarray]
    keypoints: list[np.ndarray]


def refine(job: MappingJob, images: Images, sparse: SparseModel) -> list[MappedModel]:
    """The full model of ``sparse``, in pieces where its size starts anew (see ``breaks``), the longest first."""
    seen, track_of_point = _observations(job, images, sparse)
    state = State(_started(job, sparse), np.zeros((job.frame_count, 6)), sparse.points, np.array(sparse.lens))
    known = np.isin(np.arange(job.frame_count), sparse.rows)
    state = resection.resect(seen, state, ~known, 8)
    state, posed = _followed(seen, state, known)
    state, seen, track_of_point = _with_more_points(job, seen, state, posed, track_of_point)
    state, posed = _followed(seen, state, posed)
    error = np.linalg.norm(adjustment.residuals(seen, state), axis=1)
    seen = seen.where(posed[seen.frames] & (error < _GROSS_PX))
    chosen = _chosen(posed, sparse.rows)
    state, seen, free = _adjusted(job, seen, state, posed, chosen)
    spread = trust.spread_of(seen, state, chosen, free)
    zoom = trust.zoom(seen, state, chosen)
    parts = breaks.pieces(seen, state, posed)
    jobs = [job] + [replace(job, profile=False)] * (len(parts) - 1)
    return [
        replace(_model(each, views, state, part, chosen & part, free, spread, track_of_point), zoom=zoom)
        for each, views, part in zip(jobs, breaks.own(seen, parts), parts, strict=True)
    ]


# --- what is seen where -----------------------------------------------------------------------------------------------


def _observations(job: MappingJob, images: Images, sparse: SparseModel) -> tuple[Observations, np.ndarray]:
    """Tracks in every frame and features in keyframes; and each point's track (-1: features alone)."""
    counts = np.array([len(ids) for ids in images.ids])
    of_track = sparse.seen_keypoints < counts[sparse.seen_rows]
    track = np.array(
        [images.ids[r][k] for r, k in zip(sparse.seen_rows[of_track], sparse.seen_keypoints[of_track], strict=True)],
        int,
    )
    track_point = np.full(int(job.ids.max(initial=-1)) + 1, -1)
    track_point[track] = sparse.seen_points[of_track]
    point = track_point[job.ids]
    of_feature = ~of_track
    features = np.array(
        [
            images.keypoints[r][k]
            for r, k in zip(sparse.seen_rows[of_feature], sparse.seen_keypoints[of_feature], strict=True)
        ]
    ).reshape(-1, 2)
    rows = np.concatenate([job.rows[point >= 0], sparse.seen_rows[of_feature]])
    points = np.concatenate([point[point >= 0], sparse.seen_points[of_feature]])
    pixels = np.concatenate([job.points_px[point >= 0], features])
    _, first = np.unique(points * job.frame_count + rows, return_index=True)
    track_of_point = np.full(len(sparse.points), -1)
    track_of_point[sparse.seen_points[of_track]] = track
    seen = Observations.sorted(job.size, job.frame_count, len(sparse.points), rows[first], points[first], pixels[first])
    return seen, track_of_point


def _with_more_points(
    job: MappingJob, seen: Observations, state: State, posed: np.ndarray, track_of_point: np.ndarray
) -> tuple[State, Observations, np.ndarray]:
    """Tracks that the mapper, which looks at keyframes alone, left out; triangulated, the longest first."""
    count = int(job.ids.max(initial=-1)) + 1
    new = np.ones(count, bool)
    new[track_of_point[track_of_point >= 0]] = False
    part = posed[job.rows] & new[job.ids]
    lengths = np.bincount(job.ids[part], minlength=count)
    order = np.argsort(-lengths, kind="stable")
    room = max(0, _POINTS_PER_FRAME * int(posed.sum()) - len(seen.frames))
    chosen = order[: int(np.searchsorted(np.cumsum(lengths[order]), room))]
    chosen = np.sort(chosen[lengths[chosen] >= _MIN_LENGTH])
    number = np.full(count, -1)
    number[chosen] = np.arange(len(chosen))
    part = number[job.ids] >= 0
    extra = Observations.sorted(
        job.size, job.frame_count, len(chosen), job.rows[part], number[job.ids[part]], job.points_px[part]
    )
    points, good = resection.triangulate(extra.where(posed[extra.frames]), state)
    extra = extra.where(good[extra.points])
    seen = Observations.sorted(
        job.size, job.frame_count, len(state.points) + len(chosen), np.concatenate([seen.frames, extra.frames]),
        np.concatenate([seen.points, len(state.points) + extra.points]), np.concatenate([seen.pixels, extra.pixels]),
    )  # fmt: skip
    return _in_order_of_time(seen, replace(state, points=np.concatenate([state.points, points])),
                             np.concatenate([track_of_point, chosen]))  # fmt: skip


def _in_order_of_time(
    seen: Observations, state: State, track_of_point: np.ndarray
) -> tuple[State, Observations, np.ndarray]:
    """Points that share frames are next to each other: they are eliminated together."""
    first, last = np.full(seen.point_count, seen.frame_count), np.zeros(seen.point_count, int)
    np.minimum.at(first, seen.points, seen.frames)
    np.maximum.at(last, seen.points, seen.frames)
    order = np.lexsort((last, first // _BEGUN_TOGETHER))
    number = np.empty(len(order), int)
    number[order] = np.arange(len(order))
    seen = Observations.sorted(
        seen.size, seen.frame_count, seen.point_count, seen.frames, number[seen.points], seen.pixels
    )
    return replace(state, points=state.points[order]), seen, track_of_point[order]


def _started(job: MappingJob, sparse: SparseModel) -> np.ndarray:
    """(T, 4, 4) between the keyframes; as the nearest one beyond them."""
    world = np.linalg.inv(sparse.camera_from_world)
    rows = np.clip(np.arange(job.frame_count), sparse.rows[0], sparse.rows[-1])
    poses = np.tile(np.eye(4), (job.frame_count, 1, 1))
    poses[:, :3, :3] = Slerp(sparse.rows, Rotation.from_matrix(world[:, :3, :3]))(rows).as_matrix()
    for axis in range(3):
        poses[:, axis, 3] = np.interp(rows, sparse.rows, world[:, axis, 3])
    return np.linalg.inv(poses)


def _followed(seen: Observations, state: State, known: np.ndarray) -> tuple[State, np.ndarray]:
    """Frames that did not fit are tried from their neighbour's pose, away from those that did."""
    posed = known | _fits(seen, state)
    for direction in (1, -1):
        for _ in range(_REACH_FRAMES):
            beside = np.roll(posed, direction)
            beside[0 if direction > 0 else -1] = False
            todo = beside & ~posed & (np.bincount(seen.frames, minlength=len(posed)) >= MIN_POSE_POINTS)
            if not todo.any():
                break
            poses = state.camera_from_world.copy()
            poses[todo] = np.roll(poses, direction, axis=0)[todo]
            state = resection.resect(seen, replace(state, camera_from_world=poses), todo, 10)
            posed = posed | (todo & _fits(seen, state))
    return state, posed


def _fits(seen: Observations, state: State) -> np.ndarray:
    """(F,) whether enough points are seen close to where they should be."""
    error = np.linalg.norm(adjustment.residuals(seen, state), axis=1)
    near = np.bincount(seen.frames[error < _LOST_PX], minlength=seen.frame_count)
    total = np.bincount(seen.frames, minlength=seen.frame_count)
    return (near >= MIN_POSE_POINTS) & (near >= 0.4 * total)


def _chosen(posed: np.ndarray, key_rows: np.ndarray) -> np.ndarray:
    """(F,) bool: the frames that are adjusted together: keyframes, and others spread evenly between them."""
    chosen = np.zeros(len(posed), bool)
    chosen[key_rows[np.linspace(0, len(key_rows) - 1, min(len(key_rows), _MOST_FRAMES)).round().astype(int)]] = True
    others = np.flatnonzero(posed & ~chosen)
    room = min(len(others), max(0, _ADJUSTED_FRAMES - len(key_rows)))
    if room:
        chosen[others[np.linspace(0, len(others) - 1, room).round().astype(int)]] = True
    return chosen & posed


# --- adjustment -------------------------------------------------------------------------------------------------------


def _adjusted(
    job: MappingJob, seen: Observations, state: State, posed: np.ndarray, chosen: np.ndarray
) -> tuple[State, Observations, np.ndarray]:
    """Poses, points and lens; the observations that fit them; which of the lens' parameters the clip told."""
    allowed = np.zeros(4, bool)
    allowed[[FOCAL, K1]] = job.refine_focal, job.refine_k1
    state = _round(seen, state, posed, chosen, allowed, 10)
    wanted = allowed.copy()
    wanted[[K2, READOUT]] = job.refine_k1, job.refine_readout
    for _ in range(_ROUNDS - 1):
        seen = _without_gross(seen, state)
        state = _round(seen, state, posed, chosen, wanted, 6)
    free = _telling(seen, state, posed, chosen, wanted)
    if (free != wanted).any():
        fixed = np.where(free | ~wanted, state.lens, 0.0)
        fixed[FOCAL] = state.lens[FOCAL]
        state = _round(seen, replace(state, lens=fixed), posed, chosen, free, 8)
    seen = _weighed(seen, state)
    for _ in range(2):
        # how much a weak link is worth is told at the bottom alone
        state = _round(seen, state, posed, chosen, free, 8)
    return state, _without_gross(seen, state), free


def _round(
    seen: Observations, state: State, posed: np.ndarray, chosen: np.ndarray, free: np.ndarray, iterations: int
) -> State:
    """Adjust the chosen frames, place the others, and renew the velocities."""
    part, rows = adjustment.part_of(seen, chosen)
    solved = adjustment.adjust(part, adjustment.at_rows(state, rows), free, iterations)
    poses = state.camera_from_world.copy()
    poses[rows] = solved.camera_from_world
    state = replace(state, camera_from_world=poses, points=solved.points, lens=solved.lens)
    if (posed & ~chosen).any():
        state = resection.resect(seen, state, posed & ~chosen, 4)
    twists = np.zeros((len(posed), 6))
    twists[posed] = adjustment.twists_of(state.camera_from_world[posed], np.flatnonzero(posed))
    return replace(state, twists=twists)


def _without_gross(seen: Observations, state: State) -> Observations:
    """Less what is far off or strays; the loss becomes as narrow as what is left allows."""
    error = np.linalg.norm(adjustment.residuals(seen, state), axis=1)
    kept = (error < _BAD_PX) & moving.stays(seen, error, _BAD_PX)
    median = np.median(error[kept]) if kept.any() else 1.0
    width_px = float(np.clip(_WIDTH * median, _MIN_WIDTH_PX, adjustment.WIDTH_PX))
    return replace(seen.where(kept), width_px=width_px)


def _weighed(seen: Observations, state: State) -> Observations:
    """Points count by their own scatter: faint corners, and those before a far background, are followed worse.

    Only once the lens is whole: what it does not explain yet is no scatter.
    """
    error = _beyond_blur(seen, np.linalg.norm(adjustment.residuals(seen, state), axis=1))
    usual = max(float(np.median(error)), 1e-9) if len(error) else 1.0
    counts = np.bincount(seen.points, minlength=seen.point_count) + _SCATTER_FRAMES
    scatter = np.bincount(seen.points, error**2, seen.point_count) + _SCATTER_FRAMES * usual**2
    return replace(seen, worth=np.clip(usual**2 * counts / scatter, 1 / _MOST_WORTH, _MOST_WORTH))


def _beyond_blur(seen: Observations, error_px: np.ndarray) -> np.ndarray:
    """(N,) ``error_px``, less in frames where the middle one is more than usual: blur is no fault of the points."""
    usual = max(float(np.median(error_px)), 1e-9) if len(error_px) else 1.0
    return error_px * (usual / np.maximum(resection.frame_medians(error_px, seen), usual))[seen.frames]


def _telling(seen: Observations, state: State, posed: np.ndarray, chosen: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """(4,) bool: which of the lens' parameters stay free: k2, readout, then k1, each against leaving it out."""
    free = wanted.copy()
    if not free[[K1, K2, READOUT]].any():
        return free
    part, rows = adjustment.part_of(seen, chosen)
    sigma = adjustment.spread(part, adjustment.at_rows(state, rows), free, trust.small_groups(part, rows)).lens
    now = adjustment.cost(part, adjustment.at_rows(state, rows))
    for parameter in (K2, READOUT, K1):
        if not free[parameter]:
            continue
        without = free & (np.arange(4) != parameter)
        lens = np.where(np.arange(4) == parameter, 0.0, state.lens)
        known = abs(state.lens[parameter]) > _TELLING_SIGMAS * sigma[parameter]
        least = now * (1 + (_GAIN[parameter] if known else _LARGE_GAIN))
        if _reaches(part, replace(adjustment.at_rows(state, rows), lens=lens), without, least):
            free = without
    return free


def _reaches(seen: Observations, state: State, free: np.ndarray, cost: float) -> bool:
    """Does adjusting make it cheaper than ``cost``? Steps only lower it, so most answers need one or two."""
    for _ in range(_TRIED_STEPS):
        state = adjustment.adjust(seen, state, free, 1)
        if adjustment.cost(seen, state) < cost:
            return True
    return False


# --- answer -----------------------------------------------------------------------------------------------------------


def _model(
    job: MappingJob, seen: Observations, state: State, posed: np.ndarray, chosen: np.ndarray, free: np.ndarray,
    spread: trust.Trust, track_of_point: np.ndarray,
) -> MappedModel:  # fmt: skip
    error = np.linalg.norm(adjustment.residuals(seen, state), axis=1)
    counts = np.bincount(seen.frames, minlength=job.frame_count)
    posed = posed & (counts >= MIN_POSE_POINTS) & ~trust.wild(state, posed, spread.step[:, 1])
    poses = np.where(posed[:, None, None], state.camera_from_world, np.nan)
    rows = np.argsort(seen.frames, kind="stable")
    edges = np.searchsorted(seen.frames[rows], np.arange(job.frame_count + 1))
    errors = np.array(
        [np.median(error[rows[a:b]]) if b > a else np.nan for a, b in zip(edges, edges[1:], strict=False)]
    )
    kept = np.flatnonzero(np.bincount(seen.points[posed[seen.frames]], minlength=seen.point_count) >= 3)
    total = np.bincount(seen.points, error, seen.point_count)
    point_errors = total[kept] / np.bincount(seen.points, minlength=seen.point_count)[kept]
    profile = trust.focal_profile(seen, state, chosen, free) if job.profile else np.full(3, np.nan)
    return MappedModel(
        poses, np.where(posed, errors, np.nan), np.where(posed, counts, 0), spread.step, spread.whole, spread.by_focal,
        state.lens, spread.lens, state.points[kept], track_of_point[kept], point_errors, profile,
        moving.share(job, state, posed),
    )  # fmt: skip
