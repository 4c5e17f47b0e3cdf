"""From trails with sides to tracks: one per hand of the scene, however often it left the view."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..observations import HandTrack
from .covariance import covariance_px
from .filter import hands_only
from .side import decide_sides
from .split import split_all
from .trail import Trail


def assemble(trails: Sequence[Trail], size: tuple[int, int]) -> list[HandTrack]:
    """Tracks of real hands, the longest first; ``size`` (width, height) of the clip."""
    kept = hands_only(split_all(trails))
    sides = decide_sides(kept)
    tracks = []
    for side in ("left", "right"):
        mine = [trail for trail, its in zip(kept, sides, strict=True) if its == side]
        tracks += [to_track(hand, side, size) for hand in chains(mine)]
    return sorted(tracks, key=lambda track: -len(track.frames))


def chains(trails: Sequence[Trail]) -> list[Trail]:
    """Trails of one side, joined to one per hand: a hand that returns continues the hand of its side that was free.

    Two that overlap in time are two people's; a returning hand goes to the one that was last seen nearest.
    """
    hands: list[Trail] = []
    for trail in sorted(trails, key=lambda t: t.first):
        free = [hand for hand in hands if hand.last < trail.first]
        if free:
            min(free, key=lambda hand: _apart(hand, trail)).absorb(trail)
        else:
            hands.append(trail.part(trail.first, trail.last))
    return hands


def _apart(hand: Trail, trail: Trail) -> float:
    """Distance in px between the end of ``hand`` and the start of ``trail``."""
    end, start = hand.readings[hand.last].points_px, trail.readings[trail.first].points_px
    return float(np.linalg.norm(end.mean(axis=0) - start.mean(axis=0)))


def to_track(hand: Trail, side: str, size: tuple[int, int]) -> HandTrack:
    frames = hand.frames()
    readings = [hand.readings[frame] for frame in frames]
    return HandTrack(
        side,
        hand.log_odds(),
        np.array(frames),
        np.array([reading.points_px for reading in readings]),
        covariance_px(hand, size),
        np.array([reading.points_m for reading in readings]),
        np.array([reading.presence for reading in readings]),
    )
