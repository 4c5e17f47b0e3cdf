"""Cuts the hand off its forearm and tidies the rim. Attributes (n, k) ride along with the vertices by interpolation;
the first three columns are the position."""

from __future__ import annotations

import numpy as np

from .surface import boundary_edges, compact, largest_part


def keep_side(attributes: np.ndarray, faces: np.ndarray, height: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The largest piece of the mesh where ``height`` (n,) is positive; faces that cross zero are cut there."""
    rows: list[np.ndarray] = []
    index: dict[tuple[int, int], int] = {}

    def vertex(a: int, b: int) -> int:
        key = (min(a, b), max(a, b))
        if key not in index:
            index[key] = len(rows)
            share = height[key[0]] / (height[key[0]] - height[key[1]]) if a != b else 0.0
            rows.append((1 - share) * attributes[key[0]] + share * attributes[key[1]])
        return index[key]

    kept = []
    for face in faces[(height[faces] > 0).any(axis=1)].tolist():
        polygon = []
        for a, b in zip(face, face[1:] + face[:1], strict=True):
            if height[a] > 0:
                polygon.append(vertex(a, a))
            if (height[a] > 0) != (height[b] > 0):
                polygon.append(vertex(a, b))
        kept += [[polygon[0], polygon[k], polygon[k + 1]] for k in range(1, len(polygon) - 1)]
    used, compacted = compact(largest_part(np.array(kept)))
    return np.stack(rows)[used], compacted


def simplify_rim(attributes: np.ndarray, faces: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Collapse the shortest rim edges to their midpoints until ``count`` vertices are left on the rim."""
    attributes, faces = attributes.copy(), faces.copy()
    while len(rim := boundary_edges(faces)) > count:
        length = np.linalg.norm(attributes[rim[:, 0], :3] - attributes[rim[:, 1], :3], axis=1)
        keep, gone = next(edge for edge in rim[np.argsort(length)] if _may_collapse(faces, *edge))
        attributes[keep] = (attributes[keep] + attributes[gone]) / 2
        faces[faces == gone] = keep
        degenerate = (faces == np.roll(faces, 1, axis=1)).any(axis=1)
        faces = faces[~degenerate]
    used, faces = compact(faces)
    return attributes[used], faces


def _may_collapse(faces: np.ndarray, a: int, b: int) -> bool:
    """True when the edge has one common neighbour only, so that the surface stays a surface."""
    around = [np.unique(faces[(faces == vertex).any(axis=1)]) for vertex in (a, b)]
    return len(np.setdiff1d(np.intersect1d(*around), [a, b])) == 1
