"""The parts of the camera solver that need no images: joining, bridging, uprightness, masks, lens."""

import dataclasses

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from solver.camera import bridge, footage, lens, masks, moving, upright
from solver.camera.adjustment import Observations
from solver.camera.cameras import BRIDGED, SOLVED, project, undistort
from solver.camera.features import Keyframe
from solver.camera.job import MappedModel, load_models, save_models
from solver.camera.motion_kind import classify, robust_rotation
from solver.camera.similarity import Similarity, between_paths, robust_between_paths, rotation_angles
from solver.camera.tracks import Tracks

from . import camera_scenes

SIZE, FOCAL = (640, 360), 430.0
NO_POINTS, NO_IDS = np.zeros((0, 3)), np.zeros(0, int)


def cloud(seed=0, count=900) -> np.ndarray:
    """Points around a room, the room of ``camera_scenes``."""
    rng = np.random.default_rng(seed)
    table = np.stack([rng.uniform(-0.9, 0.9, count), rng.uniform(-0.8, -0.7, count), rng.uniform(1.25, 2.1, count)], 1)
    wall = np.stack([rng.uniform(-2.5, 2.5, count), rng.uniform(-2.6, 0, count), np.full(count, 2.5)], 1)
    return np.concatenate([table, wall])


def seen_by(poses: np.ndarray, points: np.ndarray, noise_px=0.2, k1=0.0) -> Tracks:
    """Tracks of all points in view, without any image."""
    rng = np.random.default_rng(1)
    ids, rows, pixels = [], [], []
    for row, pose in enumerate(poses):
        local = (points - pose[:3, 3]) @ pose[:3, :3]
        ideal = local[:, :2] / np.maximum(local[:, 2:], 1e-6)
        at = FOCAL * ideal * (1 + k1 * (ideal**2).sum(1, keepdims=True)) + np.array(SIZE) / 2
        view = np.flatnonzero((local[:, 2] > 0.1) & (at > 0).all(1) & (at < SIZE).all(1))
        ids.append(view)
        rows.append(np.full(len(view), row))
        pixels.append(at[view] + rng.normal(0, noise_px, (len(view), 2)))
    return Tracks(SIZE, len(poses), np.concatenate(ids), np.concatenate(rows), np.concatenate(pixels))


def model_of(poses: np.ndarray, rows, move: Similarity, points=NO_POINTS, ids=NO_IDS) -> MappedModel:
    """A piece of the truth in a world of its own."""
    count = len(poses)
    camera_from_world = np.full((count, 4, 4), np.nan)
    camera_from_world[rows] = np.linalg.inv(move.poses(poses[rows]))
    posed = np.isfinite(camera_from_world[:, 0, 0])
    return MappedModel(
        camera_from_world, np.where(posed, 0.3, np.nan), posed * 100, *np.full((3, count, 2), np.nan),
        np.array([FOCAL, 0.0, 0.0, 0.0]), np.zeros(4), move.points(points), ids, np.full(len(points), 0.3),
        np.array([2.0, 1.0, 2.0]),
    )  # fmt: skip


def some_move(seed=3) -> Similarity:
    rng = np.random.default_rng(seed)
    return Similarity(2.7, Rotation.random(random_state=rng).as_matrix(), rng.normal(0, 2, 3))


def position_error(found: np.ndarray, truth: np.ndarray, rows=slice(None)) -> float:
    """Largest, in shares of the path, after a similarity over all frames."""
    moved = between_paths(found, truth).poses(found)
    length = np.linalg.norm(np.diff(truth[:, :3, 3], axis=0), axis=1).sum()
    return float(np.linalg.norm(moved[rows, :3, 3] - truth[rows, :3, 3], axis=1).max() / length)


def test_between_paths_finds_the_similarity_even_of_a_straight_path():
    poses = camera_scenes.path(camera_scenes.pan_path, 20)
    poses[:, 0, 3] += np.linspace(0, 1, 20)
    move = some_move()
    found = between_paths(poses, move.poses(poses))
    assert np.isclose(found.scale, move.scale)
    np.testing.assert_allclose(found.rotation, move.rotation, atol=1e-9)
    np.testing.assert_allclose(found.translation, move.translation, atol=1e-9)


def test_robust_alignment_ignores_a_lost_stretch():
    poses = camera_scenes.path(camera_scenes.walk_path, 60)
    other = poses.copy()
    other[50:, :3, 3] += 3.0
    moved = robust_between_paths(other, poses).poses(other)
    assert np.abs(moved[:50, :3, 3] - poses[:50, :3, 3]).max() < 1e-6


def test_rotation_angles_are_exact():
    vectors = np.array([[1e-6, 0, 0], [0, 0.3, 0], [0, 0, 2.0]])
    angles = rotation_angles(Rotation.from_rotvec(vectors).as_matrix())
    np.testing.assert_allclose(angles, [1e-6, 0.3, 2.0], rtol=1e-6)


@pytest.mark.parametrize("overlap", ["frames", "points", "none"])
def test_two_models_are_joined(overlap):
    poses, points = camera_scenes.path(camera_scenes.walk_path, 60), cloud()
    tracks = seen_by(poses, points)
    second_rows = np.arange(26 if overlap == "frames" else 36, 60)
    shared = (points, np.arange(len(points))) if overlap == "points" else ()
    first = model_of(poses, np.arange(0, 34), Similarity(1.0, np.eye(3), np.zeros(3)), *shared)
    second = model_of(poses, second_rows, some_move(), *shared)
    joined = bridge.join([first, second], tracks)
    assert np.isfinite(joined.world_from_camera).all()
    assert set(np.flatnonzero(joined.status == BRIDGED)) == set(range(34, second_rows[0]))
    assert joined.guessed_joins == (overlap == "none")
    off = joined.off_by_guess()
    assert not off[:34].any()
    assert (off[-1] > 0.2 * np.linalg.norm(poses[-1, :3, 3] - poses[36, :3, 3])) == (overlap == "none")
    assert position_error(joined.world_from_camera, poses) < (0.06 if overlap == "none" else 0.002)


def test_gaps_and_ends_are_bridged_near_the_truth_and_marked():
    poses = camera_scenes.path(camera_scenes.walk_path, 60)
    solved = np.r_[3:25, 31:57]
    joined = bridge.join([model_of(poses, solved, some_move())], seen_by(poses, cloud()))
    assert (joined.status[solved] == SOLVED).all() and (joined.status == BRIDGED).sum() == 12
    # over the gap the path is interpolated; beyond the ends it runs out within about one frame's motion, 1 / 60 of it
    assert position_error(joined.world_from_camera, poses, slice(25, 31)) < 0.01
    assert position_error(joined.world_from_camera, poses, np.r_[0:3, 57:60]) < 0.03
    moved = between_paths(joined.world_from_camera, poses).poses(joined.world_from_camera)
    angles = rotation_angles(moved[:, :3, :3].transpose(0, 2, 1) @ poses[:, :3, :3])
    assert np.degrees(angles.max()) < 2.0


def test_motion_kinds_from_tracks_alone():
    full = np.full(30, 40)
    still = np.tile(camera_scenes.walk_path(0, 0), (30, 1, 1))
    pan, walk = (camera_scenes.path(p, 30, 3.0) for p in (camera_scenes.pan_path, camera_scenes.walk_path))
    keyframes = [featureless(row) for row in range(0, 30, 3)]
    kinds = [classify(seen_by(poses, cloud()), keyframes, full, None).kind for poses in (still, pan, walk)]
    assert kinds == ["static", "rotation", "general"]


def test_a_pan_through_a_bent_lens_is_still_a_rotation():
    pan = camera_scenes.path(camera_scenes.pan_path, 30, 3.0)
    keyframes = [featureless(row) for row in range(0, 30, 3)]
    found = classify(seen_by(pan, cloud(), k1=-0.1), keyframes, np.full(30, 40), None)
    assert found.kind == "rotation" and abs(found.focal_px / FOCAL - 1) < 0.15


def test_a_zoom_is_told_from_a_camera_that_travels():
    tracks = seen_by(camera_scenes.path(camera_scenes.still_path, 30), cloud())
    about = np.array(tracks.size) / 2
    grown = np.linspace(1, 1.8, 30)[tracks.rows, None]
    zoomed = dataclasses.replace(tracks, points_px=(tracks.points_px - about) * grown + about)
    keyframes = [featureless(row) for row in range(0, 30, 3)]
    assert classify(zoomed, keyframes, np.full(30, 40), None).kind == "zoom"


def test_two_frames_of_a_camera_that_moves_are_not_called_still():
    poses = camera_scenes.path(camera_scenes.walk_path, 30)[[0, 4]]
    keyframes = [featureless(row) for row in (0, 1)]
    assert classify(seen_by(poses, cloud()), keyframes, np.full(2, 40), None).kind == "general"


def test_points_that_stray_over_their_whole_length_are_told_from_those_with_one_bad_view():
    rng = np.random.default_rng(0)
    points, frames = (grid.ravel() for grid in np.meshgrid(np.arange(60), np.arange(20), indexing="ij"))
    error = np.abs(rng.normal(0.3, 0.1, len(points)))
    error[points < 10] += 0.7
    error[(points == 30) & (frames == 4)] = 2.5
    seen = Observations.sorted((640, 360), 20, 60, frames, points, np.zeros((len(points), 2)))
    kept = moving.stays(seen, error, 3.0)
    assert not kept[points < 10].any() and kept[points >= 10].all()


def test_lines_of_two_moments_in_one_picture_are_seen():
    picture = camera_scenes.texture(np.random.default_rng(0), 1.0, 0.6)
    woven = picture.copy()
    woven[1::2, 8:] = picture[1::2, :-8]
    assert footage.combed(woven) and not footage.combed(picture)


def featureless(row: int) -> Keyframe:
    return Keyframe(row, np.zeros((0, 2)), np.zeros((0, 128), np.float16))


def test_focal_length_from_epipolar_geometry():
    poses = camera_scenes.path(camera_scenes.walk_path, 40)
    keyframes = [featureless(row) for row in range(0, 40, 3)]
    found = lens.focal_from_epipolar(seen_by(poses, cloud()), keyframes)
    assert abs(found / FOCAL - 1) < 0.15


def test_a_flat_profile_means_an_uncertain_focal_length():
    assert lens.profile_sigma(np.array([1.4, 1.0, 1.3])) < 0.03
    assert lens.profile_sigma(np.array([1.002, 1.0, 1.001])) > 0.2
    assert lens.profile_sigma(np.array([0.9, 1.0, 1.0])) == np.inf


def test_robust_rotation_ignores_a_third_of_outliers():
    rng = np.random.default_rng(0)
    rays = rng.normal(0, 0.3, (90, 3)) + [0, 0, 1]
    rays /= np.linalg.norm(rays, axis=1, keepdims=True)
    turn = Rotation.from_rotvec([0.1, -0.2, 0.05]).as_matrix()
    turned = rays @ turn.T
    turned[:30] = rays[:30]
    assert np.degrees(rotation_angles((robust_rotation(rays, turned, 0.002, 20) @ turn.T)[None]))[0] < 0.3


def test_down_is_found_though_the_head_looks_down_and_about():
    poses = camera_scenes.path(camera_scenes.loop_path, 120)
    tilt = Rotation.from_rotvec([0.4, 0.1, -0.3]).as_matrix()
    turn = upright.upright_rotation(upright.find_down(tilt @ poses[:, :3, :3]).direction)
    assert np.degrees(np.arccos((turn @ tilt @ [0, 1.0, 0])[1])) < 4


def test_a_mask_covers_hand_and_forearm_and_gaps_in_time():
    scene = camera_scenes.named("still", (480, 270), 30)
    track = camera_scenes.hand_tracks(scene)[0]
    keep = np.r_[0:8, 16:30]
    gappy = dataclasses.replace(
        track,
        **{n: getattr(track, n)[keep] for n in ("frames", "landmarks_px", "covariance_px", "landmarks_m", "presence")},
    )
    shapes = masks.hand_shapes([gappy], range(1, 31))
    for row in (0, 11, 29):
        mask = shapes.mask(row, (480, 270), 1.0)
        x, y = track.landmarks_px[row].astype(int).T
        inside = (x >= 0) & (y >= 0) & (x < 480) & (y < 270)
        assert (mask[y[inside], x[inside]] > 0).mean() > 0.95
        assert 0.03 < (mask > 0).mean() < 0.5
    forearm = 2 * track.landmarks_px[0][0] - track.landmarks_px[0][9]
    column, line = np.clip(forearm, 0, [479, 269]).astype(int)
    assert shapes.mask(0, (480, 270), 1.0)[line, column] > 0


def test_undistort_is_the_inverse_of_the_radial_model():
    intrinsics, distortion = np.array([500.0, 500, 320, 180]), np.array([-0.1, 0.01])
    points = np.random.default_rng(0).uniform(-0.5, 0.5, (50, 3)) + [0, 0, 1.5]
    ideal = points[:, :2] / points[:, 2:]
    r2 = (ideal**2).sum(1, keepdims=True)
    pixels = 500 * ideal * (1 - 0.1 * r2 + 0.01 * r2**2) + [320, 180]
    np.testing.assert_allclose(undistort(pixels, intrinsics, distortion), project(points, intrinsics), atol=1e-6)


def test_models_survive_the_way_between_processes(tmp_path):
    model = model_of(
        camera_scenes.path(camera_scenes.walk_path, 5), np.arange(4), some_move(), cloud(count=3), np.arange(6)
    )
    save_models([model, model], tmp_path / "models.npz")
    back = load_models(tmp_path / "models.npz")
    assert len(back) == 2 and back[1].focal_px == FOCAL
    np.testing.assert_array_equal(back[1].points, model.points)
    np.testing.assert_array_equal(back[0].posed, model.posed)
