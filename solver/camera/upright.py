"""Which way is down: what is built stands upright or lies level; heads and hands hold cameras nearly level.

The likelihood of a direction is that of the straight edges: each runs upright, or level along one of two directions
square to each other (a "Manhattan" world, Coughlan and Yuille 1999), or anyhow; and that of the largest plane among the
points, which mostly is a floor or a table. How cameras are held is the prior.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from .cameras import CameraPath
from .similarity import Similarity

# Cameras that film hands are held level (their x axis horizontal) within some 8 degrees, and look down 20 on average.
_ROLL_DEG, _DOWNWARD_DEG, _PITCH_DEG = 8.0, 20.0, 25.0
# The search: every so many degrees with tolerant lines, then finer, with lines as straight as they are.
_PITCHES_DEG, _ROLLS_DEG, _HEADINGS_DEG = np.arange(-60, 91, 3.0), np.arange(-24, 25, 3.0), np.arange(0, 90, 2.0)
_TOLERANT_DEG, _LINE_DEG, _FINER_DEG = 2.5, 1.0, (1.0, 0.4, 0.15)
_CLUTTER = 0.5
# The same line is seen again and again, and random ones agree by chance: what lines say counts half.
_TEMPER = 0.5
# what is built is upright to about this
_BUILT_DEG = 0.5
# the modes that are looked at, at least so far from each other; what is off by more than the last is simply wrong
_MODES, _APART_DEG, _WRONG_DEG = 8, 6.0, 45.0
# Random lines leave a spread of 20 and more, and a worse answer than a level head.
_CONTRADICTING_DEG = 15.0
# The largest plane is level so often; floors and tables, and planes through points of them, lean by this.
_LEVEL, _SURFACE_DEG = 0.85, 1.5
# of a plane that is not level, within 50 degrees: its density on the sphere
_ANYHOW = 1 / (2 * np.pi * (1 - np.cos(np.radians(50))))
# what a fair sample of them takes
_MOST_LINES = 350


@dataclass(frozen=True)
class Lines:
    """``normals`` (n, 3) in the world: each line lies across its own; ``weights`` (n,) of each in the likelihood."""

    normals: np.ndarray
    weights: np.ndarray


NO_LINES = Lines(np.zeros((0, 3)), np.zeros(0))


@dataclass(frozen=True)
class Down:
    """``direction`` (3,) unit vector in the world, and its one-sigma in radians."""

    direction: np.ndarray
    sigma_rad: float


def find_down(rotations: np.ndarray, lines: Lines = NO_LINES, plane: np.ndarray | None = None) -> Down:
    """Down in the world of (T, 3, 3) world_from_camera rotations. Lines that contradict each other are not heeded.

    Args:
        plane: (3,) normal, pointing down, of the largest one that may be level; None without any.
    """
    found = _searched(rotations, _sample(lines), plane)
    is_clear = not len(lines.normals) or found.sigma_rad < np.radians(_CONTRADICTING_DEG)
    return found if is_clear else _searched(rotations, NO_LINES, plane)


def _searched(rotations: np.ndarray, lines: Lines, plane: np.ndarray | None) -> Down:
    def said(near: np.ndarray, line_deg: float) -> np.ndarray:
        return _prior(near, rotations) + _said_by(lines, near, line_deg) + _said_by_plane(plane, near)

    tried = _directions(rotations)
    if plane is not None:
        tried = np.concatenate([tried, plane[None]])
    posterior = said(tried, _TOLERANT_DEG)
    modes, heights = _modes(tried, posterior, lambda near: said(near, _LINE_DEG))
    # about the middle of a mode lines tell more than the coarse search, with its tolerance, could see
    tried, posterior = np.concatenate([tried, modes]), np.append(posterior, heights)
    share = np.exp(posterior - posterior.max())
    share /= share.sum()
    middle = share @ tried
    best = _least_regretted(share, tried, np.concatenate([modes, [middle / np.linalg.norm(middle)]]))
    return Down(best, float(np.hypot(_spread(share, tried, best), np.radians(_BUILT_DEG))))


def _said_by_plane(plane: np.ndarray | None, down: np.ndarray) -> np.ndarray:
    """(m,) log likelihood of directions (m, 3)."""
    if plane is None:
        return np.zeros(len(down))
    sigma = np.radians(_SURFACE_DEG)
    angle = np.arccos(np.clip(down @ plane, -1, 1))
    return np.log(_LEVEL * np.exp(-0.5 * (angle / sigma) ** 2) / (2 * np.pi * sigma**2) + (1 - _LEVEL) * _ANYHOW)


def _least_regretted(share: np.ndarray, directions: np.ndarray, candidates: np.ndarray) -> np.ndarray:
    """The candidate with the least expected angle, where one that is wrong at all may as well be very wrong:

    the middle of one broad mode, but never the middle between two.
    """
    angle = np.arccos(np.clip(candidates @ directions.T, -1, 1))
    return candidates[(np.minimum(angle, np.radians(_WRONG_DEG)) @ share).argmin()]


def _modes(
    tried: np.ndarray, posterior: np.ndarray, finely: Callable[[np.ndarray], np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """(k, 3) the best directions that lie apart, each refined, and what ``finely`` says of them."""
    chosen: list[np.ndarray] = []
    for index in np.argsort(-posterior):
        if all(tried[index] @ other < np.cos(np.radians(_APART_DEG)) for other in chosen):
            chosen.append(tried[index])
        if len(chosen) == _MODES:
            break
    refined = [_climbed(direction, finely) for direction in chosen]
    return np.stack([direction for direction, _ in refined]), np.array([height for _, height in refined])


def _climbed(direction: np.ndarray, finely: Callable[[np.ndarray], np.ndarray]) -> tuple[np.ndarray, float]:
    for step in _FINER_DEG:
        near = _around(direction, step)
        heights = finely(near)
        direction = near[heights.argmax()]
    return direction, float(heights.max())


def _spread(share: np.ndarray, directions: np.ndarray, middle: np.ndarray) -> float:
    return float(np.sqrt(share @ np.arccos(np.clip(directions @ middle, -1, 1)) ** 2))


def upright_rotation(down: np.ndarray) -> np.ndarray:
    """(3, 3) that turns the world so that y is ``down`` (3,), with no more turn than that takes."""
    axis = np.cross(down, [0, 1.0, 0])
    sine = float(np.linalg.norm(axis))
    angle = np.arctan2(sine, down[1])
    if sine < 1e-9:
        return np.eye(3) if down[1] > 0 else np.diag([1.0, -1.0, -1.0])
    return Rotation.from_rotvec(axis / sine * angle).as_matrix()


def stood_up(path: CameraPath, down: Down) -> CameraPath:
    """``path`` with ``down`` along y and its first camera at the origin."""
    turn = upright_rotation(down.direction)
    move = Similarity(1.0, turn, -turn @ path.world_from_camera[0, :3, 3])
    poses = move.poses(path.world_from_camera)
    return dataclasses.replace(path, world_from_camera=poses, points=move.points(path.points), up_sigma=down.sigma_rad)


def _sample(lines: Lines) -> Lines:
    step = -(-len(lines.normals) // _MOST_LINES)
    return Lines(lines.normals[::step], lines.weights[::step] * step) if step > 1 else lines


def _directions(rotations: np.ndarray) -> np.ndarray:
    """(m, 3) in the world, over pitch and roll of the mean camera."""
    pitch, roll = np.meshgrid(np.radians(_PITCHES_DEG), np.radians(_ROLLS_DEG), indexing="ij")
    local = np.stack([np.sin(roll), np.cos(roll) * np.cos(pitch), np.cos(roll) * np.sin(pitch)], axis=-1)
    return local.reshape(-1, 3) @ Rotation.from_matrix(rotations).mean().as_matrix().T


def _around(direction: np.ndarray, step_deg: float) -> np.ndarray:
    """(49, 3) up to three steps about it."""
    first = np.cross(direction, np.eye(3)[np.abs(direction).argmin()])
    first /= np.linalg.norm(first)
    steps = np.radians(step_deg) * np.arange(-3, 4)
    a, b = (v.reshape(-1, 1) for v in np.meshgrid(steps, steps))
    near = direction + a * first + b * np.cross(direction, first)
    return near / np.linalg.norm(near, axis=1, keepdims=True)


def _prior(down: np.ndarray, rotations: np.ndarray) -> np.ndarray:
    """(m,) log density of directions (m, 3), by how all the cameras would have been held."""
    local = np.einsum("tji,mj->mti", rotations[:: max(1, len(rotations) // 30)], down)
    roll = np.degrees(np.arcsin(np.clip(local[..., 0], -1, 1)))
    pitch = np.degrees(np.arctan2(local[..., 2], local[..., 1]))
    # one person holds one camera: its frames are not independent
    return -0.5 * (((roll / _ROLL_DEG) ** 2).mean(axis=1) + (((pitch - _DOWNWARD_DEG) / _PITCH_DEG) ** 2).mean(axis=1))


def _said_by(lines: Lines, down: np.ndarray, sigma_deg: float) -> np.ndarray:
    """(m,) tempered log likelihood of directions (m, 3), each with the best heading of what is level."""
    if not len(lines.normals):
        return np.zeros(len(down))
    sigma = float(np.radians(sigma_deg))
    # single precision halves the time, which is all in the exponentials
    headings, normals = np.radians(_HEADINGS_DEG)[:, None].astype(np.float32), lines.normals.astype(np.float32)

    def hit(sine: np.ndarray) -> np.ndarray:
        return np.exp(-0.5 * (sine / sigma) ** 2) / (sigma * float(np.sqrt(np.pi / 2)))

    found = np.empty(len(down))
    for i, direction in enumerate(down):
        first = np.cross(direction, np.eye(3)[np.abs(direction).argmin()])
        first /= np.linalg.norm(first)
        second = np.cross(direction, first)
        a, b, upright = (normals @ np.stack([first, second, direction], axis=1).astype(np.float32)).T
        level = hit(np.cos(headings) * a + np.sin(headings) * b) + hit(np.cos(headings) * b - np.sin(headings) * a)
        # as many along each of the three, or whichever has most would be called upright
        built = (hit(upright) + level) / 3
        found[i] = (np.log(_CLUTTER + (1 - _CLUTTER) * built) @ lines.weights).max()
    return _TEMPER * found
