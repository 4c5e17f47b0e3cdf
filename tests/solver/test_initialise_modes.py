"""Choosing among several poses per frame."""

from __future__ import annotations

import itertools

import numpy as np

from solver.initialise.modes import JUMP_NATS, PathFinder, steadiness, transition_nats


def _candidates(rng: np.random.Generator, count: int, modes: int) -> tuple[np.ndarray, np.ndarray]:
    return rng.uniform(0, 10, (count, modes)), rng.normal(0, 0.4, (count, modes, 21, 3))


def test_the_path_is_the_cheapest_of_all() -> None:
    rng = np.random.default_rng(1)
    costs, landmarks = _candidates(rng, 6, 3)
    frames = np.array([1, 2, 3, 5, 6, 7])
    steps = transition_nats(landmarks[:-1], landmarks[1:], np.diff(frames))

    def total(path: tuple[int, ...]) -> float:
        moves = sum(steps[t, i, j] for t, (i, j) in enumerate(itertools.pairwise(path)))
        return moves + sum(costs[t, mode] for t, mode in enumerate(path))

    best = min(itertools.product(range(3), repeat=6), key=total)
    finder = PathFinder()
    finder.extend(frames[:4], costs[:4], landmarks[:4])
    finder.extend(frames[4:], costs[4:], landmarks[4:])
    assert tuple(finder.path()) == best


def test_one_cheap_flip_among_calm_frames_is_not_taken_but_a_lasting_change_is() -> None:
    calm = np.zeros((21, 3))
    flipped = calm + [0, 0, 3.0]
    landmarks = np.broadcast_to(np.stack([calm, flipped]), (12, 2, 21, 3))
    costs = np.tile([5.0, 8.0], (12, 1))
    costs[5] = [9.0, 2.0]  # tempting, but two jumps cost more
    assert (PathFinder().extend(np.arange(12), costs, landmarks) == 0).all()
    costs[6:] = [30.0, 2.0]
    later = PathFinder().extend(np.arange(12), costs, landmarks)
    assert later.tolist() == [0] * 5 + [1] * 7


def test_what_follows_may_change_an_earlier_choice() -> None:
    landmarks = np.broadcast_to(np.stack([np.zeros((21, 3)), np.full((21, 3), 2.0)]), (8, 2, 21, 3))
    costs = np.tile([4.0, 5.0], (8, 1))
    finder = PathFinder()
    assert finder.extend(np.arange(3), costs[:3], landmarks[:3]).tolist() == [0, 0, 0]
    costs[3:] = [12.0, 2.0]
    finder.extend(np.arange(3, 8), costs[3:], landmarks[3:])
    assert finder.path().tolist() == [1] * 8


def test_a_jump_is_capped_and_time_forgives() -> None:
    still, away = np.zeros((1, 1, 21, 3)), np.ones((1, 1, 21, 3)) * 0.3
    near, later = (transition_nats(still, away, np.array([elapsed]))[0, 0, 0] for elapsed in (1, 9))
    assert np.isclose(later, near / 9)
    assert transition_nats(still, away * 100, np.array([1]))[0, 0, 0] == JUMP_NATS


def test_a_frame_that_fits_neither_neighbour_is_doubted_but_a_lasting_change_is_not() -> None:
    landmarks = np.zeros((12, 21, 3))
    landmarks[4] = landmarks[8:] = 3.0
    calm = steadiness(np.arange(12), landmarks)
    assert calm[4] < 0.05 and (np.delete(calm, 4) == 1).all()
    assert steadiness(np.array([3]), landmarks[:1]).tolist() == [1.0]
