"""A trained prior: its file, its network, what it is asked and what becomes of its answer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from solver import hand_model
from solver.errors import SolverError
from solver.hand_model.rotations import angle_between, exp
from solver.optimise import DRAFT, resume
from solver.optimise.costs import HiddenFingersCost, KeypointCost
from solver.optimise.layout import window_of
from solver.optimise.solve import Stage, run
from solver.prior import learned
from solver.prior.learned import file
from solver.prior.learned.features import FEATURES, HINGES, OTHER, OWN, PREDICTED, RELATIVE, encode
from solver.prior.learned.hidden import hidden_fingers_cost
from solver.prior.learned.network import Network
from solver.take import INFILLED
from tools.optimiser_bench.scenes import last, make_scene, problem_of, seen_from
from tools.prior.learned.motion import seen_from_other
from tools.prior.learned.windows import standard

from .edited_takes import solved_take
from .test_optimise_costs import FREE, check
from .test_optimise_refine import ONE_SECOND, clip, run_refine  # noqa: F401

RING = [10, 11, 12]
HALF_A_DEVIATION = 0.5


def made_up(seed: int | None = None, channels: int = 6) -> Network:
    """A network that says what is interpolated plus half a deviation; with a seed, one that says anything."""
    mean, deviation = (x.astype(np.float32) for x in standard())
    blocks, outputs = 3, 2 * len(PREDICTED)
    rng = np.random.default_rng(seed)
    scale = 0.0 if seed is None else 0.3
    draw = lambda *shape: (scale * rng.standard_normal(shape)).astype(np.float32)  # noqa: E731
    added = np.concatenate([np.full(len(PREDICTED), HALF_A_DEVIATION), np.full(len(PREDICTED), -1.0)])
    return Network(
        dilations=np.array([1, 2, 4], np.int32), mean=mean, deviation=deviation,
        calibration=np.ones(len(PREDICTED), np.float32), enter_weight=draw(3 * FEATURES, channels),
        enter_bias=draw(channels), norm_gain=1 + draw(blocks, channels), norm_bias=draw(blocks, channels),
        mix_weight=draw(blocks, 3 * channels, channels), mix_bias=draw(blocks, channels),
        out_weight=draw(blocks, channels, channels), out_bias=draw(blocks, channels),
        last_gain=1 + draw(channels), last_bias=draw(channels), leave_weight=draw(channels, outputs),
        leave_bias=added.astype(np.float32),
    )  # fmt: skip


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "prior.npz"
    file.save(path, file.arrays_of(made_up(1)), "made up")
    return path


def hidden_scene(points: list[int], frames: slice, count: int = 40):
    """Two hands, some landmarks of the right one hidden; its problem."""
    scene = make_scene(count, (("left", 0, 0, count), ("right", 0, 0, count)), seed=4, shape_free=False)
    seen = seen_from(scene, 1.0)
    rows = np.arange(scene.layout.tracks[1].packed, scene.layout.hand_count)[frames]
    seen.whitening[np.ix_(rows, points)] = 0
    return scene, problem_of(scene, seen)


def test_the_cost():
    scene = make_scene(9, (("left", 0, 0, 4), ("right", 1, 1, 3), ("right", 1, 6, 3)), seed=3, walk=0.01, **FREE)
    rng, shape = np.random.default_rng(0), scene.truth.hands.angles.shape
    cost = HiddenFingersCost(
        mean=rng.standard_normal(shape), information=rng.uniform(1, 5, shape) * (rng.random(shape) < 0.5)
    )
    check(cost, scene.at())
    window = window_of(scene.layout, slice(5, 9))
    np.testing.assert_array_equal(cost.within(window).mean, cost.mean[window.hands])


def test_a_file_says_the_same_after_it_was_written(saved):
    rng = np.random.default_rng(2)
    values, known = rng.standard_normal((50, FEATURES)), rng.random((50, FEATURES)) < 0.6
    for before, after in zip(made_up(1).predict(values, known), file.load(saved).predict(values, known), strict=True):
        np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        (lambda arrays: arrays.pop("mix_weight"), "prior-not-valid"),
        (lambda arrays: arrays.update(enter_bias=np.zeros(7, np.float32)), "prior-not-valid"),
        (lambda arrays: arrays["leave_bias"].__setitem__(0, np.nan), "prior-not-valid"),
        (lambda arrays: arrays.update(deviation=-arrays["deviation"]), "prior-not-valid"),
        (lambda arrays: arrays.update(dilations=arrays["dilations"].astype(float)), "prior-not-valid"),
        (lambda arrays: arrays.pop("header"), "prior-not-readable"),
        (lambda arrays: arrays.update(header=np.array('{"format": "handheld-prior", "version": 9}')), "prior-too-new"),
        (lambda arrays: arrays.update(header=np.array("[]")), "prior-not-readable"),
    ],
)
def test_a_damaged_file_is_refused(saved, damage, code):
    with np.load(saved) as data:
        arrays = {name: data[name].copy() for name in data}
    damage(arrays)
    np.savez(saved, **arrays)
    with pytest.raises(SolverError) as refused:
        learned.predictor(saved, 30)
    assert refused.value.code == code


def test_what_is_no_prior_at_all_is_refused(tmp_path):
    for name, content, code in (("a.npz", b"no", "prior-not-readable"), ("b.npz", None, "prior-not-found")):
        if content is not None:
            (tmp_path / name).write_bytes(content)
        with pytest.raises(SolverError) as refused:
            learned.predictor(tmp_path / name, 30)
        assert refused.value.code == code
    assert learned.predictor(None, 30) is None


def test_unknown_values_are_put_between_known_ones():
    values, known = np.zeros((6, 2)), np.zeros((6, 2), bool)
    values[[1, 5], 0], known[[1, 5], 0] = [2.0, 4.0], True
    values[:, 1] = 99.0
    coded, filled = encode(values, known)
    np.testing.assert_allclose(filled[:, 0], [2, 2, 2.5, 3, 3.5, 4])
    np.testing.assert_array_equal(filled[:, 1], 0)
    np.testing.assert_allclose(coded[:, 4], np.exp(-np.array([1, 0, 1, 2, 1, 0]) / 8))
    np.testing.assert_array_equal(coded[:, 5], 0)


def test_what_is_unknown_has_no_say():
    rng = np.random.default_rng(3)
    values, known = rng.standard_normal((30, FEATURES)), rng.random((30, FEATURES)) < 0.5
    other = np.where(known, values, rng.standard_normal(values.shape))
    network = made_up(5)
    np.testing.assert_allclose(network.predict(values, known)[0], network.predict(other, known)[0], atol=1e-6)


def test_only_what_is_hidden_is_predicted():
    _, problem = hidden_scene([13 + k for k in range(1, 4)], slice(10, 20))
    scene, everything_seen = hidden_scene([], slice(0, 0))
    assert hidden_fingers_cost(made_up(), everything_seen, scene.truth, 1 / 30) is None
    cost = hidden_fingers_cost(made_up(), problem, scene.truth, 1 / 30)
    first = scene.layout.tracks[1].packed
    hinges = np.flatnonzero(cost.information.any(0))
    assert np.array_equal(np.flatnonzero(cost.information.any(1)), first + np.arange(10, 20))
    assert set(scene.layout.tracks[1].skeleton.hinges.joint[hinges]) == set(RING), "the ring finger alone"


@pytest.mark.parametrize("frame_s", [1 / 24, 1 / 30, 1 / 120])
def test_a_gap_is_interpolated_at_any_frame_rate(frame_s):
    points = [14, 15, 16]
    scene, problem = hidden_scene(points, slice(10, 31))
    network = replace(made_up(), leave_bias=np.zeros(2 * len(PREDICTED), np.float32))
    cost = hidden_fingers_cost(network, problem, scene.truth, frame_s)
    first = scene.layout.tracks[1].packed
    hinge = np.flatnonzero(cost.information.any(0))[1]
    angles = scene.truth.hands.angles[first + np.array([9, 31]), hinge]
    middle = cost.mean[first + 20, hinge]
    assert abs(middle - angles.mean()) < 0.05 + 0.2 * np.ptp(angles)


def test_a_never_seen_finger_goes_where_the_prior_says_and_the_others_stay():
    points = [14, 15, 16]
    scene, problem = hidden_scene(points, slice(0, 40))
    stage = (Stage("all", 30, 1e-6),)
    before = last(run(problem, scene.truth, stage)).state
    cost = hidden_fingers_cost(made_up(), problem, before, 1 / 30, width=0.02)
    after = last(run(replace(problem, costs=(*problem.costs, cost)), before, stage)).state
    first = scene.layout.tracks[1].packed
    hidden = cost.information[first] > 0
    mean, deviation = (x[:HINGES][hidden] for x in standard())
    np.testing.assert_allclose(
        after.hands.angles[first:, hidden], np.tile(mean + HALF_A_DEVIATION * deviation, (40, 1)), atol=0.02
    )
    moved = np.linalg.norm(problem.at(after).keypoints - problem.at(before).keypoints, axis=-1)
    seen = np.setdiff1d(np.arange(21), points)
    assert np.median(moved[first:, points]) > 0.005
    assert moved[first:, seen].max() < 0.003, "what is seen stays"
    assert moved[:first].max() < 1e-4, "the other hand stays"


def test_a_take_is_re_solved_with_the_prior_that_it_was_solved_with(saved):
    models = {side: hand_model.load(side) for side in ("left", "right")}
    take = solved_take(models)
    with_prior = {"options": {"prior": str(saved)}}
    provenances = {
        "none": {},
        "prior": with_prior,
        "gone": {"options": {"prior": str(saved) + "x"}},
        "left out": {"options": {"prior": str(saved), "without": ["hidden-fingers"]}},
    }
    has = {
        name: any(isinstance(c, HiddenFingersCost) for c in resume(replace(take, provenance=p), models).problem.costs)
        for name, p in provenances.items()
    }
    assert has == {"none": False, "prior": True, "gone": False, "left out": False}


def test_a_solve_asks_the_prior_twice_about_what_is_hidden(clip, saved):  # noqa: F811
    """The right hand is away for twelve frames, which a draft fills in."""
    asked = []

    def hidden(problem, state):
        asked.append(learned.predictor(saved, 30)(problem, state))
        return asked[-1]

    draft = replace(ONE_SECOND, preset=DRAFT, uncertainty=False)
    without, with_prior = (last(run_refine(clip, draft, hidden=h)) for h in (None, hidden))
    assert len(asked) == 2 and not np.array_equal(asked[0].mean, asked[1].mean)
    assert with_prior.problem.costs[-1] is asked[1], "a re-solve begins with the prior's last word"
    right = with_prior.tracks[1]
    gone = right.status == INFILLED
    moved = angle_between(without.tracks[1].rotations, right.rotations).max(-1)
    assert np.median(moved[gone]) > 0.2 and np.median(moved[~gone]) < 0.1
    asked.clear()
    left_out = replace(draft, preset=replace(DRAFT, off=frozenset({"hidden-fingers"})))
    again = last(run_refine(clip, left_out, hidden=hidden))
    np.testing.assert_array_equal(again.tracks[1].rotations, without.tracks[1].rotations)


def test_both_hands_are_told_of_each_other():
    """The features of mirrored hands are the same, and each hand's view of the other follows from the other's."""
    told = {}

    class Listening(Network):
        def predict(self, values, known):
            told.setdefault("values", []).append(values)
            told.setdefault("known", []).append(known)
            return super().predict(values, known)

    scene, problem = hidden_scene([16, 20], slice(5, 12))
    hands = scene.layout.tracks[0].hands
    for cost in problem.costs:
        if isinstance(cost, KeypointCost):
            cost.whitening[hands][5:9, 4] = 0
    hidden_fingers_cost(Listening(**file.arrays_of(made_up())), problem, scene.truth, 1 / 30)
    left, right = told["values"]
    np.testing.assert_array_equal(left[:, OWN], right[:, OTHER])
    assert told["known"][0][:, RELATIVE].all()
    by_size = [x[:, RELATIVE] for x in (left, right)]
    np.testing.assert_allclose(seen_from_other(by_size[0]), by_size[1], atol=1e-6)


def test_a_hand_that_faces_another_is_seen_alike_by_both():
    turn = exp(np.array([[np.pi, 0.0, 0.0]]))
    facing = np.concatenate([[[0.0, 0.7, 0.0]], turn[:, :, 0], turn[:, :, 1]], axis=1)
    np.testing.assert_allclose(seen_from_other(facing), facing, atol=1e-12)
