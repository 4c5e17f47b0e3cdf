"""A take, re-solved over a stretch: the pin holds, every other entry keeps its bits."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from solver import hand_model
from solver.hand_model.rotations import exp
from solver.optimise import resume
from solver.optimise.constraints import Ignore, ImagePoint, Point, Pose, Together
from tools.optimiser_bench.scenes import last

from .edited_takes import BASE, FRAMES, keypoint, restless, solved_take


@pytest.fixture(scope="module")
def models():
    return {side: hand_model.load(side) for side in ("left", "right")}


@pytest.fixture(scope="module")
def take(models):
    return solved_take(models)


@pytest.fixture(scope="module")
def resumed(take, models):
    return resume(take, models)


def test_a_pin_in_a_take(take, models, resumed):
    target = keypoint(models, take, 0, BASE + 40, 8) + [0.01, 0.0, -0.01]
    _, after = last(resumed.resolve(BASE + 20, BASE + 60, [Point(0, BASE + 40, 8, target)], hands=[0]))
    assert np.linalg.norm(keypoint(models, after.take, 0, BASE + 40, 8) - target) < 1e-3
    outside = np.r_[0:20, 61:FRAMES]
    assert np.array_equal(after.take.rotations[0, outside], take.rotations[0, outside])
    assert np.array_equal(after.take.transl[0, outside], take.transl[0, outside])
    assert np.array_equal(after.take.rotations[1], take.rotations[1], equal_nan=True)
    assert np.isfinite(after.take.rotations[0]).all()


def test_a_second_resolve_starts_from_the_first(take, models, resumed):
    near, far = (keypoint(models, take, 0, BASE + f, 8) + 0.01 for f in (30, 70))
    _, first = last(resumed.resolve(BASE + 20, BASE + 40, [Point(0, BASE + 30, 8, near)]))
    _, second = last(first.resolve(BASE + 62, BASE + 79, [Point(0, BASE + 70, 8, far)]))
    assert np.array_equal(second.take.rotations[0, :60], first.take.rotations[0, :60])
    assert not np.array_equal(second.take.rotations[0, 70], take.rotations[0, 70])


def test_hands_can_be_brought_together_after_a_gap(take, models, resumed):
    touch = Together(0, 4, 1, 4, BASE + 45, BASE + 47, 1e-3)
    _, after = last(resumed.resolve(BASE + 41, BASE + 60, [touch]))
    gaps = [
        np.linalg.norm(keypoint(models, t, 0, BASE + 46, 4) - keypoint(models, t, 1, BASE + 46, 4))
        for t in (take, after.take)
    ]
    assert gaps[1] < 0.1 * gaps[0]


def test_a_missing_hand_cannot_be_pinned(resumed):
    with pytest.raises(ValueError, match="hand 1 has no frame 535"):
        last(resumed.resolve(BASE + 20, BASE + 60, [Point(1, BASE + 34, 8, np.zeros(3))]))


def test_a_take_that_nobody_edited_stays_where_it_is(take, models, resumed):
    """Its costs would move it: it is the truth with noise seen. What it rests on holds it."""
    _, after = last(resumed.resolve(BASE, BASE + FRAMES - 1))
    assert np.nanmax(np.abs(after.take.transl - take.transl)) < 1e-6
    _, moved = last(restless(resumed).resolve(BASE, BASE + FRAMES - 1))
    assert np.nanmedian(np.linalg.norm(moved.take.transl - take.transl, axis=-1)) > 1e-3


def test_landmarks_are_as_large_to_a_re_solve_as_they_were_to_the_solve(take, models):
    """What the tracker drew too small doesn't move hands away once nothing keeps them at rest."""
    middle = take.keypoints_px.mean(2, keepdims=True)
    small = dataclasses.replace(take, keypoints_px=middle + np.exp(-0.1) * (take.keypoints_px - middle))
    known = dataclasses.replace(small, drawn_size=np.full((2, FRAMES), 0.1))
    ends = []
    for one in (take, known, small):
        _, after = last(restless(resume(one, models)).resolve(BASE + 5, BASE + 25, hands=[0]))
        ends.append(after.take.transl[0, 5:26])
    away = [np.linalg.norm(end - ends[0], axis=-1).max() for end in ends[1:]]
    assert away[0] < 2e-3 < 0.02 < away[1]


def test_outlines_that_the_solve_knew_hold_a_re_solve_too(take, models):
    """A mark of the artist's moves a hand less far from where a mask had said that it is, unless footage is ignored."""
    size = resume(take, models).problem.layout.hand_size
    sure = np.zeros((size, size))
    sure[3:6, 3:6] = np.eye(3) / 5e-4**2
    outlined = dataclasses.replace(
        take,
        landmark_share=np.ones((2, FRAMES)),
        outline_information=np.tile(sure[np.triu_indices(size)], (2, FRAMES, 1)).astype(np.float32),
        outline_slope=np.zeros((2, FRAMES, size), np.float32),
    )
    mark = ImagePoint(0, BASE + 40, 0, take.keypoints_px[0, 40, 0] + [20.0, 0.0], 2.0)
    ignored = Ignore(0, BASE + 18, BASE + 62)
    moved = []
    for known in (take, outlined):
        for wishes in ([mark], [mark, ignored]):
            _, after = last(resume(known, models).resolve(BASE + 20, BASE + 60, wishes))
            moved.append(np.linalg.norm(after.take.transl[0, 40] - take.transl[0, 40]))
    assert moved[2] < 0.5 * moved[0]
    assert moved[3] == pytest.approx(moved[1], rel=1e-3)


def test_what_was_seen_goes_with_a_camera_that_was_moved(take, models, resumed):
    path = take.world_from_camera.copy()
    path[:, :3, :3], path[:, :3, 3] = exp(np.array([0.0, 0.3, 0.0])), [0.05, 0.0, 0.0]
    rotations, transl = take.rotations.copy(), take.transl.copy()
    rest = resumed.clip.layout.tracks[0].bare.at(resumed.state.betas[0])[0][0]
    turn = path[0, :3, :3]
    rotations[:, :, 0] = turn @ rotations[:, :, 0]
    transl = (transl + rest) @ turn.T + path[0, :3, 3] - rest
    moved = resumed.standing_at(np.arange(FRAMES), rotations, transl, path)
    _, after = last(moved.resolve(BASE, BASE + FRAMES - 1, hands=[0]))
    assert np.abs(after.take.transl[0] - transl[0]).max() < 1e-3


def test_a_pose_that_was_right_teaches_nothing(take, models, resumed):
    """Pinned as it is, it leaves its neighbours alone; moved, it takes them along."""
    wrist = keypoint(models, take, 0, BASE + 40, 0)
    moved = []
    for by in (0.0, 0.01):
        pin = Pose(0, BASE + 40, take.rotations[0, 40, 0], wrist + [by, 0.0, 0.0])
        _, after = last(resumed.resolve(BASE + 20, BASE + 60, [pin], hands=[0]))
        moved.append(np.linalg.norm(after.take.transl[0, 45] - take.transl[0, 45]))
    assert moved[0] < 1e-4 and moved[1] > 3e-3


def test_a_camera_that_was_known_to_shake_moves_no_hand_when_solved_again(take, models):
    jitter = 0.01 * np.random.default_rng(3).standard_normal((FRAMES, 3))
    path = take.world_from_camera.copy()
    path[:, :3, 3] += jitter
    shaken = dataclasses.replace(take, world_from_camera=path, transl=take.transl + jitter)
    told = dataclasses.replace(shaken, camera_step_sigma=np.tile([1e-4, 0.014], (FRAMES, 1)))
    _, settled = last(restless(resume(told, models)).resolve(BASE, BASE + FRAMES - 1))
    moved = []
    for sigma in (told.camera_step_sigma, shaken.camera_step_sigma):
        known = dataclasses.replace(settled.take, camera_step_sigma=sigma)
        _, after = last(restless(resume(known, models)).resolve(BASE, BASE + FRAMES - 1))
        moved.append(np.nanmedian(np.linalg.norm(after.take.transl - known.transl, axis=-1)))
    assert moved[0] < 0.1 * moved[1]
