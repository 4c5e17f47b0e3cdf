"""A camera that somebody else solved, before it is matched with a clip."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field

import numpy as np

from ...hand_model import rotations as so3

_SAME_FRAME = 1e-6


@dataclass(frozen=True)
class LensPart:
    """Attributes:
    intrinsics: (4,) fx, fy, cx, cy in px, pixel centres at half-integers.
    size: (width, height) in px of the images that these are of.
    distortion, model: coefficients of a model of ``camera.distortion``.
    """

    intrinsics: np.ndarray
    size: tuple[int, int]
    distortion: np.ndarray = field(default_factory=lambda: np.zeros(2))
    model: str = "POLYNOMIAL"


@dataclass(frozen=True)
class KnownCamera:
    """Attributes:
    frames: (N,) float, rising: frame numbers, between frames where a retimed camera has its poses.
    world_from_camera: (N, 4, 4) rigid, in the solver's axes (x right, y down, z forward).
    lens: None when the file says nothing about it.
    is_metric: are its units meant to be metres?
    points: (P, 3) what else was solved, in its world, ``point_errors_px`` (P,) with their reprojection errors.
    """

    frames: np.ndarray
    world_from_camera: np.ndarray
    lens: LensPart | None
    is_metric: bool = True
    points: np.ndarray = field(default_factory=lambda: np.zeros((0, 3)))
    point_errors_px: np.ndarray = field(default_factory=lambda: np.zeros(0))

    def retimed(self, offset: float = 0.0, ratio: float = 1.0) -> KnownCamera:
        """With frame 1 kept in place, ``ratio`` (the clip's frame rate over this one's) times as long; then moved.

        Args:
            offset: frames of the clip that are added to every number.
        """
        return dataclasses.replace(self, frames=1 + (self.frames - 1) * ratio + offset)

    def scaled(self, factor: float) -> KnownCamera:
        """In units ``1 / factor`` as large."""
        poses = self.world_from_camera.copy()
        poses[:, :3, 3] *= factor
        return dataclasses.replace(self, world_from_camera=poses, points=self.points * factor)

    def covers(self, frames: np.ndarray) -> np.ndarray:
        """(T,) bool: does a frame have a pose, or lie between two that have one?"""
        return (frames >= self.frames[0] - _SAME_FRAME) & (frames <= self.frames[-1] + _SAME_FRAME)

    def has(self, frames: np.ndarray) -> np.ndarray:
        """(T,) bool: does a frame have a pose of its own?"""
        after = np.searchsorted(self.frames, frames - _SAME_FRAME).clip(max=len(self.frames) - 1)
        return np.abs(self.frames[after] - frames) <= _SAME_FRAME

    def poses_at(self, frames: np.ndarray) -> np.ndarray:
        """(T, 4, 4) at ``frames`` (T,), all covered: the pose there, else a smooth path through its neighbours.

        Between poses: cubic Bezier segments with the tangents of Catmull and Rom (1974), on rotations by Shoemake's
        construction (1985). Where only one pose is known, or at either end, tangents point along the last step.
        """
        frames = np.asarray(frames, float)
        if len(self.frames) == 1:
            return np.repeat(self.world_from_camera, len(frames), axis=0)
        before = np.searchsorted(self.frames, frames + _SAME_FRAME).clip(1, len(self.frames) - 1) - 1
        length = self.frames[before + 1] - self.frames[before]
        share = ((frames - self.frames[before]) / length).clip(0.0, 1.0)
        found = np.tile(np.eye(4), (len(frames), 1, 1))
        found[:, :3, 3] = self._positions(before, length, share)
        found[:, :3, :3] = self._rotations(before, length, share)
        return found

    def _positions(self, before: np.ndarray, length: np.ndarray, share: np.ndarray) -> np.ndarray:
        places = self.world_from_camera[:, :3, 3]
        speed = _central(np.diff(places, axis=0), np.diff(self.frames))
        reach = length[:, None] / 3
        first, last = places[before], places[before + 1]
        corners = [first, first + reach * speed[before], last - reach * speed[before + 1], last]
        while len(corners) > 1:
            corners = [a + share[:, None] * (b - a) for a, b in zip(corners, corners[1:], strict=False)]
        return corners[0]

    def _rotations(self, before: np.ndarray, length: np.ndarray, share: np.ndarray) -> np.ndarray:
        turns = self.world_from_camera[:, :3, :3]
        speed = _central(so3.log(np.swapaxes(turns[:-1], 1, 2) @ turns[1:]), np.diff(self.frames))
        reach = length[:, None] / 3
        first, last = turns[before], turns[before + 1]
        corners = [first, first @ so3.exp(reach * speed[before]), last @ so3.exp(-reach * speed[before + 1]), last]
        while len(corners) > 1:
            corners = [_between(a, b, share) for a, b in zip(corners, corners[1:], strict=False)]
        return corners[0]


def _central(steps: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """(N, 3) speed at each of N poses from the N - 1 steps between them; the shorter neighbour counts more."""
    speed = steps / lengths[:, None]
    if len(speed) == 1:
        return np.repeat(speed, 2, axis=0)
    weight = (lengths[1:] / (lengths[:-1] + lengths[1:]))[:, None]
    return np.concatenate([speed[:1], weight * speed[:-1] + (1 - weight) * speed[1:], speed[-1:]])


def _between(first: np.ndarray, last: np.ndarray, share: np.ndarray) -> np.ndarray:
    return first @ so3.exp(share[:, None] * so3.log(np.swapaxes(first, 1, 2) @ last))
