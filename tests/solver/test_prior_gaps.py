"""What is hidden, of what kind and for how long; and costs that are freed there alone."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest

from solver.optimise import costs
from solver.optimise.constraints import Ignore, constrain
from solver.optimise.costs.pose import PoseCovarianceCost
from solver.optimise.evaluation import Evaluation
from solver.optimise.gaps import freed, parted
from solver.optimise.layout import window_of
from solver.prior.distribution import shipped
from solver.prior.gaps import RULE, conditional_whitener, hinge_gaps, wrist_gaps
from tools.optimiser_bench.scenes import make_scene, problem_of, seen_from
from tools.prior.recordings import open_skeleton

from .test_optimise_costs import FREE, check

FRAME_S, FRAMES = 1 / 30, 90
HINGES = open_skeleton().hinges
FINGER = (HINGES.joint - 1) // 3  # index, middle, pinky, ring, thumb
RING, THUMB = FINGER == 3, FINGER == 4


def seen_but(points, first=0, last=FRAMES) -> np.ndarray:
    landmarks = np.ones((FRAMES, 21), bool)
    landmarks[first:last, list(points)] = False
    return landmarks


def gaps_of(landmarks: np.ndarray, beside: int = 0):
    return hinge_gaps(HINGES, [slice(0, FRAMES)], landmarks, FRAME_S, beside)


def test_all_seen_is_no_gap():
    assert not gaps_of(seen_but(())).hidden.any()


def test_a_gap_is_where_nothing_beyond_the_hinge_is_seen():
    found = gaps_of(seen_but((14, 15, 16), 30, 50))
    assert found.hidden[30:50][:, RING].all() and found.hidden.sum() == 20 * RING.sum()
    wider = gaps_of(seen_but((14, 15, 16), 30, 50), beside=1)
    assert np.flatnonzero(wider.hidden[:, RING].all(1)).tolist() == list(range(29, 51))


@pytest.mark.parametrize(
    ("points", "hinges", "kind"),
    [((14, 15, 16), RING, RULE.guided), (range(21), RING, RULE.alone), (range(1, 5), THUMB, RULE.thumb)],
    ids=["others seen", "none seen", "thumb"],
)
def test_numbers_are_of_the_kind_and_the_length(points, hinges, kind):
    for landmarks, expected in (
        (seen_but(points, 40, 45), kind.short),
        (seen_but(points, 20, 70), kind.long),
        (seen_but(points), kind.never),
    ):
        found = gaps_of(landmarks)
        rows = found.hidden[:, hinges].all(1)
        for name in ("looseness", "memory_s", "width"):
            np.testing.assert_allclose(getattr(found, name)[rows][:, hinges], getattr(expected, name))


def test_between_short_and_long_numbers_rise_steadily():
    width = [gaps_of(seen_but(range(21), 20, 20 + n)).width[25, 1] for n in (10, 12, 14, 16, 18, 20)]
    assert (np.diff(width) > 0).all()


def test_a_gap_that_is_open_on_one_side_counts_twice():
    open_ended, whole = gaps_of(seen_but(range(21), 83)), gaps_of(seen_but(range(21), 40, 54))
    np.testing.assert_allclose(open_ended.width[85], whole.width[45])


def test_a_wrist_that_is_gone_for_long_moves_as_ever():
    def memory(first, last):
        return wrist_gaps([slice(0, FRAMES)], seen_but(range(21), first, last), FRAME_S, 0.5).memory

    usual = np.exp(-FRAME_S / 0.5)
    short, long = memory(30, 45), memory(15, 80)
    np.testing.assert_allclose(short[29:46], np.exp(-FRAME_S / RULE.wrist_memory_s))
    np.testing.assert_allclose(np.delete(short, np.r_[29:46]), usual)
    np.testing.assert_allclose(long, usual)


def test_seen_hinges_are_whitened_as_if_the_others_did_not_exist():
    together = shipped().innovation_whitener()
    turned = conditional_whitener(together, RING)
    np.testing.assert_allclose(turned.T @ turned, together.T @ together, atol=1e-9)
    assert not turned[np.ix_(~RING, RING)].any()


@pytest.fixture(scope="module")
def at() -> Evaluation:
    scene = make_scene(14, (("left", 0, 0, 14), ("right", 1, 2, 9)), seed=5, walk=0.01, **FREE)
    return scene.at(scene.truth)


@pytest.fixture(scope="module")
def landmarks(at) -> np.ndarray:
    """Of the first hand nothing is seen for a while, of the second some fingers never and others in the end."""
    out = np.ones((at.layout.hand_count, 21), bool)
    out[4:8] = False
    out[14:, 14:17] = False
    out[20:, 1:9] = False
    return out


def dynamics(at: Evaluation, doubt: float = 0.0) -> list[costs.Cost]:
    known = shipped()
    return [
        costs.FingerDynamicsCost(
            process=costs.process(known.speed, 0.2, FRAME_S), together=known.innovation_whitener()
        ),
        PoseCovarianceCost(mean=known.mean, whitener=known.pose_whitener() / 5.0, width=5.0),
        costs.WristPositionCost(
            process=costs.process(1.0, 0.5, FRAME_S), centre=at.state.camera_centre + 0.1, scale_deviation=doubt
        ),
        costs.WristRotationCost(process=costs.process(2.0, 0.3, FRAME_S)),
    ]


@pytest.mark.parametrize("which", range(4))
def test_freed_costs_have_the_right_slopes(at, landmarks, which):
    check(freed(dynamics(at), at.layout, landmarks, FRAME_S)[which], at)


def test_wrists_are_freed_only_where_the_camera_is_known(at, landmarks):
    known, doubted = (freed(dynamics(at, doubt), at.layout, landmarks, FRAME_S) for doubt in (0.0, 0.7))
    assert [cost.gaps is None for cost in known[2:]] == [False, False]
    assert [cost.gaps is None for cost in doubted] == [False, False, True, True]


def test_what_is_seen_costs_what_it_did(at):
    for before, after in zip(
        dynamics(at), freed(dynamics(at), at.layout, np.ones((at.layout.hand_count, 21), bool), FRAME_S), strict=True
    ):
        assert before.value(at) == after.value(at)


def test_freeing_twice_is_freeing_once(at, landmarks):
    once = freed(dynamics(at), at.layout, landmarks, FRAME_S)
    for first, second in zip(once, freed(once, at.layout, landmarks, FRAME_S), strict=True):
        assert first.value(at) == second.value(at)


def test_ignored_footage_is_a_gap_like_any_other():
    """An artist's wish and a tracker that saw nothing come to the same costs of motion, wrists too."""
    scene = make_scene(60, (("left", 0, 0, 60), ("right", 0, 0, 60)), seed=6)
    hidden = np.zeros((scene.layout.hand_count, 21), bool)
    hidden[80:95] = True
    ignored = constrain(problem_of(scene, seen_from(scene)), scene.truth, [Ignore(1, 20, 34)]).problem
    missed = problem_of(scene, seen_from(scene, hidden=hidden))
    freed_costs = {cost.name: cost.gaps for cost in missed.costs if getattr(cost, "gaps", None) is not None}
    assert sorted(freed_costs) == ["finger-dynamics", "pose-covariance", "wrist-position", "wrist-rotation"]
    for cost in ignored.costs:
        if cost.name in freed_costs:
            for field in fields(cost.gaps):
                expected = getattr(freed_costs[cost.name], field.name)
                np.testing.assert_array_equal(getattr(cost.gaps, field.name), expected)


def test_no_touch_is_known_of_a_hand_that_is_gone():
    """Of frames 3 to 8, 5 and 6 are gone of the second hand: neither they nor steps to or from them are left."""
    first, second, gone = np.arange(3, 9), np.arange(33, 39), np.zeros(60, bool)
    gone[35:37] = True
    same = np.zeros(6, int)
    touches = costs.touch.Touches(first, second, same, same, same * 0.5, same * 0.5, same)
    wanted = {"touches_of": touches, "capsules": (), "deviation": 1.0}
    given = [
        costs.touch.TouchCost(**wanted, growth=np.ones(2), held=0.0),
        costs.touch.NoSlipCost(**wanted),
        costs.touch.RelativeWristCost(first=first[:-1], second=second[:-1], deviation=1.0),
    ]
    touch, slip, wrist = parted(given, gone)
    assert touch.touches_of.first.tolist() == [3, 4, 7, 8]
    assert slip.touches_of.first[slip.touches_of.steps].tolist() == wrist.first.tolist() == [3, 7]
    assert parted(given, np.ones(60, bool)) == []


def test_a_window_is_freed_as_the_clip_is(at, landmarks):
    window = window_of(at.layout, slice(3, 12))
    rows = window.hands
    for cost in freed(dynamics(at), at.layout, landmarks, FRAME_S):
        inner = cost.within(window)
        gaps = inner.gaps
        for name, values in vars(cost.gaps).items():
            if isinstance(values, np.ndarray):
                np.testing.assert_array_equal(getattr(gaps, name), values[rows])


def test_hidden_fingers_are_pulled_more_and_seen_ones_are_not(at):
    """A narrower pose of what is hidden, and the seen hinges' own information stays."""
    landmarks = np.ones((at.layout.hand_count, 21), bool)
    landmarks[:, 14:17] = False
    before = dynamics(at)[1]
    after = freed([before], at.layout, landmarks, FRAME_S)[0]
    precision = [root.T @ root for root in (before.roots, after.roots[0])]
    marginal = [np.linalg.inv(np.linalg.inv(p)[np.ix_(~RING, ~RING)]) for p in precision]
    np.testing.assert_allclose(marginal[1], marginal[0], rtol=1e-6, atol=1e-9)
    ratio = np.diag(precision[1])[RING] / np.diag(precision[0])[RING]
    np.testing.assert_allclose(ratio, (5.0 / RULE.guided.never.width) ** 2, rtol=1e-6)
    assert replace(after, gaps=None).value(at) == before.value(at)
