"""Bundle adjustment on exact tracks: it finds poses, lens and rolling shutter, and knows how well."""

from dataclasses import replace

import numpy as np
import pytest

from solver.camera import adjustment, resection
from solver.camera.adjustment import Observations, State
from solver.camera.similarity import between_paths, rotation_angles
from solver.camera.trust import in_world, wild

from . import camera_scenes

SIZE, FOCAL, FRAMES, GROUPS = (640, 360), 430.0, 40, 40
ALL = np.ones(4, bool)


@pytest.fixture(scope="module")
def poses() -> np.ndarray:
    return camera_scenes.path(camera_scenes.walk_path, FRAMES, 2.0)


def cloud() -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.uniform([-2, -2.4, 1.2], [2, 0, 3.0], (260, 3))


def state_at(poses: np.ndarray, points: np.ndarray, lens) -> State:
    camera_from_world = np.linalg.inv(poses)
    twists = adjustment.twists_of(camera_from_world, np.arange(len(poses)))
    return State(camera_from_world, twists, points, np.array(lens, float))


def seen(truth: State, noise_px: float, shared_px: float = 0.0) -> Observations:
    """What ``truth`` sees: each point's row is found by iteration, as it decides when the point is seen."""
    frames, points = (v.ravel() for v in np.mgrid[: len(truth.camera_from_world), : len(truth.points)])
    every = Observations(
        SIZE, len(truth.camera_from_world), len(truth.points), frames, points, np.zeros((len(frames), 2))
    )
    every = replace(every, pixels=np.tile(np.array(SIZE) / 2, (len(frames), 1)))
    for _ in range(8):
        every = replace(every, pixels=every.pixels + adjustment.residuals(every, truth))
    settled = np.abs(adjustment.residuals(every, truth)).max(axis=1) < 1e-6
    every = every.where(settled & (every.pixels > 0).all(1) & (every.pixels < SIZE).all(1))
    pixels = every.pixels + np.random.default_rng(1).normal(0, noise_px, every.pixels.shape)
    together = np.random.default_rng(4).normal(0, shared_px, (GROUPS, FRAMES, 2))
    pixels += together[every.points % GROUPS, every.frames]
    return Observations.sorted(SIZE, every.frame_count, every.point_count, every.frames, every.points, pixels)


def disturbed(truth: State, lens) -> State:
    rng = np.random.default_rng(2)
    shaken = adjustment.moved(truth.camera_from_world, rng.normal(0, 0.005, (FRAMES, 6)))
    return State(shaken, np.zeros((FRAMES, 6)), truth.points + rng.normal(0, 0.02, truth.points.shape), np.array(lens))


def solved(observations: Observations, start: State, free: np.ndarray, rounds=3) -> State:
    state = start
    for _ in range(rounds):
        state = adjustment.adjust(observations, state, free, 10)
        state = replace(state, twists=adjustment.twists_of(state.camera_from_world, np.arange(FRAMES)))
    return state


def position_error(state: State, poses: np.ndarray) -> float:
    found = np.linalg.inv(state.camera_from_world)
    moved = between_paths(found, poses).poses(found)
    length = np.linalg.norm(np.diff(poses[:, :3, 3], axis=0), axis=1).sum()
    return float(np.sqrt(((moved[:, :3, 3] - poses[:, :3, 3]) ** 2).sum(1).mean()) / length)


def test_a_rolling_shutter_and_a_lens_are_found_with_the_path(poses):
    truth = state_at(poses, cloud(), [FOCAL, -0.1, 0.02, 0.5])
    observations = seen(truth, 0.2)
    state = solved(observations, disturbed(truth, [1.06 * FOCAL, 0.0, 0.0, 0.0]), ALL)
    assert state.lens[0] / FOCAL == pytest.approx(1, abs=0.003)
    assert state.lens[1:] == pytest.approx([-0.1, 0.02, 0.5], abs=0.02)
    assert position_error(state, poses) < 0.001
    still = solved(observations, disturbed(truth, [FOCAL, -0.1, 0.02, 0.0]), np.array([True, True, True, False]))
    assert position_error(still, poses) > 2 * position_error(state, poses)


def test_jacobians_are_right_to_second_order(poses):
    truth = state_at(poses, cloud(), [FOCAL, -0.1, 0.02, 0.5])
    observations = seen(truth, 0.0)
    rng = np.random.default_rng(3)
    turn, lens, points = rng.normal(0, 1e-6, (FRAMES, 6)), rng.normal(0, 1e-6, 4), rng.normal(0, 1e-6, (260, 3))
    _, image, by_lens, local = adjustment.linearise(observations, truth)
    by_pose = np.concatenate([adjustment.skew_rows(image, local), image], axis=2)
    by_point = image @ truth.camera_from_world[observations.frames, :3, :3]
    predicted = (
        (by_pose @ turn[observations.frames][..., None])
        + by_lens @ lens[:, None]
        + by_point @ points[observations.points][..., None]
    )[..., 0]
    moved = adjustment._stepped(truth, ALL, turn, lens, points)
    # that a turn of the camera turns its velocity, too, is left to the next round
    assert adjustment.residuals(observations, moved) == pytest.approx(predicted, abs=1e-4)


@pytest.mark.parametrize("shared_px", [0.0, 0.4])
def test_the_expected_error_is_the_error_also_when_points_are_wrong_together(poses, shared_px):
    truth = state_at(poses, cloud(), [FOCAL, 0.0, 0.0, 0.0])
    free = np.array([True, False, False, False])
    observations = seen(truth, 0.3, shared_px)
    state = solved(observations, disturbed(truth, [FOCAL, 0.0, 0.0, 0.0]), free, 1)
    spread = adjustment.spread(observations, state, free, np.arange(260) % GROUPS)
    _, shift = in_world(spread.poses, state.camera_from_world)
    length = np.linalg.norm(np.diff(poses[:, :3, 3], axis=0), axis=1).sum()
    expected = float(np.sqrt((shift**2).sum(axis=(0, 2)).mean())) / length
    assert 0.5 < position_error(state, poses) / expected < 2
    assert abs(np.log(state.lens[0] / FOCAL)) < 4 * spread.lens[0] < 0.02


def test_what_a_path_owes_to_its_focal_length_is_told(poses):
    truth = state_at(poses, cloud(), [FOCAL, 0.0, 0.0, 0.0])
    observations = seen(truth, 0.0)
    free = np.array([True, False, False, False])
    told = adjustment.spread(observations, truth, free, np.arange(260) % GROUPS).by_focal
    longer = replace(truth, lens=truth.lens * [np.exp(1e-3), 1, 1, 1])
    settled = adjustment.adjust(observations, longer, np.zeros(4, bool), 20, 1e-9)
    turn, place = in_world(1e-3 * told[None], truth.camera_from_world)
    error = position_error(settled, poses)
    length = np.linalg.norm(np.diff(poses[:, :3, 3], axis=0), axis=1).sum()
    assert error == pytest.approx(np.sqrt((place**2).sum(axis=2).mean()) / length, rel=0.1)
    assert not adjustment.spread(observations, truth, ~ALL, np.arange(260) % GROUPS).by_focal.any()


def test_frames_are_placed_by_known_points(poses):
    truth = state_at(poses, cloud(), [FOCAL, -0.1, 0.0, 0.4])
    observations = seen(truth, 0.1)
    shaken = replace(truth, camera_from_world=disturbed(truth, truth.lens).camera_from_world)
    wanted = np.arange(FRAMES) % 3 == 0
    placed = resection.resect(observations, shaken, wanted)
    turned = placed.camera_from_world[:, :3, :3] @ truth.camera_from_world[:, :3, :3].transpose(0, 2, 1)
    assert np.degrees(rotation_angles(turned[wanted])).max() < 0.05
    assert (placed.camera_from_world[~wanted] == shaken.camera_from_world[~wanted]).all()


def test_a_stretch_that_is_a_hundred_times_too_large_and_uncertain_is_given_up(poses):
    torn = poses.copy()
    torn[15:22, :3, 3] = poses[15, :3, 3] + 100 * (poses[15:22, :3, 3] - poses[14, :3, 3])
    sigma = np.full(FRAMES, 0.002)
    sigma[15:23] = 0.5
    state = state_at(torn, cloud(), [FOCAL, 0.0, 0.0, 0.0])
    assert set(np.flatnonzero(wild(state, np.ones(FRAMES, bool), sigma))) == set(range(15, 23))
    assert not wild(state, np.ones(FRAMES, bool), np.full(FRAMES, 0.002)).any()
    assert not wild(state_at(poses, cloud(), [FOCAL, 0.0, 0.0, 0.0]), np.ones(FRAMES, bool), sigma).any()
