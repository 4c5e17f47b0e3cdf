"""Landmark offsets: the shipped numbers, their file, and the fit that makes them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from solver.camera.cameras import project
from solver.hand_model.layout import KEYPOINT_JOINTS
from solver.initialise import default_calibration
from solver.initialise.calibration import read_calibration, write_calibration
from tools.calibration.misread import fit_weights, foretold, signs
from tools.calibration.observe import Observation
from tools.calibration.offsets import MIRROR, fit_offsets, image_errors, robust_sigma
from tools.calibration.things import BALL, BOX, CYLINDER, Thing
from tools.calibration.views import forearm_faces, load_views, sample_views, save_views

from .hand_tracks import models


def test_the_shipped_calibration_is_plausible() -> None:
    shipped = default_calibration()
    lengths_mm = 1000 * np.linalg.norm(shipped.offsets_m, axis=1)
    assert lengths_mm.max() < 25 and lengths_mm[[0, 1]].min() > 3
    sigma = np.sqrt(np.linalg.eigvalsh(shipped.residual_covariance))
    assert sigma.min() > 0.005 and sigma.max() < 0.08
    assert "renders" in shipped.provenance


def test_a_calibration_survives_its_file(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    offsets, sigma = rng.normal(0, 0.01, (21, 3)), rng.uniform(0.01, 0.04, 21)
    write_calibration(tmp_path / "numbers.json", offsets, sigma, "a test")
    back = read_calibration(tmp_path / "numbers.json")
    np.testing.assert_allclose(back.offsets_m, offsets, atol=1e-5)
    np.testing.assert_allclose(np.sqrt(back.residual_covariance[:, 0, 0]), sigma, atol=1e-4)
    assert back.provenance == "a test"


def test_known_offsets_are_found_again_among_outliers() -> None:
    rng = np.random.default_rng(2)
    offsets = rng.normal(0, 0.007, (21, 3))
    seen, growth = [], np.full(120, 1.05)
    for view in sample_views(models(), 120, 6, seed=3):
        to_camera = view.frames[list(KEYPOINT_JOINTS)] * (MIRROR[view.side] * 1.05)
        landmarks = project(view.keypoints + np.einsum("kij,kj->ki", to_camera, offsets), view.intrinsics)
        landmarks += rng.normal(0, 1.0, landmarks.shape) + 60 * (rng.random((21, 1)) < 0.05)
        seen.append(Observation(view, landmarks, view.keypoints, presence=0.95))
    found = fit_offsets(seen, growth)
    assert np.abs(found - offsets).max() < 0.0015
    sigma_px = robust_sigma(image_errors(seen, growth, found)) * np.median([o.size_px for o in seen])
    assert 0.8 < np.median(sigma_px) < 1.3


def test_views_are_reproducible_whole_and_survive_their_file(tmp_path: Path) -> None:
    views = sample_views(models(), 8, 3, seed=4)
    again = sample_views(models(), 8, 3, seed=4)
    save_views(tmp_path, views, models())
    for view, twin, back in zip(views, again, load_views(tmp_path), strict=True):
        np.testing.assert_array_equal(view.vertices, twin.vertices)
        np.testing.assert_array_equal(view.keypoints, back.keypoints)
        assert (view.side, view.identity, view.seed) == (back.side, back.identity, back.seed)
        inside = project(view.keypoints, view.intrinsics)
        assert inside.min() > 0 and inside.max() < 2 * view.intrinsics[2]
        assert forearm_faces(778, view.side).max() < len(view.vertices)


def test_things_are_held_touched_by_no_finger_too_deep_and_survive_their_file(tmp_path: Path) -> None:
    views = sample_views(models(), 12, 3, seed=5, with_things=True)
    save_views(tmp_path, views, models())
    holding = 0
    for view, back in zip(views, load_views(tmp_path), strict=True):
        np.testing.assert_array_equal(view.things, back.things)
        held = view.things[0]
        if np.isfinite(held).all():
            thing = Thing(int(held[0]), held[1:4], held[4:13].reshape(3, 3), held[13:])
            np.testing.assert_allclose(thing.axes.T @ thing.axes, np.eye(3), atol=1e-9)
            deepest = thing.clearance(view.keypoints).min()
            holding += -0.04 < deepest < 0.05
    assert holding >= 6


def test_clearance_is_the_distance_from_the_surface() -> None:
    half, point = np.array([0.03, 0.03, 0.1]), np.array([[0.05, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.12]])
    for kind, expected in ((BOX, [0.02, -0.03, 0.02]), (CYLINDER, [0.02, -0.03, 0.02]), (BALL, [0.02, -0.03, 0.09])):
        np.testing.assert_allclose(Thing(kind, half, np.eye(3), np.zeros(3)).clearance(point), expected, atol=1e-12)


def test_weights_are_found_again_from_what_they_foretell() -> None:
    rng, weights = np.random.default_rng(6), np.array([-0.33, 0.09, 0.42, -0.52])
    rows = signs(rng.normal(1, 3, 400), rng.uniform(0.5, 1, 400), rng.uniform(0.01, 0.2, 400))
    errors = np.exp(rows @ weights + 0.3 * rng.standard_normal(400))
    errors = np.maximum(errors, 0.03)
    guess = foretold(rows, errors, rng.integers(0, 20, 400))
    assert np.corrcoef(guess, np.log(errors))[0, 1] > 0.6
    assert np.abs(fit_weights(rows, errors) - weights)[:3].max() < 0.1
