"""Smoothness follows how lively a hand is seen to be."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from solver.optimise.activity import liveliness
from solver.optimise.observed import CameraBelief
from tools.optimiser_bench.scenes import make_scene, seen_from

USUAL = 0.01


def _measured(scene, amplitude: float, still_after: int) -> np.ndarray:
    """Liveliness of one hand that waves across the picture, then rests; depth is noisy throughout."""
    track, centre = scene.layout.tracks[0], scene.truth.camera_centre
    time = np.arange(track.count)
    path = np.array([0.0, 0.0, 0.5]) + np.zeros((track.count, 3))
    path[:, 0] += amplitude * np.sin(time / 2.0) * (time < still_after)
    path[:, 2] += 0.01 * np.random.default_rng(0).standard_normal(track.count)
    seen = seen_from(scene)
    ray = path * [1.0, 1.0, 0.0] + [0.0, 0.0, 0.5]
    seen = replace(seen, ray=ray / np.linalg.norm(ray, axis=-1, keepdims=True))
    start = replace(scene.truth, hands=replace(scene.truth.hands, wrist=path))
    camera = CameraBelief(scene.truth.camera_from_world, np.zeros_like(centre))
    return liveliness(scene.layout, start, seen, camera, USUAL)


def test_a_waving_hand_is_lively_and_a_resting_one_is_not():
    scene = make_scene(60, (("right", 0, 0, 60),))
    measured = _measured(scene, 0.05, 30)
    assert measured[5:22].min() > 1.5
    assert measured[40:].max() < 0.3


def test_twice_the_motion_is_twice_as_lively():
    scene = make_scene(60, (("right", 0, 0, 60),))
    once, twice = _measured(scene, 0.02, 60), _measured(scene, 0.04, 60)
    np.testing.assert_allclose(twice[10:50].mean() / once[10:50].mean(), 2.0, rtol=0.1)


def test_too_short_a_track_says_nothing():
    scene = make_scene(5, (("right", 0, 0, 5),))
    assert (_measured(scene, 0.05, 5) == 1).all()
