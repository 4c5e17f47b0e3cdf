"""Triangle meshes: points all over a surface, distances between surfaces, what lies inside of one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree


@dataclass(frozen=True)
class Sampling:
    """Points all over a mesh: its vertices, the middles of its edges and of its triangles.

    On a hand's mesh that is a point every 2 to 3 mm, so that the distance to the nearest one is the distance to the
    surface within a few tenths of a millimetre.
    """

    used: np.ndarray
    edges: np.ndarray
    faces: np.ndarray

    @classmethod
    def of(cls, faces: np.ndarray) -> Sampling:
        """``faces`` (F, 3)."""
        sides = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
        return cls(np.unique(faces), np.unique(np.sort(sides, axis=1), axis=0), faces)

    def points(self, vertices: np.ndarray) -> np.ndarray:
        """(..., n, 3) for (..., V, 3)."""
        parts = (
            vertices[..., self.used, :],
            vertices[..., self.edges, :].mean(-2),
            vertices[..., self.faces, :].mean(-2),
        )
        return np.concatenate(parts, axis=-2)

    def normals(self, vertices: np.ndarray) -> np.ndarray:
        """(n, 3) outward at the points, of no particular length; for one mesh (V, 3), whichever way its faces turn."""
        a, b, c = np.moveaxis(vertices[self.faces], 1, 0)
        of_faces = np.cross(b - a, c - a)
        volume = ((a - a.mean(axis=0)) * of_faces).sum()
        of_faces = of_faces * (1.0 if volume > 0 else -1.0)
        of_vertices = np.zeros_like(vertices)
        for corner in range(3):
            np.add.at(of_vertices, self.faces[:, corner], of_faces)
        of_vertices /= np.maximum(np.linalg.norm(of_vertices, axis=1, keepdims=True), 1e-30)
        return np.concatenate([of_vertices[self.used], of_vertices[self.edges].mean(axis=1), of_faces])


def between(first: np.ndarray, second: np.ndarray) -> float:
    """Mean distance of two point sets (n, 3), (m, 3): from each point to the nearest of the other, both ways."""
    there, back = cKDTree(second).query(first)[0], cKDTree(first).query(second)[0]
    return float((there.mean() + back.mean()) / 2)


class Solid:
    """A closed (or nearly closed) mesh, of which one can ask how deep points lie in it.

    Args:
        vertices: (V, 3). faces: (F, 3), all turned the same way. sampling: of the faces.
    """

    def __init__(self, vertices: np.ndarray, faces: np.ndarray, sampling: Sampling) -> None:
        self.points = sampling.points(vertices)
        self._tree = cKDTree(self.points)
        self._normals = sampling.normals(vertices)

    def depth(self, points: np.ndarray) -> np.ndarray:
        """(n,) metres that each point lies below the surface, 0 outside: its nearest point there looks away from it.

        With the mean of the faces' directions at an edge and at a vertex that is the test of Baerentzen and Aanaes
        (2005), on the sampled surface.
        """
        low, high = self.points.min(axis=0), self.points.max(axis=0)
        near = np.flatnonzero(((points > low) & (points < high)).all(axis=1))
        depth = np.zeros(len(points))
        if len(near):
            distance, foot = self._tree.query(points[near])
            below = ((points[near] - self.points[foot]) * self._normals[foot]).sum(axis=1) < 0
            depth[near[below]] = distance[below]
        return depth
