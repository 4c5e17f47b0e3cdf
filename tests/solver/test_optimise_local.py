"""Re-solving a stretch: the constraint holds, the rest does not move by a bit, the seams don't show."""

from __future__ import annotations

import numpy as np
import pytest

from solver.hand_model.rotations import exp
from solver.initialise.kinematics import joint_rotations
from solver.optimise import constraints as c
from solver.optimise.anatomy import angles_of
from solver.optimise.local import resolve
from solver.optimise.solve import Outcome, run
from solver.optimise.weights import BALANCED
from tools.optimiser_bench.scenes import disturbed, last, make_scene, observe, problem_of, seen_from

FRAMES, FIRST, LAST, PIN = 90, 20, 70, 45


@pytest.fixture(scope="module")
def solved():
    """A solved clip with a walking camera: scene, problem, state."""
    both = (("left", 0, 0, FRAMES), ("right", 0, 0, FRAMES))
    scene = make_scene(FRAMES, both, seed=6, walk=0.005, camera_free=True, scale_free=True)
    start = disturbed(scene)
    problem = problem_of(scene, seen_from(scene, 2.0), start)
    return scene, problem, last(run(problem, start, BALANCED.stages)).state


def redo(solved, *constraints, **options):
    """The state after a re-solve."""
    _, problem, state = solved
    iterate = last(resolve(problem, state, FIRST, LAST, constraints, **options))
    assert iterate.outcome in (Outcome.CONVERGED, Outcome.OUT_OF_STEPS)
    return iterate.state


def assert_only_changed(before, after, hands: np.ndarray) -> None:
    """All hand-frames but ``hands`` (bool), the camera and the globals are the same bits."""
    for name in ("global_orient", "angles", "wrist"):
        a, b = getattr(before.hands, name), getattr(after.hands, name)
        assert np.array_equal(a[~hands], b[~hands]), name
    for name in ("camera_from_world", "camera_centre", "betas", "offsets", "log_scale", "log_focal"):
        assert np.array_equal(getattr(before, name), getattr(after, name)), name


def stretch(tracks=(0, 1)) -> np.ndarray:
    """(N,) bool: the hand-frames that a re-solve may change."""
    inside = (np.arange(FRAMES) >= FIRST) & (np.arange(FRAMES) <= LAST)
    return np.concatenate([inside & (track in tracks) for track in (0, 1)])


def test_a_pinned_fingertip_moves_the_hand_and_nothing_outside(solved):
    _, problem, state = solved
    target = problem.at(state).keypoints[PIN, 8] + [0.01, -0.015, 0.008]
    after = redo(solved, c.Point(0, PIN, 8, target), tracks=[0])
    assert np.linalg.norm(problem.at(after).keypoints[PIN, 8] - target) < 1e-3
    assert_only_changed(state, after, stretch([0]))
    assert not np.array_equal(state.hands.angles[PIN], after.hands.angles[PIN])


def test_the_seams_do_not_show(solved):
    """Velocity across the stretch's ends stays within what the clip does anyway."""
    _, problem, state = solved
    target = problem.at(state).keypoints[PIN, 8] + [0.01, -0.015, 0.008]
    after = problem.at(redo(solved, c.Point(0, PIN, 8, target))).keypoints[:FRAMES]
    jumps = np.linalg.norm(np.diff(after, 2, axis=0), axis=-1).max(1)
    usual = np.linalg.norm(np.diff(problem.at(state).keypoints[:FRAMES], 2, axis=0), axis=-1).max(1)
    for seam in (FIRST, LAST):
        assert jumps[seam - 2 : seam + 1].max() < np.quantile(usual, 0.99)


def test_a_hard_pose_is_kept_bit_for_bit(solved):
    _, problem, state = solved
    orient = exp(np.array([0.1, 0.2, -0.1])) @ state.hands.global_orient[PIN]
    wrist = state.hands.wrist[PIN] + 0.01
    rotations = joint_rotations(problem.layout.tracks[0].skeleton, state.hands.take(np.array([PIN + 20])))[0, 1:]
    after = redo(solved, c.Pose(0, PIN, orient, wrist, rotations))
    assert np.array_equal(after.hands.global_orient[PIN], orient)
    assert np.array_equal(after.hands.wrist[PIN], wrist)
    np.testing.assert_allclose(after.hands.angles[PIN], state.hands.angles[PIN + 20], atol=1e-6)
    assert_only_changed(state, after, stretch())


def test_a_tolerant_pose_pulls(solved):
    _, _, state = solved
    wrist = state.hands.wrist[PIN] + [0.0, 0.0, 0.03]
    orient = exp(np.array([0.3, 0.0, 0.0])) @ state.hands.global_orient[PIN]
    angles = joint_rotations(solved[1].layout.tracks[0].skeleton, state.hands.take(np.array([PIN])))[0, 1:]
    after = redo(solved, c.Pose(0, PIN, orient, wrist, angles, deviation=1.0))
    before_gap, gap = (np.linalg.norm(s.hands.wrist[PIN] - wrist) for s in (state, after))
    assert 0 < gap < before_gap


def test_an_image_point_overrules_the_tracker(solved):
    _, problem, state = solved
    wanted = observe(problem.at(state))[PIN, 12] + [25.0, -10.0]
    after = redo(solved, c.ImagePoint(0, PIN, 12, wanted), c.ImagePoint(0, PIN, 16, wanted + 20.0))
    assert np.linalg.norm(observe(problem.at(after))[PIN, 12] - wanted) < 2.0


def test_held_still_and_together(solved):
    _, problem, state = solved
    after = redo(solved, c.HoldStill(0, 40, 50, 0), c.Together(0, 4, 0, 8, 55, 60, 5e-4))
    points = problem.at(after).keypoints
    assert np.linalg.norm(np.diff(points[40:51, 0], axis=0), axis=-1).max() < 5e-4
    assert np.linalg.norm(points[55:61, 4] - points[55:61, 8], axis=-1).max() < 8e-3


def test_ignored_footage_has_no_say(solved):
    """With the evidence of the stretch gone, the hand goes the way that dynamics alone would."""
    _, problem, state = solved
    blind = redo(solved, c.Ignore(1, 30, 60), tracks=[1])
    wrist, before = blind.hands.wrist[FRAMES + 30 : FRAMES + 61], state.hands.wrist[FRAMES + 30 : FRAMES + 61]
    assert np.abs(wrist - before).max() > 0.005
    assert_only_changed(state, blind, stretch([1]))


def test_a_camera_pose_is_held_when_the_camera_may_move(solved):
    _, _, state = solved
    centre = state.camera_centre[PIN] + 0.002
    after = redo(solved, c.CameraPose(PIN, state.camera_from_world[PIN], centre), solve_camera=True)
    assert np.array_equal(after.camera_centre[PIN], centre)
    outside = np.r_[0:FIRST, LAST + 1 : FRAMES]
    assert np.array_equal(after.camera_centre[outside], state.camera_centre[outside])


@pytest.mark.parametrize("wrong", [c.Point(0, FRAMES, 8, np.zeros(3)), c.Ignore(2, 1, 2)])
def test_a_constraint_outside_the_clip_is_refused(solved, wrong):
    with pytest.raises(ValueError, match="no (track|frame)|has no frame"):
        redo(solved, wrong)


def test_angles_come_back_from_rotations():
    scene = make_scene(20, (("left", 0, 0, 20),))
    skeleton, hands = scene.layout.tracks[0].skeleton, scene.truth.hands
    rotations = joint_rotations(skeleton, hands)[:, 1:]
    angles = angles_of(skeleton.hinges, rotations, np.tile(skeleton.hinges.mean, (20, 1)))
    np.testing.assert_allclose(angles, hands.angles, atol=1e-6)
