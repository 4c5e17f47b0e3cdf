"""How sure a stretch is once it was solved again: what the artist asked for is evidence too, and may replace some."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from .constraints import Constraint, Ignore, ImagePoint
from .hand_model import HandModel
from .messages import HandJudged, ResolveRequest
from .optimise import Resumed
from .reprojection import landmark_errors_px
from .take import MISSING, OBSERVED, Take

_FINGERTIPS = [4, 8, 12, 16, 20]


def judged(
    request: ResolveRequest, after: Resumed, wishes: Sequence[Constraint], models: Mapping[str, HandModel]
) -> Iterator[HandJudged]:
    """One for each hand that was free to move, about the frames of the request in which it is there."""
    take = after.take
    rows = np.flatnonzero((take.frames >= request.first) & (take.frames <= request.last))
    hands = request.hands or tuple(range(len(take.sides)))
    sigma, ratio = _deviations(after, request, wishes, rows)
    errors_px, ignored = _errors_px(take, rows, wishes, models)
    for hand in hands:
        doubt = (1.0 - take.confidence[hand, rows]) * np.minimum(ratio[hand].mean(axis=-1), 1.0) ** 2
        confidence = np.where(ignored[hand], 0.0, 1.0 - doubt)
        there = take.status[hand, rows] != MISSING
        yield HandJudged(
            request.request,
            hand,
            tuple(take.frames[rows][there].tolist()),
            tuple(confidence[there].tolist()),
            tuple(map(_plain, sigma[hand, there][:, _FINGERTIPS])),
            _plain(errors_px[hand, there]),
        )


def _deviations(
    after: Resumed, request: ResolveRequest, wishes: Sequence[Constraint], rows: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(H, n, 21) deviations by now, in metres, and in shares of the take's."""
    known = after.take.joint_sigma[:, rows]
    if not wishes:
        return known, np.ones_like(known)
    sigma, ratio = after.surety(request.first, request.last, wishes, request.hands or None)
    ratio = np.where(np.isfinite(ratio), ratio, 1.0)
    return np.where(np.isfinite(known), known * ratio, sigma), ratio


def _errors_px(
    take: Take, rows: np.ndarray, wishes: Sequence[Constraint], models: Mapping[str, HandModel]
) -> tuple[np.ndarray, np.ndarray]:
    """(H, n) median error against the landmarks that count by now, NaN where none does; (H, n) bool: are none to?"""
    points, ignored = take.keypoints_px.copy(), np.zeros(take.status.shape, bool)
    for wish in wishes:
        if isinstance(wish, ImagePoint) and not wish.of_model:
            row = wish.frame - take.frames[0]
            points[wish.track, row, wish.keypoint] = np.nan if wish.position_px is None else wish.position_px
        elif isinstance(wish, Ignore):
            ignored[wish.track] |= (take.frames >= wish.first) & (take.frames <= wish.last)
    points[ignored | (take.status != OBSERVED)] = np.nan
    take = dataclasses.replace(take, keypoints_px=points)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a frame without landmarks has no median
        errors_px = np.nanmedian(landmark_errors_px(take, models, slice(rows[0], rows[-1] + 1)), axis=-1)
    return errors_px, ignored[:, rows]


def _plain(values: np.ndarray) -> tuple[float | None, ...]:
    return tuple(value if np.isfinite(value) else None for value in values.tolist())
