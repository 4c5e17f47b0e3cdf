"""Things that hands hold, and things in the way: boxes, cylinders and balls, and fingers closed round them.

A can, a phone, a plate, a pen are proportions of these. Everything is of no one's household: sizes are drawn from wide
ranges, and none of them is taken from a clip.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from solver.hand_model import rotations
from solver.initialise.anatomy import palm_axes
from solver.initialise.kinematics import Pose, Skeleton, pose_landmarks

BOX, CYLINDER, BALL = range(3)
_FLESH_M = 0.008  # from a finger's bone to its skin
_PALM_M = 0.015  # from the palm's joints to its skin
_STEPS = 24
# A finger's joints, its keypoints from the knuckle on; the thumb last.
_FINGERS = ((1, 5), (4, 9), (10, 13), (7, 17), (13, 1))


@dataclass(frozen=True)
class Thing:
    """kind: ``BOX``, ``CYLINDER`` (along its third axis) or ``BALL``; half: (3,) half extents, metres; axes: (3, 3)
    columns; centre: (3,)."""

    kind: int
    half: np.ndarray
    axes: np.ndarray
    centre: np.ndarray

    def moved(self, rotation: np.ndarray, shift: np.ndarray) -> Thing:
        return replace(self, axes=rotation @ self.axes, centre=rotation @ self.centre + shift)

    def clearance(self, points: np.ndarray) -> np.ndarray:
        """(...,) signed distance of (..., 3) points from the surface."""
        own = (points - self.centre) @ self.axes
        if self.kind == BALL:
            return np.linalg.norm(own, axis=-1) - self.half[0]
        beyond = np.abs(own) - self.half
        if self.kind == CYLINDER:
            round_the_axis = np.linalg.norm(own[..., :2], axis=-1) - self.half[0]
            beyond = np.stack([round_the_axis, beyond[..., 2]], axis=-1)
        return np.linalg.norm(np.maximum(beyond, 0), axis=-1) + np.minimum(beyond.max(-1), 0)

    def row(self) -> np.ndarray:
        """(16,) numbers, as ``views.npz`` holds them."""
        return np.concatenate([[self.kind], self.half, self.axes.ravel(), self.centre])


def held(
    skeleton: Skeleton, betas: np.ndarray, angles: np.ndarray, rng: np.random.Generator
) -> tuple[Thing, np.ndarray]:
    """A thing in the hand at rest (the wrist joint at the origin) and the (hinges,) angles of the fingers round it."""
    points = pose_landmarks(skeleton, betas, _at_rest(angles)).landmarks[0]
    palm = palm_axes(points[0], points[5], points[9], points[17], skeleton.side)
    knuckles = points[[5, 9, 13, 17]].mean(0)
    if rng.random() < 0.3:
        return _pinched(skeleton, betas, angles, palm, rng)
    thing = _across_the_palm(knuckles, 0.75 * knuckles + 0.25 * points[0], palm, rng)
    return thing, _closed_round(thing, skeleton, betas, angles)


def _across_the_palm(knuckles: np.ndarray, middle: np.ndarray, palm: np.ndarray, rng: np.random.Generator) -> Thing:
    """Something gripped with the whole hand: its long axis runs across the palm."""
    kind = int(rng.choice([BOX, BOX, CYLINDER, CYLINDER, BALL]))
    thickness, length = rng.uniform(0.012, 0.045), rng.uniform(0.035, 0.12)
    half = {
        BOX: np.array([rng.uniform(0.012, 0.05), min(thickness, rng.uniform(0.004, 0.045)), length]),
        CYLINDER: np.array([thickness, thickness, length]),
        BALL: np.full(3, thickness),
    }[kind]
    turn = rotations.exp(palm[1] * rng.normal(0, np.radians(25)))
    axes = turn @ np.stack([palm[0], palm[1], palm[2]], axis=1)
    along = np.zeros(3) if kind == BALL else axes[:, 2] * rng.uniform(-0.5, 0.5) * length
    contact = middle + palm[0] * rng.uniform(-0.01, 0.035) + palm[1] * (_PALM_M + half[1])
    return Thing(kind, half, axes, contact + along)


def _pinched(
    skeleton: Skeleton, betas: np.ndarray, angles: np.ndarray, palm: np.ndarray, rng: np.random.Generator
) -> tuple[Thing, np.ndarray]:
    """A plate, a card or a pen between thumb and fingers."""
    opposed = angles.copy()
    for first, _ in _FINGERS:
        _bend(opposed, skeleton, first, rng.uniform(0.35, 0.6) if first != 13 else rng.uniform(0.4, 0.8))
    points = pose_landmarks(skeleton, betas, _at_rest(opposed)).landmarks[0]
    grip, fingers = (points[4] + points[8] + points[12]) / 3, points[12] - points[9]
    outwards = fingers / np.linalg.norm(fingers)
    across = points[8] - points[4]
    normal = across - (across @ outwards) * outwards
    normal = rotations.exp(outwards * rng.normal(0, 0.3)) @ (normal / np.linalg.norm(normal))
    axes = np.stack([outwards, np.cross(normal, outwards), normal], axis=1)
    kind = int(rng.choice([BOX, CYLINDER]))
    if rng.random() < 0.35:
        length = rng.uniform(0.05, 0.09)
        half = np.array([0.005, 0.005, length])
        tilted = rotations.exp(rng.normal(0, 0.5, 3)) @ np.roll(axes, 1, axis=1)
        return Thing(kind, half, tilted, grip + tilted[:, 2] * rng.uniform(-0.7, 0.7) * length), opposed
    radius, thickness = rng.uniform(0.03, 0.12), rng.uniform(0.002, 0.012)
    half = (
        np.array([radius, radius, thickness])
        if kind == CYLINDER
        else np.array([radius, rng.uniform(0.03, 0.1), thickness])
    )
    return Thing(kind, half, axes, grip + outwards * (radius - rng.uniform(0.0, 0.03))), opposed


def in_the_way(keypoints: np.ndarray, rng: np.random.Generator) -> Thing:
    """Something between the lens and a part of the hand, whose keypoints (21, 3) are in the camera's frame."""
    kind = int(rng.integers(3))
    half = np.full(3, rng.uniform(0.01, 0.04)) if kind == BALL else rng.uniform(0.006, 0.04, 3)
    half[1] = half[0] if kind == CYLINDER else half[1]
    aim = keypoints[rng.integers(21)]
    nearer = aim * rng.uniform(0.82, 0.97) * (keypoints[:, 2].min() / aim[2])
    aside = rotations.matrix_from_quaternion(rng.standard_normal(4))
    return Thing(kind, half, aside, nearer + rng.normal(0, 0.012, 3) * [1, 1, 0])


def _closed_round(thing: Thing, skeleton: Skeleton, betas: np.ndarray, angles: np.ndarray) -> np.ndarray:
    """Each finger bent until its flesh meets the thing, or to the end."""
    amounts = np.linspace(0.0, 1.0, _STEPS)
    bent = np.repeat(angles[None], _STEPS, axis=0)
    for row, amount in zip(bent, amounts, strict=True):
        for first, _ in _FINGERS:
            _bend(row, skeleton, first, amount)
    points = pose_landmarks(skeleton, betas, _at_rest(bent)).landmarks
    closed = angles.copy()
    for first, knuckle in _FINGERS:
        chain = points[:, knuckle : knuckle + 4]
        along = np.linspace(0, 1, 5)[:, None]
        bones = chain[:, :-1, None] * (1 - along) + chain[:, 1:, None] * along
        free = (thing.clearance(bones[:, :, 1:]) > _FLESH_M).all((1, 2))
        last = int(np.argmin(free)) - 1 if not free.all() else _STEPS - 1
        _bend(closed, skeleton, first, amounts[max(last, 0)])
    return closed


def _bend(angles: np.ndarray, skeleton: Skeleton, first_joint: int, amount: float) -> None:
    """Set the flexion hinges of one finger's three joints, in place; 0 is straight, 1 as far as usual."""
    hinges = skeleton.hinges
    flexion = hinges.flexion[first_joint - 1 : first_joint + 2]
    low = np.minimum(0.3 * hinges.low[flexion], 0)
    angles[flexion] = low + amount * (0.85 * hinges.high[flexion] - low)


def _at_rest(angles: np.ndarray) -> Pose:
    angles = np.atleast_2d(angles)
    n = len(angles)
    return Pose(np.repeat(np.eye(3)[None], n, axis=0), angles, np.zeros((n, 3)))
