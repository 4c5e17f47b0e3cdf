"""Camera and body paths. A camera here is Blender's: x right, y up, looking along -z; the world is z up, metres."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .motion import smooth, tremor
from .rotations import axis_angle, unit

# Blender's camera axes seen from OpenCV's, and the solver's world (x right, y down, z forward) from Blender's (z up)
OPENCV_FROM_BLENDER_CAMERA = np.diag([1.0, -1.0, -1.0, 1.0])
SOLVER_FROM_BLENDER_WORLD = np.array([[1.0, 0, 0, 0], [0, 0, -1.0, 0], [0, 1.0, 0, 0], [0, 0, 0, 1.0]])


@dataclass(frozen=True)
class CameraKey:
    """Camera position and the point it looks at, world metres, at ``time`` seconds."""

    time: float
    position: tuple[float, float, float]
    target: tuple[float, float, float]


@dataclass(frozen=True)
class CameraMotion:
    """Keys, and what a body adds to them.

    Attributes:
        keys: at least one.
        smoothing: [s] width of the Gaussian that rounds the lines between keys.
        shake: metres of hand or head tremor; its rotation is 0.6 degrees per centimetre.
        step_hertz, step_height: of the bob of a walk; 0 for none.
        worn: the wearer's body goes with the camera; otherwise it stays at the first key of ``body``.
    """

    keys: tuple[CameraKey, ...]
    smoothing: float = 0.15
    shake: float = 0.004
    step_hertz: float = 0.0
    step_height: float = 0.02
    worn: bool = True


def camera_path(motion: CameraMotion, times: np.ndarray, seed: int) -> np.ndarray:
    """(T, 4, 4) world from camera, Blender's axes, at evenly spaced ``times``."""
    nodes = np.array([key.time for key in motion.keys])
    raw = np.array([[*key.position, *key.target] for key in motion.keys], float)
    lines = np.stack([np.interp(times, nodes, column) for column in raw.T], axis=1)
    lines = smooth(lines, motion.smoothing / (times[1] - times[0]))
    positions = lines[:, :3] + motion.shake * tremor(times, seed, 3)
    positions += _bob(motion, times)
    turns = np.stack([look_at(p, t) for p, t in zip(positions, lines[:, 3:], strict=True)])
    turns = turns @ axis_angle(np.deg2rad(60 * motion.shake) * tremor(times, seed + 1, 3))
    poses = np.broadcast_to(np.eye(4), (len(times), 4, 4)).copy()
    poses[:, :3, :3], poses[:, :3, 3] = turns, positions
    return poses


def _bob(motion: CameraMotion, times: np.ndarray) -> np.ndarray:
    phase = 2 * np.pi * motion.step_hertz * times
    up, side = np.sin(phase), 0.6 * np.sin(phase / 2)
    amount = motion.step_height if motion.step_hertz else 0.0
    return amount * np.stack([side, np.zeros_like(up), up], axis=1)


def look_at(position: np.ndarray, target: np.ndarray) -> np.ndarray:
    """(3, 3) world from camera that looks at ``target`` with the horizon level."""
    back = unit(np.asarray(position, float) - np.asarray(target, float))
    right = unit(np.cross([0.0, 0.0, 1.0], back))
    return np.stack([right, np.cross(back, right), back], axis=1)


def worn_body(camera: np.ndarray, times: np.ndarray) -> np.ndarray:
    """(T, 4, 4) world from body of the wearer: upright, turned with the slow part of the camera's heading, eyes a
    hand's breadth behind the camera."""
    forward = -camera[:, :3, 2] * [1.0, 1.0, 0.0]
    forward = smooth(forward, 0.25 / (times[1] - times[0]))
    position = smooth(camera[:, :3, 3], 0.06 / (times[1] - times[0]))
    return np.stack([standing(p - 0.09 * unit(f), f) for p, f in zip(position, forward, strict=True)])


def standing(eyes: np.ndarray, forward: np.ndarray) -> np.ndarray:
    """(4, 4) world from the body's frame for a person whose eyes are at ``eyes`` and who faces ``forward``."""
    ahead = unit(np.array([forward[0], forward[1], 0.0]))
    up = np.array([0.0, 0.0, 1.0])
    pose = np.eye(4)
    pose[:3, :3] = np.stack([np.cross(ahead, up), ahead, up], axis=1)
    pose[:3, 3] = eyes
    return pose


def to_solver_camera(camera: np.ndarray) -> np.ndarray:
    """(..., 4, 4) world_from_camera in the solver's frames (OpenCV axes both) from Blender's."""
    return SOLVER_FROM_BLENDER_WORLD @ camera @ OPENCV_FROM_BLENDER_CAMERA


def to_solver_world(points: np.ndarray) -> np.ndarray:
    """(..., 3) points of Blender's world in the solver's."""
    return points @ SOLVER_FROM_BLENDER_WORLD[:3, :3].T
