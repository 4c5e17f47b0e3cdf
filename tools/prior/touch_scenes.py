"""Hands that touch, hands one before the other, hands that pass: with a truth, and with a detector's kind of errors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from solver import hand_model
from solver.hand_model.model import HandModel
from solver.hand_model.rotations import exp
from solver.initialise.kinematics import Pose, pose_landmarks
from solver.optimise.observed import CameraBelief, Observations
from solver.optimise.state import State
from solver.prior.capsules import Capsules, capsules_of, closest
from tools.optimiser_bench.scenes import Scene, make_scene, observe, wander

from .gaps import detector_errors

KINDS = ("touch", "before", "pass")
FRAMES, FIRST, LAST = 54, 14, 40
FRAME_S = 1 / 30
_STATED_PX = 6.0
# relative, of the size at which a hand is detected, and so of its depth; rad, of the initial fit's hinges
_SIZE, _HINGES = 0.04, 0.1
# metres: how far apart the hands come when they don't touch any more; how far one is before the other
_AWAY, _BEFORE = 0.12, (0.05, 0.12)


@dataclass(frozen=True)
class TouchScene:
    """A scene of two hands. ``touching`` (T,) bool in truth. ``start``: an initial fit; ``seen``: its landmarks."""

    kind: str
    scene: Scene
    touching: np.ndarray
    start: State
    seen: Observations
    camera: CameraBelief


@cache
def models() -> dict[str, HandModel]:
    """The open hand's."""
    return {side: hand_model.load(side) for side in ("left", "right")}


def scenes(count: int, seed: int) -> Iterator[TouchScene]:
    """``count`` of each kind."""
    for kind in KINDS:
        for number in range(count):
            yield make(kind, 1000 * seed + number)


def make(kind: str, seed: int) -> TouchScene:
    """One hand wanders, the other goes with it (at a distance of nothing, or before it), or passes before it."""
    rng = np.random.default_rng((seed, KINDS.index(kind)))
    spans = (("left", 0, 0, FRAMES), ("right", 0, 0, FRAMES))
    scene = make_scene(FRAMES, spans, seed=seed, shape_free=False)
    truth = _placed(rng, scene, kind)
    scene = replace(scene, truth=truth)
    touching = np.zeros(FRAMES, bool)
    touching[FIRST : LAST + 1] = kind == "touch"
    start, seen = _seen(rng, scene)
    return TouchScene(kind, scene, touching, start, seen, CameraBelief(truth.camera_from_world, truth.camera_centre))


def _placed(rng: np.random.Generator, scene: Scene, kind: str) -> State:
    own, other = (track.hands for track in scene.layout.tracks)
    hands = scene.truth.hands
    angles = np.concatenate([_calm(rng, hands.angles[h]) for h in (own, other)])
    orient, wrist = hands.global_orient.copy(), hands.wrist.copy()
    relative = exp(0.4 * rng.standard_normal(3)) @ orient[own][FIRST].T @ orient[other][FIRST]
    towards = rng.standard_normal(3)
    towards[2] *= 1.0 if kind == "touch" else 0.0
    towards /= np.linalg.norm(towards)
    offset = _touching_offset(scene, angles, orient[own][FIRST], wrist[own][FIRST], relative, towards)
    offset = orient[own][FIRST].T @ offset
    share = _smooth(np.clip(np.maximum(FIRST - np.arange(FRAMES), np.arange(FRAMES) - LAST) / 12, 0, 1))
    away = (orient[own] @ offset[:, None])[..., 0] + (_AWAY * share)[:, None] * towards
    if kind != "touch":
        ray = wrist[own] / np.linalg.norm(wrist[own], axis=-1, keepdims=True)
        away -= rng.uniform(*_BEFORE) * ray - (away * ray).sum(-1, keepdims=True) * ray
    if kind == "pass":
        away += np.linspace(-0.2, 0.2, FRAMES)[:, None] * towards
    orient[other], wrist[other] = orient[own] @ relative, wrist[own] + away
    return replace(scene.truth, hands=Pose(orient, angles, wrist))


def _calm(rng: np.random.Generator, angles: np.ndarray) -> np.ndarray:
    """Fingers that hold, nearly: what touches would slip otherwise."""
    return angles[FIRST] + wander(rng, len(angles), angles.shape[1:], 0.02, 20)


def _smooth(share: np.ndarray) -> np.ndarray:
    return share * share * (3 - 2 * share)


def _touching_offset(scene: Scene, angles, orient, wrist, relative, towards) -> np.ndarray:
    """Where the other's wrist is, from the own one, when the hands just touch, coming along ``towards``."""
    hands = Pose(np.stack([orient, orient @ relative]), angles[[FIRST, FRAMES + FIRST]], np.stack([wrist, wrist]))
    one, other = (
        capsules.axes(points) for capsules, points in zip(both_capsules(), _keypoints(scene, hands), strict=True)
    )
    middle = np.mean([ends[7:].mean(0) for ends in one], 0) - np.mean([ends[7:].mean(0) for ends in other], 0)
    low, high = 0.0, 0.5
    for _ in range(20):
        trial = (low + high) / 2
        shift = middle + trial * towards
        gap = least_gap(one, tuple(ends + shift for ends in other))
        low, high = (trial, high) if gap < 0 else (low, trial)
    return middle + high * towards


@cache
def both_capsules() -> tuple[Capsules, Capsules]:
    return tuple(capsules_of(model) for model in models().values())


def least_gap(one, other) -> float:
    """Air between the nearest capsules of a left and a right hand, from their axes' ends (c, 3)."""
    capsules = both_capsules()
    i, j = (g.ravel() for g in np.indices((len(capsules[0].radius), len(capsules[1].radius))))
    distance = closest(one[0][i], one[1][i], other[0][j], other[1][j])[0]
    return float((distance - capsules[0].radius[i] - capsules[1].radius[j]).min())


def _keypoints(scene: Scene, hands: Pose) -> np.ndarray:
    posed = [
        pose_landmarks(track.bare, np.zeros(10), hands.take(np.array([k])))
        for k, track in enumerate(scene.layout.tracks)
    ]
    return np.stack([p.landmarks[0] for p in posed])


def _seen(rng: np.random.Generator, scene: Scene) -> tuple[State, Observations]:
    """An initial fit, and landmarks: both have the hand at a wrong size that changes slowly."""
    layout, truth = scene.layout, scene.truth
    n = layout.hand_count
    size = np.concatenate([1 + wander(rng, t.count, (1,), _SIZE, 60) for t in layout.tracks])
    at = scene.at()
    image = observe(at)
    middle = image.mean(1, keepdims=True)
    image = middle + size[:, None] * (image - middle) + detector_errors(rng, layout)
    bent = truth.hands.angles + np.concatenate(
        [wander(rng, t.count, truth.hands.angles.shape[1:], _HINGES, 30) for t in layout.tracks]
    )
    start = replace(truth, hands=Pose(truth.hands.global_orient, bent, truth.hands.wrist / size))
    whitening = np.tile(np.eye(2) / _STATED_PX, (n, 21, 1, 1))
    none = np.zeros((n, 21))
    return start, Observations(image, whitening, np.tile([0.0, 0.0, 1.0], (n, 1)), none, none.astype(bool))
