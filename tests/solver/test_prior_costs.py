"""The prior's and contact's costs against central differences; what non-penetration does to hands that overlap."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from solver import hand_model
from solver.initialise.kinematics import Pose
from solver.optimise import costs
from solver.optimise.costs.contact import NonPenetrationCost
from solver.optimise.costs.pose import PoseCovarianceCost
from solver.optimise.costs.touch import NoSlipCost, RelativeWristCost, TouchCost, Touches
from solver.optimise.evaluation import Evaluation
from solver.optimise.kernels import GemanMcClure
from solver.optimise.layout import window_of
from solver.optimise.solve import Stage, run
from solver.prior.capsules import capsules_of, closest, to_segments
from tools.optimiser_bench.scenes import last, make_scene, problem_of, seen_from

from .test_optimise_costs import FREE, check

SPANS = (("left", 0, 0, 4), ("right", 1, 1, 3), ("right", 1, 6, 3))


@pytest.fixture(scope="module")
def at() -> Evaluation:
    """Hands of two people, one inside the other, fingers bent through each other."""
    return overlapping(9, SPANS, **FREE)


def overlapping(frames: int, spans, **free: bool) -> Evaluation:
    scene = make_scene(frames, spans, seed=5, walk=0.01, **free)
    hands, layout = scene.truth.hands, scene.layout
    wrist, angles = hands.wrist.copy(), hands.angles.copy()
    for track in layout.tracks:
        wrist[track.hands] = [0.01, 0.0, 0.6] if track.skeleton.side == "left" else [-0.01, 0.01, 0.62]
        angles[track.hands, 0] -= 0.6  # the index finger through the middle one
    return scene.at(replace(scene.truth, hands=Pose(hands.global_orient, angles, wrist)))


def solid(at: Evaluation, deviation: float = 0.001) -> NonPenetrationCost:
    capsules = tuple(capsules_of(hand_model.load(track.skeleton.side)) for track in at.layout.tracks)
    return NonPenetrationCost(capsules=capsules, growth=np.ones(len(capsules)), deviation=deviation, own_slack=0.001)


def test_fingers_together(at):
    rng = np.random.default_rng(3)
    d = at.state.hands.angles.shape[1]
    together = np.tril(rng.standard_normal((d, d)))
    check(costs.FingerDynamicsCost(process=costs.process(np.full(d, 0.7), 0.1, 1 / 30), together=together), at)


def test_pose_covariance(at):
    rng = np.random.default_rng(4)
    d = at.state.hands.angles.shape[1]
    check(PoseCovarianceCost(mean=rng.standard_normal(d), whitener=np.tril(rng.standard_normal((d, d)))), at)


def test_non_penetration(at):
    cost = solid(at)
    assert {pair.tracks[0] == pair.tracks[1] for pair in cost.overlaps(at)} == {True, False}, (
        "both kinds must be tested"
    )
    check(cost, at, 2e-5)


def touching(at: Evaluation) -> Touches:
    """A thumb and an index of one hand in three frames, of two hands in two others, twice in one frame."""
    first = np.array([1, 2, 3, 1, 2, 1])
    second = np.array([1, 2, 3, 4, 5, 4])
    capsules, others = np.array([6, 6, 6, 9, 9, 2]), np.array([9, 9, 9, 12, 12, 3])
    shares = np.linspace(0.1, 0.9, 6)
    run = np.array([0, 0, 0, 1, 1, 2])
    return Touches(first, second, capsules, others, shares, shares[::-1], run)


def test_touch(at):
    capsules = solid(at).capsules
    cost = TouchCost(
        capsules=capsules, growth=np.full(3, 0.3), touches_of=touching(at), deviation=0.004, kernel=GemanMcClure(5.0)
    )
    assert (cost.residuals(at) > 0).all()
    check(cost, at, 2e-5)


def test_what_one_hand_holds_may_be_between_its_fingers(at):
    capsules = solid(at).capsules
    cost = TouchCost(capsules=capsules, growth=np.full(3, 0.3), touches_of=touching(at), deviation=0.004)
    tight = 0.004 * cost.residuals(at)[:, 0]
    loose = 0.004 * replace(cost, held=0.01).residuals(at)[:, 0]
    own = np.arange(6) < 3
    np.testing.assert_allclose(loose, np.where(own, np.maximum(tight - 0.01, 0), tight), atol=1e-12)
    assert (loose[own] < tight[own]).any()
    check(replace(cost, held=0.5 * tight[own].min()), at, 2e-5)


def test_no_slip(at):
    cost = NoSlipCost(capsules=solid(at).capsules, touches_of=touching(at), deviation=0.002, kernel=GemanMcClure(30.0))
    assert cost.residuals(at).shape == (3, 3)
    check(cost, at, 2e-5)


def test_relative_wrists(at):
    cost = RelativeWristCost(first=np.array([1, 2]), second=np.array([4, 5]), deviation=0.01)
    hands, rng = at.state.hands, np.random.default_rng(2)
    moving = replace(hands, wrist=hands.wrist + 0.01 * rng.standard_normal(hands.wrist.shape))
    check(cost, Evaluation(at.layout, at.view, replace(at.state, hands=moving)), 2e-5)
    assert len(cost.within(window_of(at.layout, slice(1, 3))).first) == 1
    assert cost.within(window_of(at.layout, slice(0, 1))) is None


def test_a_window_has_the_touches_that_lie_in_it(at):
    window = window_of(at.layout, slice(1, 3))
    cost = NoSlipCost(capsules=solid(at).capsules, touches_of=touching(at), deviation=0.002).within(window)
    assert cost.touches_of.first.tolist() == [0, 1, 0, 1, 0]


def test_hands_that_one_camera_puts_into_each_other_are_parted():
    """One hand before the other: their outlines say where across, and hardly how deep."""
    scene = make_scene(12, (("left", 0, 0, 12), ("right", 0, 0, 12)), seed=5, shape_free=False)
    hands, layout = scene.truth.hands, scene.layout
    truth, start = hands.wrist.copy(), hands.wrist.copy()
    for track, depth in zip(layout.tracks, (0.53, 0.67), strict=True):
        truth[track.hands] = [0.03 if track.skeleton.side == "left" else -0.03, 0.0, depth]
        start[track.hands] = truth[track.hands] * (0.6 / depth)
    scene = replace(scene, truth=replace(scene.truth, hands=replace(hands, wrist=truth)))
    begin = replace(scene.truth, hands=replace(hands, wrist=start))
    problem = problem_of(scene, seen_from(scene, 3.0), begin)
    cost = solid(scene.at())
    depths = {}
    for name, costs_of in {"off": problem.costs, "on": (*problem.costs, cost)}.items():
        posed = replace(problem, costs=costs_of)
        at = posed.at(last(run(posed, begin, (Stage("all", 40, 1e-5),))).state)
        depths[name] = np.concatenate([np.zeros(1), *(o.depth for o in cost.overlaps(at) if o.tracks == (0, 1))]).max()
    assert depths["off"] > 0.004
    assert depths["on"] < 0.002


def test_a_window_has_the_costs_of_its_tracks(at):
    window = window_of(at.layout, slice(5, 9))
    assert len(solid(at).within(window).capsules) == 1


def test_closest_points_of_segments_against_a_grid():
    rng = np.random.default_rng(0)
    a, b, c, d = rng.standard_normal((4, 200, 3))
    d[:20] = c[:20] + 2 * (b[:20] - a[:20])  # parallel
    distance, normal, s, t = closest(a, b, c, d)
    grid = np.linspace(0, 1, 101)
    one = a[:, None] + grid[:, None] * (b - a)[:, None]
    other = c[:, None] + grid[:, None] * (d - c)[:, None]
    least = np.linalg.norm(one[:, :, None] - other[:, None], axis=-1).min((1, 2))
    assert (distance <= least + 1e-9).all() and (distance > least - 0.05).all()
    between = a + s[:, None] * (b - a) - c - t[:, None] * (d - c)
    np.testing.assert_allclose(between, distance[:, None] * normal, atol=1e-9)


def test_capsules_follow_the_skin():
    """The skin lies about the capsules' surface, the palm's too, on both sides alike."""
    for side in ("left", "right"):
        model = hand_model.load(side)
        capsules, skin = capsules_of(model), model.v_template
        np.testing.assert_allclose(capsules.ends.sum(-1), 1)
        outside = (to_segments(skin, *capsules.axes(model.keypoints_rest_template)) - capsules.radius).min(1)
        palm = model.weights.argmax(1) == 0
        for part, most in ((palm, 0.0065), (~palm, 0.0045)):
            assert np.abs(np.median(outside[part])) < 0.001
            assert np.percentile(outside[part], 95) < 0.003 and np.percentile(outside[part], 5) > -most
