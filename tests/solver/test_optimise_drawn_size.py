"""Distances of a hand that a detector draws too small for a while, and of hands that it draws rightly."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from solver.optimise.costs import KeypointCost
from solver.optimise.drawn_size import drawn_wrong, evened, log_size_taken, resized
from solver.optimise.evaluation import Evaluation
from tools.optimiser_bench.scenes import make_scene, problem_of, seen_from, wander

FRAME_S, COUNT = 1 / 30, 90
EVERY, SLOW = np.arange(COUNT), np.full(COUNT, 0.25)


def misread(rng: np.random.Generator, size: float) -> np.ndarray:
    """(COUNT,) an error that lasts for a fifth of a second: readings of successive frames err alike, and then not."""
    memory, out = np.exp(-FRAME_S / 0.2), np.zeros(COUNT)
    steps = size * rng.standard_normal(COUNT)
    for t in EVERY:
        out[t] = memory * out[t - 1] + np.sqrt(1 - memory**2) * steps[t] if t else steps[0]
    return out


def test_what_wavers_more_than_hands_move_is_how_they_are_drawn():
    rng = np.random.default_rng(1)
    moved = np.log(0.5) + wander(rng, COUNT, (), 0.04, 60)
    wrong = misread(rng, 0.15)
    found = drawn_wrong(moved + wrong, moved + wrong, EVERY, SLOW, FRAME_S)
    assert np.std(wrong - found) < 0.4 * np.std(wrong)


def test_a_steady_reading_is_left_as_it_is():
    rng = np.random.default_rng(2)
    moved = np.log(0.5) + wander(rng, COUNT, (), 0.08, 60) + 0.005 * rng.standard_normal(COUNT)
    assert np.abs(drawn_wrong(moved, moved, EVERY, SLOW, FRAME_S)).max() < 0.03


def test_frames_that_each_err_by_themselves_are_no_reason_to_doubt_what_they_say_together():
    rng = np.random.default_rng(5)
    moved = np.log(0.5) + wander(rng, COUNT, (), 0.08, 30)
    each = moved + 0.05 * rng.standard_normal(COUNT)
    assert np.std(drawn_wrong(each, moved, EVERY, 2 * SLOW, FRAME_S)) < 0.02


@pytest.mark.parametrize("seconds", (0.5, 1.0))
def test_a_hand_that_comes_straight_at_the_lens_does_so(seconds):
    """From 0.6 to 0.3 m while the ray to it hardly turns."""
    rng = np.random.default_rng(3)
    share = 1 / (1 + np.exp(-(EVERY * FRAME_S - 1.5) / (seconds / 6)))
    moved = np.log(0.6 - 0.3 * share) + 0.01 * rng.standard_normal(COUNT)
    found = drawn_wrong(moved, moved, EVERY, np.zeros(COUNT), FRAME_S)
    assert np.abs(found).max() < 0.06


def test_a_misread_stretch_does_not_loosen_the_rest_of_a_long_clip():
    rng = np.random.default_rng(4)
    count = 4 * COUNT
    moved = np.log(0.5) + wander(rng, count, (), 0.05, 60)
    wrong = np.zeros(count)
    wrong[:COUNT] = misread(rng, 0.15)
    found = drawn_wrong(moved + wrong, moved + wrong, np.arange(count), np.full(count, 0.25), FRAME_S)
    assert np.std((wrong - found)[:COUNT]) < 0.5 * np.std(wrong[:COUNT])
    assert np.abs(found[2 * COUNT :]).max() < 0.03


def test_gaps_and_few_frames():
    known = np.r_[0:20, 70:90]
    path = np.full(COUNT, np.log(0.5))
    assert np.isfinite(drawn_wrong(path, path, known, SLOW, FRAME_S)).all()
    assert np.allclose(drawn_wrong(path, path, known[:5], SLOW, FRAME_S)[:5], 0, atol=1e-6)


@pytest.fixture(scope="module")
def drawn_small():
    """A scene, its problem with landmarks of the first hand drawn too small by wavering shares, the shares, and the
    state that meets them."""
    scene = make_scene(COUNT, (("left", 0, 0, COUNT), ("right", 0, 0, COUNT)), seed=6)
    wrong = np.zeros(2 * COUNT)
    wrong[:COUNT] = misread(np.random.default_rng(7), 0.12)
    seen = seen_from(scene)
    middle = seen.landmarks_px.mean(1, keepdims=True)
    seen = replace(seen, landmarks_px=middle + np.exp(-wrong)[:, None, None] * (seen.landmarks_px - middle))
    state = moved_away(scene.at(), wrong)
    ray = scene.at().points.mean(1)
    seen = replace(seen, ray=ray / np.linalg.norm(ray, axis=1, keepdims=True))
    return scene, problem_of(scene, seen), seen, wrong, state


def moved_away(at: Evaluation, by: np.ndarray):
    shift = at.points.mean(1) * np.expm1(by)[:, None]
    return replace(at.state, hands=replace(at.state.hands, wrist=at.state.hands.wrist + shift))


def test_landmarks_and_hands_are_brought_to_their_size(drawn_small):
    scene, problem, seen, wrong, state = drawn_small
    even, better = evened(problem, state, state, seen, FRAME_S)
    distances = [np.log(np.linalg.norm(problem.at(s).points.mean(1), axis=1)) for s in (scene.truth, state, better)]
    errors = [np.std((distance - distances[0])[:COUNT]) for distance in distances[1:]]
    assert errors[1] < 0.65 * errors[0]
    drawn = [next(c for c in p.costs if isinstance(c, KeypointCost)).targets_px for p in (problem, even)]
    spread = [np.log(np.linalg.norm(points - points.mean(1, keepdims=True), axis=(1, 2))) for points in drawn]
    grown = spread[1] - spread[0]
    assert np.std((wrong - grown)[:COUNT]) < 0.65 * np.std(wrong[:COUNT])
    # the other hand, rightly drawn
    assert np.abs(grown[COUNT:]).max() < 0.03
    # what a take keeps of it
    again = resized(problem, log_size_taken(even, seen))
    assert np.allclose(next(c for c in again.costs if isinstance(c, KeypointCost)).targets_px, drawn[1])
