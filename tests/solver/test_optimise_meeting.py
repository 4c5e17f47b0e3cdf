"""Hands are solved as bodies where they meet alone: what meets is found, and nothing else moves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from solver import hand_model
from solver.optimise import meeting, parting
from solver.optimise.costs.contact import NonPenetrationCost
from solver.optimise.layout import window_of
from solver.optimise.problem import Problem
from solver.optimise.solve import Iterate, Outcome
from solver.optimise.state import State
from solver.prior.capsules import capsules_of
from tools.optimiser_bench.scenes import make_scene, problem_of, seen_from

# a left hand, and two right ones, of which the first is in it while it passes by; far fingers are calm
FRAMES, INSIDE = 60, slice(26, 33)
SPANS = (("left", 0, 0, FRAMES), ("right", 0, 0, 40), ("right", 1, 44, 16))


@pytest.fixture(scope="module")
def clip() -> tuple[Problem, State]:
    """A problem with solid hands, and its start: hands with straight fingers, in each other for seven frames."""
    scene = make_scene(FRAMES, SPANS, seed=5, shape_free=False)
    hands, layout = scene.truth.hands, scene.layout
    wrist, angles = hands.wrist.copy(), np.zeros_like(hands.angles)
    orient = np.tile(np.eye(3), (layout.hand_count, 1, 1))
    for track in layout.tracks:
        side = -0.3 if track.skeleton.side == "left" else 0.3
        wrist[track.hands] = [side, 0.0, 0.6]
    wrist[layout.tracks[1].hands][INSIDE] = [-0.29, 0.0, 0.615]
    start = replace(scene.truth, hands=replace(hands, wrist=wrist, angles=angles, global_orient=orient))
    problem = problem_of(replace(scene, truth=start), seen_from(replace(scene, truth=start)), start)
    capsules = tuple(capsules_of(hand_model.load(track.skeleton.side)) for track in layout.tracks)
    solid = NonPenetrationCost(capsules=capsules, growth=np.ones(3), deviation=0.001, own_slack=0.003)
    return replace(problem, costs=(*problem.costs, solid)), start


def ended(state: State, outcome: Outcome = Outcome.OUT_OF_STEPS) -> Iterate:
    return Iterate(state, "all", 1, 1, 0.0, 0.0, outcome)


def deepest(problem: Problem, state: State) -> float:
    return max((o.depth.max() for o in problem.costs[-1].overlaps(problem.at(state))), default=0.0)


def test_who_meets_and_when(clip):
    (found,) = meeting.meetings(*clip)
    assert found.tracks == (0, 1)
    assert found.first <= INSIDE.start - 3 and INSIDE.stop + 2 <= found.last
    assert found.last - found.first < 25


def test_hands_are_parted_and_nothing_else_moves(clip):
    problem, start = clip
    (found,) = meeting.meetings(problem, start)
    *_, after = meeting.part(problem, ended(start))
    assert deepest(problem, start) > 0.01 and deepest(problem, after.state) < 0.004
    assert after.outcome is Outcome.OUT_OF_STEPS
    frames = problem.layout.frame_of
    outside = (frames < found.first) | (frames > found.last) | (problem.layout.track_of == 2)
    for part in ("wrist", "angles", "global_orient"):
        moved = (getattr(after.state.hands, part) != getattr(start.hands, part)).reshape(len(frames), -1).any(1)
        assert moved.any() and not moved[outside].any(), part


def test_a_hand_with_itself_is_solved_alone(clip):
    problem, start = clip
    angles, track = start.hands.angles.copy(), problem.layout.tracks[0]
    angles[track.hands][10, 0] -= 0.6  # the index finger through the middle one
    apart = start.hands.wrist.copy()
    apart[problem.layout.tracks[1].hands] = [0.3, 0.0, 0.6]
    crossed = replace(start, hands=replace(start.hands, angles=angles, wrist=apart))
    (found,) = meeting.meetings(problem, crossed)
    assert found.tracks == (0,) and found.first <= 10 <= found.last


def test_hands_of_air(clip):
    problem, start = clip
    air = meeting.of_air(problem)
    assert not any(isinstance(cost, NonPenetrationCost) for cost in air.costs)
    assert meeting.meetings(air, start) == [] and list(meeting.part(air, ended(start))) == []


def test_a_stop_is_told(clip):
    problem, start = clip
    *_, after = meeting.part(problem, ended(start), cancelled=lambda: True)
    assert after.outcome is Outcome.STOPPED
    assert np.array_equal(after.state.hands.wrist, start.hands.wrist)


def test_a_window_of_some_tracks_has_no_room_for_others(clip):
    layout = clip[0].layout
    window = window_of(layout, slice(0, 20), only=(1,))
    assert window.layout.slot_count == 1 and window.layout.tracks[0].slot == 0
    assert window.tracks.tolist() == [1]
    assert window.hands.tolist() == list(range(layout.tracks[1].packed, layout.tracks[1].packed + 20))


def test_hands_that_passed_through_each_other_come_out_on_one_side(clip):
    """The right hand comes from behind the left one and goes back there, and in between it is before it."""
    problem, start = clip
    wrist, layout = start.hands.wrist.copy(), problem.layout
    depth = 0.72 - 0.16 * np.exp(-(((np.arange(40) - 29) / 4) ** 2))
    wrist[layout.tracks[1].hands] = np.stack([np.full(40, -0.29), np.zeros(40), depth], 1)
    crossed = replace(start, hands=replace(start.hands, wrist=wrist))
    movable = np.zeros(FRAMES, bool)
    movable[15:40] = True
    led = parting.led_apart(problem, crossed, movable)
    way = led.hands.wrist - crossed.hands.wrist
    assert not way[~movable[layout.frame_of]].any() and not way[layout.tracks[2].hands].any()
    apart = way[layout.tracks[1].hands][INSIDE] - way[layout.tracks[0].hands][INSIDE]
    assert (apart[:, 2] > 0.01).all()
    # along the rays, across which nothing is in doubt
    before, after = (problem.at(state).keypoints.mean(1) for state in (crossed, led))
    assert np.abs(before[:, :2] / before[:, 2:] - after[:, :2] / after[:, 2:]).max() < 0.02
    assert deepest(problem, crossed) > 0.01 and deepest(problem, led) < 0.002


def test_hands_that_are_apart_are_led_nowhere(clip):
    problem, start = clip
    wrist = start.hands.wrist.copy()
    wrist[problem.layout.tracks[1].hands] = [0.3, 0.0, 0.6]
    apart = replace(start, hands=replace(start.hands, wrist=wrist))
    assert parting.led_apart(problem, apart, np.ones(FRAMES, bool)) is apart
