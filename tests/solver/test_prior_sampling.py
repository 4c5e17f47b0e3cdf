"""Draws of a hidden stretch: repeatable, within limits, true to keys, marked, and as wide as they say."""

from __future__ import annotations

from collections import deque

import numpy as np
import pytest

from solver import hand_model
from solver.errors import SolverError
from solver.optimise import resume
from solver.optimise.constraints import Point
from solver.optimise.local import resolve
from solver.optimise.problem import Problem
from solver.optimise.state import State
from solver.prior.sampling import blind, drawn, sample
from tools.optimiser_bench.scenes import Scene, last, make_scene, problem_of, seen_from

from .edited_takes import BASE, solved_take
from .edited_takes import FRAMES as FILMED

FRAMES, FIRST, LAST = 40, 12, 27


@pytest.fixture(scope="module")
def solved() -> tuple[Scene, Problem, State]:
    """One hand that is hidden in the middle; the state is the solution."""
    scene = make_scene(FRAMES, (("right", 0, 0, FRAMES),), seed=1, shape_free=False)
    hidden = np.zeros(FRAMES, bool)
    hidden[FIRST : LAST + 1] = True
    problem = problem_of(scene, seen_from(scene, 1.0, hidden))
    state = last(resolve(problem, scene.truth, 0, FRAMES - 1)).state
    return scene, problem, state


def draw(problem: Problem, state: State, seed: int, constraints=()) -> State:
    posed = drawn(problem, np.random.default_rng(seed))
    return deque(resolve(posed, state, FIRST, LAST, list(constraints)), maxlen=1).pop().state


def test_same_seed_same_motion_and_neighbours_stay(solved):
    _, problem, state = solved
    first, again, other = (draw(problem, state, seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first.hands.angles, again.hands.angles)
    assert np.abs(first.hands.angles - other.hands.angles).max() > np.radians(3)
    outside = np.r_[:FIRST, LAST + 1 : FRAMES]
    np.testing.assert_array_equal(first.hands.angles[outside], state.hands.angles[outside])


def test_draws_stay_within_limits_and_differ_most_in_the_middle(solved):
    scene, problem, state = solved
    hinges = scene.layout.tracks[0].skeleton.hinges
    draws = np.array([draw(problem, state, seed).hands.angles for seed in range(6)])
    beyond = np.maximum(draws - hinges.high, 0) + np.maximum(hinges.low - draws, 0)
    assert np.degrees(beyond[:, FIRST : LAST + 1]).max() < 1
    spread = draws.std(0)[:, hinges.flexion].mean(1)
    middle = (FIRST + LAST) // 2
    assert spread[middle] > 2 * spread[FIRST] > 0
    assert spread[FIRST - 1] < 1e-12


def test_draws_pass_through_an_artist_s_pin(solved):
    _, problem, state = solved
    middle = (FIRST + LAST) // 2
    at = problem.at(state)
    target = at.keypoints[middle, 8] + [0.01, 0.0, 0.005]
    for seed in range(3):
        after = draw(problem, state, seed, [Point(track=0, frame=middle, keypoint=8, position=target)])
        np.testing.assert_allclose(problem.at(after).keypoints[middle, 8], target, atol=1e-3)


def test_without_picture_the_stretch_is_free(solved):
    scene, _, _ = solved
    problem = problem_of(scene, seen_from(scene, 1.0))
    free = blind(problem, slice(FIRST, LAST + 1))
    held, loose = (draw(p, scene.truth, 1).hands.wrist - scene.truth.hands.wrist for p in (problem, free))
    inside = slice(FIRST + 4, LAST - 3)
    across = np.s_[inside, :2]  # depth is not known well with the picture either
    assert np.abs(loose[across]).mean() > 3 * np.abs(held[across]).mean()


@pytest.mark.parametrize(("kept", "is_enough"), [(0, False), (1, False), (2, True)])
def test_a_draw_needs_frames_that_show_where_the_hand_is(kept, is_enough):
    """Of the left hand nothing is seen but its first frames."""
    models = {side: hand_model.load(side) for side in ("left", "right")}
    resumed = resume(solved_take(models), models)
    end = BASE + FILMED - 1
    if is_enough:
        after = sample(resumed, BASE + kept, end, 1, [0], without_picture=True)
        moved = np.linalg.norm(after.take.transl[0] - resumed.take.transl[0], axis=1)
        assert 0 < moved.max() < 5
    else:
        with pytest.raises(SolverError, match="the left hand") as refused:
            sample(resumed, BASE + kept, end, 1, [0], without_picture=True)
        assert refused.value.code == "nothing-to-go-by"


def test_frames_without_noise_are_the_solution(solved):
    """A draw is the solution plus its noise: with all noise at zero it is the solution."""
    _, problem, state = solved

    class Silent(np.random.Generator):
        def standard_normal(self, size):
            return np.zeros(size)

    at = problem.at(state)
    silent = drawn(problem, Silent(np.random.PCG64(0))).values(at)
    usual = problem.values(at)
    del silent["joint-limits"], usual["joint-limits"]  # these are stricter
    assert silent == pytest.approx(usual)
