"""What is decided about trails, on made-up ones: side, reality, swaps, which trails are one hand, covariance."""

import itertools

import numpy as np
import pytest

from solver.hands.assemble import assemble, chains, joined
from solver.hands.covariance import covariance_px, disagreement
from solver.hands.filter import hands_only
from solver.hands.side import decide_sides, solve
from solver.hands.split import split
from solver.hands.trail import continuity, is_part_of, same_hand
from tests.solver.hand_trails import points, reading, trail

SIZE = (1920, 1080)


def noisy_votes(frames, mean, seed, **hand):
    """A trail whose frames vote with a spread far larger than their mean."""
    made = trail(frames, **hand)
    rng = np.random.default_rng(seed)
    for frame, old in made.readings.items():
        made.readings[frame] = reading(old.points_px.mean(axis=0), odds=float(np.clip(rng.normal(mean, 3), -8, 8)))
    made.mirrored.clear()
    return made


@pytest.mark.parametrize("seed", range(5))
def test_the_sum_decides_where_single_frames_are_often_wrong(seed):
    right, left = noisy_votes(range(120), 1.0, seed), noisy_votes(range(120), -1.0, seed + 50, center=(900, 300))
    wrong = np.mean([r.right_log_odds < 0 for r in right.readings.values()])
    assert wrong > 0.2
    assert decide_sides([right, left]) == ["right", "left"]


def test_two_hands_at_once_are_a_left_and_a_right_one_when_one_is_unsure():
    sure = trail(range(50), odds=-2.0)
    unsure = trail(range(50), center=(900, 300), odds=-0.1)
    assert decide_sides([unsure, sure]) == ["right", "left"]
    assert decide_sides([unsure]) == ["left"]


def test_two_peoples_right_hands_stay_right_when_both_are_sure():
    both = [trail(range(80), odds=3.0), trail(range(80), center=(900, 300), odds=3.0)]
    assert decide_sides(both) == ["right", "right"]


def test_a_hand_found_where_it_was_lost_keeps_its_side():
    before = trail(range(50), odds=-3.0)
    after = trail(range(53, 57), center=(330, 300), odds=0.5)
    assert decide_sides([before, after]) == ["left", "left"]
    elsewhere = trail(range(150, 154), center=(1500, 900), odds=0.5)
    assert decide_sides([before, elsewhere]) == ["left", "right"]


def test_a_given_side_beats_every_vote():
    given, other = trail(range(50), odds=6.0), trail(range(50), center=(900, 300), odds=1.0)
    given.side = "left"
    assert decide_sides([given, other]) == ["left", "right"]


def test_large_groups_are_solved_as_well_as_small_ones():
    rng = np.random.default_rng(3)
    votes = rng.normal(0, 5, 16)
    bonds = rng.normal(0, 1, (16, 16))
    bonds = (bonds + bonds.T) * (1 - np.eye(16))

    def gain(signs):
        return signs @ votes + signs @ bonds @ signs / 2

    found = solve(votes, bonds)
    best = max(gain(np.array(signs)) for signs in itertools.product((-1.0, 1.0), repeat=16))
    assert gain(found) > 0.9 * best


def test_a_clear_hand_of_one_frame_survives_a_vague_one_does_not():
    assert len(hands_only([trail([7], presence=0.97)])) == 1
    assert len(hands_only([trail([7], presence=0.7)])) == 0
    assert len(hands_only([trail(range(60), presence=0.7)])) == 1


def test_what_looks_like_a_hand_only_unmirrored_goes():
    assert hands_only([trail(range(100), presence=0.75, mirrored_presence=0.15)]) == []


def test_a_finger_taken_for_a_hand_goes_a_hand_before_another_stays():
    big = trail(range(40), size_px=300)
    thumb = trail(range(10, 40), center=points((300, 300), 300)[4], size_px=60)
    assert hands_only([big, thumb]) == [big]
    beside = trail(range(10, 40), center=(560, 300), size_px=60)
    assert len(hands_only([big, beside])) == 2
    equal = trail(range(40), center=(380, 300), size_px=290, angle=1.5)
    assert len(hands_only([big, equal])) == 2


def test_a_third_hand_of_another_colour_needs_more():
    pair = [trail(range(60)), trail(range(60), center=(900, 300))]
    cup = trail(range(20, 35), center=(1400, 200), presence=0.85, chroma=(0.1, -0.1))
    third = trail(range(20, 35), center=(1400, 200), presence=0.95)
    assert hands_only([*pair, cup]) == pair
    assert third in hands_only([*pair, third])
    assert hands_only([cup]) == [cup]


def test_what_a_person_pointed_out_always_stays():
    drawn = trail([5], presence=0.05)
    drawn.seeded = True
    assert hands_only([drawn]) == [drawn]


def test_a_trail_that_jumped_to_the_other_hand_is_cut_there():
    swapped = trail(range(20), odds=-3.0)
    swapped.absorb(trail(range(20, 40), center=(360, 300), odds=3.0))
    parts = split(swapped)
    assert [(part.first, part.last) for part in parts] == [(0, 19), (20, 39)]
    assert decide_sides(parts) == ["left", "right"]


def test_a_trail_that_only_wavers_or_only_jumps_stays_whole():
    wavering = trail(range(20), odds=-3.0)
    wavering.absorb(trail(range(20, 40), odds=3.0))
    jumping = trail(range(20), odds=3.0)
    jumping.absorb(trail(range(20, 40), center=(360, 300), odds=3.0))
    assert len(split(wavering)) == len(split(jumping)) == 1


def test_a_hand_found_anew_while_its_old_trail_clings_to_it_is_one_hand():
    old, new = trail(range(30), odds=-2.0, presence=0.7), trail(range(26, 60), center=(335, 300), odds=-2.0)
    (hand,) = joined([new, old])
    assert hand.frames() == list(range(60))
    assert hand.readings[27].presence == 0.95, "the surer reading stays"
    assert len(joined([old, trail(range(26, 60), center=(335, 300), odds=2.0)])) == 2, "a left and a right one"
    assert len(joined([old, trail(range(26, 60), center=(500, 300), odds=-2.0)])) == 2, "elsewhere"
    assert len(joined([old, trail(range(10, 60), center=(335, 300), odds=-2.0)])) == 2, "side by side for long"


def test_a_returning_hand_goes_on_with_its_track():
    first, second = trail(range(30)), trail(range(90, 120), center=(800, 500))
    (hand,) = chains([second, first])
    assert hand.frames() == [*range(30), *range(90, 120)]
    assert first.last == 29, "the trails themselves are left alone"


def test_two_people_have_a_track_each_and_returning_hands_go_to_the_nearer():
    a, b = trail(range(30)), trail(range(40), center=(1500, 300))
    back = trail(range(60, 80), center=(1450, 330))
    hands = chains([a, b, back])
    assert [hand.last for hand in hands] == [29, 79]


def test_tracks_carry_what_the_solver_needs():
    tracks = assemble([trail(range(3, 50), odds=-2.0), trail(range(10, 30), center=(900, 300))], SIZE)
    assert [track.side for track in tracks] == ["left", "right"]
    left = tracks[0]
    assert left.frames.tolist() == list(range(3, 50))
    assert left.landmarks_px.shape == (47, 21, 2)
    assert left.covariance_px.shape == (47, 21, 2, 2)
    assert (np.linalg.eigvalsh(left.covariance_px) > 0).all()
    assert left.side_log_odds == pytest.approx(-94)
    assert assemble([], SIZE) == []


def test_doubt_grows_with_missing_presence_size_and_the_frames_border():
    def sigma(**hand):
        return np.sqrt(covariance_px(trail([1], **hand), SIZE)[0, :, 0, 0])

    plain = sigma()
    np.testing.assert_allclose(sigma(size_px=200), 2 * plain, rtol=1e-6)
    assert (sigma(presence=0.6) > 2 * plain).all()
    beyond = sigma(center=(10, 300))
    outside = points((10, 300))[:, 0] < 0
    assert 0 < outside.sum() < 21
    assert (beyond[outside] > 1.5 * plain[outside]).all()
    np.testing.assert_allclose(beyond[~outside], plain[~outside])


def test_a_finger_that_the_mirrored_reading_contradicts_is_doubted():
    direct, mirrored = reading((300, 300)), reading((300, 300))
    mirrored.points_px[5:9] += 8.0
    factors = disagreement(direct, mirrored, SIZE)
    assert factors[5:9].min() > 1.5 * factors[9:].max()
    hand = trail(range(9))
    hand.mirrored = {0: hand.readings[0], 8: mirrored}
    sigma = np.sqrt(covariance_px(hand, SIZE)[:, 6, 0, 0])
    assert (np.diff(sigma) > 0).all(), "between two mirrored frames the doubt is interpolated"


def test_same_hand_part_of_and_continuity():
    assert same_hand(reading((300, 300)), [reading((310, 300))])
    assert not same_hand(reading((300, 300)), [reading((360, 300))])
    assert not is_part_of(reading((300, 300)), reading((300, 300), size_px=90))
    a, b, late = trail(range(10)), trail(range(11, 20)), trail(range(60, 70))
    assert continuity(a, b) == continuity(b, a) > 0.8
    assert continuity(a, late) < 0.05
    assert continuity(a, trail(range(5, 20))) == 0
