"""Pose blend shapes that imitate delta mush: skinned, smoothed, and given back the rest hand's detail.

Plain skinning dents a bent finger's inside and thins its joint. Delta mush (Mancewicz et al., 2014) mends that, but is
not linear; the blend shapes are its best linear fit in MANO's pose features, each vertex depending on near joints only.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from scipy.sparse import csr_matrix, eye

from solver.hand_model.layout import POSE_FEATURE_COUNT
from solver.hand_model.model import HandModel
from solver.hand_model.rotations import exp

from .surface import boundary_loop, neighbour_mean, vertex_normals

_SMOOTHING_STEPS = 3
_REACH_STEPS = 6
_REACH = 0.02  # share of a joint's weight in a vertex's neighbourhood from which on the joint counts as near
_RIDGE = 2e-3


def learn_posedirs(model: HandModel, poses: np.ndarray) -> tuple[np.ndarray, float, float]:
    """posedirs (V, 3, 135) for ``poses`` (n, 15, 3); with them the target's and the fit's rest: rms in metres."""
    rotations = exp(np.concatenate([np.zeros((len(poses), 1, 3)), poses], axis=1))
    features = (rotations[:, 1:] - np.eye(3)).reshape(len(poses), -1)
    targets = _delta_mush_offsets(model, rotations)
    posedirs = np.zeros((len(model.v_template), 3, POSE_FEATURE_COUNT))
    near = _smoothing(model, _REACH_STEPS, keep_rim=False) @ model.weights > _REACH
    for vertex, joints in enumerate(near[:, 1:]):
        if joints.any():
            columns = np.flatnonzero(np.repeat(joints, 9))
            posedirs[vertex][:, columns] = _ridge(features[:, columns], targets[:, vertex]).T
    residual = targets - np.einsum("nk,vck->nvc", features, posedirs)
    return posedirs, _rms(targets), _rms(residual)


def _delta_mush_offsets(model: HandModel, rotations: np.ndarray) -> np.ndarray:
    """(n, V, 3) what to add to the rest hand so that plain skinning gives the delta mush result."""
    plain = dataclasses.replace(model, posedirs=np.zeros_like(model.posedirs))
    posed = plain.with_shape(np.zeros(1)).pose(rotations)
    smoothing = _smoothing(model, _SMOOTHING_STEPS, keep_rim=True)
    smooth_rest = smoothing @ model.v_template
    detail = _apply_transposed(_tangent_frames(smooth_rest, model.faces), model.v_template - smooth_rest)
    offsets = np.empty((len(rotations), *model.v_template.shape))
    for n, (skinned, transforms) in enumerate(zip(posed.vertices(), posed.skinning_transforms(), strict=True)):
        smooth = smoothing @ skinned
        mushed = smooth + (_tangent_frames(smooth, model.faces) @ detail[..., None])[..., 0]
        offsets[n] = np.linalg.solve(transforms[:, :, :3], (mushed - skinned)[..., None])[..., 0]
    return offsets


def _smoothing(model: HandModel, steps: int, keep_rim: bool) -> csr_matrix:
    count = len(model.v_template)
    step = 0.5 * eye(count, format="csr") + 0.5 * neighbour_mean(model.faces, count)
    if keep_rim:
        step = step.tolil()
        for vertex in boundary_loop(model.faces):
            step.rows[vertex], step.data[vertex] = [vertex], [1.0]
        step = step.tocsr()
    total = eye(count, format="csr")
    for _ in range(steps):
        total = step @ total
    return total


def _tangent_frames(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """(V, 3, 3) columns: normal, a tangent along one edge, the other tangent."""
    normals = vertex_normals(vertices, faces)
    edges = np.zeros_like(vertices)
    for k in range(3):
        edges[faces[:, k]] = vertices[faces[:, (k + 1) % 3]]
    tangents = edges - vertices
    tangents -= normals * (tangents * normals).sum(axis=1, keepdims=True)
    tangents /= np.linalg.norm(tangents, axis=1, keepdims=True) + 1e-12
    return np.stack([normals, tangents, np.cross(normals, tangents)], axis=-1)


def _apply_transposed(frames: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    return np.einsum("vab,va->vb", frames, vectors)


def _ridge(features: np.ndarray, targets: np.ndarray) -> np.ndarray:
    system = features.T @ features + _RIDGE * len(features) * np.eye(features.shape[1])
    return np.linalg.solve(system, features.T @ targets)


def _rms(offsets: np.ndarray) -> float:
    return float(np.sqrt((offsets**2).sum(axis=-1).mean()))
