"""Triangle meshes in NumPy: just what the build needs. ``vertices`` (n, 3), ``faces`` (m, 3), outward by right hand."""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_matrix, csr_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import KDTree

_CANDIDATES = 32  # triangles tried per point, nearest centroids first


def compact(faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Indices of the vertices in use, rising, and the faces renumbered for them."""
    used, inverse = np.unique(faces, return_inverse=True)
    return used, inverse.reshape(faces.shape)


def directed_edges(faces: np.ndarray) -> np.ndarray:
    """(3 m, 2)."""
    return np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])


def boundary_edges(faces: np.ndarray) -> np.ndarray:
    """(k, 2) undirected edges, lower index first, that belong to one face alone."""
    edges, count = np.unique(np.sort(directed_edges(faces), axis=1), axis=0, return_counts=True)
    return edges[count == 1]


def boundary_loop(faces: np.ndarray) -> list[int]:
    """Vertices along the one open rim, in the direction of its faces' edges.

    Raises:
        ValueError: there is no rim or more than one.
    """
    directed = {tuple(edge) for edge in directed_edges(faces).tolist()}
    following = {a: b for a, b in directed if (b, a) not in directed}
    loop = [min(following, default=-1)]
    while following.get(loop[-1], loop[0]) != loop[0]:
        loop.append(following[loop[-1]])
    if len(loop) != len(following) or not following:
        raise ValueError(f"expected one rim, found {len(following)} rim edges of which {len(loop)} connect")
    return loop


def largest_part(faces: np.ndarray) -> np.ndarray:
    """The faces of the connected part with most vertices."""
    count = int(faces.max()) + 1
    edges = directed_edges(faces)
    graph = coo_matrix((np.ones(len(edges)), edges.T), shape=(count, count))
    _, part = connected_components(graph, directed=False)
    return faces[part[faces[:, 0]] == np.bincount(part[np.unique(faces)]).argmax()]


def vertex_normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """(n, 3) unit, area-weighted."""
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    normals = np.zeros_like(vertices)
    np.add.at(normals, faces.ravel(), np.repeat(np.cross(b - a, c - a), 3, axis=0))
    return normals / (np.linalg.norm(normals, axis=1, keepdims=True) + 1e-12)


def neighbour_mean(faces: np.ndarray, count: int) -> csr_matrix:
    """(count, count) matrix that replaces each vertex by the mean of its neighbours."""
    edges = directed_edges(faces)
    both = np.unique(np.concatenate([edges, edges[:, ::-1]]), axis=0)
    degree = np.bincount(both[:, 0], minlength=count)
    return csr_matrix((1.0 / degree[both[:, 0]], both.T), shape=(count, count))


def closest_points(
    points: np.ndarray, vertices: np.ndarray, faces: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Nearest point of a mesh: face index (n,), barycentric coordinates (n, 3) in it, distance (n,)."""
    triangles = vertices[faces]
    _, candidates = KDTree(triangles.mean(axis=1)).query(points, min(_CANDIDATES, len(faces)))
    barycentric = _barycentric_of_nearest(points[:, None], triangles[candidates])
    nearest = np.einsum("nkb,nkbc->nkc", barycentric, triangles[candidates])
    distances = np.linalg.norm(nearest - points[:, None], axis=-1)
    rows, best = np.arange(len(points)), distances.argmin(axis=1)
    return candidates[rows, best], barycentric[rows, best], distances[rows, best]


def _barycentric_of_nearest(points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """(..., 3) barycentric coordinates of the point of each triangle (..., 3, 3) nearest to each point (..., 3)."""
    a, b, c = np.moveaxis(triangles, -2, 0)
    inside = _barycentric_in_plane(points - a, b - a, c - a)
    options = [inside, _on_edge(points, a, b, (0, 1)), _on_edge(points, b, c, (1, 2)), _on_edge(points, c, a, (2, 0))]
    options = np.stack(options, axis=-2)
    distance = np.linalg.norm(options @ triangles - points[..., None, :], axis=-1)
    distance[..., 0] = np.where((inside >= 0).all(axis=-1), distance[..., 0], np.inf)
    best = distance.argmin(axis=-1)
    return np.take_along_axis(options, best[..., None, None], axis=-2)[..., 0, :]


def _barycentric_in_plane(p: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    uu, uv, vv = (u * u).sum(-1), (u * v).sum(-1), (v * v).sum(-1)
    pu, pv = (p * u).sum(-1), (p * v).sum(-1)
    area = uu * vv - uv * uv + 1e-30
    s, t = (vv * pu - uv * pv) / area, (uu * pv - uv * pu) / area
    return np.stack([1 - s - t, s, t], axis=-1)


def _on_edge(points: np.ndarray, a: np.ndarray, b: np.ndarray, corners: tuple[int, int]) -> np.ndarray:
    along = b - a
    t = np.clip(((points - a) * along).sum(-1) / ((along * along).sum(-1) + 1e-30), 0, 1)
    result = np.zeros((*t.shape, 3))
    result[..., corners[0]], result[..., corners[1]] = 1 - t, t
    return result
