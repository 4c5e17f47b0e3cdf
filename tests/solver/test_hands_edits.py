"""A false hand goes, a wrong side is put right, and nobody else is touched."""

import numpy as np

from solver.hands.edits import DROP, SWAP, HandEdit, applied
from solver.observations import HandTrack


def track(side, centre, first=1, count=10):
    points = np.random.default_rng(0).normal(centre, 20, (count, 21, 2))
    return HandTrack(
        side, 3.0 if side == "right" else -3.0, np.arange(first, first + count), points,
        np.tile(np.eye(2), (count, 21, 1, 1)), np.full((count, 21, 3), np.nan), np.ones(count),
    )  # fmt: skip


TRACKS = [track("left", (100, 100)), track("right", (300, 100)), track("right", (320, 120), first=20)]


def test_the_nearest_hand_of_that_frame_is_meant():
    assert applied(TRACKS, [HandEdit(5, (310, 105), DROP)]) == [TRACKS[0], TRACKS[2]]
    assert applied(TRACKS, [HandEdit(25, (310, 105), DROP)]) == TRACKS[:2]


def test_left_becomes_right():
    swapped = applied(TRACKS, [HandEdit(5, (100, 100), SWAP)])[0]
    assert swapped.side == "right" and swapped.side_log_odds == 3.0
    assert np.array_equal(swapped.landmarks_px, TRACKS[0].landmarks_px)


def test_nothing_near_is_no_harm():
    edits = [HandEdit(5, (900, 900), DROP), HandEdit(500, (100, 100), DROP)]
    assert applied(TRACKS, edits) == TRACKS and applied([], edits) == []
