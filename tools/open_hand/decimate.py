"""Quadric edge collapse (Garland and Heckbert, 1997) to an exact number of vertices, with the rim held fixed."""

from __future__ import annotations

import heapq

import numpy as np

_SHORT_EDGES_FIRST = 3e-10  # weight of squared edge length against squared distance: orders collapses on flat parts
_LEAST_TURN = 0.3  # cosine between a face's normal before and after
_LEAST_SHAPE = 0.12  # doubled area over squared longest edge; an equilateral triangle has 0.87


def decimate(vertices: np.ndarray, faces: np.ndarray, count: int, fixed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """New vertices (count, 3) and faces. ``fixed`` (n,) bool: vertices that neither move nor go.

    Raises:
        ValueError: no admissible collapse is left before ``count`` is reached.
    """
    mesh = _Mesh(vertices * 1e3, faces, fixed)  # millimetres: keeps quadrics of tiny faces well above rounding
    while mesh.count > count:
        mesh.collapse_cheapest()
    positions, faces = mesh.result()
    return positions / 1e3, faces


class _Mesh:
    def __init__(self, vertices: np.ndarray, faces: np.ndarray, fixed: np.ndarray) -> None:
        self.positions = vertices.copy()
        self.count = len(vertices)
        self._fixed = fixed
        self._faces = {k: list(face) for k, face in enumerate(faces.tolist())}
        self._around: list[set[int]] = [set() for _ in vertices]
        for k, face in self._faces.items():
            for vertex in face:
                self._around[vertex].add(k)
        self._quadrics = np.zeros((len(vertices), 4, 4))
        for face in self._faces.values():
            self._quadrics[face] += _face_quadric(self.positions[face])
        self._version = [0] * len(vertices)
        self._queue: list[tuple[float, int, int, int, int]] = []
        for vertex in range(len(vertices)):
            self._enqueue(vertex, [other for other in self._neighbours(vertex) if other > vertex])

    def collapse_cheapest(self) -> None:
        while self._queue:
            _, a, b, version_a, version_b = heapq.heappop(self._queue)
            if self._version[a] == version_a and self._version[b] == version_b and self._collapse(a, b):
                return
        raise ValueError(f"the mesh cannot be simplified below {self.count} vertices")

    def result(self) -> tuple[np.ndarray, np.ndarray]:
        used, inverse = np.unique(np.array(list(self._faces.values())), return_inverse=True)
        return self.positions[used], inverse.reshape(-1, 3)

    def _neighbours(self, vertex: int) -> set[int]:
        return {other for face in self._around[vertex] for other in self._faces[face]} - {vertex}

    def _enqueue(self, vertex: int, others: list[int] | set[int]) -> None:
        for other in others:
            a, b = min(vertex, other), max(vertex, other)
            if not (self._fixed[a] and self._fixed[b]):
                cost = self._cost(a, b, self._place(a, b))
                heapq.heappush(self._queue, (cost, a, b, self._version[a], self._version[b]))

    def _cost(self, a: int, b: int, place: np.ndarray) -> float:
        point = np.append(place, 1.0)
        edge = self.positions[a] - self.positions[b]
        return float(point @ (self._quadrics[a] + self._quadrics[b]) @ point) + _SHORT_EDGES_FIRST * float(edge @ edge)

    def _place(self, a: int, b: int) -> np.ndarray:
        """Where the merged vertex goes: the quadric's minimum, or the middle where that is far or undefined."""
        for vertex in (a, b):
            if self._fixed[vertex]:
                return self.positions[vertex]
        middle = (self.positions[a] + self.positions[b]) / 2
        quadric = self._quadrics[a] + self._quadrics[b]
        system = quadric[:3, :3] + 1e-9 * np.trace(quadric[:3, :3]) * np.eye(3)
        if np.linalg.det(system) < 1e-12:
            return middle
        best = np.linalg.solve(system, -quadric[:3, 3])
        far = np.linalg.norm(best - middle) > np.linalg.norm(self.positions[a] - self.positions[b])
        return middle if far else best

    def _collapse(self, a: int, b: int) -> bool:
        shared = self._around[a] & self._around[b]
        if len(shared) != 2 or len(self._neighbours(a) & self._neighbours(b)) != 2:
            return False
        place = self._place(a, b)
        if any(self._spoils(face, (a, b), place) for face in (self._around[a] | self._around[b]) - shared):
            return False
        self._merge(*((b, a) if self._fixed[b] else (a, b)), place, shared)
        return True

    def _spoils(self, face: int, moved: tuple[int, int], place: np.ndarray) -> bool:
        before = self.positions[self._faces[face]]
        after = np.array([place if vertex in moved else self.positions[vertex] for vertex in self._faces[face]])
        old, new = _doubled_area_vector(before), _doubled_area_vector(after)
        size = np.linalg.norm(new)
        longest = max(((after - np.roll(after, 1, axis=0)) ** 2).sum(axis=1))
        return bool(old @ new < _LEAST_TURN * np.linalg.norm(old) * size or size < _LEAST_SHAPE * longest)

    def _merge(self, kept: int, gone: int, place: np.ndarray, shared: set[int]) -> None:
        for face in shared:
            for vertex in self._faces.pop(face):
                self._around[vertex].discard(face)
        for face in self._around[gone]:
            self._faces[face] = [kept if vertex == gone else vertex for vertex in self._faces[face]]
        self._around[kept] |= self._around[gone]
        self._around[gone] = set()
        self.positions[kept] = place
        self._quadrics[kept] += self._quadrics[gone]
        self._version[kept] += 1
        self._version[gone] = -1
        self.count -= 1
        self._enqueue(kept, self._neighbours(kept))


def _doubled_area_vector(triangle: np.ndarray) -> np.ndarray:
    u, v = triangle[1] - triangle[0], triangle[2] - triangle[0]
    return np.array([u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]])


def _face_quadric(triangle: np.ndarray) -> np.ndarray:
    normal = _doubled_area_vector(triangle)
    area = np.linalg.norm(normal)
    plane = np.append(normal, -normal @ triangle[0]) / max(area, 1e-14)
    return np.outer(plane, plane) * area / 2
