"""The landmark net's own 3D hand, set right: symmetries that the map must keep, and what it must not touch."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from solver.hands.lift import lifted
from solver.observations import palm_size

from .hand_tracks import random_poses, skeleton, track_of


@pytest.fixture(scope="module")
def track():
    hand, rng = skeleton("right"), np.random.default_rng(3)
    return track_of(hand, np.zeros(10), random_poses(hand, 5, rng), rng)


def _turned(track, angle):
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    metres = track.landmarks_m.copy()
    metres[..., :2] = metres[..., :2] @ turn.T
    return replace(track, landmarks_px=track.landmarks_px @ turn.T, landmarks_m=metres), turn


def test_a_turned_picture_gives_the_turned_hand(track):
    other, turn = _turned(track, 0.7)
    (plain,), (turned,) = lifted([track]), lifted([other])
    np.testing.assert_allclose(turned.landmarks_m[..., 2], plain.landmarks_m[..., 2], atol=1e-9)
    np.testing.assert_allclose(turned.landmarks_m[..., :2], plain.landmarks_m[..., :2] @ turn.T, atol=1e-9)


def test_a_left_hand_is_a_right_hand_in_a_mirror(track):
    flip = np.array([-1.0, 1.0, 1.0])
    other = replace(
        track, side="left", landmarks_px=track.landmarks_px * flip[:2], landmarks_m=track.landmarks_m * flip
    )
    (plain,), (mirrored,) = lifted([track]), lifted([other])
    np.testing.assert_allclose(mirrored.landmarks_m, plain.landmarks_m * flip, atol=1e-9)


def test_the_palm_keeps_its_size_and_the_hand_gets_deeper(track):
    """The net's depths are about half of the true ones."""
    flat = track.landmarks_m - track.landmarks_m.mean(1, keepdims=True)
    halved = replace(track, landmarks_m=flat * [1.0, 1.0, 0.5])
    (right,) = lifted([halved])
    np.testing.assert_allclose(palm_size(right.landmarks_m), palm_size(halved.landmarks_m))
    assert right.landmarks_m[..., 2].std() > 1.2 * halved.landmarks_m[..., 2].std()


def test_an_unsure_reading_grows_about_its_middle(track):
    presence = np.array([0.99, 0.95, 0.9, 0.5, 0.0])
    (out,) = lifted([replace(track, presence=presence)])
    np.testing.assert_allclose(out.landmarks_px.mean(1), track.landmarks_px.mean(1))
    growth = np.std(out.landmarks_px, axis=1).mean(1) / np.std(track.landmarks_px, axis=1).mean(1)
    assert (np.diff(growth[:4]) > 0).all() and np.isclose(growth[3], growth[4])
    assert abs(growth[0] - 1) < 0.01 and 1.04 < growth[3] < 1.12


def test_what_is_not_known_stays_unknown(track):
    pixels, metres = track.landmarks_px.copy(), track.landmarks_m.copy()
    pixels[1, 3], metres[2, 5, 0], metres[3] = np.nan, np.nan, 0.0
    (out,) = lifted([replace(track, landmarks_px=pixels, landmarks_m=metres)])
    assert np.isnan(out.landmarks_m[1:4]).all()
    assert np.isfinite(out.landmarks_m[[0, 4]]).all()
    assert lifted([]) == []
