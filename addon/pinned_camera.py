"""The solved camera with an artist's keys in it: what they change is led in and out smoothly.

What they change against the take's camera is carried over to the frames between them, eased to what stands at both ends
of the stretch. So the path between two keys keeps the shake of the footage.
"""

from __future__ import annotations

import bpy
import numpy as np

from ..solver.hand_model.rotations import exp, log
from . import animation, frames, turns
from .scene import members

_LOCATION = "location"


def of_root(root: bpy.types.Object) -> bpy.types.Object | None:
    """The camera that came with the take, unless the artist removed it."""
    return next(iter(members(root, "CAMERA")), None)


def motion_paths(camera: bpy.types.Object) -> tuple[str, ...]:
    """Of place and rotation, in whatever mode."""
    return (_LOCATION, *turns.of_object(camera).all_paths)


def artists_frames(camera: bpy.types.Object) -> np.ndarray:
    """Scene frames, rising, in which the artist keyed the camera's place or rotation."""
    there = animation.artist_frames(camera)
    return np.union1d(there.get(_LOCATION, np.zeros(0)), turns.of_object(camera).artist_frames(there))


def keyed_path(camera: bpy.types.Object, scene_frames: np.ndarray) -> np.ndarray:
    """(n, 4, 4) ``world_from_camera`` as the curves give it, solver axes, in the root's space."""
    path = np.tile(np.eye(4), (len(scene_frames), 1, 1))
    path[:, :3, :3] = turns.of_object(camera).seen(scene_frames)
    path[:, :3, 3] = animation.values_at(camera, _LOCATION, scene_frames, camera.location)
    return frames.camera_to_solver(path)


def eased_path(
    camera: bpy.types.Object, scene_frames: np.ndarray, is_end: np.ndarray, solved: np.ndarray
) -> np.ndarray | None:
    """The path with the artist's keys led in and out; None when there are none in these frames.

    Args:
        scene_frames: (n,) consecutive.
        is_end: (n,) bool, frames at either end that stay as they stand.
        solved: (n, 4, 4) the take's path there, solver axes.
    """
    pinned = np.isin(scene_frames, artists_frames(camera))
    if not (pinned & ~is_end).any():
        return None
    standing = keyed_path(camera, scene_frames)
    if not is_keyed_by_solver(camera):  # one lonely key moves the camera everywhere
        standing[~pinned] = solved[~pinned]
    knots = np.flatnonzero(pinned | is_end)
    turn = log(standing[knots, :3, :3] @ np.swapaxes(solved[knots, :3, :3], -1, -2))
    shift = standing[knots, :3, 3] - solved[knots, :3, 3]
    eased = solved.copy()
    eased[:, :3, :3] = exp(_eased(knots, turn, len(solved))) @ solved[:, :3, :3]
    eased[:, :3, 3] += _eased(knots, shift, len(solved))
    eased[knots] = standing[knots]
    return eased


def is_keyed_by_solver(camera: bpy.types.Object) -> bool:
    """A camera that stood still has no keys."""
    return len(animation.generated_frames(camera, _LOCATION)) > 0


def write(camera: bpy.types.Object, scene_frames: np.ndarray, path: np.ndarray) -> None:
    """Give the camera this path in these frames; the artist's keys and all other frames stay."""
    matrices = frames.camera_to_blender(path)
    turn = turns.of_object(camera)
    turn.carry_over("Camera")
    channels = animation.vector_channels(_LOCATION, "Camera", scene_frames, matrices[:, :3, 3])
    channels += turn.written("Camera", scene_frames, matrices[:, :3, :3])
    animation.write(camera, channels, (float(scene_frames[0]), float(scene_frames[-1])))


def _eased(knots: np.ndarray, values: np.ndarray, count: int) -> np.ndarray:
    """(count, k) values (m, k) of the knots (m,) on smooth steps between them, constant beyond."""
    at = np.arange(count)
    after = np.clip(np.searchsorted(knots, at, side="right"), 1, max(len(knots) - 1, 1))
    before, after = after - 1, np.minimum(after, len(knots) - 1)
    share = np.clip((at - knots[before]) / np.maximum(knots[after] - knots[before], 1), 0, 1)[:, None]
    share = share * share * (3 - 2 * share)
    return (1 - share) * values[before] + share * values[after]
