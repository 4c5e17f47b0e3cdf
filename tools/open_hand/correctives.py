"""Pose blend shapes that mend plain skinning: bent joints keep their volume and stay smooth.

Plain (linear blend) skinning thins a bent joint and dents its inside. The target here is dual quaternion skinning
(Kavan et al., 2008), which keeps the volume, followed by a smoothing that does not shrink (Taubin, 1995) and gives the
rest hand's detail back in each vertex's own frame, as delta mush does (Mancewicz et al., 2014). Neither is linear; the
blend shapes are the best linear fit in MANO's pose features, each vertex depending on near joints only.
"""

from __future__ import annotations

import dataclasses
import functools

import numpy as np
from scipy.sparse import csr_matrix, diags, eye

from solver.hand_model.layout import PARENTS, POSE_FEATURE_COUNT
from solver.hand_model.model import HandModel, PosedHand
from solver.hand_model.rotations import exp, matrix_from_quaternion, quaternion_from_matrix

from .surface import boundary_loop, neighbour_mean, vertex_normals

_SMOOTHING_STEPS = 3
_SHRINK, _GROW = 0.5, 0.53  # the two half steps of one smoothing step
_REACH_STEPS = 6
_REACH = 0.02  # share of a joint's weight in a vertex's neighbourhood from which on the joint counts as near
_RIDGE = 2e-3


def learn_posedirs(model: HandModel, poses: np.ndarray) -> tuple[np.ndarray, float, float]:
    """posedirs (V, 3, 135) for ``poses`` (n, 15, 3); with them the target's and the fit's rest: rms in metres."""
    rotations = exp(np.concatenate([np.zeros((len(poses), 1, 3)), poses], axis=1))
    features = (rotations[:, 1:] - np.eye(3)).reshape(len(poses), -1)
    targets = _target_offsets(model, rotations)
    posedirs = np.zeros((len(model.v_template), 3, POSE_FEATURE_COUNT))
    near = _spread_to_neighbours(model, _REACH_STEPS) @ model.weights > _REACH
    for vertex, joints in enumerate(near[:, 1:]):
        if joints.any():
            columns = np.flatnonzero(np.repeat(joints, 9))
            posedirs[vertex][:, columns] = _ridge(features[:, columns], targets[:, vertex]).T
    residual = targets - np.einsum("nk,vck->nvc", features, posedirs)
    return posedirs, _rms(targets), _rms(residual)


def _target_offsets(model: HandModel, rotations: np.ndarray) -> np.ndarray:
    """(n, V, 3) what to add to the rest hand so that plain skinning gives the target."""
    plain = dataclasses.replace(model, posedirs=np.zeros_like(model.posedirs))
    posed = plain.with_shape(np.zeros(1)).pose(rotations)
    smoothing = _smoothing(model)
    smooth_rest = smoothing @ model.v_template
    detail = _apply_transposed(_tangent_frames(smooth_rest, model.faces), model.v_template - smooth_rest)
    offsets = np.empty((len(rotations), *model.v_template.shape))
    skinned = zip(posed.vertices(), posed.skinning_transforms(), _dual_quaternion_skinned(posed), strict=True)
    for n, (linear, transforms, dual) in enumerate(skinned):
        smooth = smoothing @ dual
        target = smooth + (_tangent_frames(smooth, model.faces) @ detail[..., None])[..., 0]
        offsets[n] = np.linalg.solve(transforms[:, :, :3], (target - linear)[..., None])[..., 0]
    return offsets


def _dual_quaternion_skinned(posed: PosedHand) -> np.ndarray:
    """(n, V, 3): each vertex moved by the normalised blend of its joints' dual quaternions."""
    shaped = posed.shaped
    real = quaternion_from_matrix(posed.global_rotations)
    for joint, parent in enumerate(
        PARENTS[1:], start=1
    ):  # neighbours on the same half sphere, so that blends are short
        flip = (real[..., joint, :] * real[..., parent, :]).sum(axis=-1) < 0
        real[flip, joint] *= -1
    offsets = posed.joints - (posed.global_rotations @ shaped.joints_rest[..., None])[..., 0]
    dual = 0.5 * _product(np.concatenate([np.zeros_like(offsets[..., :1]), offsets], axis=-1), real)
    blend = shaped.model.weights @ np.concatenate([real, dual], axis=-1)
    blend /= np.linalg.norm(blend[..., :4], axis=-1, keepdims=True)
    moved = 2 * _product(blend[..., 4:], blend[..., :4] * [1, -1, -1, -1])[..., 1:]
    return (matrix_from_quaternion(blend[..., :4]) @ shaped.vertices_rest[..., None])[..., 0] + moved


def _product(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Hamilton product of quaternions (w, x, y, z)."""
    real = p[..., :1] * q[..., :1] - (p[..., 1:] * q[..., 1:]).sum(axis=-1, keepdims=True)
    imaginary = p[..., :1] * q[..., 1:] + q[..., :1] * p[..., 1:] + np.cross(p[..., 1:], q[..., 1:])
    return np.concatenate([real, imaginary], axis=-1)


def _smoothing(model: HandModel) -> csr_matrix:
    """(V, V) smoothing that leaves the rim where it is."""
    count = len(model.v_template)
    mean, one = neighbour_mean(model.faces, count), eye(count, format="csr")
    free = np.ones(count)
    free[boundary_loop(model.faces)] = 0
    away = diags(free, format="csr") @ (mean - one)
    step = (one - _GROW * away) @ (one + _SHRINK * away)
    return functools.reduce(lambda total, _: step @ total, range(_SMOOTHING_STEPS), one)


def _spread_to_neighbours(model: HandModel, steps: int) -> csr_matrix:
    count = len(model.v_template)
    one = eye(count, format="csr")
    step = 0.5 * one + 0.5 * neighbour_mean(model.faces, count)
    return functools.reduce(lambda total, _: step @ total, range(steps), one)


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
