"""Costs of motion and pose, freed where nothing is seen: ``prior.gaps`` says how far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..prior.gaps import RULE, HingeGaps, Rule, hinge_gaps, wrist_gaps
from .costs.base import Cost
from .costs.dynamics import FingerDynamicsCost, WristCost, WristPositionCost
from .costs.keypoints import KeypointCost
from .costs.pose import PoseCovarianceCost
from .costs.touch import NoSlipCost, RelativeWristCost, TouchCost
from .layout import Layout
from .problem import Problem


def landmarks_seen(costs: Sequence[Cost], layout: Layout) -> np.ndarray:
    """(N, 21) landmarks that the picture shows."""
    seen = np.zeros((layout.hand_count, 21), bool)
    for cost in costs:
        if isinstance(cost, KeypointCost):
            seen |= cost.whitening.any((2, 3))
    return seen


def without(problem: Problem, shown: np.ndarray) -> Problem:
    """The problem after landmarks were taken from it: where any that were ``shown`` (N, 21) bool are not seen now, that
    is a gap like one of the tracker's, and is filled as such. Landmarks that were added close no gap.

    Its rate is that of the fingers' dynamics; without them no motion is freed.
    """
    left = shown & landmarks_seen(problem.costs, problem.layout)
    if (left == shown).all():
        return problem
    kept = parted(problem.costs, shown.any(1) & ~left.any(1))
    rates = [cost.frame_s for cost in kept if isinstance(cost, FingerDynamicsCost)]
    return replace(problem, costs=tuple(freed(kept, problem.layout, left, rates[0]) if rates else kept))


def parted(costs: Sequence[Cost], gone: np.ndarray) -> list[Cost]:
    """``costs`` without touches of hand-frames that are ``gone`` (N,) bool: a touch is evident in pictures alone."""
    return [kept for cost in costs if (kept := _parted(cost, gone)) is not None]


def _parted(cost: Cost, gone: np.ndarray) -> Cost | None:
    if isinstance(cost, TouchCost | NoSlipCost):
        touches = cost.touches_of
        kept = np.flatnonzero(~(gone[touches.first] | gone[touches.second]))
        return replace(cost, touches_of=touches.take(kept)) if len(kept) else None
    if isinstance(cost, RelativeWristCost):
        kept = ~np.any([gone[hands + after] for hands in (cost.first, cost.second) for after in (0, 1)], axis=0)
        return replace(cost, first=cost.first[kept], second=cost.second[kept]) if kept.any() else None
    return cost


def freed(
    costs: Sequence[Cost], layout: Layout, landmarks: np.ndarray, frame_s: float, rule: Rule = RULE
) -> list[Cost]:
    """``costs`` with those of motion and pose freed where ``landmarks`` (N, 21) bool are not seen; the same ones where
    all is seen. ``rule`` says how far.

    Wrists are freed only where the camera's path is known: else a row is as unsure as that path is along the camera's
    own innovation (``WristPositionCost.scale_deviation``), which without memory is all of its velocity, and hands that
    are not seen while the camera turns fast would be carried away with it.
    """
    if landmarks.all():
        return list(costs)
    doubted = any(isinstance(cost, WristPositionCost) and cost.scale_deviation for cost in costs)
    hinges, tracks = layout.tracks[0].skeleton.hinges, [track.hands for track in layout.tracks]

    def gaps(beside: int) -> HingeGaps | None:
        found = hinge_gaps(hinges, tracks, landmarks, frame_s, beside, rule)
        return found if found.hidden.any() else None

    def free(cost: Cost) -> Cost:
        if isinstance(cost, FingerDynamicsCost):
            return replace(cost, gaps=gaps(beside=1), frame_s=frame_s)
        if isinstance(cost, PoseCovarianceCost):
            return replace(cost, gaps=gaps(beside=0))
        if isinstance(cost, WristCost) and not doubted and not landmarks.any(1).all():
            usual_s = -frame_s / np.log(float(cost.process.memory))
            return replace(cost, gaps=wrist_gaps(tracks, landmarks, frame_s, usual_s, rule))
        return cost

    return [free(cost) for cost in costs]
