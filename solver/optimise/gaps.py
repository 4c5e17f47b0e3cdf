"""Costs of motion and pose, freed where nothing is seen: ``prior.gaps`` says how far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..prior.gaps import HingeGaps, hinge_gaps, wrist_gaps
from .costs.base import Cost
from .costs.dynamics import FingerDynamicsCost, WristCost, WristPositionCost
from .costs.keypoints import KeypointCost
from .costs.pose import PoseCovarianceCost
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

    Its rate is that of the fingers' dynamics; without them nothing is freed.
    """
    left = shown & landmarks_seen(problem.costs, problem.layout)
    rates = [cost.frame_s for cost in problem.costs if isinstance(cost, FingerDynamicsCost)]
    if not rates or (left == shown).all():
        return problem
    return replace(problem, costs=tuple(freed(problem.costs, problem.layout, left, rates[0])))


def freed(costs: Sequence[Cost], layout: Layout, landmarks: np.ndarray, frame_s: float) -> list[Cost]:
    """``costs`` with those of motion and pose freed where ``landmarks`` (N, 21) bool are not seen; the same ones where
    all is seen.

    Wrists are freed only where the camera's path is known: else a row is as unsure as that path is along the camera's
    own innovation (``WristPositionCost.scale_deviation``), which without memory is all of its velocity, and hands that
    are not seen while the camera turns fast would be carried away with it.
    """
    if landmarks.all():
        return list(costs)
    doubted = any(isinstance(cost, WristPositionCost) and cost.scale_deviation for cost in costs)
    hinges, tracks = layout.tracks[0].skeleton.hinges, [track.hands for track in layout.tracks]

    def gaps(beside: int) -> HingeGaps | None:
        found = hinge_gaps(hinges, tracks, landmarks, frame_s, beside)
        return found if found.hidden.any() else None

    def free(cost: Cost) -> Cost:
        if isinstance(cost, FingerDynamicsCost):
            return replace(cost, gaps=gaps(beside=1), frame_s=frame_s)
        if isinstance(cost, PoseCovarianceCost):
            return replace(cost, gaps=gaps(beside=0))
        if isinstance(cost, WristCost) and not doubted and not landmarks.any(1).all():
            usual_s = -frame_s / np.log(float(cost.process.memory))
            return replace(cost, gaps=wrist_gaps(tracks, landmarks, frame_s, usual_s))
        return cost

    return [free(cost) for cost in costs]
