"""Rotation, translation and scale between two worlds that hold the same camera."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Similarity:
    """``x_target = scale * rotation @ x_source + translation``."""

    scale: float
    rotation: np.ndarray
    translation: np.ndarray

    def poses(self, world_from_camera: np.ndarray) -> np.ndarray:
        """(..., 4, 4) moved into the target world; cameras stay rigid."""
        moved = np.array(world_from_camera, float)
        moved[..., :3, :3] = self.rotation @ moved[..., :3, :3]
        moved[..., :3, 3] = self.points(moved[..., :3, 3])
        return moved

    def points(self, points: np.ndarray) -> np.ndarray:
        """(..., 3)."""
        return self.scale * points @ self.rotation.T + self.translation


def mean_rotation(rotations: np.ndarray) -> np.ndarray:
    """(3, 3) chordal mean of (n, 3, 3)."""
    u, _, vt = np.linalg.svd(rotations.sum(axis=0))
    return u @ np.diag([1, 1, np.sign(np.linalg.det(u @ vt))]) @ vt


def between_paths(source: np.ndarray, target: np.ndarray) -> Similarity:
    """From two (n, 4, 4) world_from_camera of the same frames: rotation by the cameras' axes, the rest by positions.

    The axes fix the rotation even where the path is straight, which positions alone (Umeyama 1991) do not. A path that
    is too short to tell its scale gets scale 1.
    """
    rotation = mean_rotation(target[:, :3, :3] @ source[:, :3, :3].transpose(0, 2, 1))
    a, b = source[:, :3, 3] @ rotation.T, target[:, :3, 3]
    a_mean, b_mean = a.mean(axis=0), b.mean(axis=0)
    spread = ((a - a_mean) ** 2).sum()
    scale = float(((a - a_mean) * (b - b_mean)).sum() / spread) if spread > 1e-18 else 1.0
    scale = scale if scale > 1e-6 else 1.0
    return Similarity(scale, rotation, b_mean - scale * a_mean)


def robust_between_paths(source: np.ndarray, target: np.ndarray, trials: int = 60) -> Similarity:
    """``between_paths`` of the frames that agree, so that a stretch that one of them lost does not spoil the rest.

    Least median of squares (Rousseeuw 1984) over samples of four frames, then all frames within three medians.
    """

    def error(move: Similarity) -> np.ndarray:
        return np.linalg.norm(move.poses(source)[:, :3, 3] - target[:, :3, 3], axis=1)

    rng = np.random.default_rng(0)
    samples = [rng.choice(len(source), min(4, len(source)), replace=False) for _ in range(trials)]
    best = min((between_paths(source[s], target[s]) for s in samples), key=lambda move: float(np.median(error(move))))
    for _ in range(3):
        apart = error(best)
        keep = apart <= max(3 * float(np.median(apart)), 1e-12)
        best = between_paths(source[keep], target[keep])
    return best


def rotation_angles(rotations: np.ndarray) -> np.ndarray:
    """(n,) rad of (n, 3, 3); exact for small angles."""
    skew = rotations - rotations.transpose(0, 2, 1)
    sine = np.sqrt(skew[:, 2, 1] ** 2 + skew[:, 0, 2] ** 2 + skew[:, 1, 0] ** 2) / 2
    return np.arctan2(sine, (np.trace(rotations, axis1=1, axis2=2) - 1) / 2)
