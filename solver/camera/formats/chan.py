"""Nuke's .chan: one line a frame of ``frame tx ty tz rx ry rz [vertical field of view]``, degrees, y up.

Nuke's cameras look along -z with y up, as Blender's do; the file does not say in which order the turns are made, and
Nuke makes them in the order ZXY unless told otherwise (z first).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ...errors import SolverError
from ...hand_model import rotations as so3
from .known import KnownCamera, LensPart

ORDERS = ("ZXY", "XYZ", "XZY", "YXZ", "YZX", "ZYX")
# Nuke's axes (x right, y up, z backward) of the world and of the camera, in the solver's
_AXES = np.diag([1.0, -1.0, -1.0])
_SAME_VIEW_DEG = 0.02
REPAIR = "Export the camera as .chan again, one line of numbers for every frame."


def read(path: Path, size: tuple[int, int], order: str = "ZXY") -> KnownCamera:
    """A .chan file; without a field of view it has no lens.

    Args:
        size: (width, height) in px of the clip, which the field of view is turned into px with.
        order: of the turns, the first that is made first.

    Raises:
        SolverError: ``camera-not-readable`` or ``camera-zooms``.
    """
    rows = _rows(path)
    frames, first = np.unique(rows[:, 0], return_index=True)
    rows = rows[first]
    poses = np.tile(np.eye(4), (len(rows), 1, 1))
    poses[:, :3, :3] = _AXES @ _matrix(np.radians(rows[:, 4:7]), order) @ _AXES
    poses[:, :3, 3] = rows[:, 1:4] @ _AXES
    return KnownCamera(frames, poses, _lens(path, rows, size))


def write(path: Path, camera: KnownCamera, order: str = "ZXY") -> None:
    """The file that ``read`` reads; the principal point and distortion have no place in it."""
    rotations = _AXES @ camera.world_from_camera[:, :3, :3] @ _AXES
    angles = np.degrees(_angles(rotations, order))
    places = camera.world_from_camera[:, :3, 3] @ _AXES
    height, focal = camera.lens.size[1], camera.lens.intrinsics[1]
    view = np.full((len(places), 1), 2 * np.degrees(np.arctan(height / 2 / focal)))
    rows = np.concatenate([places, angles, view], axis=1)
    lines = [
        "\t".join([f"{frame:g}", *(f"{value:.9f}" for value in row)])
        for frame, row in zip(camera.frames, rows, strict=True)
    ]
    path.write_text("\n".join([*lines, ""]), encoding="ascii")


def _rows(path: Path) -> np.ndarray:
    """(n, 7 or 8), as many columns as the line with the fewest."""
    lines = [line.replace(",", " ").split() for line in path.read_text(encoding="utf-8", errors="replace").splitlines()]
    lines = [line for line in lines if line and not line[0].startswith("#")]
    columns = min((len(line) for line in lines), default=0)
    try:
        rows = np.array([[float(value) for value in line[:8]][:columns] for line in lines])
    except ValueError as error:
        raise _not_chan(path) from error
    if columns < 7 or not np.isfinite(rows).all():
        raise _not_chan(path)
    return rows


def _not_chan(path: Path) -> SolverError:
    sentence = f"{path.name} is no .chan file: its lines are not a frame number, a place and three angles."
    return SolverError("camera-not-readable", sentence, REPAIR)


def _lens(path: Path, rows: np.ndarray, size: tuple[int, int]) -> LensPart | None:
    if rows.shape[1] < 8:
        return None
    view = rows[:, 7]
    if np.ptp(view) > _SAME_VIEW_DEG or not 0 < view[0] < 180:
        sentence = f"The field of view in {path.name} changes over the clip or makes no sense, which can't be used yet."
        raise SolverError("camera-zooms", sentence, "Export a camera whose focal length is constant.")
    width, height = size
    focal = height / 2 / np.tan(np.radians(np.median(view)) / 2)
    return LensPart(np.array([focal, focal, width / 2, height / 2]), size)


def _matrix(angles: np.ndarray, order: str) -> np.ndarray:
    """(n, 3, 3) from radians about x, y, z; the first of ``order`` is made first, so it stands rightmost."""
    turns = {axis: so3.exp(angles[:, [index]] * np.eye(3)[index]) for index, axis in enumerate("XYZ")}
    return turns[order[2]] @ turns[order[1]] @ turns[order[0]]


def _angles(rotations: np.ndarray, order: str) -> np.ndarray:
    """(n, 3) radians about x, y, z with ``_matrix(angles, order) == rotations``, without jumps from frame to frame."""
    first, middle, last = ("XYZ".index(axis) for axis in order)
    sign = 1.0 if (middle - first) % 3 == 1 else -1.0
    angles = np.zeros((len(rotations), 3))
    # R = L M F, so R[last, first] = -+ sin(middle)
    angles[:, middle] = np.arcsin(np.clip(-sign * rotations[:, last, first], -1, 1))
    angles[:, first] = np.arctan2(sign * rotations[:, last, middle], rotations[:, last, last])
    angles[:, last] = np.arctan2(sign * rotations[:, middle, first], rotations[:, first, first])
    return np.unwrap(angles, axis=0)
