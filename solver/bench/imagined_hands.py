"""Hands for imagined worlds: carried, at rest or still, and as far off as the initial fit of rendered hands was."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from ..camera.cameras import project
from ..camera.seen_hands import SeenHand

# Metres, flat, palm down (y), fingers along z, thumb to -x: joints' places are those of an adult hand 19 cm long.
_ROOTS = np.array([[-0.025, 0, 0.03], [-0.027, 0, 0.093], [-0.004, 0, 0.096], [0.016, 0, 0.09], [0.034, 0, 0.08]])
_BONES = np.array([[0.045, 0.033, 0.027], [0.042, 0.025, 0.022], [0.047, 0.03, 0.023], [0.043, 0.028, 0.023],
                   [0.034, 0.02, 0.02]])  # fmt: skip
_SPREAD_DEG = np.array([-38.0, -8.0, 0.0, 7.0, 15.0])
# Of eight hands in the four validation clips (``bench.world`` prints them): how much too far the initial fit puts them
# on average, how clips and hands differ about that, and how one hand does about its own, in the logarithm.
_FAR, _OF_PERSON, _OF_HAND, _OF_FRAME = 0.09, 0.09, 0.08, 0.06
# how small landmarks are found
_SHRINK = 0.1
_MEMORY_FRAMES = 12.0
_JOINT_HEIGHT = 0.012


@dataclass(frozen=True)
class Person:
    """Metres: ``eye`` over the floor, standing, ``seated_eye`` on a chair, ``floor_eye`` on the floor; ``size`` of the
    hands over the population's."""

    eye: float
    seated_eye: float
    floor_eye: float
    size: float

    @staticmethod
    def by_chance(rng: np.random.Generator) -> Person:
        stature = rng.normal(1.69, 0.095)
        trunk = 0.455 * stature + rng.normal(0, 0.02)
        size = float(np.exp(0.5 * np.log(stature / 1.69) + rng.normal(0, 0.045)))
        return Person(0.935 * stature, trunk + rng.normal(0.44, 0.03), trunk + rng.uniform(-0.1, 0.05), size)


def seen(
    rng: np.random.Generator, kind: str, person: Person, poses: np.ndarray, lens: np.ndarray, times: np.ndarray,
    middle: np.ndarray,
) -> list[SeenHand]:  # fmt: skip
    """Both hands, in the frames that show them.

    Args:
        middle: (3,) of the surface that they may rest on; the camera orbits what hands do there.
    """
    common, found = rng.normal(_FAR, _OF_PERSON) - np.log(person.size), []
    for side in (-1, 1):
        world = _moving(rng, kind, side, person.size, poses, times, middle)
        local = np.einsum("tji,tkj->tki", poses[:, :3, :3], world - poses[:, None, :3, 3])
        pixels = project(local * [1, 1, 0] + np.maximum(local, 0.05) * [0, 0, 1], lens)
        inside = (local[..., 2] > 0.1).all(axis=1)
        inside &= ((pixels > 0) & (pixels < 2 * lens[2:])).all(axis=2).mean(axis=1) > 0.6
        if inside.any():
            found.append(_fitted(rng, local[inside], pixels[inside], np.flatnonzero(inside) + 1, common))
    return found


def _fitted(rng: np.random.Generator, local: np.ndarray, pixels: np.ndarray, frames: np.ndarray, common: float):
    """With the errors of detection and of the initial fit, which leave each landmark on its ray."""
    wander = np.empty(len(local))
    wander[0] = rng.normal()
    keep = np.exp(-1 / _MEMORY_FRAMES)
    for i in range(1, len(local)):
        wander[i] = keep * wander[i - 1] + np.sqrt(1 - keep**2) * rng.normal()
    factor = np.exp(common + rng.normal(0, _OF_HAND) + _OF_FRAME * wander)
    centre = pixels.mean(axis=1, keepdims=True)
    noise = 0.01 * np.ptp(pixels, axis=1).max()
    found = centre + np.exp(-_SHRINK) * (pixels - centre) + rng.normal(0, noise, pixels.shape)
    return SeenHand(frames, found, local * factor[:, None, None])


def _moving(
    rng: np.random.Generator, kind: str, side: int, size: float, poses: np.ndarray, times: np.ndarray,
    middle: np.ndarray,
) -> np.ndarray:  # fmt: skip
    """(T, 21, 3) in the world: gestures, at times with a while in which the hand lies on the surface or keeps still."""
    place, turn, curl = _gesture(rng, kind, side, poses, times, middle)
    works = kind in ("seated", "standing", "floor", "orbit")
    does = rng.choice(["gesture", "rest", "still"], p=[0.5, 0.33, 0.17] if works else [0.95, 0.0, 0.05])
    if does != "gesture":
        begins = times[-1] * rng.uniform(0.1, 0.4)
        ends = begins + times[-1] * rng.uniform(0.3, 0.55)
        share = _smooth((times - begins) / 0.3 + 0.5) * _smooth((ends - times) / 0.3 + 0.5)
        at = place[len(place) // 2] if does == "still" else _on_surface(rng, side, middle, times)
        flat = Rotation.from_euler("y", rng.uniform(-30, 30), degrees=True).as_rotvec()
        kept = turn[len(turn) // 2] if does == "still" else flat
        place, turn = (way + share[:, None] * (to - way) for way, to in ((place, at), (turn, kept)))
        curl = curl + share * ((curl[len(curl) // 2] if does == "still" else 0.03) - curl)
    shape = size * _hand(side, curl)
    world = np.einsum("tij,tkj->tki", Rotation.from_rotvec(turn).as_matrix(), shape) + place[:, None]
    if works:
        sunk = (world[..., 1] - middle[1] + _JOINT_HEIGHT).max(axis=1).clip(0)
        world[..., 1] -= sunk[:, None]
    return world


def _gesture(rng: np.random.Generator, kind: str, side: int, poses: np.ndarray, times: np.ndarray, middle: np.ndarray):
    """(T, 3) places of the wrist, (T, 3) rotation vectors and (T,) curls; before the body that carries the camera."""
    waves = np.stack([_wave(rng, times, rng.uniform(0.02, 0.06)) for _ in range(3)], axis=1)
    if kind == "orbit":
        place = middle + [0.13 * side, -rng.uniform(0.06, 0.25), 0.05] + waves
    else:
        ahead = poses[:, :3, 2] * [1, 0, 1]
        ahead = _calm(ahead / np.linalg.norm(ahead, axis=1, keepdims=True))
        right = np.stack([ahead[:, 2], 0 * times, -ahead[:, 0]], axis=1)
        reach = rng.uniform([0.08, 0.2, 0.32], [0.2, 0.36, 0.5])
        place = _calm(poses[:, :3, 3]) + side * reach[0] * right + reach[2] * ahead + waves + [0, reach[1], 0]
    base = Rotation.from_euler("yxz", [-20 * side, rng.uniform(-60, 20), side * rng.uniform(-20, 90)], degrees=True)
    turns = 0.3 * np.stack([_wave(rng, times, 1.0) for _ in range(3)], axis=1)
    curl = np.clip(rng.uniform(0.1, 0.6) + _wave(rng, times, 0.2), 0, 1)
    return place, (base * Rotation.from_rotvec(turns)).as_rotvec(), curl


def _on_surface(rng: np.random.Generator, side: int, middle: np.ndarray, times: np.ndarray) -> np.ndarray:
    """(T, 3) still, or sliding."""
    slide = rng.choice([0.0, 0.04])
    along = np.stack([_wave(rng, times, slide), 0 * times, _wave(rng, times, slide)], axis=1)
    return middle + [0.14 * side, -_JOINT_HEIGHT, rng.uniform(-0.2, 0.0)] + along


def _hand(side: int, curl: np.ndarray) -> np.ndarray:
    """(T, 21, 3) about the wrist, in OpenPose order; ``curl`` (T,) 0: flat, 1: a fist."""
    found = np.zeros((len(curl), 21, 3))
    for finger, (root, bones, spread) in enumerate(zip(_ROOTS, _BONES, np.radians(_SPREAD_DEG), strict=True)):
        at, bend = np.broadcast_to(root, (len(curl), 3)), 0.0 * curl
        found[:, 1 + 4 * finger] = at
        for k, bone in enumerate(bones):
            bend = bend + curl * (0.5 if finger == 0 else 1.4)
            ahead = np.stack([np.sin(spread) * np.cos(bend), np.sin(bend), np.cos(spread) * np.cos(bend)], axis=1)
            at = at + bone * ahead
            found[:, 2 + 4 * finger + k] = at
    return found * [side, 1, 1]


def _wave(rng: np.random.Generator, times: np.ndarray, size: float) -> np.ndarray:
    rates, phases = rng.uniform(0.2, 1.2, 3), rng.uniform(0, 2 * np.pi, 3)
    return size * np.sqrt(2 / 3) * np.sin(2 * np.pi * rates * times[:, None] + phases).sum(axis=1)


def _calm(values: np.ndarray) -> np.ndarray:
    """(T, k) as a body moves below a head: over half a second."""
    window = np.hanning(17)[1:-1] / np.hanning(17)[1:-1].sum()
    padded = np.pad(values, ((7, 7), (0, 0)), mode="edge")
    return np.stack([np.convolve(column, window, "valid") for column in padded.T], axis=1)


def _smooth(share: np.ndarray) -> np.ndarray:
    share = np.clip(share, 0, 1)
    return share * share * (3 - 2 * share)
