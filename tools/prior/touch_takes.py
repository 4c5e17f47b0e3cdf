"""Touches that are evident in a solved take, and the air between the parts with them and without."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from solver import take as takes
from solver.hand_model import loading
from solver.optimise.costs.touch import TouchCost
from solver.optimise.resume import Resumed, resume
from solver.optimise.weights import BALANCED

from .touch_table import TOGETHER

_BESIDE = 6  # frames that are solved before and after a touch


def run(path: Path, say: Callable[[str], None]) -> None:
    """Print a line per touch: hands and capsules, frames, median air [mm] as the stretch is solved without touches and
    with them, median distance [px] of both hands' keypoints from the tracked landmarks."""
    take, models = takes.load(path), loading.load_pair("open")
    arms = {
        "without": resume(take, models, replace(BALANCED, off=TOGETHER)),
        "with": resume(take, models, BALANCED),
    }
    cost = next((cost for cost in arms["with"].problem.costs if isinstance(cost, TouchCost)), None)
    say(f"{path.name}: {0 if cost is None else len(np.unique(cost.touches_of.run))} touches")
    say("| hands, capsules | frames | air mm without, with | landmarks px without, with |")
    say("|---|---|---|---|")
    for run_ in [] if cost is None else np.unique(cost.touches_of.run):
        mine = replace(cost, touches_of=cost.touches_of.take(np.flatnonzero(cost.touches_of.run == run_)))
        say(_line(arms, mine))


def _line(arms: dict[str, Resumed], cost: TouchCost) -> str:
    take, layout, t = arms["with"].take, arms["with"].problem.layout, cost.touches_of
    tracks = [int(layout.track_of[hands[0]]) for hands in (t.first, t.second)]
    hands = [arms["with"].clip.segments[track].track for track in tracks]
    rows = layout.frame_of[t.first]
    first, last = (int(take.frames[np.clip(row, 0, len(take.frames) - 1)])
                   for row in (rows[0] - _BESIDE, rows[-1] + _BESIDE))  # fmt: skip
    found = []
    for arm in arms.values():
        _, after = deque(arm.resolve(first, last, [], sorted(set(hands))), maxlen=1).pop()
        at = after.problem.at(after.state)
        gap = cost.residuals(at)[:, 0] * cost.deviation
        off = np.linalg.norm(_projected(after, rows, hands) - take.keypoints_px[np.ix_(hands, rows)], axis=-1)
        found.append((1e3 * np.median(gap), np.nanmedian(off)))
    named = f"{take.sides[hands[0]]} {t.first_capsule[0]}, {take.sides[hands[1]]} {t.second_capsule[0]}"
    air, px = (", ".join(f"{value:.1f}" for value in column) for column in zip(*found, strict=True))
    return f"| {named} | {take.frames[rows[0]]}-{take.frames[rows[-1]]} | {air} | {px} |"


def _projected(resumed: Resumed, rows: np.ndarray, hands: list[int]) -> np.ndarray:
    """(2, n, 21, 2) keypoints of the hands in the picture, px."""
    at, layout = resumed.problem.at(resumed.state), resumed.problem.layout
    out = np.full((len(hands), len(rows), 21, 2), np.nan)
    image = at.focal_px * at.points_camera[..., :2] / at.points_camera[..., 2:] + resumed.problem.view.centre_px
    for index, hand in enumerate(hands):
        for segment, track in zip(resumed.clip.segments, layout.tracks, strict=True):
            inside = (rows >= track.start) & (rows < track.start + track.count)
            if segment.track == hand:
                out[index, inside] = image[track.packed + rows[inside] - track.start]
    return out
