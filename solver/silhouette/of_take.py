"""Masks and outlines of a take that is already solved: for pictures of it, and for how well it covers the plate."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..hand_model import HandModel
from ..take import MISSING, OBSERVED, Take
from .outlines import PosedHands
from .surface import surface_of


def hands_of(take: Take, models: Mapping[str, HandModel]) -> PosedHands:
    """All hand-frames of a take that are not missing, hand after hand; frames count from the take's first."""
    camera_from_world = np.linalg.inv(take.world_from_camera)
    vertices, surfaces, frames, tracks = [np.zeros((0, 778, 3))], [], [np.zeros(0, int)], [np.zeros(0, int)]
    for hand, side in enumerate(take.sides):
        rows = np.flatnonzero(take.status[hand] != MISSING)
        posed = models[side].with_shape(take.betas[hand]).pose(take.rotations[hand, rows], take.transl[hand, rows])
        turn, shift = camera_from_world[rows, :3, :3], camera_from_world[rows, :3, 3]
        vertices.append(posed.vertices() @ turn.swapaxes(-1, -2) + shift[:, None])
        surfaces += [surface_of(models[side])] * len(rows)
        frames.append(rows)
        tracks.append(np.full(len(rows), hand))
    return PosedHands(
        np.concatenate(vertices), surfaces, np.concatenate(frames), np.concatenate(tracks),
        take.intrinsics[:2], take.intrinsics[2:],
    )  # fmt: skip


def seen_in(take: Take) -> np.ndarray:
    """(N,) bool: which of ``hands_of``'s hand-frames were detected."""
    there = [status[status != MISSING] == OBSERVED for status in take.status]
    return np.concatenate([np.zeros(0, bool), *there])
