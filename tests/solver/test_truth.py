"""The generator of clips with known motion: everything but the rendering, on made-up arms and frames."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest

from solver.camera.cameras import project
from solver.video import open_clip
from tools import bench
from tools.truth import cameras, develop, motion, suite, truth
from tools.truth.anatomy import build_arm
from tools.truth.clips import SKINS, Nuisance
from tools.truth.figure import FINGERS, HAND_PARENTS, KEYPOINTS, hand_transforms, wrist_rotation
from tools.truth.handshapes import SHAPES, finger_rotations
from tools.truth.prepare import prop_mesh
from tools.truth.raster import rasterise
from tools.truth.rotations import align, axis_angle, nearest_rotation
from tools.truth.validation import VALIDATION

TIMES = np.arange(40) / 30


def _arm(side: str):
    """A flat hand along y, palm down, thumb inwards; each joint has one vertex, each tip too."""
    sign = 1.0 if side == "right" else -1.0
    joints = [np.zeros(3)]
    for finger, x in zip(FINGERS, (-0.03, -0.01, 0.03, 0.01, -0.05), strict=True):
        base = 0.03 if finger == "thumb" else 0.09
        joints += [np.array([sign * x, base + 0.03 * k, 0.0]) for k in range(3)]
    joints = np.array(joints)
    tips = joints[[3, 6, 9, 12, 15]] + [0, 0.025, 0]
    vertices = np.concatenate([joints, tips])
    weights = np.concatenate([np.eye(16), np.eye(16)[[3, 6, 9, 12, 15]]])
    return build_arm(side, joints, np.array([0, -0.25, 0.0]), np.array([0, -0.5, 0.1]), vertices, weights)


@pytest.mark.parametrize("side", ["left", "right"])
def test_arm_knows_its_own_directions(side):
    arm = _arm(side)
    assert np.allclose(arm.palm, [0, 0, -1], atol=1e-9)
    assert arm.thumb[0] * (1 if side == "right" else -1) < -0.9
    assert list(arm.tip_vertices) == [16, 17, 18, 19, 20]


@pytest.mark.parametrize("side", ["left", "right"])
def test_wrist_turns_to_the_directions_asked_for(side):
    arm = _arm(side)
    turn = wrist_rotation(arm, np.array([0, 0, 2.0]), np.array([0, -3.0, 1.0]))
    assert np.allclose(turn @ arm.fingers, [0, 0, 1])
    assert np.allclose(turn @ arm.palm, [0, -1, 0])
    assert np.linalg.det(turn) == pytest.approx(1.0)


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_fist_brings_all_fingertips_to_the_palm_side(side):
    arm = _arm(side)
    pose = motion.HandPose(np.eye(3), np.zeros(3), finger_rotations(arm, SHAPES["fist"].vector()))
    turns, joints = hand_transforms(arm, pose)
    last = [3, 6, 9, 12]
    tips = joints[last] + np.einsum("fij,fj->fi", turns[last], arm.tips[:4] - arm.joints[last])
    assert (tips @ arm.palm > 0.01).all()
    bones = [np.linalg.norm(joints[j] - joints[HAND_PARENTS[j]]) for j in range(1, 16)]
    assert np.allclose(bones, [np.linalg.norm(arm.joints[j] - arm.joints[HAND_PARENTS[j]]) for j in range(1, 16)])


def test_carried_hand_moves_with_the_body_and_a_still_one_does_not():
    body = np.broadcast_to(np.eye(4), (len(TIMES), 4, 4)).copy()
    body[:, 0, 3] = TIMES
    keys = [motion.HandKey(0.0, (0.1, 0.4, 1.0), (0, 1, 0), (0, 0, -1), "open", frame) for frame in ("world", "body")]
    still, carried = (motion.hand_motion(_arm("right"), (key,), (), TIMES, body, 3) for key in keys)
    travel = [hand[-5].wrist[0] - hand[5].wrist[0] for hand in (still, carried)]
    assert travel[0] == pytest.approx(0.0, abs=0.02)
    assert travel[1] == pytest.approx(TIMES[-5] - TIMES[5], abs=0.02)


def test_wave_swings_about_its_axis_only_while_it_lasts():
    arm = _arm("right")
    key = motion.HandKey(0.0, (0, 0.4, 1), (0, 0, 1), (0, -1, 0), "open")
    body = np.broadcast_to(np.eye(4), (len(TIMES), 4, 4))
    calm, waving = (
        motion.hand_motion(arm, (key,), waves, TIMES, body, 3)
        for waves in ((), (motion.Wave(0.6, 1.3, "palm", 20.0, 3.0),))
    )
    angle = [
        np.rad2deg(np.arccos(np.clip((np.trace(a.rotation.T @ b.rotation) - 1) / 2, -1, 1)))
        for a, b in zip(calm, waving, strict=True)
    ]
    assert max(angle[:8]) < 0.5
    assert 10 < max(angle[20:]) <= 20.5
    assert all(
        np.allclose(a.rotation.T @ b.rotation @ arm.palm, arm.palm, atol=1e-6)
        for a, b in zip(calm, waving, strict=True)
    )


def test_smoothing_keeps_constants_and_shape():
    samples = np.full((30, 2, 3), 4.0)
    assert np.allclose(motion.smooth(samples, 2.5), samples)


def test_rotations_agree_with_each_other():
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(50, 3))
    turns = axis_angle(vectors)
    assert np.allclose(turns @ np.swapaxes(turns, 1, 2), np.eye(3))
    assert np.allclose(np.einsum("nij,nj->ni", turns, vectors), vectors)
    assert np.allclose(nearest_rotation(1.3 * turns), turns)
    a, b = rng.normal(size=(2, 3))
    assert np.allclose(align(a, b) @ a / np.linalg.norm(a), b / np.linalg.norm(b))


def test_camera_sees_its_target_in_the_middle_and_up_above():
    pose = np.eye(4)
    pose[:3, 3] = [0.3, -1.0, 1.5]
    target = np.array([0.2, 0.7, 1.1])
    pose[:3, :3] = cameras.look_at(pose[:3, 3], target)
    world_from_camera = cameras.to_solver_camera(pose)
    seen = cameras.to_solver_world(np.stack([target, target + [0, 0, 0.1], target + [0.1, 0, 0]]))
    px = project(truth.in_camera(seen, world_from_camera), np.array([400.0, 400, 320, 180]))
    assert np.allclose(px[0], [320, 180])
    assert px[1, 1] < 175  # higher in the world is higher in the picture
    assert px[2, 0] > 325
    assert np.linalg.det(world_from_camera[:3, :3]) == pytest.approx(1.0)


def test_camera_that_only_turns_stays_in_its_place():
    path = cameras.camera_path(suite.PANNING.camera, TIMES, 1)
    assert np.ptp(path[:, :3, 3], axis=0).max() == 0.0
    turned = path[0, :3, :3].T @ path[:, :3, :3]
    assert np.arccos(np.clip((np.trace(turned, axis1=1, axis2=2) - 1) / 2, -1, 1)).max() > 0.3


def test_z_buffer_shows_the_nearer_triangle_at_its_depth():
    square = np.array([[-1, -1, 2.0], [1, -1, 2], [1, 1, 2], [-1, 1, 2]])
    tilted = np.array([[-0.5, -0.5, 1.0], [0.5, -0.5, 1.0], [0.0, 0.5, 1.5]])
    triangles = np.array([[0, 1, 2], [0, 2, 3], [4, 5, 6]])
    winner, depth = rasterise(np.concatenate([square, tilted]), triangles, (20.0, 20.0, 16.0, 12.0), (32, 24))
    assert set(np.unique(winner)) == {-1, 0, 1, 2}
    assert winner[12, 16] == 2
    assert np.allclose(depth[np.isin(winner, (0, 1))], 2.0)
    y = (12 + 0.5 - 12) / 20  # the ray through the pixel's centre meets z = 1.25 + y / 2 of the tilted triangle
    assert depth[12, 16] == pytest.approx(1.25 / (1 - y / 2))
    assert np.isinf(depth[winner < 0]).all()
    assert (winner >= 0).sum() == 20 * 20


def test_triangles_behind_the_camera_are_left_out():
    behind = np.array([[-1, -1, -2.0], [1, -1, -2], [0, 1, 3]])
    winner, _ = rasterise(behind, np.array([[0, 1, 2]]), (20.0, 20.0, 16.0, 12.0), (32, 24))
    assert (winner == -1).all()


def test_keypoint_is_visible_where_its_own_bones_are_in_front():
    bones = np.full((40, 60), -9)
    bones[10:30, 10:30] = 1  # the first index bone
    px = np.full((21, 2), -5.0)
    index_knuckle, index_middle, thumb_tip = KEYPOINTS.index(1), KEYPOINTS.index(2), KEYPOINTS.index(20)
    px[[index_knuckle, index_middle, thumb_tip]] = 20.0
    px[0] = [50.0, 20.0]
    seen = truth.hand_visibility(px, bones)
    assert seen[index_knuckle] == seen[index_middle] == truth.VISIBLE
    assert seen[thumb_tip] == seen[0] == truth.OCCLUDED
    assert (np.delete(seen, [0, index_knuckle, index_middle, thumb_tip]) == truth.OUTSIDE).all()


def test_distortion_is_undone_by_its_inverse():
    points = np.random.default_rng(0).uniform(-0.6, 0.6, (100, 2))
    nuisance = Nuisance(k1=-0.12, k2=0.02)
    assert np.abs(develop.undistort(develop.distort(points, nuisance), nuisance) - points).max() < 1e-9


def test_distorted_clip_takes_each_pixel_from_where_the_pinhole_has_it():
    spec = dataclasses.replace(suite.BARE, size=(64, 36), focal_px=50.0)
    columns, rows = develop.distortion_map(spec)
    straight = np.array([[0.2, -0.15]])
    bent = develop.distort(straight, spec.nuisance)[0] * 50 + [32, 18]
    wide = np.array(develop.render_size(spec)) / 2
    x, y = (np.floor(bent)).astype(int)
    expected = straight[0] * 50 + wide - 0.5
    assert np.abs([columns[y, x], rows[y, x]] - expected).max() < 1.2
    assert develop.distortion_map(suite.WALK) is None


def test_low_light_is_darker_and_noisier():
    image = np.full((40, 40, 3), 160, np.uint8)
    bright, dim = (
        develop.exposed(image, nuisance, np.random.default_rng(0)).astype(float)
        for nuisance in (Nuisance(), Nuisance(light=0.3))
    )
    assert dim.mean() < 0.7 * bright.mean()
    assert dim.std() > 2 * bright.std()


def test_same_frames_make_the_same_movie(tmp_path):
    spec = dataclasses.replace(suite.WALK, size=(64, 36), frame_count=4)
    (tmp_path / "frames").mkdir()
    for number in range(4):
        shade = np.full((36, 64, 3), 60 * number, np.uint8)
        cv2.imwrite(str(tmp_path / "frames" / f"{number:05d}.png"), shade)
    for name in ("a.mp4", "b.mp4"):
        develop.develop(tmp_path, spec, tmp_path / name)
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()
    clip = open_clip(tmp_path / "a.mp4")
    levels = [float(image.mean()) for _, image in clip.frames()]
    assert clip.frame_rate == 30
    assert np.allclose(levels, [0, 60, 120, 180], atol=6)


@pytest.mark.parametrize("spec", (suite.DEMO, *suite.BENCH, *VALIDATION), ids=lambda spec: f"{spec.name}-{spec.seed}")
def test_manifest_makes_sense(spec):
    length = spec.frame_count * spec.frame_rate[1] / spec.frame_rate[0]
    for keys in spec.keys:
        times = [key.time for key in keys]
        assert times == sorted(set(times))
        assert times[0] == 0.0
        assert times[-1] == pytest.approx(length, abs=0.15)
        assert all(key.shape in SHAPES and key.frame in ("world", "body") for key in keys)
    assert [key.time for key in spec.camera.keys] == sorted({key.time for key in spec.camera.keys})
    assert spec.skin in SKINS
    assert 60 <= spec.frame_count <= 120


def test_clips_differ_in_name_and_seed():
    clips = (suite.DEMO, *suite.BENCH)
    assert len({spec.name for spec in clips}) == len({spec.seed for spec in clips}) == len(clips)
    assert len(suite.BENCH) <= 8
    assert set(bench.QUICK) <= {spec.name for spec in suite.BENCH}


def test_what_is_tuned_on_shares_no_person_room_or_motion_with_what_is_reported():
    assert len({spec.name for spec in VALIDATION}) == len(VALIDATION)
    for spec in VALIDATION:
        for reported in (suite.DEMO, *suite.BENCH):
            assert spec.seed != reported.seed
            assert (spec.shape, spec.skin) != (reported.shape, reported.skin)
            assert not set(spec.keys) & set(reported.keys)


@pytest.mark.parametrize("kind", ["box", "cylinder"])
def test_prop_fills_its_size(kind):
    prop = dataclasses.replace(suite.TABLE.props[0], kind=kind, size=(0.04, 0.06, 0.1))
    vertices, faces = prop_mesh(prop)
    assert np.allclose(np.ptp(vertices, axis=0), prop.size)
    assert {corner for face in faces for corner in face} == set(range(len(vertices)))
