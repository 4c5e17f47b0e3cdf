"""A take, re-solved over a stretch: the pin holds, every other entry keeps its bits."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from solver import hand_model
from solver.optimise import resume
from solver.optimise.constraints import Point, Together
from tools.optimiser_bench.scenes import last

from .edited_takes import BASE, FRAMES, keypoint, solved_take


@pytest.fixture(scope="module")
def models():
    return {side: hand_model.load(side) for side in ("left", "right")}


@pytest.fixture(scope="module")
def take(models):
    return solved_take(models)


@pytest.fixture(scope="module")
def resumed(take, models):
    return resume(take, models)


def test_a_pin_in_a_take(take, models, resumed):
    target = keypoint(models, take, 0, BASE + 40, 8) + [0.01, 0.0, -0.01]
    _, after = last(resumed.resolve(BASE + 20, BASE + 60, [Point(0, BASE + 40, 8, target)], hands=[0]))
    assert np.linalg.norm(keypoint(models, after.take, 0, BASE + 40, 8) - target) < 1e-3
    outside = np.r_[0:20, 61:FRAMES]
    assert np.array_equal(after.take.rotations[0, outside], take.rotations[0, outside])
    assert np.array_equal(after.take.transl[0, outside], take.transl[0, outside])
    assert np.array_equal(after.take.rotations[1], take.rotations[1], equal_nan=True)
    assert np.isfinite(after.take.rotations[0]).all()


def test_a_second_resolve_starts_from_the_first(take, models, resumed):
    near, far = (keypoint(models, take, 0, BASE + f, 8) + 0.01 for f in (30, 70))
    _, first = last(resumed.resolve(BASE + 20, BASE + 40, [Point(0, BASE + 30, 8, near)]))
    _, second = last(first.resolve(BASE + 62, BASE + 79, [Point(0, BASE + 70, 8, far)]))
    assert np.array_equal(second.take.rotations[0, :60], first.take.rotations[0, :60])
    assert not np.array_equal(second.take.rotations[0, 70], take.rotations[0, 70])


def test_hands_can_be_brought_together_after_a_gap(take, models, resumed):
    touch = Together(0, 4, 1, 4, BASE + 45, BASE + 47, 1e-3)
    _, after = last(resumed.resolve(BASE + 41, BASE + 60, [touch]))
    gaps = [
        np.linalg.norm(keypoint(models, t, 0, BASE + 46, 4) - keypoint(models, t, 1, BASE + 46, 4))
        for t in (take, after.take)
    ]
    assert gaps[1] < 0.1 * gaps[0]


def test_a_missing_hand_cannot_be_pinned(resumed):
    with pytest.raises(ValueError, match="hand 1 has no frame 535"):
        last(resumed.resolve(BASE + 20, BASE + 60, [Point(1, BASE + 34, 8, np.zeros(3))]))


def test_a_camera_that_was_known_to_shake_moves_no_hand_when_solved_again(take, models):
    jitter = 0.01 * np.random.default_rng(3).standard_normal((FRAMES, 3))
    path = take.world_from_camera.copy()
    path[:, :3, 3] += jitter
    shaken = dataclasses.replace(take, world_from_camera=path, transl=take.transl + jitter)
    told = dataclasses.replace(shaken, camera_step_sigma=np.tile([1e-4, 0.014], (FRAMES, 1)))
    _, settled = last(resume(told, models).resolve(BASE, BASE + FRAMES - 1))
    moved = []
    for sigma in (told.camera_step_sigma, shaken.camera_step_sigma):
        known = dataclasses.replace(settled.take, camera_step_sigma=sigma)
        _, after = last(resume(known, models).resolve(BASE, BASE + FRAMES - 1))
        moved.append(np.nanmedian(np.linalg.norm(after.take.transl - known.transl, axis=-1)))
    assert moved[0] < 0.1 * moved[1]
