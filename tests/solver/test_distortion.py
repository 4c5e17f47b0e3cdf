"""The lens's distortion, both ways, and that everybody who compares pixels knows of it."""

import dataclasses

import numpy as np
import pytest

from solver import hand_model
from solver.camera.distortion import bend, distort, for_focal, straighten, undistort, undistort_with_covariance
from solver.optimise import resume
from solver.overlay.draw import Surface, paint
from solver.reprojection import landmark_errors_px
from solver.take import load, save

from .edited_takes import solved_take

INTRINSICS = np.array([520.0, 500.0, 330.0, 170.0])
MODELS = {
    "POLYNOMIAL": (-0.2, 0.05, 0.01),
    "BROWN": (-0.2, 0.05, 0.01, 0.003, 0.01, -0.02),
    "DIVISION": (-0.2, 0.05),
    "NUKE": (-0.3, 0.1, 0.02, 0.03),
}
RNG = np.random.default_rng(0)
POINTS = RNG.uniform(-0.6, 0.6, size=(500, 2))


@pytest.mark.parametrize(("model", "coefficients"), MODELS.items())
def test_each_undoes_the_other(model, coefficients):
    bent = bend(POINTS, coefficients, model)
    assert np.abs(bent - POINTS).max() > 0.02
    np.testing.assert_allclose(straighten(bent, coefficients, model), POINTS, atol=1e-9)


@pytest.mark.parametrize(("model", "coefficients"), MODELS.items())
def test_another_focal_length_bends_the_same_pixels_alike(model, coefficients):
    longer = INTRINSICS * [1.3, 1.3, 1, 1]
    pixels = POINTS * INTRINSICS[:2] + INTRINSICS[2:]
    expected = distort(pixels, INTRINSICS, coefficients, model)
    np.testing.assert_allclose(distort(pixels, longer, for_focal(coefficients, model, 1.3), model), expected, atol=1e-6)


def test_missing_coefficients_are_zero_and_none_changes_nothing():
    np.testing.assert_array_equal(bend(POINTS, (-0.1,)), bend(POINTS, (-0.1, 0.0, 0.0)))
    np.testing.assert_array_equal(undistort(POINTS, INTRINSICS, (), "NUKE"), POINTS)


def test_points_beyond_the_lens_and_missing_ones_stay_harmless():
    """A polynomial turns back at some radius; what lies outside has no answer, and must not become a wild one."""
    found = straighten(np.array([[3.0, 3.0], [np.nan, np.nan], [0.0, 0.0]]), (-0.3,))
    assert 0.5 < np.linalg.norm(found[0]) < 4.5 and np.isnan(found[1]).all() and not found[2].any()


def test_covariance_follows_to_first_order():
    pixels = POINTS[:20] * INTRINSICS[:2] + INTRINSICS[2:]
    covariance = np.tile([[0.5, 0.2], [0.2, 0.3]], (20, 1, 1))
    coefficients = MODELS["BROWN"]
    _, found = undistort_with_covariance(pixels, covariance, INTRINSICS, coefficients, "BROWN")
    noise = RNG.multivariate_normal([0, 0], covariance[0], size=20000)
    for row in (0, 7):
        cloud = undistort(pixels[row] + noise, INTRINSICS, coefficients, "BROWN")
        np.testing.assert_allclose(found[row], np.cov(cloud.T), atol=0.02)


@pytest.fixture(scope="module")
def models():
    return {side: hand_model.load(side) for side in ("left", "right")}


@pytest.fixture(scope="module")
def ideal(models):
    return solved_take(models)


@pytest.fixture(scope="module")
def filmed(ideal):
    """The same take through a lens that distorts: the landmarks lie elsewhere in the clip, the hands don't."""
    bent = distort(ideal.keypoints_px, ideal.intrinsics, (-0.25, 0.1))
    assert np.nanmax(np.abs(bent - ideal.keypoints_px)) > 5
    return dataclasses.replace(ideal, keypoints_px=bent, distortion=np.array([-0.25, 0.1]))


def test_reprojection_is_measured_in_the_clip(models, ideal, filmed):
    """The lens shrinks the picture by up to a fifth, and errors in it likewise; nothing else changes."""
    expected, found = landmark_errors_px(ideal, models), landmark_errors_px(filmed, models)
    low, high = np.nanpercentile(found / expected, [1, 99])
    assert low > 0.78 and high < 1.01


def test_a_resumed_take_sees_what_the_solve_saw(models, ideal, filmed):
    expected, found = (resume(take, models).clip.seen.landmarks_px for take in (ideal, filmed))
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_a_take_keeps_its_lens_and_older_takes_have_none(tmp_path, filmed):
    saved = dataclasses.replace(filmed, distortion_model="DIVISION")
    save(saved, tmp_path / "t.npz")
    found = load(tmp_path / "t.npz")
    assert found.camera().distortion.tolist() == [-0.25, 0.1] and found.camera().distortion_model == "DIVISION"
    with np.load(tmp_path / "t.npz") as data:
        older = {name: data[name] for name in data.files if name not in ("distortion", "point_errors_px")}
    older["header"] = np.array(str(older["header"]).replace(', "distortion_model": "DIVISION"', ""))
    np.savez(tmp_path / "older.npz", **older)
    assert not load(tmp_path / "older.npz").distortion.any()


def test_the_overlay_bends_with_the_clip():
    corners = np.array([[0.25, -0.02, 1.0], [0.29, 0.02, 1.0], [0.29, -0.02, 1.0], [0.25, 0.02, 1.0]])
    surface = Surface(corners, np.array([[0, 2, 1], [0, 1, 3]]), (255, 255, 255), 1.0)
    both = Surface(corners, np.array([[0, 1, 2], [0, 3, 1]]), (255, 255, 255), 1.0)
    plate = np.zeros((360, 640, 3), np.uint8)

    def lens(pixels):
        return distort(pixels, INTRINSICS, (-0.4,))

    drawn = paint(plate, [surface, both], INTRINSICS, lens).any(axis=2)
    centre = np.argwhere(drawn).mean(axis=0)[::-1] + 0.5
    expected = lens(np.array([0.27, 0.0]) * INTRINSICS[:2] + INTRINSICS[2:])
    np.testing.assert_allclose(centre, expected, atol=1.0)
