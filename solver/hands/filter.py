"""Which trails are hands: no minimum length, but the shorter a trail, the surer its frames must be.

Doubt adds up: a third hand beside two surer ones, a palm of another colour than theirs, a much smaller size. None of
them alone removes a clear hand, so gloves, a second person or a far hand survive.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .colour import strangeness
from .trail import Trail, continuity, is_part_of

# Mean presence that a long trail needs, and what one frame alone needs on top; falls with the root of the length.
_LONG, _ALONE = 0.55, 0.4
# What each doubt adds to that, in full up to so many frames, then falling with the root of the length as well.
_THIRD_HAND, _SMALL, _MAX_COLOUR = 0.12, 0.05, 0.25
_DOUBT_FRAMES = 24
# What a trail is spared that begins or ends where a surer one ended or began.
_CONTINUED = 0.15
# Strangeness of colour that means nothing, and doubt per unit above it.
_COLOUR_FREE, _COLOUR_STEP = 1.5, 0.12
# A palm this much smaller than the surer hands' is small.
_SMALL_RATIO = 0.5
# Share of its frames that a trail may spend as a part of a larger hand.
_MAX_PART = 0.5


def hands_only(trails: Sequence[Trail]) -> list[Trail]:
    """The trails that are hands, in the order of their first frames. What a person pointed out always stays."""
    seen = [trail for trail in trails if trail.readings]
    whole = [trail for trail in seen if trail.seeded or part_share(trail, seen) <= _MAX_PART]
    return sorted(convincing(whole), key=lambda trail: trail.first)


def convincing(trails: Sequence[Trail]) -> list[Trail]:
    """Those whose readings are sure enough beside the surer ones; the surest first, and first what a person drew."""
    kept: list[Trail] = []
    for trail in sorted(trails, key=lambda t: (not t.seeded, -strength(t))):
        if trail.seeded or quality(trail) >= required_quality(trail, kept):
            kept.append(trail)
    return kept


def quality(trail: Trail) -> float:
    """Mean presence over the trail, the mirrored second opinions counting as much as the readings."""
    direct = np.mean([reading.presence for reading in trail.readings.values()])
    if not trail.mirrored:
        return float(direct)
    return float((direct + np.mean([reading.presence for reading in trail.mirrored.values()])) / 2)


def strength(trail: Trail) -> float:
    """Orders trails from the surest to the least sure."""
    return quality(trail) * float(np.sqrt(len(trail.readings)))


def required_quality(trail: Trail, surer: Sequence[Trail]) -> float:
    """``quality`` that ``trail`` needs beside the ``surer`` trails that are taken for hands already."""
    n = len(trail.readings)
    spared = _CONTINUED * max((continuity(trail, other) for other in surer), default=0.0)
    return float(_LONG + _ALONE / np.sqrt(n) + doubt(trail, surer) * min(1.0, np.sqrt(_DOUBT_FRAMES / n)) - spared)


def doubt(trail: Trail, surer: Sequence[Trail]) -> float:
    """How unlike another hand of the scene it is, 0 for no doubt."""
    if not surer:
        return 0.0
    strange = strangeness(_chromas([trail]), _chromas(surer)) - _COLOUR_FREE
    total = min(max(strange, 0.0) * _COLOUR_STEP, _MAX_COLOUR)
    total += _THIRD_HAND if _beside_two(trail, surer) else 0.0
    total += _SMALL if trail.size_px() < _SMALL_RATIO * np.median([t.size_px() for t in surer]) else 0.0
    return total


def part_share(trail: Trail, others: Sequence[Trail]) -> float:
    """Share of the frames of ``trail`` in which it is a finger or a fold of a larger hand."""
    parts = 0
    for frame, reading in trail.readings.items():
        beside = [other.readings[frame] for other in others if other is not trail and frame in other.readings]
        parts += any(is_part_of(reading, other) for other in beside)
    return parts / len(trail.readings)


def _beside_two(trail: Trail, surer: Sequence[Trail]) -> bool:
    """Are two surer hands in view during most of it?"""
    crowded = sum(sum(frame in other.readings for other in surer) >= 2 for frame in trail.readings)
    return crowded > len(trail.readings) / 2


def _chromas(trails: Sequence[Trail]) -> np.ndarray:
    """(n, 2) of the frames in which the palm's colour was taken."""
    return np.array([seen for trail in trails for seen in trail.chromas.values()]).reshape(-1, 2)
