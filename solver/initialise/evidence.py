"""What speaks for a pose in one frame: landmarks in the image, the landmark net's own depth, limits, what is usual.

Every term is a whitened residual; the cost is half the sum of their (robustified) squares, so that it reads as a
negative log-likelihood in nats and frames can be compared.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..camera.cameras import project
from ..observations import palm_size
from .kinematics import Pose, Skeleton, landmark_jacobian, pose_landmarks, shape_jacobian

_NEAREST_M = 0.03  # a landmark closer to the lens than this is behind it for all purposes


@dataclass(frozen=True)
class Weights:
    """How much each kind of evidence counts.

    Attributes:
        robust_sigmas: Cauchy kernel's scale of a landmark's 2D error in standard deviations: errors beyond it are
            outliers. 2.4 keeps 95 % efficiency on Gaussian errors (Rey 1983, table for the Cauchy function).
        hint_sigma: standard deviation of the tracker's depth of a landmark relative to the hand's centroid, in palm
            sizes (``kinematics.palm_size``). It is 0.36 on the calibration renders of held-out people
            (``hands.lift``); landmarks of one hand err together, so it is counted as more.
        limit_sigma_deg: how softly a joint limit gives way.
        pose_scale: factor on the anatomy's usual values (1: as the table says).
        depth_m, depth_log_sigma: hands are within arm's reach; matters for degenerate landmarks only.
        beta_sigma: spread of each shape coefficient (unit variance by the MANO format's definition).
    """

    robust_sigmas: float = 2.4
    hint_sigma: float = 0.5
    limit_sigma_deg: float = 3.0
    pose_scale: float = 1.0
    depth_m: float = 0.6
    depth_log_sigma: float = 1.5
    beta_sigma: float = 1.0


@dataclass(frozen=True)
class Evidence:
    """n frames' landmarks, ready to be compared with a posed hand.

    Attributes:
        landmarks_px: (n, 21, 2).
        whitener: (n, 21, 2, 2) ``W`` with ``W^T W = covariance^-1``; zero where a landmark is unknown.
        ray: (n, 3) unit vector from the lens to the hand.
        hint: (n, 21, 3) the net's own hand in camera axes, centred, in palm sizes; zero where it has none.
        hinted: (n, 21) bool.
        size_px: (n,) larger side of the landmarks' box.
        intrinsics: (4,).
    """

    landmarks_px: np.ndarray
    whitener: np.ndarray
    ray: np.ndarray
    hint: np.ndarray
    hinted: np.ndarray
    size_px: np.ndarray
    intrinsics: np.ndarray

    def __len__(self) -> int:
        return len(self.landmarks_px)

    def take(self, index: np.ndarray) -> Evidence:
        return Evidence(
            self.landmarks_px[index],
            self.whitener[index],
            self.ray[index],
            self.hint[index],
            self.hinted[index],
            self.size_px[index],
            self.intrinsics,
        )

    @property
    def seen(self) -> np.ndarray:
        """(n, 21) bool: landmarks that count."""
        return self.whitener.any(axis=(-1, -2))


def gather(
    landmarks_px: np.ndarray,
    covariance_px: np.ndarray,
    landmarks_m: np.ndarray,
    intrinsics: np.ndarray,
    residual_covariance: np.ndarray,
) -> Evidence:
    """Evidence from a track's arrays (shapes as in ``observations.HandTrack``).

    ``residual_covariance`` (21, 2, 2), in hand sizes squared, is what calibration leaves: it adds to the tracker's own.
    A landmark with a non-finite position or covariance is unknown.
    """
    known = np.isfinite(landmarks_px).all(-1) & np.isfinite(covariance_px).all((-1, -2))
    landmarks = np.where(known[..., None], landmarks_px, _middle(landmarks_px, known)[:, None])
    size = np.maximum(np.ptp(landmarks, axis=1).max(-1), 1.0)
    covariance = np.where(known[..., None, None], covariance_px, np.eye(2))
    covariance = covariance + residual_covariance * (size**2)[:, None, None, None]
    whitener = _inverse_root(covariance) * known[..., None, None]
    hint, hinted = _normalised_hint(landmarks_m)
    return Evidence(
        landmarks, whitener, viewing_rays(landmarks, intrinsics), hint, hinted, size, np.asarray(intrinsics, float)
    )


def _middle(points: np.ndarray, known: np.ndarray) -> np.ndarray:
    """(n, 2) mean of the known points, 0 where there is none."""
    total = np.where(known[..., None], points, 0.0).sum(1)
    return total / np.maximum(known.sum(1), 1)[:, None]


def _inverse_root(covariance: np.ndarray) -> np.ndarray:
    """(..., 2, 2) inverse square roots by the eigenvalues, floored at a hundredth of a pixel."""
    values, vectors = np.linalg.eigh(covariance)
    return (vectors / np.sqrt(np.maximum(values, 1e-4))[..., None, :]) @ np.swapaxes(vectors, -1, -2)


def viewing_rays(landmarks: np.ndarray, intrinsics: np.ndarray) -> np.ndarray:
    """(n, 3) unit vectors from the lens to the middle of each hand's landmarks (n, 21, 2)."""
    fx, fy, cx, cy = intrinsics
    middle = (landmarks.min(1) + landmarks.max(1)) / 2
    ray = np.stack([(middle[:, 0] - cx) / fx, (middle[:, 1] - cy) / fy, np.ones(len(middle))], axis=-1)
    return ray / np.linalg.norm(ray, axis=-1, keepdims=True)


def _normalised_hint(landmarks_m: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    hinted = np.isfinite(landmarks_m).all(-1)
    hinted &= hinted.sum(1, keepdims=True) >= 4
    points = np.where(hinted[..., None], landmarks_m, 0.0)
    centre = points.sum(1, keepdims=True) / np.maximum(hinted.sum(1), 1)[:, None, None]
    points = np.where(hinted[..., None], points - centre, 0.0)
    size = palm_size(points)
    hinted &= (size > 1e-6)[:, None]
    return points / np.maximum(size, 1e-6)[:, None, None], hinted


@dataclass(frozen=True)
class Linearised:
    """cost (n,), gradient (n, p) and Gauss-Newton Hessian (n, p, p); p = 6 + hinges, then the shape if asked for."""

    cost: np.ndarray
    gradient: np.ndarray
    hessian: np.ndarray


def linearise(
    evidence: Evidence, skeleton: Skeleton, weights: Weights, betas: np.ndarray, pose: Pose, with_shape: bool = False
) -> Linearised:
    """Cost and its Gauss-Newton model at n poses of one shape; an impossible pose (behind the lens) costs infinity."""
    posed = pose_landmarks(skeleton, betas, pose)
    slopes = landmark_jacobian(skeleton, posed)
    if with_shape:
        slopes = np.concatenate([slopes, shape_jacobian(skeleton, posed)], axis=-1)
    in_front = (posed.landmarks[..., 2] > _NEAREST_M).all(1)
    image_cost, image, image_slopes = _image_term(evidence, weights, posed.landmarks, slopes)
    hint_cost, hint, hint_slopes = _hint_term(evidence, skeleton, weights, posed.landmarks, slopes)
    rows = np.concatenate([image, hint], axis=1)
    jacobian = np.concatenate([image_slopes, hint_slopes], axis=1)
    transposed = np.swapaxes(jacobian, 1, 2)
    gradient, hessian = (transposed @ rows[..., None])[..., 0], transposed @ jacobian
    cost = image_cost + hint_cost + _add_angle_terms(skeleton, weights, pose.angles, gradient, hessian)
    cost = cost + _add_depth_term(weights, pose.wrist[:, 2], gradient, hessian)
    return Linearised(np.where(in_front, cost, np.inf), gradient, hessian)


def _cauchy(squares: np.ndarray, scale: float) -> tuple[np.ndarray, np.ndarray]:
    """Half the robustified squares, and the factor on residual and Jacobian that reproduces their gradient."""
    ratio = squares / scale**2
    return 0.5 * scale**2 * np.log1p(ratio), 1 / np.sqrt(1 + ratio)


def _image_term(
    evidence: Evidence, weights: Weights, points: np.ndarray, slopes: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Reprojection: cost (n,), residuals (n, 42), Jacobian (n, 42, p)."""
    fx, fy, cx, cy = evidence.intrinsics
    x, y = points[..., 0], points[..., 1]
    z = np.maximum(points[..., 2], _NEAREST_M)
    error = np.stack([fx * x / z + cx, fy * y / z + cy], axis=-1) - evidence.landmarks_px
    zero = np.zeros_like(z)
    rows = [fx / z, zero, -fx * x / z**2, zero, fy / z, -fy * y / z**2]
    camera = np.stack(rows, axis=-1).reshape(*z.shape, 2, 3)
    residual = (evidence.whitener @ error[..., None])[..., 0]
    cost, factor = _cauchy((residual**2).sum(-1), weights.robust_sigmas)
    jacobian = ((evidence.whitener * factor[..., None, None]) @ camera) @ slopes
    n = len(points)
    return cost.sum(1), (residual * factor[..., None]).reshape(n, 42), jacobian.reshape(n, 42, slopes.shape[-1])


def _hint_term(
    evidence: Evidence, skeleton: Skeleton, weights: Weights, points: np.ndarray, slopes: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The net's depth along the viewing ray, relative to the centroid: cost (n,), residuals (n, 21), Jacobian.

    The net sees a crop as if it were seen head-on, so its z runs along the ray to the hand. Its x and y are the image
    landmarks again and are not counted twice.
    """
    share = evidence.hinted / np.maximum(evidence.hinted.sum(1), 1)[:, None]
    scale = 1 / (weights.hint_sigma * skeleton.palm_size)
    depth = np.einsum("nkc,nc->nk", points, evidence.ray)
    depth_slopes = np.einsum("nkcp,nc->nkp", slopes, evidence.ray)
    depth = depth - (share * depth).sum(1, keepdims=True)
    depth_slopes = depth_slopes - np.einsum("nk,nkp->np", share, depth_slopes)[:, None]
    residual = np.where(evidence.hinted, depth * scale - evidence.hint[..., 2] / weights.hint_sigma, 0.0)
    cost, factor = _cauchy(residual**2, weights.robust_sigmas)
    return cost.sum(1), residual * factor, depth_slopes * (factor * evidence.hinted * scale)[..., None]


def _add_angle_terms(
    skeleton: Skeleton, weights: Weights, angles: np.ndarray, gradient: np.ndarray, hessian: np.ndarray
) -> np.ndarray:
    """Joint limits and usual angles, both diagonal; adds in place, returns the cost (n,)."""
    hinges = skeleton.hinges
    rows = np.arange(6, 6 + len(hinges))
    usual = weights.pose_scale * (angles - hinges.mean) / hinges.sigma
    beyond = np.maximum(angles - hinges.high, 0) - np.maximum(hinges.low - angles, 0)
    stiffness = 1 / np.radians(weights.limit_sigma_deg)
    gradient[:, rows] += weights.pose_scale * usual / hinges.sigma + stiffness**2 * beyond
    hessian[:, rows, rows] += (weights.pose_scale / hinges.sigma) ** 2 + stiffness**2 * (beyond != 0)
    return 0.5 * (usual**2).sum(1) + 0.5 * ((stiffness * beyond) ** 2).sum(1)


def _add_depth_term(weights: Weights, depth: np.ndarray, gradient: np.ndarray, hessian: np.ndarray) -> np.ndarray:
    """A vague log-normal prior on the wrist's depth; adds in place, returns the cost (n,)."""
    safe = np.maximum(depth, _NEAREST_M)
    residual = np.log(safe / weights.depth_m) / weights.depth_log_sigma
    slope = 1 / (safe * weights.depth_log_sigma)
    gradient[:, 5] += residual * slope
    hessian[:, 5, 5] += slope**2
    return 0.5 * residual**2


def agreement(evidence: Evidence, weights: Weights, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How well posed landmarks (n, 21, 3) meet the seen ones.

    Returns:
        (n,) median distance in px over the landmarks that count (inf when none does), and (n,) mean weight 0..1 that
        the robust kernel gives them (unknown ones count as 0).
    """
    error = project(points, evidence.intrinsics) - evidence.landmarks_px
    squares = ((evidence.whitener @ error[..., None])[..., 0] ** 2).sum(-1)
    weight = np.where(evidence.seen, 1 / (1 + squares / weights.robust_sigmas**2), 0.0).mean(1)
    distance = np.where(evidence.seen, np.linalg.norm(error, axis=-1), np.nan)
    nothing = ~evidence.seen.any(1)
    distance[nothing] = np.inf
    return np.nanmedian(distance, axis=1), weight
