"""Several poses for each frame, kept side by side until time has chosen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .kinematics import Pose, Skeleton, pose_landmarks, stack_poses

_IMPOSSIBLE_NATS = 1e6


@dataclass(frozen=True)
class Candidates:
    """m poses for each of t frames.

    Attributes:
        pose: of t * m hands, all modes of the first frame first.
        cost: (t, m) nats.
        landmarks: (t, m, 21, 3) relative to the wrist joint, in palm sizes.
    """

    pose: Pose
    cost: np.ndarray
    landmarks: np.ndarray

    def __len__(self) -> int:
        return len(self.cost)

    def take(self, frames: np.ndarray) -> Candidates:
        """The candidates of some frames."""
        modes = self.cost.shape[1]
        rows = (frames[:, None] * modes + np.arange(modes)).ravel()
        return Candidates(self.pose.take(rows), self.cost[frames], self.landmarks[frames])

    def chosen(self, choice: np.ndarray) -> Pose:
        """One pose per frame, by its mode (t,)."""
        return self.pose.take(np.arange(len(self)) * self.cost.shape[1] + choice)

    def chosen_landmarks(self, choice: np.ndarray) -> np.ndarray:
        """(t, 21, 3) ``landmarks`` of one mode per frame."""
        return self.landmarks[np.arange(len(self)), choice]


def make_candidates(skeleton: Skeleton, betas: np.ndarray, pose: Pose, cost: np.ndarray, modes: int) -> Candidates:
    """Candidates of fitted poses (t * modes, frame by frame) and their costs."""
    points = pose_landmarks(skeleton, betas, pose).landmarks - pose.wrist[:, None]
    cost = np.where(np.isfinite(cost), cost, _IMPOSSIBLE_NATS).reshape(-1, modes)
    return Candidates(pose, cost, points.reshape(-1, modes, 21, 3) / skeleton.palm_size)


def interleaved(poses: list[Pose]) -> Pose:
    """m poses of t frames each, reordered frame by frame."""
    count = len(poses[0])
    return stack_poses(poses).take(np.arange(count * len(poses)).reshape(len(poses), count).T.ravel())


def side_by_side(one: Candidates, other: Candidates) -> Candidates:
    """Both sets of modes for the same frames."""
    count, modes, more = len(one), one.cost.shape[1], other.cost.shape[1]
    first = np.arange(count * modes).reshape(count, modes)
    second = count * modes + np.arange(count * more).reshape(count, more)
    order = np.concatenate([first, second], axis=1).ravel()
    return Candidates(
        stack_poses([one.pose, other.pose]).take(order),
        np.concatenate([one.cost, other.cost], axis=1),
        np.concatenate([one.landmarks, other.landmarks], axis=1),
    )


def one_after_another(parts: list[Candidates]) -> Candidates:
    """The same modes for successive stretches of frames."""
    return Candidates(
        stack_poses([part.pose for part in parts]),
        np.concatenate([part.cost for part in parts]),
        np.concatenate([part.landmarks for part in parts]),
    )
