"""A model whose size starts anew in the middle is two."""

import numpy as np
import pytest

from solver.camera import breaks
from solver.camera.adjustment import Observations, State

FRAMES, POINTS = 20, 60


def walk_past_a_wall(growth):
    """A camera that steps sideways past points two metres away; all beyond frame 12 is ``growth`` times as large."""
    rng = np.random.default_rng(3)
    points = np.stack([np.linspace(0, 4, POINTS), rng.normal(size=POINTS), 2 + 0.2 * rng.normal(size=POINTS)], axis=1)
    poses = np.tile(np.eye(4), (FRAMES, 1, 1))
    poses[:, 0, 3] = -np.linspace(0.5, 3.5, FRAMES)
    frames, seen = np.nonzero(np.abs(points[None, :, 0] + poses[:, None, 0, 3]) < 0.6)
    late = np.arange(FRAMES) > 12
    is_late = np.array([late[frames[seen == point]].mean() > 0.5 for point in range(POINTS)])
    points[is_late] *= growth
    poses[late, :3, 3] *= growth
    observations = Observations.sorted((640, 360), FRAMES, POINTS, frames, seen, np.zeros((len(frames), 2)))
    return observations, State(poses, np.zeros((FRAMES, 6)), points, np.array([500.0, 0, 0, 0])), late


@pytest.mark.parametrize("growth", [100.0, 0.01])
def test_a_world_that_changes_its_size_is_cut_there(growth):
    seen, state, late = walk_past_a_wall(growth)
    first, second = breaks.pieces(seen, state, np.ones(FRAMES, bool))
    assert (first != late).sum() >= FRAMES - 1  # the frame beside the cut sees as much of one as of the other
    np.testing.assert_array_equal(second, ~first)
    mine, others = breaks.own(seen, [first, second])
    assert not set(mine.points) & set(others.points)
    assert set(mine.frames) == set(np.flatnonzero(first)) and set(others.frames) == set(np.flatnonzero(second))


def test_a_scene_that_comes_nearer_is_one():
    seen, state, _ = walk_past_a_wall(3.0)
    posed = np.arange(FRAMES) > 1
    (only,) = breaks.pieces(seen, state, posed)
    np.testing.assert_array_equal(only, posed)
    assert len(breaks.own(seen, [only])[0].frames) == (seen.frames > 1).sum()


def test_scraps_are_left_out():
    seen, state, _ = walk_past_a_wall(1.0)
    state.camera_from_world[7, 2, 3] = 500.0
    parts = breaks.pieces(seen, state, np.ones(FRAMES, bool))
    assert [part.sum() for part in parts] == [12, 7] and not any(part[7] for part in parts)
