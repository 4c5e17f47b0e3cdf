"""Shapes: a measured length is obeyed, the population decides otherwise, one person's hands share."""

from __future__ import annotations

import numpy as np
import pytest

from solver.initialise import FitOptions, LandmarkCalibration, collect, fit_tracks
from solver.initialise.shape import ADULT_LENGTH_M, Belief, Shape, compatible, share_shapes

from .hand_tracks import INTRINSICS, Noise, models, moving_poses, skeleton, track_of

PLAIN = LandmarkCalibration(np.zeros((21, 3)), np.full((21, 2, 2), 0.03**2) * np.eye(2), "none")


def _motions(betas: np.ndarray, options: FitOptions, seed: int = 1):
    rng = np.random.default_rng(seed)
    tracks, poses = [], []
    for side in ("left", "right"):
        hand = skeleton(side)
        poses.append(moving_poses(hand, 48, rng))
        tracks.append(track_of(hand, betas, poses[-1], rng, Noise(2, 0.006)))
    return collect(fit_tracks(tracks, models(), INTRINSICS, options, PLAIN)), poses


@pytest.mark.parametrize("length_m", [0.165, 0.20])
def test_a_measured_hand_length_is_obeyed(length_m: float) -> None:
    motions, _ = _motions(np.zeros(10), FitOptions(hand_length_m=length_m))
    for motion in motions.values():
        assert abs(skeleton(motion.side).hand_length(motion.betas) - length_m) < 0.001


def test_depth_follows_the_measured_length() -> None:
    """A hand 10 % larger is 10 % further away: the image cannot tell."""
    truth = skeleton("left").hand_length(np.zeros(10))
    near, poses = _motions(np.zeros(10), FitOptions(hand_length_m=truth))
    far, _ = _motions(np.zeros(10), FitOptions(hand_length_m=1.1 * truth))
    for track in (0, 1):
        ratio = np.median(far[track].wrist[:, 2] / near[track].wrist[:, 2])
        assert 1.05 < ratio < 1.15
        assert abs(np.median(near[track].wrist[:, 2] / poses[track].wrist[:, 2]) - 1) < 0.03


def test_without_a_measurement_the_hand_has_the_populations_length() -> None:
    motions, _ = _motions(np.array([-2.0, *np.zeros(9)]), FitOptions())
    for motion in motions.values():
        assert abs(skeleton(motion.side).hand_length(motion.betas) / ADULT_LENGTH_M - 1) < 0.02


def test_both_hands_share_one_shape_unless_told_otherwise() -> None:
    betas = np.array([0.0, 1.0, -1.0, *np.zeros(7)])
    together, _ = _motions(betas, FitOptions())
    apart, _ = _motions(betas, FitOptions(share_shape=False))
    np.testing.assert_array_equal(together[0].betas, together[1].betas)
    assert np.abs(apart[0].betas - apart[1].betas).max() > 1e-3


def _shape(mean: np.ndarray, information: float) -> Shape:
    prior = Belief(np.eye(3), np.zeros(3))
    data = Belief(information * np.eye(3), information * mean)
    return Shape(prior, prior.plus(data))


def test_information_adds_and_the_prior_counts_once() -> None:
    mean = np.array([1.0, 0.0, -1.0])
    shared = share_shapes([_shape(mean, 2.0), _shape(mean, 3.0)])
    np.testing.assert_allclose(shared[0].betas, mean * 5 / 6)
    np.testing.assert_allclose(shared[1].posterior.precision, 6 * np.eye(3))


def test_shapes_that_contradict_each_other_stay_apart() -> None:
    one, other = _shape(np.full(3, 2.0), 50.0), _shape(np.full(3, -2.0), 50.0)
    assert not compatible(one, other) and compatible(one, one)
    apart = share_shapes([one, other, one])
    np.testing.assert_allclose(apart[1].betas, other.betas)
    np.testing.assert_allclose(apart[0].betas, apart[2].betas)


def test_a_track_that_says_nothing_contradicts_nobody() -> None:
    assert compatible(_shape(np.full(3, 5.0), 0.0), _shape(np.full(3, -2.0), 50.0))
