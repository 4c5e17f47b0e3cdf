"""Poses by points, and points by poses, all else held: where an adjustment begins, and what it leaves out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .adjustment import (
    AT_ONCE,
    FOCAL,
    K1,
    K2,
    Observations,
    State,
    add,
    linearise,
    moved,
    residuals,
    skew_rows,
    summed,
)

# Frames looked at together: as many as a processor's cache holds.
_FRAMES_AT_ONCE = 32


def resect(seen: Observations, state: State, frames: np.ndarray, iterations: int = 6) -> State:
    """Poses of ``frames`` (F,) bool alone, all else held: Gauss-Newton with Cauchy's loss, each frame for itself."""
    wanted, rows = seen.where(frames[seen.frames]), np.flatnonzero(frames)
    wanted = wanted.where(np.argsort(wanted.frames, kind="stable"))
    poses = state.camera_from_world.copy()
    for start in range(0, len(rows), _FRAMES_AT_ONCE):
        some = rows[start : start + _FRAMES_AT_ONCE]
        part = wanted.where(slice(*np.searchsorted(wanted.frames, [some[0], some[-1] + 1])))
        part = replace(part, frames=np.searchsorted(some, part.frames), frame_count=len(some))
        near = replace(state, camera_from_world=poses[some], twists=state.twists[some])
        for _ in range(iterations):
            near = _resected(part, near)
        poses[some] = near.camera_from_world
    return replace(state, camera_from_world=poses)


def _resected(seen: Observations, state: State) -> State:
    """One step of all poses; ``seen`` in order of frames."""
    error, image, _, local = linearise(seen, state)
    # the loss narrows as the pose settles, so that a start some way off is drawn in
    width = np.maximum(frame_medians(np.linalg.norm(error, axis=1), seen), seen.width_px)[seen.frames]
    weight = 1 / (1 + (error**2).sum(axis=1) / width**2)
    by_pose = np.concatenate([skew_rows(image, local), image], axis=2)
    heavy = by_pose.transpose(0, 2, 1) * weight[:, None, None]
    products = heavy @ np.concatenate([by_pose, error[..., None]], axis=2)
    normal = summed(products, seen.frames, seen.frame_count)
    hold = 1e-6 * (np.trace(normal[..., :6], axis1=1, axis2=2) + 1e-9)
    step = -np.linalg.solve(normal[..., :6] + hold[:, None, None] * np.eye(6), normal[..., 6:])[..., 0]
    return replace(state, camera_from_world=moved(state.camera_from_world, step))


def frame_medians(values: np.ndarray, seen: Observations) -> np.ndarray:
    """(F,) of ``values`` (N,); 0 where nothing is seen."""
    order = np.argsort(seen.frames, kind="stable")
    edges = np.searchsorted(seen.frames[order], np.arange(seen.frame_count + 1))
    parts = [values[order[a:b]] for a, b in zip(edges[:-1], edges[1:], strict=True)]
    return np.array([np.median(part) if len(part) else 0.0 for part in parts])


def triangulate(seen: Observations, state: State, min_angle_deg: float = 1.5, tolerance_px: float = 3.0):
    """Points (P, 3) nearest to all their rays, and which of them (P,) are seen from far enough apart and fit.

    The lens is undone by a few rounds of fixed-point iteration; the shutter is left to the adjustment.
    """
    world = np.linalg.inv(state.camera_from_world)
    normal = np.zeros((seen.point_count, 3, 4))
    for start in range(0, len(seen.frames), AT_ONCE):
        part = seen.where(slice(start, start + AT_ONCE))
        add(normal, _across(part, world[part.frames], state.lens), part.points)
    # a pencil of rays that all meet at a small angle has a small last eigenvalue
    counts = np.maximum(np.bincount(seen.points, minlength=seen.point_count), 1)
    spread = np.linalg.eigvalsh(normal[..., :3])[:, 0] / counts
    good = spread > (np.radians(min_angle_deg) / 2) ** 2
    matrix = normal[..., :3] + 1e-12 * counts[:, None, None] * np.eye(3)
    points = np.linalg.solve(matrix, normal[..., 3:])[..., 0]
    error = np.linalg.norm(residuals(seen, replace(state, points=points)), axis=1)
    mean = np.bincount(seen.points, error, seen.point_count) / counts
    return points, good & (mean < tolerance_px)


def _across(seen: Observations, world_from_camera: np.ndarray, lens: np.ndarray) -> np.ndarray:
    """(N, 3, 4): how far a point is off each ray is the length of ``[:, :, :3] @ point - [:, :, 3]``."""
    ideal = (seen.pixels - np.array(seen.size) / 2) / lens[FOCAL]
    plain = ideal
    for _ in range(8):
        squared = (plain**2).sum(axis=1, keepdims=True)
        plain = ideal / np.maximum(1 + squared * (lens[K1] + lens[K2] * squared), 0.3)
    rays = (world_from_camera[:, :3, :3] @ np.concatenate([plain, np.ones((len(plain), 1))], axis=1)[..., None])[..., 0]
    rays /= np.linalg.norm(rays, axis=1, keepdims=True)
    across = np.eye(3) - rays[:, :, None] * rays[:, None, :]
    return np.concatenate([across, across @ world_from_camera[:, :3, 3, None]], axis=2)
