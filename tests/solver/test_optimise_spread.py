"""A correction helps its neighbours where the tracker errs alike, and harms nobody where it doesn't."""

from __future__ import annotations

import dataclasses
from collections import deque

import numpy as np
import pytest

from solver import hand_model
from solver.constraints import Point
from solver.optimise import resume, spread

from .edited_takes import BASE, keypoint, restless, solved_take

ROW, AROUND = 45, (40, 43, 47, 50)


@pytest.fixture(scope="module")
def models():
    return {side: hand_model.load(side) for side in ("left", "right")}


@pytest.fixture(scope="module")
def true(models):
    return solved_take(models)


def corrected(take, true, models):
    """The left hand put right in one frame, a second around it solved again."""
    wishes = [Point(0, BASE + ROW, k, keypoint(models, true, 0, BASE + ROW, k), 1e-3) for k in range(21)]
    steps = resume(take, models).resolve(BASE + 20, BASE + 70, wishes, [0])
    return deque(steps, maxlen=1).pop()[1].take


def errors_m(take, true, models):
    """Mean over keypoints in each of the frames around."""
    return np.array([
        np.mean([
            np.linalg.norm(keypoint(models, take, 0, BASE + row, k) - keypoint(models, true, 0, BASE + row, k))
            for k in range(21)
        ])
        for row in AROUND
    ])  # fmt: skip


def biased(true, models):
    """The tracker sees the left hand 15 % too small and 20 px aside, and the take is what comes of that."""
    seen = true.keypoints_px.copy()
    centre = seen[0].mean(axis=1, keepdims=True)
    seen[0] = centre + 0.85 * (seen[0] - centre) + [20.0, 0.0]
    wrong = resume(dataclasses.replace(true, keypoints_px=seen), models)
    return deque(restless(wrong).resolve(BASE, BASE + 79), maxlen=1).pop()[1].take


def test_neighbours_are_freed_of_the_tracker_s_bias(true, models, monkeypatch):
    take = biased(true, models)
    before = errors_m(take, true, models)
    after = errors_m(corrected(take, true, models), true, models)
    monkeypatch.setattr(spread, "MEMORY_S", 1e-6)
    alone = errors_m(corrected(take, true, models), true, models)
    assert (after < 0.5 * before).all()
    assert after.mean() < 0.6 * alone.mean()


def test_a_stretch_beside_a_correction_joins_it(true, models, monkeypatch):
    """Re-solved without a wish, frames next to what was moved don't fall back to where they were."""
    wrist = keypoint(models, true, 0, BASE + ROW, 0) + [0.02, 0.0, 0.0]
    moved = deque(resume(true, models).resolve(BASE + 20, BASE + 70, [Point(0, BASE + ROW, 0, wrist)], [0]), maxlen=1)
    moved = moved.pop()[1]
    fallen = []
    for beyond in (spread._MOVED_M, np.inf):
        monkeypatch.setattr(spread, "_MOVED_M", beyond)
        after = deque(moved.resolve(BASE + ROW + 2, BASE + 75, hands=[0]), maxlen=1).pop()[1]
        left = [resumed.take.transl[0, ROW + 4] - true.transl[0, ROW + 4] for resumed in (moved, after)]
        fallen.append(np.linalg.norm(left[0] - left[1]) / np.linalg.norm(left[0]))
    assert fallen[0] < 0.3 and fallen[1] > 2 * fallen[0]


def test_a_stretch_that_is_asked_for_again_stays_as_it_is(true, models):
    """To the bit, from the second answer on; the first may have stopped a hair before its own optimum."""
    take = resume(biased(true, models), models)
    index = keypoint(models, true, 0, BASE + ROW, 8) + [0.02, 0.01, 0.0]
    answers = []
    for _ in range(3):
        take = deque(take.resolve(BASE + 20, BASE + 70, [Point(0, BASE + ROW, 8, index)]), maxlen=1).pop()[1]
        answers.append(take.state.hands)
    first, second, third = answers
    assert np.abs(second.wrist - first.wrist).max() < 1e-3
    for name in ("wrist", "global_orient", "angles"):
        np.testing.assert_array_equal(getattr(third, name), getattr(second, name))
