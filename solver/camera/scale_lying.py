"""Hands that lie on the level surface, and how high hands are over it.

A flat hand that stays at one height over the surface and keeps its place there while the camera moves, or comes down
to it and leaves, mostly lies on it: its metric height below the camera over the surface's tells the size. What a hand
in the air covers of a surface far below moves as the camera does, several times as fast: hardly any seems to keep its
place for long.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .cameras import CameraPath
from .scale_stretches import STRETCH_S, Hand
from .surfaces import LevelSurface, good_points

# Of depth: the surface's height under the hand, and the hand's own thickness.
SURFACE_NOISE = 0.08
# A hand that lies: so many landmarks within a layer, their lowest this far over the surface; flat to a few percent of
# the camera's height, and lifted by more than that within half a second before or after.
_LOWEST, _LAYER_M, _FLESH_M, _MIN_LYING = 4, 0.03, 0.01, 5
_LEVEL_SIGMA, _LIFTED, _LIFT_S = 0.04, 0.2, 0.5
# on the surface it moves by less than this share of its length in a stretch
_KEEPS_PLACE, _PALM = 0.35, (0, 5, 9, 13, 17)
# A rest lasts over so long a stretch, lifted or not, if the camera moves meanwhile by more of the hand's length than
# the hand: else one in the air keeps its place as well. Of imagined clips over a floor 2 in 90 show one that hovers.
_LASTS_S, _MOVES = 0.67, 0.35
# so many points of the surface, so near (hands' lengths), show that it is there
_FEW, _NEAR = 3, 1.5
# how close by each other one hand says the same twice
_SAME = 0.08


@dataclass(frozen=True)
class Rest:
    """``value``: log of metres per unit if the hand lies on the surface; ``lasts``: for longer than hands in the air
    seem to."""

    value: float
    lasts: bool


@dataclass(frozen=True)
class Over:
    """A hand over a level surface: ``ratio`` (n,) log(camera's height over its lowest landmarks / over the surface),
    ``lying`` (n,) landmarks in one layer, ``palm`` (n, 3) where it would be if it lay there, in hands' lengths,
    ``camera`` (n, 3) likewise, ``is_over`` (n,) is any of the surface seen about there?"""

    ratio: np.ndarray
    lying: np.ndarray
    palm: np.ndarray
    camera: np.ndarray
    is_over: np.ndarray


def over(path: CameraPath, hand: Hand, surface: LevelSurface) -> Over | None:
    """None where the camera is not above it all the while."""
    cameras = path.world_from_camera[hand.rows]
    down = np.einsum("nji,j->ni", cameras[:, :3, :3], surface.normal)
    height_m = np.einsum("ni,nki->nk", down, hand.landmarks_m)
    centres = cameras[:, :3, 3]
    below = surface.below(centres)
    if (below <= 0).any():
        return None
    lowest = np.partition(height_m, -_LOWEST, axis=1)[:, -_LOWEST:].mean(axis=1) + _FLESH_M
    lying = (height_m > height_m.max(axis=1, keepdims=True) - _LAYER_M).sum(axis=1)
    bearing = (hand.pixels[:, _PALM] - path.intrinsics[2:]) / path.intrinsics[:2]
    rays = np.concatenate([bearing, np.ones((*bearing.shape[:2], 1))], axis=2) @ np.swapaxes(cameras[:, :3, :3], 1, 2)
    # a hand that is seen against the horizon does not lie there: as if it were far away
    along = below[:, None] / np.maximum(rays @ surface.normal, 1e-2)
    on = centres[:, None] + along[..., None] * rays
    length = 2 * np.median(np.linalg.norm(on[:, 2] - on[:, 0], axis=1))
    points, palm = good_points(path), on.mean(axis=1)
    seen = points[surface.holds(points, centres.mean(axis=0))]
    near = np.array([(np.linalg.norm(seen - place, axis=1) < _NEAR * length).sum() for place in palm])
    return Over(np.log(np.maximum(lowest, 1e-3) / below), lying, palm / length, centres / length, near >= _FEW)


def rests(hand: Hand, over: Over) -> list[Rest]:
    """What ``hand`` says by lying on the surface, each height once."""
    found: list[list[Rest]] = []
    for seconds in (STRETCH_S, _LASTS_S):
        for part in hand.stretches(seconds, STRETCH_S):
            moves = np.linalg.norm(np.ptp(over.camera[part], axis=0))
            lasts = bool(seconds == _LASTS_S and moves > _MOVES)
            if _keeps(over, part) and (lasts or _is_lifted(over, part, hand.frames(_LIFT_S))):
                rest = Rest(float(np.median(over.ratio[part])), lasts)
                same = next((group for group in found if abs(group[0].value - rest.value) < _SAME), None)
                if same is None:
                    found.append(same := [])
                same.append(rest)
    return [Rest(float(np.mean([one.value for one in group])), any(one.lasts for one in group)) for group in found]


def _keeps(over: Over, part: slice) -> bool:
    """Its height over the surface and its place there, flat."""
    is_flat = over.ratio[part].std() < _LEVEL_SIGMA and np.median(over.lying[part]) >= _MIN_LYING
    return bool(is_flat and np.linalg.norm(np.ptp(over.palm[part], axis=0)) < _KEEPS_PLACE)


def _is_lifted(over: Over, part: slice, frames: int) -> bool:
    """Within so many frames before or after."""
    around = over.ratio[max(0, part.start - frames) : part.stop + frames]
    return bool(np.median(over.ratio[part]) - np.percentile(around, 5) > _LIFTED)
