"""SO(3) helpers against SciPy, against definitions, and at the places where formulas break down."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from solver.hand_model import rotations as so3

ANGLES = (0.0, 1e-12, 1e-8, 1e-5, 9.9e-5, 1.01e-4, 1e-3, 0.05, 0.099, 0.101, 0.5, 1.5, 3.0, np.pi - 1e-6, np.pi - 1e-12)


@pytest.fixture
def vectors() -> np.ndarray:
    rng = np.random.default_rng(0)
    directions = rng.normal(0, 1, (len(ANGLES), 20, 3))
    directions /= np.linalg.norm(directions, axis=-1, keepdims=True)
    return directions * np.array(ANGLES)[:, None, None]


def test_exp_and_quaternions_equal_scipy(vectors: np.ndarray) -> None:
    flat = vectors.reshape(-1, 3)
    reference = Rotation.from_rotvec(flat)
    np.testing.assert_allclose(so3.exp(flat), reference.as_matrix(), atol=1e-15)
    quaternions = so3.quaternion_from_matrix(reference.as_matrix())
    expected = reference.as_quat(canonical=True)[:, [3, 0, 1, 2]]
    np.testing.assert_allclose(np.abs((quaternions * expected).sum(axis=1)), 1, atol=1e-14)
    assert (quaternions[:, 0] >= 0).all()
    np.testing.assert_allclose(so3.matrix_from_quaternion(3 * quaternions), reference.as_matrix(), atol=1e-14)


def test_log_undoes_exp(vectors: np.ndarray) -> None:
    again = so3.log(so3.exp(vectors))
    np.testing.assert_allclose(so3.exp(again), so3.exp(vectors), atol=1e-14)
    unique = np.array(ANGLES) < 3.1
    np.testing.assert_allclose(again[unique], vectors[unique], atol=1e-13)


def test_small_angles_keep_relative_precision() -> None:
    vector = np.array([3e-9, -4e-9, 1e-9])
    np.testing.assert_allclose(so3.log(so3.exp(vector)), vector, rtol=1e-12)


def test_half_turns_have_a_logarithm() -> None:
    for axis in np.eye(3):
        turned = so3.exp(np.pi * axis)
        np.testing.assert_allclose(np.abs(so3.log(turned)), np.pi * axis, atol=1e-7)


@pytest.mark.parametrize("size", [1e-9, 0.02, 0.0999, 0.1001, 1.0, 2.5])
def test_right_jacobian_is_the_derivative_of_exp(size: float) -> None:
    rng = np.random.default_rng(1)
    vector = rng.normal(0, 1, 3)
    vector *= size / np.linalg.norm(vector)
    step = 1e-5
    columns = [
        (
            so3.log(so3.exp(-vector) @ so3.exp(vector + step * axis))
            - so3.log(so3.exp(-vector) @ so3.exp(vector - step * axis))
        )
        / (2 * step)
        for axis in np.eye(3)
    ]
    np.testing.assert_allclose(so3.right_jacobian(vector), np.stack(columns, axis=-1), atol=1e-9)


def test_right_jacobian_inverse_is_its_inverse(vectors: np.ndarray) -> None:
    product = so3.right_jacobian(vectors) @ so3.right_jacobian_inverse(vectors)
    np.testing.assert_allclose(product, np.broadcast_to(np.eye(3), product.shape), atol=1e-12)


def test_projection_finds_the_nearest_rotation_and_never_a_mirror() -> None:
    rng = np.random.default_rng(2)
    rotations = so3.exp(rng.normal(0, 1, (50, 3)))
    np.testing.assert_allclose(so3.project_to_rotation(2 * rotations), rotations, atol=1e-14)
    projected = so3.project_to_rotation(rng.normal(0, 1, (50, 3, 3)))
    np.testing.assert_allclose(np.linalg.det(projected), 1, atol=1e-12)


def test_angle_between() -> None:
    base = so3.exp(np.array([0.3, -1.0, 0.2]))
    turned = base @ so3.exp(np.array([0.0, 0.6, -0.8]) * 0.7)
    assert so3.angle_between(base, turned) == pytest.approx(0.7, abs=1e-12)
