"""The metrics on cases whose value is known."""

from __future__ import annotations

import numpy as np
import pytest

from solver.bench import metrics as m

FPS = 30.0


@pytest.fixture
def motion() -> np.ndarray:
    """(230, 21, 3) a hand that travels."""
    rng = np.random.default_rng(0)
    t = np.linspace(0, 6, 230)[:, None, None]
    return rng.normal(size=(1, 21, 3)) * 0.05 + 0.3 * np.concatenate([np.sin(t), np.cos(1.3 * t), 0.5 * t], axis=2)


@pytest.fixture
def rotation() -> np.ndarray:
    return np.array([[np.cos(0.7), -np.sin(0.7), 0], [np.sin(0.7), np.cos(0.7), 0], [0, 0, 1.0]])


def test_similarity_is_forgiven_by_the_published_conventions(motion, rotation):
    predicted = 1.7 * motion @ rotation.T + [1, 2, 3]
    for value in (m.pa_mpjpe, m.g_mpjpe, m.ga_mpjpe):
        assert value(predicted, motion) < 1e-6
    assert m.ga_mpjpe(predicted, motion, segment=None) < 1e-6
    assert m.ate(predicted[:, 0], motion[:, 0]) < 1e-6


def test_wrong_scale_is_seen_by_the_rigid_variants(motion):
    predicted = 1.1 * motion
    assert m.g_mpjpe(predicted, motion, scale=False) > 5
    assert m.ga_mpjpe(predicted, motion, scale=False) > 5
    assert m.ate(predicted[:, 0], motion[:, 0], scale=False) > 5
    assert m.pa_mpjpe(predicted, motion, scale=False) > 1


def test_rigid_motion_is_forgiven_by_the_rigid_variants(motion, rotation):
    predicted = motion @ rotation.T + [1, 2, 3]
    assert m.ga_mpjpe(predicted, motion, scale=False) < 1e-6
    assert m.rte_percent(predicted[:, 0], motion[:, 0]) < 1e-9
    assert m.ate(predicted[:, 0], motion[:, 0], scale=False) < 1e-6
    assert m.acceleration_error(predicted, motion, FPS) > 1e-3  # a vector difference: the caller aligns first


def test_mirror_image_is_not_forgiven(motion):
    assert m.pa_mpjpe(motion * [-1, 1, 1], motion) > 1


def test_noise_gives_its_expected_norm(motion):
    noisy = motion + np.random.default_rng(1).normal(size=motion.shape) * 0.01
    expected = 10 * np.sqrt(8 / np.pi)  # mean norm of a 3D Gaussian of 10 mm
    assert m.mean_mm(m.absolute_errors(noisy, motion)) == pytest.approx(expected, abs=0.3)
    assert m.ga_mpjpe(noisy, motion) < expected < m.g_mpjpe(noisy, motion)


def test_drift_costs_more_when_aligned_at_the_start(motion):
    drifting = motion + np.linspace(0, 0.3, len(motion))[:, None, None] * np.array([1.0, 0, 0])
    assert m.g_mpjpe(drifting, motion, segment=None) > m.ga_mpjpe(drifting, motion, segment=None) > 1


def test_segments_forgive_a_jump_at_their_border(motion):
    jumped = motion.copy()
    jumped[100:] += 0.5
    assert m.ga_mpjpe(jumped, motion, segment=100) < 1e-6
    assert m.ga_mpjpe(jumped, motion, segment=128) > 5


def test_root_relative_ignores_where_the_wrist_is(motion):
    assert m.mpjpe(motion + np.linspace(0, 1, len(motion))[:, None, None], motion) < 1e-9
    moved_tip = motion.copy()
    moved_tip[:, 4, 0] += 0.021
    assert m.mpjpe(moved_tip, motion) == pytest.approx(1.0)


def test_known_accelerations():
    t = np.arange(50) / FPS
    points = np.zeros((50, 1, 3))
    points[:, 0, 0] = 0.5 * 2.0 * t**2
    assert m.acceleration_error(points, np.zeros_like(points), FPS) == pytest.approx(2.0)
    assert m.jitter(points, FPS) == pytest.approx(0.0, abs=1e-6)
    points[:, 0, 0] = t**3
    assert m.jitter(points, FPS) == pytest.approx(6.0)


def test_rte_is_relative_to_the_path():
    true = np.zeros((101, 3))
    true[:, 0] = np.linspace(0, 2, 101)
    predicted = true.copy()
    predicted[:, 1] = np.where(np.arange(101) % 2, 0.02, -0.02)
    assert m.rte_percent(predicted, true) == pytest.approx(1.0, rel=0.01)


def test_mrrpe_sees_only_the_vector_between_the_wrists():
    rng = np.random.default_rng(0)
    left, right, common = (rng.normal(size=(40, 3)) for _ in range(3))
    assert m.mrrpe(left + common, right + common, left, right) < 1e-9
    assert m.mrrpe(left + [0.01, 0, 0], right, left, right) == pytest.approx(10.0)


def test_invalid_frames_do_not_count_and_may_be_nan(motion):
    predicted = motion + np.random.default_rng(1).normal(size=motion.shape) * 0.01
    valid = np.ones(len(motion), bool)
    valid[50:80] = False
    missing = predicted.copy()
    missing[50:80] = np.nan
    for value in (m.mpjpe, m.pa_mpjpe, m.g_mpjpe, m.ga_mpjpe):
        whole = value(predicted, motion, valid)
        assert np.isfinite(whole)
        assert value(missing, motion, valid) == pytest.approx(whole)
    assert m.rte_percent(missing[:, 0], motion[:, 0], valid) < 5
    assert np.isfinite(m.acceleration_error(missing, motion, FPS, valid))
    assert np.isfinite(m.jitter(missing, FPS, valid))


def test_coverage_aware_figures_count_a_missing_hand():
    errors = np.full((10, 21), 0.01)
    errors[5:] = np.nan
    wanted = np.ones((10, 21), bool)
    assert m.mean_mm(errors) == pytest.approx(10.0)
    assert m.with_penalty_mm(errors, wanted, 100.0) == pytest.approx(55.0)
    assert m.share_within(errors, wanted, 20.0) == pytest.approx(0.5)
    assert m.share_within(errors, wanted, 5.0) == 0.0


def test_pck_auc_of_perfect_and_of_uniform_errors():
    assert m.pck_auc(np.zeros((4, 21))) == pytest.approx(1.0)
    uniform = np.linspace(0, 0.05, 100_001)[None]
    assert m.pck_auc(uniform) == pytest.approx(0.5, abs=0.01)


def test_nothing_valid_is_nan_not_zero(motion):
    nothing = np.zeros(len(motion), bool)
    for value in (m.mpjpe, m.pa_mpjpe, m.g_mpjpe, m.ga_mpjpe):
        assert np.isnan(value(motion, motion, nothing))
    assert np.isnan(m.acceleration_error(motion, motion, FPS, nothing))
    assert np.isnan(m.rte_percent(motion[:, 0], motion[:, 0], nothing))
