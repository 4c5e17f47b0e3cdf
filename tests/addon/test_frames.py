"""The one conversion between the solver's frames and Blender's, both ways."""

import numpy as np
import pytest
from bl_ext.user_default.handheld.addon import frames
from mathutils import Matrix, Vector

from solver.hand_model import rotations as so3

RNG = np.random.default_rng(3)


def random_rotations(*shape):
    return so3.exp(RNG.normal(size=(*shape, 3)))


def random_poses(count):
    poses = np.tile(np.eye(4), (count, 1, 1))
    poses[:, :3, :3] = random_rotations(count)
    poses[:, :3, 3] = RNG.normal(size=(count, 3))
    return poses


def test_axes_are_where_blender_has_them():
    right, down, forward = frames.points_to_blender(np.eye(3))
    assert right.tolist() == [1, 0, 0]
    assert down.tolist() == [0, 0, -1]
    assert forward.tolist() == [0, 1, 0]


def test_points_return():
    points = RNG.normal(size=(7, 3))
    np.testing.assert_allclose(frames.points_to_solver(frames.points_to_blender(points)), points)


def test_rotated_points_commute():
    rotation, point = random_rotations(), RNG.normal(size=3)
    turned_here = frames.rotations_to_blender(rotation) @ frames.points_to_blender(point)
    np.testing.assert_allclose(turned_here, frames.points_to_blender(rotation @ point), atol=1e-12)
    np.testing.assert_allclose(frames.rotations_to_solver(frames.rotations_to_blender(rotation)), rotation, atol=1e-12)


def test_identity_camera_looks_along_y_with_z_up():
    matrix = Matrix(frames.camera_to_blender(np.eye(4)))
    assert (matrix.to_3x3() @ Vector((0, 0, -1)) - Vector((0, 1, 0))).length < 1e-6
    assert (matrix.to_3x3() @ Vector((0, 1, 0)) - Vector((0, 0, 1))).length < 1e-6


def test_cameras_return_and_lose_their_scale():
    poses = random_poses(5)
    matrices = frames.camera_to_blender(poses)
    np.testing.assert_allclose(frames.camera_to_solver(matrices), poses, atol=1e-12)
    matrices[:, :3, :3] *= 0.2938
    np.testing.assert_allclose(frames.camera_to_solver(matrices), poses, atol=1e-12)


@pytest.mark.parametrize("previous", [None, np.array([-1.0, 0.0, 0.0, 0.0])])
def test_signs_never_jump(previous):
    angle = np.linspace(0, 6 * np.pi, 200)
    smooth = np.stack([np.cos(angle / 2), np.sin(angle / 2), 0 * angle, 0 * angle], axis=1)
    shuffled = smooth * RNG.choice([-1.0, 1.0], size=(200, 1))
    steady = frames.continuous_signs(shuffled, previous)
    assert np.abs(np.diff(steady, axis=0)).max() < 0.1
    assert steady[0, 0] == (1.0 if previous is None else -1.0)


def test_no_quaternions():
    assert frames.continuous_signs(np.empty((0, 16, 4))).shape == (0, 16, 4)
