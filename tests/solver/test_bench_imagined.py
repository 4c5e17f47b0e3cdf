"""Worlds that nobody renders: they are whole, and the size that is found in them is told with its interval."""

import numpy as np
import pytest

from solver.bench import imagined, imagined_edges
from solver.camera.cameras import project


@pytest.mark.parametrize("seed", range(4))
def test_a_world_is_seen_as_its_camera_sees_it(seed):
    world = imagined.world(seed)
    again = imagined.world(seed)
    np.testing.assert_array_equal(world.path.points, again.path.points)
    turns = world.path.world_from_camera[:, :3, :3]
    np.testing.assert_allclose(turns @ np.swapaxes(turns, 1, 2), np.broadcast_to(np.eye(3), turns.shape), atol=1e-9)
    middle = len(turns) // 2
    local = (world.path.points - world.path.world_from_camera[middle, :3, 3]) @ turns[middle]
    ahead = local[local[:, 2] > 0]
    in_view = (np.abs(project(ahead, world.path.intrinsics) - [320, 180]) < [320, 180]).all(axis=1)
    assert len(world.path.points) > 60 and in_view.sum() > 0.2 * len(local)
    for hand in world.hands:
        # landmarks stay on the rays on which they are seen, but for what a detector gets wrong
        size = np.ptp(hand.pixels, axis=1).max(axis=1)
        off = np.linalg.norm(project(hand.landmarks_m, world.path.intrinsics) - hand.pixels, axis=2).mean(axis=1)
        assert np.median(off / size) < 0.08 and (np.diff(hand.frames) > 0).all()


def test_intervals_and_errors_are_counted():
    found = [imagined.Found("walk", 0.03, 0.4, True, False), imagined.Found("orbit", -0.3, 0.4, False, True)]
    lines = imagined.table(found).splitlines()
    assert lines[1].split() == ["all", "2", "18", "%", "24", "%", "50", "%", "50", "%", "1.49"]
    assert [line.split()[0] for line in lines[2:]] == ["told", "walk", "orbit"]


def test_the_command_prints_both_tables(capsys):
    assert imagined.main(["--first", "3", "--count", "1"]) == 0
    said = capsys.readouterr().out
    assert "Without the hands" in said and "With the hands" in said and "seated" in said


def test_edges_are_where_the_world_has_them_and_tell_its_vertical_with_its_points():
    world = imagined.world(39)
    seen = imagined_edges.seen(world, np.random.default_rng(0))
    assert len(seen.rows) > 40 and set(seen.rows) <= set(range(0, len(world.poses), 8))
    assert np.abs(seen.ends_px - [320, 180]).max(axis=(0, 1))[0] < 400
    found = imagined_edges.found_in(world, np.random.default_rng(0))
    assert found["both"][0] < 1 and found["both"][1] < found["largest plane"][1]
    assert "largest plane" in imagined_edges.table([found])
