"""Surfaces, contact, silhouettes and stated intervals on cases whose value is known."""

from __future__ import annotations

import numpy as np
import pytest

from solver.bench import camera, contact, intervals, meshes, silhouette
from solver.bench.contact import Bodies
from solver.bench.surfaces import Sampling, Solid, between
from solver.hand_model import loading


def sphere(radius: float, centre, rings: int = 24) -> tuple[np.ndarray, np.ndarray]:
    """A closed mesh, outward."""
    around, up = 2 * rings, np.linspace(0, np.pi, rings + 1)[1:-1]
    angle = 2 * np.pi * np.arange(around) / around
    ring = np.stack(np.broadcast_arrays(np.sin(up)[:, None] * np.cos(angle), np.sin(up)[:, None] * np.sin(angle),
                                        np.cos(up)[:, None]), axis=-1).reshape(-1, 3)  # fmt: skip
    vertices = np.concatenate([ring, [[0, 0, 1.0], [0, 0, -1.0]]]) * radius + centre
    north, south = len(ring), len(ring) + 1
    faces = []
    for k in range(around):
        following = (k + 1) % around
        faces += [(north, k, following), (south, len(ring) - around + following, len(ring) - around + k)]
        for r in range(rings - 2):
            a, b, c, d = (row * around + col for row in (r, r + 1) for col in (k, following))
            faces += [(a, c, d), (a, d, b)]
    return vertices, np.array(faces)


def two_spheres(gap: float, frames: int = 3) -> Bodies:
    """Two spheres of 30 mm that are ``gap`` apart; the same in every frame."""
    radius = 0.03
    (left, faces), (right, _) = sphere(radius, [0, 0, 0]), sphere(radius, [2 * radius + gap, 0, 0])
    keypoints = np.full((frames, 2, 21, 3), 10.0)  # all points belong to the base of the thumb
    keypoints[:, 0, 1:3], keypoints[:, 1, 1:3] = 0.0, [2 * radius + gap, 0, 0]
    repeated = tuple(np.broadcast_to(v, (frames, *v.shape)) for v in (left, right))
    return Bodies(repeated, (faces, faces), keypoints)


@pytest.mark.parametrize("turned", [False, True])
def test_depth_in_a_sphere(turned):
    vertices, faces = sphere(0.05, [0.1, 0, 0])
    faces = faces[:, ::-1] if turned else faces
    solid = Solid(vertices, faces, Sampling.of(faces))
    points = np.array([[0.1, 0, 0.02], [0.1, 0.03, 0], [0.1, 0.0, 0.06], [0.3, 0, 0]])
    assert solid.depth(points) == pytest.approx([0.03, 0.02, 0.0, 0.0], abs=5e-4)


def test_distance_between_surfaces_that_are_apart():
    inner, faces = sphere(0.05, [0, 0, 0])
    outer, _ = sphere(0.053, [0, 0, 0])
    sampling = Sampling.of(faces)
    assert between(sampling.points(inner), sampling.points(inner)) == 0.0
    assert between(sampling.points(inner), sampling.points(outer)) == pytest.approx(0.003, abs=2e-4)


def test_hands_that_do_not_meet_do_not_penetrate():
    depths, volumes = contact.penetration(two_spheres(0.004))
    assert depths.tolist() == volumes.tolist() == [0.0, 0.0]  # of three frames every second one


def test_penetration_of_two_spheres():
    depths, volumes = contact.penetration(two_spheres(-0.012))
    assert depths == pytest.approx(0.012, abs=5e-4)
    cap = np.pi * 0.006**2 * (0.03 - 0.006 / 3)
    assert volumes == pytest.approx(2 * cap, rel=0.15)


def test_gap_at_a_true_contact():
    wanted = contact.touches(two_spheres(0.001))
    assert wanted
    assert all(first < 20 <= second for _, first, second in wanted)
    assert not contact.touches(two_spheres(0.006))
    apart = contact.gaps(two_spheres(0.011), wanted)
    assert apart.min() == pytest.approx(0.011, abs=1e-3)


def test_hands_that_go_through_each_other_touch_nowhere():
    assert contact.touches(two_spheres(-0.003))
    assert not contact.touches(two_spheres(-0.012))


def test_missing_hand_has_neither_penetration_nor_contact():
    bodies = two_spheres(-0.01)
    bodies.keypoints[:, 1] = np.nan
    assert len(contact.penetration(bodies)[0]) == 0
    assert not contact.touches(bodies)


def test_a_point_belongs_to_the_nearest_bone():
    hand = loading.load_pair("open")["right"]
    keypoints = hand.with_shape(np.zeros(10)).pose(np.broadcast_to(np.eye(3), (1, 16, 3, 3))).keypoints[0]
    middles = (keypoints[[7, 12]] + keypoints[[8, 11]]) / 2
    assert contact.nearest_bone(middles, keypoints).tolist() == [7, 11]


def test_thumb_and_fingertip_of_one_hand_may_touch_and_neighbours_do_not_count():
    allowed = contact._MAY_TOUCH
    assert allowed[3, 7]
    assert allowed[20 + 3, 20 + 19]
    assert not allowed[7, 11]
    assert allowed[0, 39]
    assert not allowed[39, 0]  # the lower number comes first


def test_vertex_error_forgives_where_the_wrist_is():
    rng = np.random.default_rng(0)
    true, wrist = rng.normal(size=(4, 50, 3)), rng.normal(size=(4, 3))
    moved = true + [0.0, 0.3, 0.0]
    valid = np.ones(4, bool)
    assert meshes.mpvpe(moved, wrist + [0.0, 0.3, 0.0], true, wrist, valid) == pytest.approx(0.0, abs=1e-9)
    assert meshes.mpvpe(moved, wrist, true, wrist, valid) == pytest.approx(300.0)


def test_intersection_over_union_counts_only_what_counts():
    first, second = np.zeros((2, 10, 10), bool)
    first[:, :6], second[:, 2:8] = True, True
    everywhere = np.ones((10, 10), bool)
    assert silhouette.intersection_over_union(first, second, everywhere) == pytest.approx(40 / 80)
    everywhere[:, 6:] = False
    assert silhouette.intersection_over_union(first, second, everywhere) == pytest.approx(40 / 60)
    assert silhouette.intersection_over_union(first & False, second & False, everywhere) == 0.0


def test_stated_intervals_hold_their_share_of_normal_errors():
    rng = np.random.default_rng(0)
    sigma = rng.uniform(0.5, 3, (20_000, 1))
    errors = rng.normal(size=(20_000, 3)) * sigma
    exact = intervals.coverage(errors, sigma)
    assert exact["68"] == pytest.approx(0.68, abs=0.01)
    assert exact["95"] == pytest.approx(0.95, abs=0.01)
    assert intervals.coverage(2 * errors, sigma)["95"] == pytest.approx(0.673, abs=0.01)  # too sure by half
    assert np.isnan(intervals.coverage(errors, sigma * np.nan)["68"])


def test_a_wrist_is_judged_along_its_ray_and_across():
    rng = np.random.default_rng(0)
    ray = rng.normal(size=(20_000, 3)) + [0, 0, 3]
    ray /= np.linalg.norm(ray, axis=-1, keepdims=True)
    across, along = 0.005, 0.04
    errors = across * rng.normal(size=ray.shape)
    errors += (along * rng.normal(size=len(ray)) - (errors * ray).sum(-1))[:, None] * ray
    mean = np.full(len(ray), np.sqrt((2 * across**2 + along**2) / 3))
    turned, sigma = intervals.about_ray(errors, 0.5 * ray, mean, np.full(len(ray), along))
    np.testing.assert_allclose(sigma, np.tile([along, across, across], (len(ray), 1)), rtol=1e-9)
    np.testing.assert_allclose((turned**2).sum(-1), (errors**2).sum(-1), rtol=1e-9)
    assert intervals.coverage(turned, sigma)["95"] == pytest.approx(0.95, abs=0.01)
    assert intervals.coverage(errors, mean[:, None])["68"] > 0.75  # one deviation for all three axes does not fit


def _path(count: int = 40) -> np.ndarray:
    t = np.linspace(0, 1, count)
    poses = np.tile(np.eye(4), (count, 1, 1))
    poses[:, :3, 3] = np.stack([t, 0.2 * np.sin(5 * t), 0.1 * t**2], axis=1)
    poses[:, :3, :3] = _about_y(0.5 * t)
    return poses


def _about_y(angle: np.ndarray) -> np.ndarray:
    c, s, zero, one = np.cos(angle), np.sin(angle), 0 * angle, 0 * angle + 1
    return np.stack([c, zero, s, zero, one, zero, -s, zero, c], axis=-1).reshape(-1, 3, 3)


def test_scale_of_a_path_is_told_with_its_sign():
    true = _path()[:, :3, 3]
    assert camera.scale_error_percent(1.2 * true + 3, true) == pytest.approx(20.0)
    assert camera.scale_error_percent(0.9 * true, true) == pytest.approx(-10.0)


def test_rotation_error_forgives_one_turn_of_the_world_and_nothing_else():
    true = _path()[:, :3, :3]
    world = _about_y(np.array([0.7]))[0]
    assert camera.rotation_rmse_deg(world @ true, true) == pytest.approx(0.0, abs=1e-6)
    wobble = _about_y(np.deg2rad(2.0) * np.where(np.arange(len(true)) % 2, 1.0, -1.0))
    assert camera.rotation_rmse_deg(true @ wobble, true) == pytest.approx(2.0, rel=0.01)


def test_kind_of_motion():
    moving = _path()
    turning, still = moving.copy(), np.tile(np.eye(4), (9, 1, 1))
    turning[:, :3, 3] = [1.0, 2.0, 3.0]
    assert [camera.kind(poses) for poses in (moving, turning, still)] == ["general", "rotation", "static"]
