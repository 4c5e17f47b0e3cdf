"""What remains when a part is true: each part takes away its own error and leaves the others."""

from __future__ import annotations

import numpy as np
import pytest

from solver.bench import remains
from solver.hand_model.rotations import exp

FRAMES = 40


@pytest.fixture(scope="module")
def hands():
    """(T, 2, 21, 3) true keypoints in the camera's frame, with a wrong size, place, distance and turn; all counted."""
    rng = np.random.default_rng(0)
    shape = 0.05 * rng.standard_normal((2, 21, 3))
    path = np.cumsum(0.01 * rng.standard_normal((FRAMES, 2, 1, 3)), axis=0)
    true = shape + path + [0.0, 0.0, 0.6]
    middle = true.mean(2, keepdims=True)
    turned = (true - middle) @ exp(0.1 * rng.standard_normal((FRAMES, 2, 3))).swapaxes(-1, -2) + middle
    wrong = 1.1 * turned + 0.02 * rng.standard_normal((FRAMES, 2, 1, 3))
    return wrong, true, np.ones((FRAMES, 2), bool)


def test_parts_come_true_one_after_another(hands):
    points, true, counted = hands
    for name in ("+ hand size", "+ mean distance", "+ distance", "+ place in view", "+ palm's turn"):
        points = remains.PARTS[name](points, true, counted)
        if name == "+ distance":
            np.testing.assert_allclose(remains._distance(points), remains._distance(true), rtol=1e-9)
    np.testing.assert_allclose(points, true, atol=1e-9)  # nothing else was wrong


@pytest.fixture(scope="module")
def noisy(hands):
    """The true hands at distances with independent errors of 2 %."""
    return hands[1] * np.exp(0.02 * np.random.default_rng(1).standard_normal((FRAMES, 2, 1, 1)))


def test_the_best_filter_takes_noise_off(hands, noisy):
    _, true, counted = hands
    smooth = remains.PARTS["(distance, best filter)"](noisy, true, counted)
    errors = [np.abs(remains._distance(points) - remains._distance(true)).mean() for points in (noisy, smooth)]
    assert errors[1] < 0.8 * errors[0]


@pytest.mark.parametrize("name", ["(distance, latent bias)", "(distance, best filter)"])
def test_filters_move_whole_hands_along_their_rays(hands, noisy, name):
    _, true, counted = hands
    shift = remains.PARTS[name](noisy, true, counted) - noisy
    np.testing.assert_allclose(shift, np.broadcast_to(shift[:, :, :1], shift.shape), atol=1e-12)
    np.testing.assert_allclose(np.cross(shift[:, :, 0], noisy.mean(2)), 0, atol=1e-12)


def test_without_noise_the_best_filter_changes_nothing(hands):
    _, true, counted = hands
    np.testing.assert_allclose(remains.PARTS["(distance, best filter)"](true, true, counted), true, atol=1e-9)
