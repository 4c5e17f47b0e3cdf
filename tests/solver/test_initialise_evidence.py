"""The costs of the initial fit: derivatives, unknown landmarks, hints."""

from __future__ import annotations

import numpy as np
import pytest

from solver.camera.cameras import project
from solver.initialise.evidence import Evidence, Weights, agreement, gather, linearise
from solver.initialise.kinematics import pose_landmarks

from .hand_tracks import INTRINSICS, Noise, random_poses, skeleton, track_of

NO_RESIDUAL = np.zeros((21, 2, 2))


def _evidence(side: str, rng: np.random.Generator, count: int = 3):
    hand = skeleton(side)
    pose = random_poses(hand, count, rng)
    track = track_of(hand, np.zeros(10), pose, rng, Noise(5, 0.01))
    return hand, pose, gather(track.landmarks_px, track.covariance_px, track.landmarks_m, INTRINSICS, NO_RESIDUAL)


@pytest.mark.parametrize("side", ["left", "right"])
def test_gradient_equals_finite_differences_of_the_cost(side: str) -> None:
    rng = np.random.default_rng(1)
    hand, pose, evidence = _evidence(side, rng)
    size = 6 + len(hand.hinges)
    scale = np.concatenate([np.full(3, 0.2), np.full(3, 0.02), np.full(size - 6, 0.4)])  # beyond some limits too
    pose, betas, step = pose.moved(scale * rng.standard_normal((3, size))), rng.normal(0, 0.5, 10), 1e-6

    def cost(shift: np.ndarray, shape_shift: np.ndarray) -> np.ndarray:
        return linearise(evidence, hand, Weights(), betas + shape_shift, pose.moved(shift)).cost

    gradient = linearise(evidence, hand, Weights(), betas, pose, with_shape=True).gradient
    for column in range(size + 10):
        shift = np.eye(size + 10)[column] * step
        moves = [(np.tile(s * shift[:size], (3, 1)), s * shift[size:]) for s in (1, -1)]
        slope = (cost(*moves[0]) - cost(*moves[1])) / (2 * step)
        np.testing.assert_allclose(gradient[:, column], slope, rtol=1e-5, atol=1e-4)


def test_hessian_is_the_gradients_derivative_where_everything_fits() -> None:
    """At a perfect pose with usual angles all residuals vanish, and Gauss-Newton is exact."""
    rng = np.random.default_rng(2)
    hand = skeleton("right")
    pose = random_poses(hand, 2, rng, spread=0.0)
    track = track_of(hand, np.zeros(10), pose, rng)
    evidence = gather(track.landmarks_px, track.covariance_px, track.landmarks_m, INTRINSICS, NO_RESIDUAL)
    weights, step = Weights(depth_log_sigma=1e6), 1e-7
    now = linearise(evidence, hand, weights, np.zeros(10), pose)
    assert now.cost.max() < 1e-12
    for column in range(now.gradient.shape[1]):
        shift = np.zeros_like(now.gradient)
        shift[:, column] = step
        ahead, behind = (
            linearise(evidence, hand, weights, np.zeros(10), pose.moved(s * shift)).gradient for s in (1, -1)
        )
        np.testing.assert_allclose(now.hessian[..., column], (ahead - behind) / (2 * step), rtol=1e-3, atol=50)


def test_unknown_landmarks_say_nothing() -> None:
    rng = np.random.default_rng(3)
    hand, pose = skeleton("right"), None
    pose = random_poses(hand, 2, rng)
    track = track_of(hand, np.zeros(10), pose, rng)
    landmarks, covariance = track.landmarks_px.copy(), track.covariance_px.copy()
    landmarks[0, 8], covariance[1, 4] = np.nan, np.inf
    evidence = gather(landmarks, covariance, track.landmarks_m, INTRINSICS, NO_RESIDUAL)
    assert not evidence.seen[0, 8] and not evidence.seen[1, 4] and evidence.seen.sum() == 40
    now = linearise(evidence, hand, Weights(), np.zeros(10), pose)
    assert np.isfinite(now.cost).all() and np.isfinite(now.hessian).all()


def test_a_pose_behind_the_lens_costs_infinity() -> None:
    hand, pose, evidence = _evidence("left", np.random.default_rng(4))
    shift = np.zeros((3, 6 + len(hand.hinges)))
    shift[1, 5] = -2.0
    cost = linearise(evidence, hand, Weights(), np.zeros(10), pose.moved(shift)).cost
    assert np.isinf(cost[1]) and np.isfinite(cost[[0, 2]]).all()


def test_the_hint_is_measured_along_the_ray_to_the_hand() -> None:
    """The net sees a crop head-on: at the picture's border its axes are turned against the camera's."""
    rng = np.random.default_rng(5)
    hand = skeleton("right")
    pose = random_poses(hand, 1, rng, spread=0.0)
    pose = pose.moved(np.array([[0, 0, 0, 0.35, 0, 0, *np.zeros(len(hand.hinges))]]))
    track = track_of(hand, np.zeros(10), pose, rng)
    points = pose_landmarks(hand, np.zeros(10), pose).landmarks
    costs = []
    for hint in (track.landmarks_m, points):
        evidence = gather(track.landmarks_px, track.covariance_px, hint, INTRINSICS, NO_RESIDUAL)
        costs.append(linearise(evidence, hand, Weights(depth_log_sigma=1e6), np.zeros(10), pose).cost[0])
    assert costs[0] < 1e-9 < 0.1 < costs[1]


def test_agreement_counts_outliers_and_unknowns_out() -> None:
    rng = np.random.default_rng(6)
    hand = skeleton("right")
    pose = random_poses(hand, 2, rng)
    points = pose_landmarks(hand, np.zeros(10), pose).landmarks
    landmarks = project(points, INTRINSICS)
    landmarks[0, :5] += 300.0
    landmarks[1] = np.nan
    evidence = gather(landmarks, np.tile(np.eye(2), (2, 21, 1, 1)), points, INTRINSICS, NO_RESIDUAL)
    error_px, weight = agreement(evidence, Weights(), points)
    assert error_px[0] < 1e-9 and np.isinf(error_px[1])
    np.testing.assert_allclose(weight, [16 / 21, 0.0], atol=1e-3)
    assert isinstance(evidence, Evidence)
