"""Small worlds with known truth, for the comparison and for the tests: hands of the shipped model, a camera."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from solver import hand_model
from solver.camera.cameras import CameraPath
from solver.hand_model.rotations import exp
from solver.initialise import InitialMotion, default_calibration
from solver.initialise.kinematics import Pose, Skeleton, joint_rotations, skeleton_of
from solver.optimise.costs import WristPositionCost
from solver.optimise.evaluation import Evaluation, View
from solver.optimise.layout import Layout, Span, arrange
from solver.optimise.objective import clip_costs
from solver.optimise.observed import CameraBelief, Observations
from solver.optimise.problem import Problem
from solver.optimise.state import State
from solver.optimise.weights import BALANCED, Preset

T = TypeVar("T")
VIEW = View(focal_px=np.array([900.0, 905.0]), centre_px=np.array([640.0, 360.0]))


def skeletons(offset_m: float = 0.004) -> dict[str, Skeleton]:
    """Both hands with made-up landmark offsets."""
    offsets = offset_m * np.random.default_rng(5).standard_normal((21, 3))
    return {side: skeleton_of(hand_model.load(side), offsets) for side in ("left", "right")}


def wander(rng: np.random.Generator, frames: int, shape: tuple[int, ...], size: float, period: float) -> np.ndarray:
    """(frames, *shape) smooth noise: a few sinusoids no faster than ``period`` frames, deviation ``size``."""
    t = np.arange(frames).reshape(-1, *[1] * len(shape))
    waves = [
        rng.standard_normal(shape)
        * np.sin(2 * np.pi * (rng.uniform(0.25, 1, shape) / period * t + rng.uniform(0, 1, shape)))
        for _ in range(6)
    ]
    return size * sum(waves) / np.sqrt(3)


@dataclass(frozen=True)
class Scene:
    """A layout and its true state."""

    layout: Layout
    truth: State

    def at(self, state: State | None = None) -> Evaluation:
        return Evaluation(self.layout, VIEW, state or self.truth)


def make_scene(
    frames: int = 40,
    spans: tuple[tuple[str, int, int, int], ...] = (("left", 0, 0, 40), ("right", 0, 0, 40)),
    seed: int = 0,
    walk: float = 0.0,
    apart: float = 0.16,
    **free: bool,
) -> Scene:
    """Hands about half a metre before a camera.

    Args:
        spans: (side, shape, start, count) of each track. walk: metres that the camera (and the hands with it) goes per
            frame; 0 leaves it where it is. apart: metres of each hand from the middle. free: flags of ``Layout``.
    """
    rng = np.random.default_rng(seed)
    hands = skeletons()
    bare = skeletons(0.0)
    layout = arrange(frames, [Span(hands[side], bare[side], *rest) for side, *rest in spans], **free)
    centre = walk * np.arange(frames)[:, None] * np.array([0.3, 0.0, 1.0])
    rotation = np.tile(np.eye(3), (frames, 1, 1))
    if walk:
        centre = centre + wander(rng, frames, (3,), 10 * walk, 40)
        rotation = exp(wander(rng, frames, (3,), 0.1, 60))
    poses = [
        _motion(rng, track, side, apart, centre, rotation)
        for track, (side, *_) in zip(layout.tracks, spans, strict=True)
    ]
    state = State(
        hands=Pose(*(np.concatenate(part) for part in zip(*poses, strict=True))),
        camera_from_world=rotation,
        camera_centre=centre,
        betas=0.5 * rng.standard_normal((layout.shape_count, 10)),
        log_scale=0.0,
        log_focal=0.0,
        offsets=np.zeros((21, 3)),
    )
    return Scene(layout, state)


def _motion(rng, track, side: str, apart: float, centre: np.ndarray, rotation: np.ndarray) -> tuple[np.ndarray, ...]:
    n, sign = track.count, 1.0 if side == "right" else -1.0
    base = exp(np.array([0.0, 0.0, sign * np.pi / 2])) @ exp(np.array([sign * 0.5, 0.4, 0.3]))
    orient = exp(wander(rng, n, (3,), 0.35, 30)) @ base
    camera = np.array([sign * apart, 0.05, 0.55]) + wander(rng, n, (3,), 0.04, 30)
    wrist = (rotation[track.frames].swapaxes(1, 2) @ camera[..., None])[..., 0] + centre[track.frames]
    hinges = track.skeleton.hinges
    angles = hinges.mean + wander(rng, n, (len(hinges),), 1.0, 25) * np.minimum(hinges.sigma, 0.4)
    orient = rotation[track.frames].swapaxes(1, 2) @ orient
    return orient, np.clip(angles, hinges.low, hinges.high), wrist


def seen_from(scene: Scene, noise_px: float = 0.0, hidden: np.ndarray | None = None, seed: int = 1) -> Observations:
    """Landmarks of a scene with 3 px of stated deviation; hand-frames ``hidden`` (N,) bool are not seen."""
    n = scene.layout.hand_count
    whitening = np.tile(np.eye(2) / 3.0, (n, 21, 1, 1))
    if hidden is not None:
        whitening[hidden] = 0
    landmarks = observe(scene.at(), noise_px, np.random.default_rng(seed) if noise_px else None)
    return Observations(
        landmarks, whitening, np.tile([0.0, 0.0, 1.0], (n, 1)), np.zeros((n, 21)), np.zeros((n, 21), bool)
    )


def problem_of(
    scene: Scene, seen: Observations, start: State | None = None, preset: Preset = BALANCED, in_metres: bool = False
) -> Problem:
    """The default problem of a scene. ``in_metres``: with the usual smoothness instead."""
    belief = CameraBelief(scene.truth.camera_from_world, scene.truth.camera_centre)
    parts = clip_costs(scene.layout, start or scene.truth, seen, belief, 1 / 30, preset)
    if in_metres:
        parts = tuple(replace(c, in_metres=True) if isinstance(c, WristPositionCost) else c for c in parts)
    return Problem(scene.layout, VIEW, parts)


def disturbed(scene: Scene, seed: int = 2) -> State:
    """The truth as an initial fit would have it: 15 deg, 15 deg and 8 % of depth off, shape a little wrong."""
    rng = np.random.default_rng(seed)
    n, hinges = scene.truth.hands.angles.shape
    turn, bend = 0.15 * rng.standard_normal((n, 3)), 0.15 * rng.standard_normal((n, hinges))
    shift = rng.standard_normal((n, 3)) * [0.004, 0.004, 0.04]
    hands = scene.truth.hands.moved(np.concatenate([turn, shift, bend], axis=1))
    return replace(
        scene.truth, hands=hands, betas=scene.truth.betas + 0.1 * rng.standard_normal((len(scene.truth.betas), 10))
    )


def as_calibrated(scene: Scene) -> Scene:
    """The same motion by hands of mean shape with the shipped landmark calibration, as a real clip's are taken."""
    models = {side: hand_model.load(side) for side in ("left", "right")}
    offsets = default_calibration().offsets_m
    tracks = tuple(
        replace(
            track,
            skeleton=skeleton_of(models[track.skeleton.side], offsets),
            bare=skeleton_of(models[track.skeleton.side], np.zeros((21, 3))),
        )
        for track in scene.layout.tracks
    )
    shapes = np.zeros_like(scene.truth.betas)
    return replace(scene, layout=replace(scene.layout, tracks=tracks), truth=replace(scene.truth, betas=shapes))


def camera_of(scene: Scene, kind: str = "given", **told) -> CameraPath:
    """The true camera; ``told``: what its solve says of itself."""
    pose = np.tile(np.eye(4), (scene.layout.frame_count, 1, 1))
    pose[:, :3, :3] = scene.truth.camera_from_world.swapaxes(1, 2)
    pose[:, :3, 3] = scene.truth.camera_centre
    return CameraPath(kind, np.concatenate([VIEW.focal_px, VIEW.centre_px]), pose, **told)


def initial_motion(
    scene: Scene, index: int, side: str, seen: np.ndarray, rng: np.random.Generator, first_number: int = 0
) -> InitialMotion:
    """What a fit per frame gives for frames ``seen`` of track ``index``: the truth in each camera's frame with
    independent errors of 9 deg per axis and 5 % of the distance."""
    track, camera = scene.layout.tracks[index], camera_of(scene).world_from_camera[seen]
    hands = scene.truth.hands.take(track.packed + seen)
    turn = np.swapaxes(camera[:, :3, :3], 1, 2)
    wrist = (turn @ (hands.wrist - camera[:, :3, 3])[..., None])[..., 0]
    n = len(seen)
    pose = Pose(
        exp(0.15 * rng.standard_normal((n, 3))) @ turn @ hands.global_orient,
        hands.angles + 0.15 * rng.standard_normal(hands.angles.shape),
        wrist * (1 + 0.05 * rng.standard_normal((n, 1))),
    )
    rest_wrist = track.bare.at(np.zeros(10))[0][0]
    return InitialMotion(
        track=index, side=side, frames=first_number + seen, rotations=joint_rotations(track.bare, pose),
        transl=pose.wrist - rest_wrist, angles=pose.angles, betas=np.zeros(10), rest_wrist=rest_wrist,
        cost=np.zeros(n), error_px=np.zeros(n), error_relative=np.zeros(n), mode=np.zeros(n, int),
        confidence=np.ones(n),
    )  # fmt: skip


def last(items: Iterable[T]) -> T:
    """The last of an iterable."""
    return deque(items, maxlen=1).pop()


def observe(at: Evaluation, noise_px: float = 0.0, rng: np.random.Generator | None = None) -> np.ndarray:
    """(N, 21, 2) landmarks as the camera sees them."""
    x = at.points_camera
    image = at.focal_px * x[..., :2] / x[..., 2:] + VIEW.centre_px
    return image if rng is None else image + noise_px * rng.standard_normal(image.shape)
