"""Pictures to judge a camera by: the background's points over frames, and a cube that must stay where it stands."""

from __future__ import annotations

import cv2
import numpy as np

from ..video import Clip
from .cameras import CameraPath
from .distortion import distort

_FRAMES, _COLUMNS, _WIDTH_PX = 24, 4, 480
_STATUS = ("assumed", "bridged", "solved")
# points around the cube's foot, of which the steadier half is what its ground is fitted to; its side in shares of the
# distance; sine of the flattest angle at which a ground is looked at
_GROUND_POINTS, _SIDE_SHARE, _GRAZING = 80, 0.12, 0.1
_EDGES = [(a, b) for a in range(8) for b in range(a + 1, 8) if (a ^ b) in (1, 2, 4)]


def sheet(clip: Clip, path: CameraPath, cube: np.ndarray | None = None) -> np.ndarray:
    """(h, w, 3) BGR: frames spread over the clip, background points on them (green near, red far off their track).

    Args:
        cube: (8, 3) corners in the world, of ``place_cube``.
    """
    chosen = set(np.linspace(clip.first_frame, clip.last_frame, _FRAMES).astype(int).tolist())
    tiles = [
        _tile(frame.image, path, frame.number - clip.first_frame, cube)
        for frame in clip.frames()
        if frame.number in chosen
    ]
    tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % _COLUMNS)
    return np.vstack([np.hstack(tiles[i : i + _COLUMNS]) for i in range(0, len(tiles), _COLUMNS)])


def place_cube(path: CameraPath, row: int, pixel: np.ndarray) -> np.ndarray:
    """(8, 3) corners of a cube that stands on the points seen around ``pixel`` (2,) in frame ``row``.

    Corner i has bit 0 and 1 of i along the ground and bit 2 upright.
    """
    at, local, seen = _projected(path, row, path.points)
    near = np.argsort(np.where(seen, ((at - pixel) ** 2).sum(axis=1), np.inf))[:_GROUND_POINTS]
    near = near[seen[near]]
    near = near[np.argsort(path.point_errors_px[near])[: max(3, len(near) // 2)]]
    camera = path.world_from_camera[row]
    bearing = np.append((pixel - path.intrinsics[2:]) / path.intrinsics[:2], 1.0)
    ray = camera[:3, :3] @ bearing
    centre, normal = _plane(path.points[near], ray / np.linalg.norm(ray))
    if normal @ (camera[:3, 3] - centre) < 0:
        normal = -normal
    foot = camera[:3, 3] + ray * (normal @ (centre - camera[:3, 3])) / (normal @ ray)
    side = _SIDE_SHARE * np.linalg.norm(foot - camera[:3, 3])
    along = camera[:3, 0] - normal * (normal @ camera[:3, 0])
    along /= np.linalg.norm(along)
    axes = np.stack([along, np.cross(normal, along), normal]) * side
    corners = np.array([[i & 1, i >> 1 & 1, i >> 2] for i in range(8)]) - [0.5, 0.5, 0]
    return foot + corners @ axes


def _plane(points: np.ndarray, ray: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Centre and unit normal of the plane through most of ``points``: least median of squares over samples of three.

    One that ``ray`` (3,) only grazes is no ground to stand on; without another, it is the plane across the ray.
    """
    rng = np.random.default_rng(0)
    best, found, keep = np.inf, ray, np.ones(len(points), bool)
    for _ in range(200):
        a, b, c = points[rng.choice(len(points), 3, replace=False)]
        normal = np.cross(b - a, c - a)
        normal /= max(np.linalg.norm(normal), 1e-12)
        off = np.abs((points - a) @ normal)
        if abs(normal @ ray) > _GRAZING and np.median(off) < best:
            best, found, keep = float(np.median(off)), normal, off <= 3 * np.median(off) + 1e-12
    centre = points[keep].mean(axis=0)
    refined = np.linalg.svd(points[keep] - centre)[2][2]
    return centre, refined if abs(refined @ ray) > _GRAZING else found


def _projected(path: CameraPath, row: int, points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pixels (n, 2) of the clip, points in the camera (n, 3), and which lie before it (n,)."""
    camera = path.world_from_camera[row]
    local = (points - camera[:3, 3]) @ camera[:3, :3]
    seen = local[:, 2] > 1e-6
    ideal = local[:, :2] / np.where(seen, local[:, 2], 1.0)[:, None]
    pixels = path.intrinsics[:2] * ideal + path.intrinsics[2:]
    return distort(pixels, path.intrinsics, path.distortion, path.distortion_model), local, seen


def _tile(image: np.ndarray, path: CameraPath, row: int, cube: np.ndarray | None) -> np.ndarray:
    scale = _WIDTH_PX / image.shape[1]
    tile = np.ascontiguousarray(cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)[..., ::-1])
    at, _, seen = _projected(path, row, path.points)
    inside = seen & (at > 0).all(axis=1) & (at < image.shape[1::-1]).all(axis=1)
    for (x, y), error in zip((at[inside] * scale).astype(int).tolist(), path.point_errors_px[inside], strict=True):
        cv2.circle(tile, (x, y), 1, (0, 255, 0) if error < 1.5 else (0, 0, 255), -1)
    if cube is not None:
        _draw_cube(tile, path, row, cube, scale)
    cv2.putText(tile, f"{row} {_STATUS[path.status[row]]}", (8, 20), 0, 0.5, (255, 255, 255), 1)
    return tile


def _draw_cube(tile: np.ndarray, path: CameraPath, row: int, cube: np.ndarray, scale: float) -> None:
    at, _, seen = _projected(path, row, cube)
    if not seen.all() or np.abs(at * scale).max() > 20 * _WIDTH_PX:
        return
    corners = (at * scale).round().astype(int)
    cv2.fillConvexPoly(tile, corners[[0, 1, 3, 2]], (200, 120, 0))
    for a, b in _EDGES:
        cv2.line(tile, corners[a].tolist(), corners[b].tolist(), (0, 255, 255), 2)
