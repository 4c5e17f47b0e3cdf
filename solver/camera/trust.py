"""How far to trust an adjusted camera: how far off its poses and lens may be, and where a step is anyone's guess.

What noise of one kind moves together is left out together (groups of points), which tells more than residuals taken as
independent would.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from . import adjustment
from .adjustment import FOCAL, Observations, State
from .tracks import cells

# Frames per group of points in time, and the most such stretches.
_EPOCH_FRAMES, _MOST_EPOCHS = 45, 30
# The error that groups of points tell falls short of the true one, of which much is common to all of them: 2.4 times in
# the middle of 8 clips with truth that are not of the benchmark's test suite (0.4 to 5.1).
_CALIBRATION = 3.0
# Times the median step, and its median sigma, from which on a step is wild; frames between wild ones that are, too.
_WILD, _WILD_GAP = 8.0, 6
_PROFILE_FRAMES, _PROFILE_TOLERANCE = 40, 1e-3
# Stretches whose focal lengths are compared, and adjusted frames that each must have.
_STRETCHES, _MIN_STRETCH = 3, 5


def small_groups(seen: Observations, rows: np.ndarray) -> np.ndarray:
    """(P,) points of a small part of the image in a stretch of time, which noise of its own kind moves together."""
    return _numbered(_epoch(seen, rows), cells(_mean(seen, seen.pixels), np.array(seen.size)))


def _large_groups(seen: Observations, state: State, rows: np.ndarray) -> np.ndarray:
    """(P,) points that are likely to be wrong together: of a quarter of the image, near or far, in a stretch of time.

    As large as what moves (a person): of eight clips with truth, small ones understated the one before a person most.
    """
    camera = state.camera_from_world[seen.frames]
    depths = np.einsum("ni,ni->n", camera[:, 2, :3], state.points[seen.points]) + camera[:, 2, 3]
    depth = _mean(seen, depths[:, None])[:, 0]
    far = depth > np.median(depth[np.unique(seen.points)])
    right, below = (_mean(seen, seen.pixels / seen.size) > 0.5).T
    return _numbered(_epoch(seen, rows), 4 * far + 2 * below + right)


def _mean(seen: Observations, values: np.ndarray) -> np.ndarray:
    """(P, k) of each point's (N, k)."""
    count = np.maximum(np.bincount(seen.points, minlength=seen.point_count), 1)
    return np.stack([np.bincount(seen.points, value, seen.point_count) / count for value in values.T], axis=1)


def _epoch(seen: Observations, rows: np.ndarray) -> np.ndarray:
    length = max(_EPOCH_FRAMES, (rows[-1] + 1) / _MOST_EPOCHS)
    return (_mean(seen, rows[seen.frames][:, None])[:, 0] // length).astype(int)


def _numbered(epoch: np.ndarray, part: np.ndarray) -> np.ndarray:
    """0..C-1 of the pairs that there are."""
    return np.unique(epoch * (part.max(initial=0) + 1) + part, return_inverse=True)[1]


@dataclass(frozen=True)
class Trust:
    """``step`` (T, 2) sigma of turn and step since the frame before, ``whole`` (T, 2) of each pose in the world after
    the best similarity, NaN where not adjusted; ``by_focal`` (T, 2) what of it changes with the log focal length;
    ``lens`` (4,)."""

    step: np.ndarray
    whole: np.ndarray
    by_focal: np.ndarray
    lens: np.ndarray


def spread_of(seen: Observations, state: State, chosen: np.ndarray, free: np.ndarray) -> Trust:
    part, rows = adjustment.part_of(seen, chosen)
    near = adjustment.at_rows(state, rows)
    found = adjustment.spread(part, near, free, _large_groups(part, near, rows))
    changes = in_world(np.concatenate([found.poses, found.by_focal[None]]), state.camera_from_world[rows])
    step, whole, by_focal = np.full((3, len(chosen), 2), np.nan)
    gap = np.diff(rows)
    for column, values in enumerate(changes):
        by_focal[rows, column] = np.linalg.norm(values[-1], axis=1)
        values = values[:-1]
        whole[rows, column] = _CALIBRATION * np.sqrt((values**2).sum(axis=(0, 2)))
        step[rows[1:], column] = np.sqrt((np.diff(values, axis=1) ** 2).sum(axis=(0, 2)) / gap)
    posed = np.arange(rows[0], rows[-1] + 1)
    for values in (step, whole, by_focal):
        for column in range(2):
            there = rows[np.isfinite(values[rows, column])]
            values[posed, column] = np.interp(posed, there, values[there, column])
    step[rows[0]] = np.nan
    return Trust(step, whole, by_focal, found.lens)


def in_world(steps: np.ndarray, camera_from_world: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(C, F, 3) turns and shifts in the world of changes (C, F, 6) in the cameras, less the similarity in them."""
    rotation = camera_from_world[:, :3, :3]
    centres = -np.einsum("fji,fj->fi", rotation, camera_from_world[:, :3, 3])
    shift = -np.einsum("fji,cfj->cfi", rotation, steps[..., 3:])
    turn = -np.einsum("fji,cfj->cfi", rotation, steps[..., :3])
    turn = turn - turn.mean(axis=1, keepdims=True)
    offset = centres - centres.mean(axis=0)
    modes = np.zeros((7, len(offset), 3))
    for axis in range(3):
        modes[axis, :, axis] = 1
        modes[3 + axis] = np.cross(np.eye(3)[axis], offset)
    modes[6] = offset
    flat, wanted = modes.reshape(7, -1), shift.reshape(len(shift), -1)
    found, *_ = np.linalg.lstsq(flat.T, wanted.T, rcond=1e-9)
    return turn, (wanted - found.T @ flat).reshape(shift.shape)


def wild(state: State, posed: np.ndarray, step_sigma: np.ndarray) -> np.ndarray:
    """(F,) frames among steps that are far larger and far less certain than the usual one.

    Beyond a weak link (a blurred turn towards a far wall) the size of the world is anyone's guess: such a stretch would
    be solved 100 times too large. Its positions are better carried over from its neighbours.
    """
    rows = np.flatnonzero(posed)
    centres = np.linalg.inv(state.camera_from_world[rows])[:, :3, 3]
    steps = np.linalg.norm(np.diff(centres, axis=0), axis=1) / np.diff(rows)
    sigma = step_sigma[rows[1:]]
    known = np.isfinite(sigma)
    if not known.any():
        return np.zeros(len(posed), bool)
    large = (steps > _WILD * np.median(steps[known])) & (sigma > _WILD * np.median(sigma[known]))
    wild = np.zeros(len(posed), bool)
    for first, last in zip(rows[:-1][large], rows[1:][large], strict=True):
        wild[first + 1 : last + 1] = True
    edges = np.flatnonzero(wild)
    for before, after in zip(edges[:-1], edges[1:], strict=True):
        if after - before <= _WILD_GAP:
            wild[before:after] = True
    return wild if wild.mean() < 0.5 else np.zeros(len(posed), bool)


def focal_profile(seen: Observations, state: State, chosen: np.ndarray, free: np.ndarray) -> np.ndarray:
    """(3,) mean robust cost at 0.88, 1 and 1.12 of the focal length, all else refitted to some of the frames."""
    rows = np.flatnonzero(chosen)
    some = np.zeros(len(chosen), bool)
    some[rows[np.linspace(0, len(rows) - 1, min(len(rows), _PROFILE_FRAMES)).round().astype(int)]] = True
    part, rows = adjustment.part_of(seen, some)
    held = free & (np.arange(4) != FOCAL)
    state, costs = adjustment.at_rows(state, rows), []
    for factor in (0.88, 1.0, 1.12):
        lens = state.lens * np.where(np.arange(4) == FOCAL, factor, 1.0)
        fitted = adjustment.adjust(part, replace(state, lens=lens), held, 8, _PROFILE_TOLERANCE)
        costs.append(adjustment.cost(part, fitted))
    return np.array(costs)


def zoom(seen: Observations, state: State, chosen: np.ndarray) -> float:
    """By how much the log focal length differs at most between stretches of time, each refitted by itself.

    A zoom pulls them apart by a third to four fifths of what it does; the rest goes into the path.
    """
    stretches = np.array_split(np.flatnonzero(chosen), _STRETCHES)
    if len(stretches[-1]) < _MIN_STRETCH:
        return 0.0
    only_focal = np.arange(4) == FOCAL
    logs = []
    for rows in stretches:
        part, rows = adjustment.part_of(seen, np.isin(np.arange(len(chosen)), rows))
        logs.append(np.log(adjustment.adjust(part, adjustment.at_rows(state, rows), only_focal, 4).lens[FOCAL]))
    return float(np.ptp(logs))
