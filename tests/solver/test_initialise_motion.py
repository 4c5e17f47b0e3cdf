"""The way of poses between the camera and the world."""

from __future__ import annotations

import numpy as np

from solver.hand_model import rotations
from solver.initialise import collect, fit_tracks, transform_pose

from .hand_tracks import INTRINSICS, models, moving_poses, skeleton, track_of


def _rigid(rng: np.random.Generator, count: int) -> np.ndarray:
    matrices = np.tile(np.eye(4), (count, 1, 1))
    matrices[:, :3, :3] = rotations.matrix_from_quaternion(rng.standard_normal((count, 4)))
    matrices[:, :3, 3] = rng.normal(0, 2, (count, 3))
    return matrices


def test_the_mesh_moves_rigidly() -> None:
    rng = np.random.default_rng(1)
    shaped = models()["left"].with_shape(rng.normal(0, 1, 10))
    pose, transl = rotations.exp(rng.normal(0, 0.5, (3, 16, 3))), rng.normal(0, 1, (3, 3))
    world_from_camera = _rigid(rng, 3)
    moved, moved_transl = transform_pose(pose, transl, shaped.joints_rest[0], world_from_camera)
    there = shaped.pose(pose, transl).vertices() @ np.swapaxes(world_from_camera[:, :3, :3], 1, 2)
    np.testing.assert_allclose(
        shaped.pose(moved, moved_transl).vertices(), there + world_from_camera[:, None, :3, 3], atol=1e-12
    )


def test_there_and_back_again() -> None:
    rng = np.random.default_rng(2)
    hand = skeleton("right")
    track = track_of(hand, np.zeros(10), moving_poses(hand, 5, rng), rng)
    motion = collect(fit_tracks([track], models(), INTRINSICS))[0]
    world_from_camera = _rigid(rng, 5)
    world = motion.in_world(world_from_camera)
    back = world.in_world(np.linalg.inv(world_from_camera))
    np.testing.assert_allclose(back.rotations, motion.rotations, atol=1e-12)
    np.testing.assert_allclose(back.transl, motion.transl, atol=1e-12)
    np.testing.assert_array_equal(world.rotations[:, 1:], motion.rotations[:, 1:])
    wrist = np.einsum("nij,nj->ni", world_from_camera[:, :3, :3], motion.wrist) + world_from_camera[:, :3, 3]
    np.testing.assert_allclose(world.wrist, wrist, atol=1e-12)
