"""The solver as a whole: what is a minimum, what it recovers, how it ends."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from solver.hand_model.rotations import angle_between
from solver.optimise.second_look import Stretch, _twin, look_again, suspicious
from solver.optimise.solve import Outcome, Stage, run
from solver.optimise.uncertainty import marginals
from solver.optimise.weights import BALANCED, Weights
from tools.optimiser_bench.scenes import VIEW, disturbed, last, make_scene, problem_of, seen_from

# the solver's linearisation and its robust kernels make simulated, independent noise look as if it repeated a little
NOISE_REPEATS = 1.7
PRECISE = (Stage("all", 40, 1e-6),)


def solve(problem, start, stages=BALANCED.stages, **options):
    """The last iterate."""
    return last(run(problem, start, stages, **options))


def _drift(frames: int, in_metres: bool = False, weights: Weights = BALANCED.weights) -> tuple[float, float]:
    """How far size and scale go (relative) from the truth when everything is seen without error."""
    both = (("left", 0, 0, frames), ("right", 0, 0, frames))
    scene = make_scene(frames, both, walk=0.012, camera_free=True, scale_free=True)
    problem = problem_of(scene, seen_from(scene), preset=replace(BALANCED, weights=weights), in_metres=in_metres)
    end = solve(problem, scene.truth, PRECISE)
    size = problem.at(end.state).hand_size / scene.at().hand_size
    return float(np.abs(size - 1).max()), float(abs(np.exp(end.state.log_scale) - 1))


@pytest.mark.parametrize("frames", [100, 300])
def test_the_truth_is_a_minimum(frames):
    """Hands that travel with a walking camera: neither hand size nor world scale moves by 2 %."""
    size, scale = _drift(frames)
    assert size < 0.02
    assert scale < 0.02


def test_smoothness_in_metres_changes_the_world():
    """The usual objective on the same clip: its optimum's world is smaller by far more than 2 %."""
    assert _drift(100, in_metres=True)[1] > 0.05


def test_a_fixed_prior_on_size_loses_to_the_length_of_the_clip():
    """What the growing prior on size and shape is there for."""
    assert _drift(300, weights=Weights(shape_frames=1e9))[0] > 0.02


@pytest.fixture(scope="module")
def noisy():
    """Sixty frames, two hands, 2 px of noise, the left hand unseen for 15 frames; scene, problem, solution, hidden."""
    scene = make_scene(60, (("left", 0, 0, 60), ("right", 0, 0, 60)), seed=4)
    hidden = np.zeros(120, bool)
    hidden[25:40] = True
    start = disturbed(scene)
    problem = problem_of(scene, seen_from(scene, 2.0, hidden), start)
    return scene, problem, solve(problem, start), hidden


def _errors(scene, problem, state) -> np.ndarray:
    """(N, 21) metres, relative to the wrist."""
    difference = problem.at(state).keypoints - scene.at().keypoints
    return np.linalg.norm(difference - difference[:, :1], axis=-1)


def test_a_disturbed_start_comes_home(noisy):
    scene, problem, end, hidden = noisy
    assert end.outcome is Outcome.CONVERGED
    assert (
        _errors(scene, problem, end.state)[~hidden].mean()
        < 0.35 * _errors(scene, problem, disturbed(scene))[~hidden].mean()
    )
    from_truth = solve(problem, scene.truth)
    assert end.cost < 1.005 * from_truth.cost


def test_a_gap_is_solved_through_with_growing_uncertainty(noisy):
    scene, problem, end, hidden = noisy
    wrist = np.linalg.norm(end.state.hands.wrist - scene.truth.hands.wrist, axis=-1)
    assert wrist[hidden].max() < 0.08
    sigma = marginals(problem, end.state).keypoint_sigma()
    fingers = sigma[:60, 1:].mean(1)
    assert fingers[32] > 2 * fingers[20]
    assert fingers[32] > fingers[26] and fingers[32] > fingers[38]


def test_intervals_hold_the_truth(noisy):
    """Errors over stated deviations of visible joints: neither boasting nor useless."""
    scene, problem, end, hidden = noisy
    covariance = marginals(problem.discounted(NOISE_REPEATS), end.state).relative[~hidden][:, 1:]
    difference = problem.at(end.state).keypoints - scene.at().keypoints
    error = (difference - difference[:, :1])[~hidden][:, 1:]
    ratio = np.abs(error) / np.sqrt(np.diagonal(covariance, axis1=-2, axis2=-1))
    assert 0.5 < (ratio < 1).mean() < 0.9
    assert (ratio < 1.96).mean() > 0.8


def test_repeated_errors_count_once(noisy):
    """Nine frames as one observation: a third of the sureness where pictures decide, the same optimum."""
    _, problem, end, hidden = noisy
    plain = marginals(problem, end.state).keypoint_sigma()[~hidden]
    once = marginals(problem.discounted(9.0), end.state).keypoint_sigma()[~hidden]
    assert (once > plain).all()
    assert 1.5 < np.median(once / plain) < 3.0
    at = problem.at(end.state)
    assert np.isclose(problem.discounted(9.0).values(at)["keypoints"], problem.values(at)["keypoints"] / 9)


def test_a_prior_that_tightens_with_the_clip_is_no_knowledge(noisy):
    """A long clip holds the shape tighter than anybody knows it; stated uncertainty does not go by that."""
    _, problem, end, _ = noisy
    held, known = (np.diagonal(marginals(p, end.state).globals) for p in (problem, problem.discounted(1.0)))
    shape = problem.layout.border["shape"]
    assert (known[shape] > 1.2 * held[shape]).all()
    assert problem.discounted(1.0).value(problem.at(end.state)) < problem.value(problem.at(end.state))


def test_the_same_start_gives_the_same_bits(noisy):
    scene, problem, end, _ = noisy
    again = solve(problem, disturbed(scene))
    assert np.array_equal(again.state.hands.angles, end.state.hands.angles)
    assert np.array_equal(again.state.hands.global_orient, end.state.hands.global_orient)
    assert again.cost == end.cost


def test_cost_falls_with_every_step(noisy):
    scene, problem, _, _ = noisy
    costs: dict[str, list[float]] = {}
    for iterate in run(problem, disturbed(scene), BALANCED.stages):
        costs.setdefault(iterate.stage, []).append(iterate.cost)
    assert set(costs) == {stage.name for stage in BALANCED.stages}
    assert all(b <= a for values in costs.values() for a, b in zip(values, values[1:], strict=False))


def test_stopping_keeps_the_best_so_far(noisy):
    scene, problem, _, _ = noisy
    asked = iter([False, False, True])
    start = disturbed(scene)
    end = solve(problem, start, PRECISE, cancelled=lambda: next(asked))
    assert end.outcome is Outcome.STOPPED and end.step == 2
    assert end.cost < problem.value(problem.at(start))


def test_a_damaged_start_is_named(noisy):
    scene, problem, _, _ = noisy
    hands = replace(scene.truth.hands, wrist=np.full_like(scene.truth.hands.wrist, np.nan))
    end = solve(problem, replace(scene.truth, hands=hands))
    assert end.outcome is Outcome.NOT_FINITE and not end.outcome.usable


def test_tracks_of_any_length_share_slots():
    """Tracks of 1, 2 and 3 frames, a hand that leaves and returns: two slots, and all of them solved."""
    spans = (("right", 0, 0, 12), ("left", 0, 3, 1), ("left", 0, 6, 2), ("left", 0, 11, 3), ("right", 0, 17, 13))
    scene = make_scene(30, spans, seed=2)
    assert scene.layout.slot_count == 2
    start = disturbed(scene)
    problem = problem_of(scene, seen_from(scene, 1.0), start)
    end = solve(problem, start)
    assert end.outcome.usable
    assert _errors(scene, problem, end.state).mean() < 0.6 * _errors(scene, problem, start).mean()
    assert np.isfinite(marginals(problem, end.state).keypoint_sigma()).all()


def test_two_persons_have_four_hands_and_two_shapes():
    """All four at once, and one that leaves and returns: each person's hands are of one shape, the persons' differ."""
    spans = (("left", 0, 0, 30), ("right", 0, 0, 30), ("left", 1, 0, 30), ("right", 1, 0, 10), ("right", 1, 18, 12))
    scene = make_scene(30, spans, seed=4)
    assert scene.layout.slot_count == 4
    start = disturbed(scene)
    problem = problem_of(scene, seen_from(scene, 1.0), start)
    end = solve(problem, start)
    assert end.outcome.usable
    for track in scene.layout.tracks:
        errors = [_errors(scene, problem, state)[track.hands].mean() for state in (start, end.state)]
        assert errors[1] < 0.7 * errors[0]
    off = np.abs(end.state.betas - scene.truth.betas).max()
    assert off < 0.5 * np.abs(scene.truth.betas[0] - scene.truth.betas[1]).max()


def test_a_wrong_focal_length_is_found_when_it_is_free():
    """A moving camera in a known world shows the focal length; 4 % off at the start."""
    scene = make_scene(60, (("left", 0, 0, 60), ("right", 0, 0, 60)), walk=0.01, focal_free=True)
    problem = problem_of(scene, seen_from(scene))
    view = replace(VIEW, focal_px=VIEW.focal_px * 1.04)
    end = solve(replace(problem, view=view), scene.truth, PRECISE)
    assert abs(np.exp(end.state.log_focal) * 1.04 - 1) < 0.015


def test_free_landmark_offsets_make_the_joints_better():
    """Offsets that differ from the calibration by 3 mm per axis, seen over many poses; the shape is known."""
    scene = make_scene(60, (("right", 0, 0, 60),), shape_free=False)
    true = replace(scene.truth, offsets=0.003 * np.random.default_rng(0).standard_normal((21, 3)))
    problem = problem_of(scene, seen_from(replace(scene, truth=true)))
    fixed = solve(problem, scene.truth, PRECISE)
    free = replace(scene, layout=replace(scene.layout, offsets_free=True))
    solved = solve(problem_of(free, seen_from(replace(free, truth=true))), scene.truth, PRECISE)
    assert _errors(scene, problem, solved.state).mean() < 0.9 * _errors(scene, problem, fixed.state).mean()


def test_a_stretch_in_the_wrong_mode_is_found_and_mended():
    """Twenty frames start with the hand tilted the other way; steps alone don't bring it back, a second look does."""
    scene = make_scene(80, (("right", 0, 0, 80),), seed=5)
    stretch = Stretch(0, 30, 49)
    hands = np.arange(30, 50)
    twin = replace(scene.truth, hands=scene.truth.hands.put(hands, _twin(scene.at(), 0, hands)))
    problem = problem_of(scene, seen_from(scene, 2.0))
    stuck = solve(problem, twin)
    assert angle_between(stuck.state.hands.global_orient[hands], scene.truth.hands.global_orient[hands]).max() > 0.5
    found = suspicious(problem, problem.at(stuck.state))
    assert any(s.first <= stretch.first + 3 and s.last >= stretch.last - 3 for s in found)
    mended, changed = look_again(problem, stuck.state)
    assert changed
    assert angle_between(mended.hands.global_orient[hands], scene.truth.hands.global_orient[hands]).max() < 0.3


def test_a_good_solution_is_left_alone(noisy):
    _, problem, end, _ = noisy
    state, changed = look_again(problem, end.state)
    assert not changed and state is end.state
