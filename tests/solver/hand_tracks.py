"""Hands with known poses and what a tracker would say about them, for the tests of the initial fit."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from solver.camera.cameras import project
from solver.hand_model import HandModel, load_pair, rotations
from solver.initialise.evidence import viewing_rays
from solver.initialise.kinematics import Pose, Skeleton, pose_landmarks, skeleton_of
from solver.initialise.starts import camera_from_crop
from solver.observations import HandTrack

INTRINSICS = np.array([1000.0, 1000.0, 640.0, 360.0])


@cache
def models() -> dict[str, HandModel]:
    return load_pair("open")


def skeleton(side: str, offsets: np.ndarray | None = None) -> Skeleton:
    return skeleton_of(models()[side], np.zeros((21, 3)) if offsets is None else offsets)


def random_poses(hand: Skeleton, count: int, rng: np.random.Generator, spread: float = 0.7) -> Pose:
    """Unrelated poses within the limits, 0.35 to 0.8 m from the camera."""
    hinges = hand.hinges
    angles = hinges.mean + spread * hinges.sigma * rng.standard_normal((count, len(hinges)))
    wrist = np.stack([rng.uniform(-0.1, 0.1, count), rng.uniform(-0.06, 0.06, count), rng.uniform(0.35, 0.8, count)], 1)
    orient = rotations.matrix_from_quaternion(rng.standard_normal((count, 4)))
    return Pose(orient, np.clip(angles, hinges.low, hinges.high), wrist)


def moving_poses(hand: Skeleton, count: int, rng: np.random.Generator) -> Pose:
    """One hand moving smoothly."""
    hinges = hand.hinges

    def wave(size: int, amplitude: float) -> np.ndarray:
        phase, time = rng.uniform(0, 2 * np.pi, (4, size)), np.arange(count)[:, None] / 150
        return amplitude * sum(np.sin(2 * np.pi * (k + 1) * time + phase[k]) / (k + 1) for k in range(4))

    angles = np.clip(hinges.mean + hinges.sigma * wave(len(hinges), 0.6), hinges.low, hinges.high)
    orient = rotations.exp(wave(3, 0.9)) @ rotations.matrix_from_quaternion(rng.standard_normal(4))
    return Pose(orient, angles, np.array([0, 0, 0.5]) + wave(3, 0.05))


@dataclass(frozen=True)
class Noise:
    """Standard deviations of landmarks in px and of the net's own 3D in metres."""

    image_px: float = 0.0
    hint_m: float = 0.0


def track_of(
    hand: Skeleton,
    betas: np.ndarray,
    pose: Pose,
    rng: np.random.Generator,
    noise: Noise = Noise(),
    intrinsics: np.ndarray = INTRINSICS,
) -> HandTrack:
    """What a tracker with such noise says about the poses, with an honest covariance (at least half a pixel)."""
    points = pose_landmarks(hand, betas, pose).landmarks
    landmarks = project(points, intrinsics)
    count = len(pose)
    net = points @ camera_from_crop(viewing_rays(landmarks, intrinsics))  # the net sees every hand head-on
    net = net - net.mean(1, keepdims=True)
    return HandTrack(
        side=hand.side,
        side_log_odds=50.0 if hand.side == "right" else -50.0,
        frames=np.arange(1, count + 1),
        landmarks_px=landmarks + noise.image_px * rng.standard_normal(landmarks.shape),
        covariance_px=np.tile(max(noise.image_px, 0.5) ** 2 * np.eye(2), (count, 21, 1, 1)),
        landmarks_m=net + noise.hint_m * rng.standard_normal(net.shape),
        presence=np.ones(count),
    )


def joint_errors(hand: Skeleton, betas: np.ndarray, one: Pose, true_betas: np.ndarray, other: Pose) -> np.ndarray:
    """(n,) mean distance of landmarks with both wrists at the origin, metres."""
    first = pose_landmarks(hand, betas, one).landmarks - one.wrist[:, None]
    second = pose_landmarks(hand, true_betas, other).landmarks - other.wrist[:, None]
    return np.linalg.norm(first - second, axis=-1).mean(1)
