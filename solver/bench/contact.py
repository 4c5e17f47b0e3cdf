"""Two hands as bodies: how far they are inside each other, and whether what touches in truth touches.

Parts of the hands that may touch are named by the bone they lie on, so that two meshes of different topology can be
compared: bone k of a hand runs from the parent of keypoint k to keypoint k; a surface point belongs to the nearest one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from ..hand_model.layout import KEYPOINT_PARENTS
from .surfaces import Sampling, Solid

TOUCHING_M = 0.003
# flesh gives by that much; rigid hands that are deeper in each other go through each other, and touch nowhere
_GIVES_M = 0.005
_STRIDE = 2  # of frames: contacts last
_VOXEL_M = 0.003
_PARENTS = np.array(KEYPOINT_PARENTS[1:])
# a thumb touches its own hand's fingers with these: its last two bones; fingers beside each other touch anyway
_THUMB_END, _FINGER_ENDS = (3, 4), (7, 8, 11, 12, 15, 16, 19, 20)


@dataclass(frozen=True)
class Bodies:
    """Both hands over time: ``vertices`` two of (T, V, 3), ``faces`` two of (F, 3), ``keypoints`` (T, 2, 21, 3)."""

    vertices: tuple[np.ndarray, np.ndarray]
    faces: tuple[np.ndarray, np.ndarray]
    keypoints: np.ndarray

    def there(self) -> np.ndarray:
        """(T, 2)."""
        return np.isfinite(self.keypoints).all(axis=(2, 3))


def penetration(bodies: Bodies) -> tuple[np.ndarray, np.ndarray]:
    """Of every second frame with both hands: the greatest depth [m] of one hand's surface below the other's, and the
    volume [m^3] that they share. Zero where they do not meet; empty where there is no such frame."""
    overlaps = list(_overlaps(bodies).values())
    return np.array([depth for depth, _ in overlaps]), np.array([volume for _, volume in overlaps])


def _overlaps(bodies: Bodies) -> dict[int, tuple[float, float]]:
    samplings = [Sampling.of(faces) for faces in bodies.faces]
    there = bodies.there().all(axis=1)
    return {
        frame: _overlap([vertices[frame] for vertices in bodies.vertices], bodies.faces, samplings)
        for frame in range(0, len(there), _STRIDE)
        if there[frame]
    }


def _overlap(meshes: list[np.ndarray], faces: tuple[np.ndarray, ...], samplings: list[Sampling]) -> tuple[float, float]:
    if (np.max([mesh.min(axis=0) for mesh in meshes], axis=0) >= np.min([m.max(axis=0) for m in meshes], axis=0)).any():
        return 0.0, 0.0
    solids = [Solid(*parts) for parts in zip(meshes, faces, samplings, strict=True)]
    depths = [solids[1 - own].depth(solids[own].points) for own in range(2)]
    depth = max(d.max() for d in depths)
    if depth == 0.0:
        return 0.0, 0.0
    # what they share is bounded by the parts of either surface that lie in the other
    shared = np.concatenate([solids[own].points[depths[own] > 0] for own in range(2)])
    axes = [np.arange(a, b, _VOXEL_M) for a, b in zip(shared.min(axis=0), shared.max(axis=0), strict=True)]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3) + _VOXEL_M / 2
    for solid in solids:
        grid = grid[solid.depth(grid) > 0]
    return float(depth), len(grid) * _VOXEL_M**3


def touches(bodies: Bodies) -> set[tuple[int, int, int]]:
    """(frame, part, part) that touch; a part is 20 * hand + bone, bone 0 to 19.

    Where hands go through each other, as rendered ones may, no part of one touches the other.
    """
    found = set()
    pierced = {frame for frame, (depth, _) in _overlaps(bodies).items() if depth > _GIVES_M}
    for frame, points, parts in _frames(bodies):
        near = np.sort(parts[cKDTree(points).query_pairs(TOUCHING_M, output_type="ndarray")], axis=1)
        near = np.unique(near[_MAY_TOUCH[near[:, 0], near[:, 1]]], axis=0)
        found |= {(frame, a, b) for a, b in near.tolist() if a // 20 == b // 20 or frame not in pierced}
    return found


def gaps(bodies: Bodies, wanted: set[tuple[int, int, int]]) -> np.ndarray:
    """(n,) metres between parts that touch in truth, where both are there."""
    found = []
    for frame, points, parts in _frames(bodies):
        for first, second in sorted((a, b) for f, a, b in wanted if f == frame):
            own, other = points[parts == first], points[parts == second]
            if len(own) and len(other):
                found.append(cKDTree(other).query(own)[0].min())
    return np.array(found)


def _frames(bodies: Bodies) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """Every second frame: its number, points (n, 3) on the hands that are there, and each point's part (n,)."""
    samplings = [Sampling.of(faces) for faces in bodies.faces]
    there = bodies.there()
    for frame in range(0, len(there), _STRIDE):
        points, parts = [], []
        for hand in np.flatnonzero(there[frame]):
            own = samplings[hand].points(bodies.vertices[hand][frame])
            points.append(own)
            parts.append(20 * hand + nearest_bone(own, bodies.keypoints[frame, hand]))
        if points:
            yield frame, np.concatenate(points), np.concatenate(parts)


def nearest_bone(points: np.ndarray, keypoints: np.ndarray) -> np.ndarray:
    """(n,) which of the 20 bones between keypoints (21, 3) is nearest to each point (n, 3)."""
    start = keypoints[_PARENTS]
    along = keypoints[1:] - start
    share = np.einsum("nbi,bi->nb", points[:, None] - start, along) / np.maximum((along**2).sum(axis=1), 1e-12)
    foot = start + np.clip(share, 0, 1)[..., None] * along
    return ((points[:, None] - foot) ** 2).sum(axis=2).argmin(axis=1)


def _may_touch() -> np.ndarray:
    """(40, 40) bool of parts, the lower number first: of different hands, or thumb and finger ends of one."""
    allowed = np.zeros((40, 40), bool)
    allowed[:20, 20:] = True
    for hand in range(2):
        for thumb in _THUMB_END:
            allowed[20 * hand + thumb - 1, 20 * hand + np.array(_FINGER_ENDS) - 1] = True
    return allowed


_MAY_TOUCH = _may_touch()
