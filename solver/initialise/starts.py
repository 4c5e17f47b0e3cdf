"""Where to start: the few poses between which one view of a hand cannot decide locally.

A palm is nearly flat, and a flat thing seen from afar has two poses: the depth-reversed one differs only by perspective
(Oberkampf, DeMenthon, Davis 1996). A hand seen edge-on may also show its palm or its back. The landmark net's own 3D
usually decides, but not always, so the fit starts from each and lets cost and time choose.
"""

from __future__ import annotations

import numpy as np

from ..hand_model import rotations
from ..observations import PALM_KEYPOINTS
from .evidence import Evidence
from .kinematics import Pose, Skeleton, pose_landmarks

NET, REVERSED, TURNED, NEIGHBOUR = range(4)
MODE_NAMES = ("net", "reversed", "turned", "neighbour")
START_MODES = 3  # those that a frame yields by itself
_NEAREST_START_M, _FARTHEST_START_M = 0.08, 5.0


def starting_poses(evidence: Evidence, skeleton: Skeleton, betas: np.ndarray) -> list[Pose]:
    """One start per mode NET, REVERSED, TURNED, for every frame."""
    target = _crop_points(evidence)
    angles = initial_angles(target, skeleton)
    palm = skeleton.at(betas)[1][list(PALM_KEYPOINTS)]
    to_camera = camera_from_crop(evidence.ray)
    orients = [kabsch(palm, points[:, PALM_KEYPOINTS]) for points in (target, target * [1.0, 1.0, -1.0])]
    orients.append(_turned(orients[0], palm))
    return [place(evidence, skeleton, betas, to_camera @ orient, angles) for orient in orients]


def _crop_points(evidence: Evidence) -> np.ndarray:
    """(n, 21, 3) the net's hand, or where it has none the flat image of the landmarks (then only facing is known)."""
    flat = evidence.landmarks_px - evidence.landmarks_px.mean(1, keepdims=True)
    flat = np.concatenate([flat / evidence.size_px[:, None, None], np.zeros((*flat.shape[:2], 1))], axis=-1)
    return np.where(evidence.hinted.all(1)[:, None, None], evidence.hint, flat)


def camera_from_crop(ray: np.ndarray) -> np.ndarray:
    """(n, 3, 3) smallest rotation that takes the optical axis to each ray."""
    sine = np.cross([0.0, 0.0, 1.0], ray)
    length = np.linalg.norm(sine, axis=-1, keepdims=True)
    angle = np.arctan2(length, ray[:, 2:])
    return rotations.exp(sine * angle / np.maximum(length, 1e-12))


def kabsch(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """(n, 3, 3) rotations that best take ``source`` (m, 3) to ``target`` (n, m, 3), centroids removed (Kabsch 1976)."""
    a = source - source.mean(0)
    b = target - target.mean(1, keepdims=True)
    return rotations.project_to_rotation(np.swapaxes(b, 1, 2) @ a)


def _turned(orient: np.ndarray, palm: np.ndarray) -> np.ndarray:
    """Half a turn about the line from the wrist to the middle knuckle."""
    axis = palm[2] - palm[0]
    return orient @ rotations.exp(np.pi * axis / np.linalg.norm(axis))


def initial_angles(points: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    """(n, hinges): each flexion from the angle between successive bones of ``points`` (n, 21, 3), the rest as usual.

    An angle between bones is the same in a mirror, so one set serves every mode. Hyperextension is not seen.
    """
    hinges = skeleton.hinges
    angles = np.broadcast_to(hinges.mean, (len(points), len(hinges))).copy()
    rest = _bends(skeleton.landmarks[None, ..., 0])
    bends = _bends(points) - rest
    angles[:, hinges.flexion] = bends[:, _bend_order()]
    return np.clip(angles, hinges.low, hinges.high)


def _bends(points: np.ndarray) -> np.ndarray:
    """(n, 15) angle at each finger keypoint that has a next one, thumb first."""
    chains = np.array([[0, 4 * f + 1, 4 * f + 2, 4 * f + 3, 4 * f + 4] for f in range(5)])
    bones = np.diff(points[:, chains], axis=2)
    bones = bones / np.maximum(np.linalg.norm(bones, axis=-1, keepdims=True), 1e-9)
    cosine = (bones[:, :, 1:] * bones[:, :, :-1]).sum(-1)
    return np.arccos(np.clip(cosine, -1, 1)).reshape(len(points), 15)


def _bend_order() -> list[int]:
    """Position in ``_bends`` of MANO's joints 1..15 (index, middle, pinky, ring, thumb)."""
    return [3 * finger + level for finger in (1, 2, 4, 3, 0) for level in range(3)]


def place(
    evidence: Evidence, skeleton: Skeleton, betas: np.ndarray, global_orient: np.ndarray, angles: np.ndarray
) -> Pose:
    """Put hands of given orientation and pose where their landmarks project best: linear least squares in the wrist.

    With q = R x + t the rays give ``fx (q_x + t_x) = (u - cx) (q_z + t_z)`` and its like in y.
    """
    n = len(evidence)
    relative = pose_landmarks(skeleton, betas, Pose(global_orient, angles, np.zeros((n, 3)))).landmarks
    fx, fy, cx, cy = evidence.intrinsics
    slope = (evidence.landmarks_px - [cx, cy]) / [fx, fy]
    zero, one = np.zeros((n, 21)), np.ones((n, 21))
    matrix = np.stack([np.stack([one, zero, -slope[..., 0]], -1), np.stack([zero, one, -slope[..., 1]], -1)], axis=2)
    right = slope * relative[..., 2:] - relative[..., :2]
    seen = evidence.seen[..., None, None].astype(float)
    normal = np.einsum("nkir,nkis->nrs", matrix * seen, matrix) + 1e-9 * np.eye(3)
    moment = np.einsum("nkir,nki->nr", matrix * seen, right)
    wrist = np.linalg.solve(normal, moment[..., None])[..., 0]
    return Pose(global_orient, angles, _within_reach(wrist, relative, evidence))


def _within_reach(wrist: np.ndarray, relative: np.ndarray, evidence: Evidence) -> np.ndarray:
    """Wrists whose hand is in front of the lens and not at infinity; along the viewing ray where they were not."""
    nearest = _NEAREST_START_M - relative[..., 2].min(1)
    depth = np.clip(wrist[:, 2], nearest, np.maximum(_FARTHEST_START_M, nearest))
    moved = evidence.ray * (depth / evidence.ray[:, 2])[:, None] - relative.mean(1) * [1.0, 1.0, 0.0]
    return np.where((depth == wrist[:, 2])[:, None], wrist, moved)
