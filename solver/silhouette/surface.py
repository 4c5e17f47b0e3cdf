"""The hand's skin as the contour needs it: edges with their two faces, and points on the skin carried by the bones."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ..hand_model import HandModel
from ..hand_model.layout import WRIST_LOOP
from ..initialise.kinematics import Pose, Skeleton, joint_rotations
from ..optimise.skin import SkinPoints


@dataclass(frozen=True, eq=False)
class Surface:
    """A hand model's triangles with their neighbours.

    Attributes:
        model: the hand.
        faces: (F, 3) watertight, outward by the right-hand rule.
        edges: (E, 2) vertices. edge_faces: (E, 2) the two faces that share each edge.
        edge_rim_distance: (E,) metres from the nearest vertex of the wrist's rim, at rest in the mean shape: there the
            skin goes on in the picture and ends in the model.
    """

    model: HandModel
    faces: np.ndarray
    edges: np.ndarray
    edge_faces: np.ndarray
    edge_rim_distance: np.ndarray

    def vertices(self, skeleton: Skeleton, betas: np.ndarray, pose: Pose) -> np.ndarray:
        """(n, V, 3) skin of n hands of one shape, in the pose's frame of reference."""
        rotations = joint_rotations(skeleton, pose)
        shaped = self.model.with_shape(betas)
        return shaped.pose(rotations, pose.wrist - shaped.joints_rest[0]).vertices()


def surface_of(model: HandModel) -> Surface:
    """The surface of a model (computed once per model's content)."""
    return _surface(_Keyed(model))


@dataclass(frozen=True)
class _Keyed:
    """A model that compares by its content, for the cache."""

    model: HandModel

    def __hash__(self) -> int:
        return hash((self.model.side, self.model.sha256))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Keyed) and (self.model.side, self.model.sha256) == (
            other.model.side,
            other.model.sha256,
        )


@lru_cache(maxsize=8)
def _surface(keyed: _Keyed) -> Surface:
    model = keyed.model
    faces = np.asarray(model.watertight_faces, int)
    pairs = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), axis=1)
    edges, edge_of, count = np.unique(pairs, axis=0, return_inverse=True, return_counts=True)
    order = np.argsort(edge_of, kind="stable")
    first = np.concatenate([[0], np.cumsum(count)[:-1]])
    shared = count == 2
    owner = order % len(faces)
    edge_faces = np.stack([owner[first[shared]], owner[first[shared] + 1]], axis=1)
    rim = model.v_template[list(WRIST_LOOP)]
    distance = np.linalg.norm(model.v_template[:, None] - rim, axis=-1).min(1)
    return Surface(model, faces, edges[shared], edge_faces, distance[edges[shared]].min(1))


def edge_points(surface: Surface) -> SkinPoints:
    """The middles of all edges of a surface (computed once per model)."""
    return _edge_points(_Keyed(surface.model))


@lru_cache(maxsize=8)
def _edge_points(keyed: _Keyed) -> SkinPoints:
    model, edges = keyed.model, _surface(keyed).edges
    affine = np.concatenate([model.v_template[..., None], model.shapedirs], axis=-1)
    weights = model.weights[edges].mean(1)
    return SkinPoints(affine[edges].mean(1), model.posedirs[edges].mean(1), weights / weights.sum(1, keepdims=True))
