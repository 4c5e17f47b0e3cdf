"""Of several maps of the same keyframes the one that explains most is kept, and a sound one ends the search."""

import numpy as np

from solver.camera import tries
from solver.camera.job import MappingJob
from solver.camera.refinement import SparseModel

KEYFRAMES, POINTS, REACH = 12, 240, 2


def job():
    nothing = np.zeros(0, int)
    return MappingJob(
        size=np.array([640, 360]), frame_count=3 * KEYFRAMES, ids=nothing, rows=nothing, points_px=np.zeros((0, 2)),
        key_rows=3 * np.arange(KEYFRAMES), feature_counts=np.zeros(KEYFRAMES, int), features_px=np.zeros((0, 2)),
        link_pairs=np.zeros((0, 2), int), link_counts=nothing, links=np.zeros((0, 2), int),
        focal_px=500.0, k1=0.0, refine_focal=True, refine_k1=True,
    )  # fmt: skip


def model(points=POINTS, keyframes=KEYFRAMES, growth=1.0, apart=False):
    """A camera that steps past a wall; each point is seen in a few keyframes.

    From the middle on all is ``growth`` times as large; ``apart``: hardly a point is seen on both sides of the middle.
    """
    poses = np.tile(np.eye(4), (keyframes, 1, 1))
    poses[:, 0, 3] = -np.arange(keyframes)
    place = np.linspace(0, keyframes - 1, points)
    world = np.stack([place, np.zeros(points), np.full(points, 5.0)], axis=1)
    late_pose, late_point = np.arange(keyframes) >= KEYFRAMES // 2, place >= KEYFRAMES / 2 - 0.5
    poses[late_pose, :3, 3] *= growth
    world[late_point] *= growth
    seen = np.abs(place[None] - np.arange(keyframes)[:, None]) < REACH
    if apart:
        seen &= (late_pose[:, None] == late_point[None]) | (np.arange(points) % 20 == 0)
    keyframe, point = np.nonzero(seen)
    rows = 3 * np.arange(keyframes)
    return SparseModel(rows, poses, world, rows[keyframe], np.zeros(len(point), int), point, np.array([500.0, 0, 0, 0]))


ALL = len(model().seen_points)


def judged(*models, explainable=ALL):
    return tries.tried(job(), list(models), explainable)


def test_a_map_that_holds_and_explains_all_is_sound():
    assert judged(model()).is_sound
    assert tries.is_settled([judged(model())])


def test_what_leaves_doubt():
    assert not judged().is_sound
    assert not judged(model(keyframes=KEYFRAMES - 1), explainable=0).is_sound
    assert not judged(model(points=POINTS // 2)).is_sound
    assert not judged(model(growth=3.0)).is_sound
    assert not judged(model(apart=True), explainable=0).is_sound


def test_points_that_join():
    assert tries.joining_points(model(apart=True)) < 10 < tries.joining_points(model())
    assert tries.joining_points(model(points=0)) == 0


def test_the_one_that_holds_most_is_kept_then_the_one_that_explains_most():
    half, whole, most = judged(model(keyframes=7)), judged(model(points=150)), judged(model(points=200))
    torn = judged(model(growth=100.0))
    assert torn.held < KEYFRAMES
    assert tries.best([torn, half, whole, most]) is most
    assert tries.best([half, judged()]) is half
    twin = judged(model(points=200))
    assert tries.best([most, twin]) is most


def test_two_alike_end_the_search_and_two_unlike_do_not():
    half = judged(model(points=POINTS // 2))
    assert not tries.is_settled([half])
    assert tries.is_settled([half, judged(model(points=POINTS // 2 + 1))])
    assert not tries.is_settled([half, judged(model(points=POINTS // 4))])
    assert tries.is_settled([half, judged(model())])


def test_two_that_differ_in_the_size_beyond_a_weak_joint_are_not_alike():
    once, again, other = (judged(model(apart=True, growth=growth)) for growth in (1.0, 1.05, 1.5))
    assert tries.is_settled([once, again])
    assert not tries.is_settled([once, other])


def test_a_busy_machine_gives_a_try_more_of_the_clock():
    assert tries.on_the_clock(10.0, clock_seconds=3.0, used_seconds=3.0) == 10
    assert tries.on_the_clock(10.0, clock_seconds=24.0, used_seconds=3.0) == 80
    assert tries.on_the_clock(10.0, clock_seconds=2.9, used_seconds=3.0) == 10
