"""The way in: from tracks and an initial fit to arrays for a take."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from solver import hand_model
from solver.camera.cameras import CameraPath, ScaleEstimate
from solver.hand_model.rotations import exp
from solver.observations import HandTrack
from solver.optimise import DRAFT, RefineOptions, refine
from solver.optimise.uncertainty import DRAWN_SIZE_ERROR
from solver.take import INFILLED, OBSERVED
from tools.optimiser_bench.scenes import as_calibrated, camera_of, initial_motion, last, make_scene, observe, wander

FRAMES, FIRST_NUMBER = 110, 1001
ONE_SECOND = RefineOptions(longest_gap_s=1.0)
# the right hand leaves for 12 frames, which is infilled, and for 31, which is longer than a second at 30 fps
SEEN = {"left": np.arange(FRAMES), "right": np.r_[5:30, 42:60, 91:110]}


@pytest.fixture(scope="module")
def clip():
    """Tracks, initial motions, camera, and the true keypoints (2, FRAMES, 21, 3) in the world."""
    scene = make_scene(FRAMES, (("left", 0, 0, FRAMES), ("right", 0, 0, FRAMES)), seed=9, walk=0.01)
    scene, models = as_calibrated(scene), {side: hand_model.load(side) for side in ("left", "right")}
    camera = camera_of(scene)
    rng = np.random.default_rng(3)
    image = observe(scene.at(), 1.5, rng).reshape(2, FRAMES, 21, 2)
    tracks, motions = [], {}
    for index, (side, seen) in enumerate(SEEN.items()):
        n = len(seen)
        nothing = np.full((n, 21, 3), np.nan)
        covariance = np.tile(4 * np.eye(2), (n, 21, 1, 1))
        tracks.append(HandTrack(side, 9.0, FIRST_NUMBER + seen, image[index, seen], covariance, nothing, np.ones(n)))
        motions[index] = initial_motion(scene, index, side, seen, rng, FIRST_NUMBER)
    return scene, tracks, motions, models, camera


def run_refine(clip, options: RefineOptions = ONE_SECOND, **more):
    _, tracks, motions, models, camera = clip
    frames = FIRST_NUMBER + np.arange(FRAMES)
    return refine(tracks, motions, models, camera, frames, 1 / 30, options, **more)


@pytest.fixture(scope="module")
def refined(clip):
    return last(run_refine(clip))


def test_hands_are_where_they_were(clip, refined):
    scene, _, motions, models, camera = clip
    truth = scene.at().keypoints.reshape(2, FRAMES, 21, 3)
    for track in refined.tracks:
        shaped = models[track.side].with_shape(track.betas)
        seen = track.frames[track.status == OBSERVED] - FIRST_NUMBER
        after = shaped.pose(track.rotations, track.transl).keypoints[track.status == OBSERVED]
        world = motions[track.track].in_world(camera.world_from_camera[seen])
        before = models[track.side].with_shape(np.zeros(10)).pose(world.rotations, world.transl).keypoints
        errors = [np.linalg.norm(points - truth[track.track, seen], axis=-1).mean() for points in (before, after)]
        assert errors[1] < 0.5 * errors[0]


def test_short_gaps_are_filled_and_long_ones_are_not(refined):
    left, right = refined.tracks
    assert (left.status == OBSERVED).all() and len(left.frames) == FRAMES
    assert np.array_equal(right.frames - FIRST_NUMBER, np.r_[5:60, 91:110])
    filled = right.frames[right.status == INFILLED] - FIRST_NUMBER
    assert np.array_equal(filled, np.arange(30, 42))


def test_what_was_not_seen_is_less_sure(refined):
    _, right = refined.tracks
    fingers = right.joint_sigma[:, 1:].mean(1)
    assert fingers[right.status == INFILLED][4:8].mean() > 2 * np.median(fingers[right.status == OBSERVED])


def test_an_unknown_size_leaves_the_wrist_s_distance_open(clip, refined):
    """All else of a hand is as sure as before; the wrist's distance from the lens only as far as its size is known."""
    size_error = ONE_SECOND.preset.weights.hand_size  # as sure as the solve takes it for anyway: both are one solve
    known = last(run_refine(clip, replace(ONE_SECOND, size_error=size_error)))
    left_open = ONE_SECOND.size_error**2 - size_error**2
    camera = clip[4].world_from_camera[:, :3, 3]
    for open_, sure in zip(refined.tracks, known.tracks, strict=True):
        wrist = open_.transl + open_.rest_wrist
        distance = np.linalg.norm(wrist - camera[open_.frames - FIRST_NUMBER], axis=1)
        added = open_.joint_sigma[:, 0] ** 2 - sure.joint_sigma[:, 0] ** 2
        np.testing.assert_allclose(added, left_open * distance**2 / 3, rtol=1e-6)
        np.testing.assert_array_equal(open_.joint_sigma[:, 1:], sure.joint_sigma[:, 1:])
        # all of it lies along the ray, where even a measured hand is as unsure as the size that it is drawn at
        along = open_.distance_sigma**2 - sure.distance_sigma**2
        np.testing.assert_allclose(along, left_open * distance**2, rtol=1e-6)
        assert (sure.distance_sigma > DRAWN_SIZE_ERROR * distance).all()


def test_a_measured_length_is_held(clip):
    """Pictures may say what they will: here hands that are nearly free to grow, started a tenth too large."""
    free = replace(DRAFT, weights=replace(DRAFT.weights, shape_start=5.0, hand_size=0.5))
    scene, tracks, motions, *rest = clip
    grown = {index: replace(motion, betas=motion.betas + 1.0) for index, motion in motions.items()}
    kept = []
    for size_error in (0.01, 1.0):
        options = replace(ONE_SECOND, preset=free, uncertainty=False, size_error=size_error)
        end = last(run_refine((scene, tracks, grown, *rest), options))
        at_start = end.problem.at(end.origin.clip.start)
        kept.append(end.problem.at(end.state).hand_size / at_start.hand_size)
    assert abs(kept[0] - 1).max() < 0.003 < 0.02 < abs(kept[1] - 1).min()


def test_hands_of_one_person_have_one_shape(refined):
    assert np.array_equal(refined.tracks[0].betas, refined.tracks[1].betas)


def test_every_stage_is_streamed_and_the_last_is_marked(clip):
    items = list(run_refine(clip, RefineOptions(DRAFT, longest_gap_s=1.0, uncertainty=False)))
    ends = [item.stage for item in items if item.stage_end and not item.final]
    assert ends == [*(stage.name for stage in DRAFT.stages), "drawn size"]
    assert [item.final for item in items] == [False] * (len(items) - 1) + [True]
    assert items[-1].tracks[0].joint_sigma is None


def test_a_cancelled_solve_ends_with_what_there_is(clip):
    items = list(run_refine(clip, cancelled=lambda: True))
    assert items[-1].final and items[-1].uncertainty is None
    assert len(items[-1].tracks) == 2


def test_a_given_camera_stays_where_it_was(clip, refined):
    np.testing.assert_allclose(refined.world_from_camera, clip[4].world_from_camera, atol=1e-12)


def _shaken(camera: CameraPath, **known) -> CameraPath:
    """A path that jitters (0.3 deg), and what its solve says of its errors."""
    rng = np.random.default_rng(1)
    pose = camera.world_from_camera.copy()
    pose[:, :3, :3] = pose[:, :3, :3] @ exp(wander(rng, FRAMES, (3,), 0.005, 12))
    return CameraPath("given", camera.intrinsics, pose, **known)


def _solved_camera(clip, camera: CameraPath) -> np.ndarray:
    scene, tracks, motions, models, _ = clip
    options = RefineOptions(preset=DRAFT, longest_gap_s=1.0, solve_camera=True, uncertainty=False)
    return last(run_refine((scene, tracks, motions, models, camera), options)).world_from_camera


def test_a_camera_with_errors_is_mended_by_the_hands(clip):
    """A jittering camera path comes out closer to the truth."""
    scene, tracks, motions, models, camera = clip
    shaken = _shaken(camera)
    options = RefineOptions(longest_gap_s=1.0, solve_camera=True, uncertainty=False)
    end = last(run_refine((scene, tracks, motions, models, shaken), options))
    errors = [_turned(path, camera.world_from_camera) for path in (shaken.world_from_camera, end.world_from_camera)]
    assert errors[1] < errors[0]


def test_a_camera_is_moved_as_far_as_its_solve_was_unsure(clip):
    """What mapping says of its errors, pose by pose, decides how much hands may move the camera."""
    moved = []
    for sure in (1.0, 0.02):
        errors = sure * np.tile([0.01, 0.02], (FRAMES, 1))
        shaken = _shaken(clip[4], expected_error=errors, pose_sigma=0.1 * errors)
        moved.append(_turned(_solved_camera(clip, shaken), shaken.world_from_camera))
    assert moved[0] > 0.01
    assert moved[1] < 0.1 * moved[0]


def _bobbing(clip, factor: float):
    """Seen by a head that bobs by centimetres, as no hand does; its path ``factor`` times too long, and a guess."""
    scene, tracks, motions, models, camera = clip
    phase = np.arange(FRAMES)[:, None] * np.array([2.1, 1.7, 1.3])
    pose = camera.world_from_camera.copy()
    pose[:, :3, 3] = factor * (pose[:, :3, 3] + 0.012 * np.sin(phase))
    scale = ScaleEstimate(low=0.2, high=5.0, determined=False)
    return scene, tracks, motions, models, CameraPath("general", camera.intrinsics, pose, scale=scale)


def _length_and_depth(clip) -> np.ndarray:
    """Hand length, and the median distance of the wrists from the lens, in m."""
    options = RefineOptions(longest_gap_s=1.0, uncertainty=False)
    end = last(run_refine(clip, options))
    hand = clip[3]["left"].with_shape(end.tracks[0].betas)
    length = np.linalg.norm(np.diff(hand.keypoints_rest[[0, 9, 10, 11, 12]], axis=0), axis=1).sum()
    rows = end.tracks[0].frames - FIRST_NUMBER
    wrist = end.tracks[0].rest_wrist + end.tracks[0].transl
    depth = np.linalg.norm(wrist - clip[4].world_from_camera[rows, :3, 3], axis=1)
    return np.array([length, np.median(depth)])


@pytest.mark.parametrize("factor", [5.0, 0.2])
def test_a_camera_of_the_wrong_size_does_not_pull_at_hands(clip, factor):
    """Where the scale is a guess a hand keeps the size and the depth that a camera of the right size gives it."""
    right, wrong = (_length_and_depth(_bobbing(clip, f)) for f in (1.0, factor))
    np.testing.assert_allclose(wrong, right, rtol=0.01)


def _turned(path: np.ndarray, other: np.ndarray) -> float:
    """Mean angle between two paths' rotations, degrees."""
    return float(np.degrees(np.linalg.norm(_turn_between(path, other), axis=-1)).mean())


def _turn_between(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    r = np.swapaxes(a[:, :3, :3], 1, 2) @ b[:, :3, :3]
    return 0.5 * np.stack([r[:, 2, 1] - r[:, 1, 2], r[:, 0, 2] - r[:, 2, 0], r[:, 1, 0] - r[:, 0, 1]], -1)


def test_no_hands_is_no_error(clip):
    _, _, _, models, camera = clip
    end = last(run_refine(([], [], {}, models, camera)))
    assert end.final and end.tracks == ()
