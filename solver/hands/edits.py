"""What a person says about the hands that were found: this is none, that one is the other side's."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..observations import HandTrack

DROP, SWAP = "drop", "swap"


@dataclass(frozen=True)
class HandEdit:
    """About the track nearest to ``position_px`` (2,) in clip frame ``frame``: ``what`` is DROP or SWAP (left, right).

    A place rather than a number: it means the same hand when the clip is tracked again.
    """

    frame: int
    position_px: tuple[float, float]
    what: str


def applied(tracks: Sequence[HandTrack], edits: Sequence[HandEdit]) -> list[HandTrack]:
    """The tracks with the edits made, in their order. An edit where no track is within a hand's size does nothing."""
    out = list(tracks)
    for edit in edits:
        index = _nearest(out, edit)
        if index is None:
            continue
        if edit.what == DROP:
            del out[index]
        else:
            other = "left" if out[index].side == "right" else "right"
            out[index] = dataclasses.replace(out[index], side=other, side_log_odds=-out[index].side_log_odds)
    return out


def _nearest(tracks: Sequence[HandTrack], edit: HandEdit) -> int | None:
    best, found = np.inf, None
    for index, track in enumerate(tracks):
        row = int(np.searchsorted(track.frames, edit.frame))
        if row == len(track.frames) or track.frames[row] != edit.frame:
            continue
        points = track.landmarks_px[row]
        distance = float(np.linalg.norm(points.mean(axis=0) - edit.position_px))
        if distance < min(best, float(np.ptp(points, axis=0).max())):
            best, found = distance, index
    return found
