"""One path from pieces: models are joined, and frames that no model holds are bridged, flagged as such.

Across a gap the rotation is followed from frame to frame (visual odometry on what tracks there are); the position can
only be interpolated. Beyond the first and last solved frames it runs out gently.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from .cameras import BRIDGED, SOLVED
from .job import MappedModel
from .lens import rays_of
from .motion_kind import robust_rotation
from .similarity import Similarity, between_paths, mean_rotation
from .tracks import Tracks

_MIN_SHARED_FRAMES, _MIN_SHARED_POINTS = 3, 8
_SPEED_FRAMES = 5
# Beyond a solved end the speed halves every three frames.
_DECAY = 0.8
_MIN_TURN_POINTS = 8
# Equal speed on both sides of a gap: right within a factor of two, two times out of three.
GUESSED_SIZE_SIGMA = 0.7


@dataclass(frozen=True)
class Joined:
    """Attributes:
    world_from_camera: (T, 4, 4) of all frames. status: (T,) BRIDGED or SOLVED.
    owner: (T,) index of the model that solved each frame, -1 where bridged.
    moves: per model, how it was brought into the common world.
    guessed: models that were joined without common frames or points: their relative scale is a guess.
    """

    world_from_camera: np.ndarray
    status: np.ndarray
    owner: np.ndarray
    moves: tuple[Similarity | None, ...]
    guessed: tuple[int, ...] = ()

    @property
    def guessed_joins(self) -> int:
        return len(self.guessed)

    def off_by_guess(self) -> np.ndarray:
        """(T,) one-sigma of the position of frames whose piece has a guessed size; 0 in the others.

        It grows with the distance from the frame where the piece was joined on.
        """
        sigma = np.zeros(len(self.owner))
        centres = self.world_from_camera[:, :3, 3]
        for model in self.guessed:
            mine, others = (
                np.flatnonzero(self.owner == model),
                np.flatnonzero((self.owner >= 0) & (self.owner != model)),
            )
            if not len(mine) or not len(others):
                continue
            first = mine[np.abs(mine[:, None] - others[None, :]).min(axis=1).argmin()]
            sigma[mine] = GUESSED_SIZE_SIGMA * np.linalg.norm(centres[mine] - centres[first], axis=1)
        return sigma


def join(models: list[MappedModel], tracks: Tracks) -> Joined:
    """``models`` (at least one), the most complete first; its world stays."""
    count = tracks.frame_count
    turns = frame_turns(tracks, models[0].focal_px, models[0].k1)
    poses = np.full((count, 4, 4), np.nan)
    owner = np.full(count, -1)
    moves: list[Similarity | None] = [None] * len(models)
    guessed: list[int] = []
    _adopt(poses, owner, models[0], 0, Similarity(1.0, np.eye(3), np.zeros(3)))
    moves[0] = Similarity(1.0, np.eye(3), np.zeros(3))
    waiting = [i for i in range(1, len(models)) if _adds(models[i], owner)]
    while waiting:
        index = max(waiting, key=lambda i: (models[i].posed & (owner >= 0)).sum())
        waiting.remove(index)
        if not _adds(models[index], owner):
            continue
        move = _by_frames(models[index], poses) or _by_points(models[index], models, moves)
        if move is None:
            move = _by_odometry(models[index], poses, turns)
            guessed.append(index)
        _adopt(poses, owner, models[index], index, move)
        moves[index] = move
    status = np.where(owner >= 0, SOLVED, BRIDGED).astype(np.uint8)
    return Joined(_bridged(poses, turns), status, owner, tuple(moves), tuple(guessed))


def _adds(model: MappedModel, owner: np.ndarray) -> bool:
    return int((model.posed & (owner < 0)).sum()) >= _MIN_SHARED_FRAMES


def _adopt(poses: np.ndarray, owner: np.ndarray, model: MappedModel, index: int, move: Similarity) -> None:
    fresh = model.posed & (owner < 0)
    poses[fresh] = move.poses(np.linalg.inv(model.camera_from_world[fresh]))
    owner[fresh] = index


def _by_frames(model: MappedModel, poses: np.ndarray) -> Similarity | None:
    """From frames that both hold, if they lie far enough apart to tell the scale."""
    shared = model.posed & np.isfinite(poses[:, 0, 0])
    if shared.sum() < _MIN_SHARED_FRAMES:
        return None
    source = np.linalg.inv(model.camera_from_world[shared])
    move = between_paths(source, poses[shared])
    error = np.linalg.norm(move.poses(source)[:, :3, 3] - poses[shared][:, :3, 3], axis=1)
    reach = np.linalg.norm(np.ptp(poses[shared][:, :3, 3], axis=0))
    return move if reach > 10 * np.sqrt((error**2).mean()) else None


def _by_points(model: MappedModel, models: list[MappedModel], moves: list[Similarity | None]) -> Similarity | None:
    """From points that an already joined model has, too: their distances tell scale, themselves the rest."""
    for other, move in zip(models, moves, strict=True):
        if move is None:
            continue
        known = np.flatnonzero(model.point_ids >= 0)
        _, a, b = np.intersect1d(model.point_ids[known], other.point_ids, return_indices=True)
        if len(a) >= _MIN_SHARED_POINTS:
            found = _similarity_of_points(model.points[known[a]], move.points(other.points[b]))
            if found is not None:
                return found
    return None


def _similarity_of_points(source: np.ndarray, target: np.ndarray) -> Similarity | None:
    """Umeyama (1991) on the points that agree; None when fewer than half do."""
    keep = np.ones(len(source), bool)
    for _ in range(8):
        a, b = source[keep], target[keep]
        a_mean, b_mean = a.mean(axis=0), b.mean(axis=0)
        u, singular, vt = np.linalg.svd((b - b_mean).T @ (a - a_mean))
        sign = np.diag([1, 1, np.sign(np.linalg.det(u @ vt))])
        scale = np.trace(np.diag(singular) @ sign) / max(((a - a_mean) ** 2).sum(), 1e-18)
        found = Similarity(float(scale), u @ sign @ vt, b_mean - scale * u @ sign @ vt @ a_mean)
        error = np.linalg.norm(found.points(source) - target, axis=1)
        keep = error <= max(2.5 * float(np.median(error)), 1e-12)
    close = error < 0.1 * np.linalg.norm(np.std(target, axis=0))
    return found if close.mean() >= 0.5 and close.sum() >= _MIN_SHARED_POINTS else None


def _by_odometry(model: MappedModel, poses: np.ndarray, turns: np.ndarray) -> Similarity:
    """From the turn across the gap and equal speed on both its sides: a guess."""
    known, mine = np.flatnonzero(np.isfinite(poses[:, 0, 0])), np.flatnonzero(model.posed)
    near = np.abs(known[:, None] - mine[None, :])
    here, there = np.unravel_index(near.argmin(), near.shape)
    a, b = int(known[here]), int(mine[there])
    turns = _without_parallax(turns, poses, a)
    turn = turns[a + 1 : b + 1] if b > a else turns[b + 1 : a + 1]
    chain = np.eye(3)
    for step in turn:
        chain = step @ chain
    chain = chain if b > a else chain.T
    source = np.linalg.inv(model.camera_from_world[b])
    rotation = poses[a, :3, :3] @ chain.T @ source[:3, :3].T
    mine_poses = np.full_like(poses, np.nan)
    mine_poses[mine] = np.linalg.inv(model.camera_from_world[mine])
    speed, speed_mine = _velocity(poses, a), _velocity(mine_poses, b)
    scale = np.linalg.norm(speed) / max(float(np.linalg.norm(speed_mine)), 1e-12)
    scale = float(scale) if 1e-3 < scale < 1e3 else 1.0
    position = poses[a, :3, 3] + (b - a) * (speed + scale * rotation @ speed_mine) / 2
    return Similarity(scale, rotation, position - scale * rotation @ source[:3, 3])


def _velocity(poses: np.ndarray, row: int) -> np.ndarray:
    """(3,) mean motion per frame of the known poses around ``row``; zero where it can't be told."""
    near = np.arange(max(0, row - _SPEED_FRAMES), min(len(poses), row + _SPEED_FRAMES + 1))
    near = near[np.isfinite(poses[near, 0, 0])]
    if len(near) < 2:
        return np.zeros(3)
    return (poses[near[-1], :3, 3] - poses[near[0], :3, 3]) / (near[-1] - near[0])


def frame_turns(tracks: Tracks, focal_px: float, k1: float) -> np.ndarray:
    """(T, 3, 3) turn of the camera since the frame before (x_now = turn @ x_before for far points); [0] is identity."""
    turns = np.tile(np.eye(3), (tracks.frame_count, 1, 1))
    for row in range(1, tracks.frame_count):
        a, b = (rays_of(points, tracks.size, focal_px, k1) for points in tracks.shared(row - 1, row))
        if len(a) >= _MIN_TURN_POINTS:
            turns[row] = robust_rotation(a, b, 1 / focal_px)
    return turns


def _without_parallax(turns: np.ndarray, poses: np.ndarray, row: int) -> np.ndarray:
    """``turns`` corrected by what they are off around the known ``row``.

    A rotation fitted to a travelling camera's image takes up part of the travel; next to a gap that part is known.
    """
    near = np.arange(max(1, row - _SPEED_FRAMES), min(len(poses), row + _SPEED_FRAMES + 1))
    near = near[np.isfinite(poses[near, 0, 0]) & np.isfinite(poses[near - 1, 0, 0])]
    if not len(near):
        return turns
    true = poses[near, :3, :3].transpose(0, 2, 1) @ poses[near - 1, :3, :3]
    return mean_rotation(true @ turns[near].transpose(0, 2, 1)) @ turns


def _bridged(poses: np.ndarray, turns: np.ndarray) -> np.ndarray:
    known = np.flatnonzero(np.isfinite(poses[:, 0, 0]))
    filled = poses.copy()
    for before, after in zip(known[:-1], known[1:], strict=True):
        if after - before > 1:
            _fill_gap(filled, _without_parallax(turns, poses, before), before, after)
    for row, direction in ((int(known[0]), -1), (int(known[-1]), 1)):
        _run_out(filled, _without_parallax(turns, poses, row), row, direction)
    return filled


def _fill_gap(poses: np.ndarray, turns: np.ndarray, before: int, after: int) -> None:
    """Turns are followed from the left, their error at the right end is spread evenly; positions by cubic Hermite."""
    length = after - before
    rotation = [poses[before, :3, :3]]
    for row in range(before + 1, after + 1):
        rotation.append(rotation[-1] @ turns[row].T)
    miss = Rotation.from_matrix(rotation[-1].T @ poses[after, :3, :3]).as_rotvec()
    v0, v1 = _velocity(poses, before) * length, _velocity(poses, after) * length
    p0, p1 = poses[before, :3, 3], poses[after, :3, 3]
    for step in range(1, length):
        u = step / length
        h = (2 * u**3 - 3 * u**2 + 1, u**3 - 2 * u**2 + u, -2 * u**3 + 3 * u**2, u**3 - u**2)
        pose = np.eye(4)
        pose[:3, :3] = rotation[step] @ Rotation.from_rotvec(u * miss).as_matrix()
        pose[:3, 3] = h[0] * p0 + h[1] * v0 + h[2] * p1 + h[3] * v1
        poses[before + step] = pose


def _run_out(poses: np.ndarray, turns: np.ndarray, row: int, direction: int) -> None:
    speed = _velocity(poses, row) * direction
    pose = poses[row].copy()
    row += direction
    while 0 <= row < len(poses):
        speed = speed * _DECAY
        pose = pose.copy()
        pose[:3, :3] = pose[:3, :3] @ (turns[row].T if direction > 0 else turns[row + 1])
        pose[:3, 3] += speed
        poses[row] = pose
        row += direction
