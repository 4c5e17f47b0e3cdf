"""From trails with sides to tracks: one per hand of the scene, however often it left the view."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..observations import HandTrack
from .covariance import covariance_px
from .filter import hands_only
from .landmarks import Reading
from .side import decide_sides, vote
from .split import split_all
from .trail import Trail

# Two trails may share so many frames, so close (in hand sizes), when one hand is handed from one to the other.
_HANDOVER_FRAMES, _HANDOVER_SIZES = 8, 0.6
# Votes (log-odds) that must both be exceeded for a left and a right hand to be told apart there.
_CONTRARY_VOTES = 3.0


def assemble(trails: Sequence[Trail], size: tuple[int, int]) -> list[HandTrack]:
    """Tracks of real hands, the longest first; ``size`` (width, height) of the clip."""
    kept = joined(hands_only(split_all(trails)))
    sides = decide_sides(kept)
    tracks = []
    for side in ("left", "right"):
        mine = [trail for trail, its in zip(kept, sides, strict=True) if its == side]
        tracks += [to_track(hand, side, size) for hand in chains(mine)]
    return sorted(tracks, key=lambda track: -len(track.frames))


def joined(trails: Sequence[Trail]) -> list[Trail]:
    """Trails of which one begins where the other is about to end are one; the surer reading of a frame stays.

    This happens in blur: the hand is found anew while its old trail still clings to a part of it.
    """
    hands: list[Trail] = []
    for trail in sorted(trails, key=lambda t: t.first):
        hand = next((h for h in hands if _hands_over(h, trail)), None)
        if hand is None:
            hands.append(trail.part(trail.first, trail.last))
            continue
        later = trail.part(trail.first, trail.last)
        for frame in hand.readings.keys() & later.readings.keys():
            weaker = min((hand, later), key=lambda t: t.readings[frame].presence)
            weaker.drop(frame)
        hand.absorb(later)
    return hands


def _hands_over(earlier: Trail, later: Trail) -> bool:
    """Do they share a few frames at the end of one and the start of the other, at one place, without contrary votes?"""
    common = earlier.readings.keys() & later.readings.keys()
    if not 0 < len(common) <= _HANDOVER_FRAMES or later.last <= earlier.last:
        return False
    votes = vote(earlier), vote(later)
    if votes[0] * votes[1] < 0 and min(np.abs(votes)) > _CONTRARY_VOTES:
        return False
    return all(_centers_apart(earlier.readings[f], later.readings[f]) < _HANDOVER_SIZES for f in common)


def _centers_apart(a: Reading, b: Reading) -> float:
    """Distance of the points' middles, in sizes of the larger hand."""
    return float(np.linalg.norm(a.points_px.mean(axis=0) - b.points_px.mean(axis=0)) / max(a.size_px, b.size_px))


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
