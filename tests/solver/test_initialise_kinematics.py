"""Forward kinematics of hinges: agreement with the hand model, anatomy, derivatives."""

from __future__ import annotations

import numpy as np
import pytest

from solver.initialise.anatomy import palm_axes
from solver.initialise.kinematics import (
    Pose,
    joint_rotations,
    landmark_jacobian,
    pose_landmarks,
    shape_jacobian,
)

from .hand_tracks import models, random_poses, skeleton

SIDES = pytest.mark.parametrize("side", ["left", "right"])


@SIDES
def test_landmarks_without_offsets_are_the_models_keypoints(side: str) -> None:
    rng = np.random.default_rng(1)
    hand, betas = skeleton(side), rng.normal(0, 1, 10)
    pose = random_poses(hand, 5, rng)
    shaped = models()[side].with_shape(betas)
    posed = shaped.pose(joint_rotations(hand, pose), pose.wrist - shaped.joints_rest[0])
    np.testing.assert_allclose(pose_landmarks(hand, betas, pose).landmarks, posed.keypoints, atol=1e-12)


@SIDES
def test_jacobians_equal_finite_differences(side: str) -> None:
    rng = np.random.default_rng(2)
    hand, betas = skeleton(side, rng.normal(0, 0.006, (21, 3))), rng.normal(0, 1, 10)
    pose = random_poses(hand, 3, rng)
    posed = pose_landmarks(hand, betas, pose)
    by_pose, by_shape, step = landmark_jacobian(hand, posed), shape_jacobian(hand, posed), 1e-6
    for column in range(by_pose.shape[-1]):
        shift = np.zeros((3, by_pose.shape[-1]))
        shift[:, column] = step
        ahead, behind = (pose_landmarks(hand, betas, pose.moved(s * shift)).landmarks for s in (1, -1))
        np.testing.assert_allclose(by_pose[..., column], (ahead - behind) / (2 * step), atol=1e-9)
    for column in range(10):
        shift = step * np.eye(10)[column]
        ahead, behind = (pose_landmarks(hand, betas + s * shift, pose).landmarks for s in (1, -1))
        np.testing.assert_allclose(by_shape[..., column], (ahead - behind) / (2 * step), atol=1e-9)


def test_a_left_hand_is_the_right_ones_mirror_image() -> None:
    rng = np.random.default_rng(3)
    offsets, betas = rng.normal(0, 0.006, (21, 3)), rng.normal(0, 1, 10)
    right, left = skeleton("right", offsets), skeleton("left", offsets)
    pose, mirror = random_poses(right, 4, rng), np.diag([-1.0, 1.0, 1.0])
    mirrored = Pose(mirror @ pose.global_orient @ mirror, pose.angles, pose.wrist @ mirror)
    there = pose_landmarks(right, betas, pose).landmarks @ mirror
    np.testing.assert_allclose(pose_landmarks(left, betas, mirrored).landmarks, there, atol=2e-5)


@SIDES
def test_flexion_closes_the_hand_and_abduction_goes_to_the_thumb(side: str) -> None:
    hand = skeleton(side)
    rest = hand.landmarks[..., 0]
    fingers, palmward, thumbward = palm_axes(rest[0], rest[5], rest[9], rest[17], side)
    for joint, tip in ((1, 8), (4, 12), (7, 20), (10, 16)):
        here = np.flatnonzero(hand.hinges.joint == joint)
        for hinge, direction in ((here[0], thumbward), (here[1], palmward)):
            moved = _tips_after(hand, hinge)[tip] - rest[tip]
            assert moved @ direction > 0.9 * np.linalg.norm(moved)
    bent = _tips_after(hand, int(hand.hinges.flexion[-1]))[4] - rest[4]
    assert bent @ thumbward < 0 and abs(bent @ fingers) < np.linalg.norm(bent)


def _tips_after(hand, hinge: int) -> np.ndarray:
    angles = np.zeros((1, len(hand.hinges)))
    angles[0, hinge] = 0.2
    here = hand.joints[0, :, 0]
    return pose_landmarks(hand, np.zeros(10), Pose(np.eye(3)[None], angles, here[None])).landmarks[0]


def test_offsets_grow_with_the_palm() -> None:
    offsets = np.zeros((21, 3))
    offsets[5] = [0.0, 0.01, 0.0]
    plain, offset = skeleton("right"), skeleton("right", offsets)
    betas = np.array([2.0, *np.zeros(9)])
    growth = plain.growth @ np.append(1.0, betas)
    shift = offset.at(betas)[1][5] - plain.at(betas)[1][5]
    np.testing.assert_allclose(shift, offsets[5] * growth, atol=1e-12)
    assert abs(growth - 1) > 0.02
