"""Which of several maps of the same keyframes to keep, and whether one leaves enough doubt for another try.

The mapper draws by chance. From a bad beginning, or a wrong focal length, it can end in a world that explains half of
what is followed and fits that half to a pixel, so that nothing within such a map tells. Another map does: it explains
more. Where all is well every beginning ends alike, and another would be time lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from . import breaks
from .adjustment import Observations, State
from .job import MappingJob
from .refinement import SparseModel

# Of what is seen in three keyframes or more, a sound map explains so much: five clips that were solved well 0.94 to
# 1.04 (which counts chains of two as well), one whose focal length came out at half of the true one 0.55.
_EXPLAINED = 0.9
# Points that are seen on both sides of each step between keyframes: after a fast, blurred turn that went well, 38.
_JOINING_POINTS = 30
# Times the median depth of the keyframe before: there 1.5, elsewhere less.
_DEPTH_JUMP = 2.0
# Shares of observations within which two maps are the same one.
_ALIKE = 0.03


@dataclass(frozen=True)
class Try:
    """Attributes:
    models: the largest first.
    held: keyframes of the first that are of one size.
    observations: of the first model's points.
    is_sound: all keyframes in one piece without a weak joint, and nearly all that can be explained is.
    """

    models: list[SparseModel]
    held: int
    observations: int
    is_sound: bool


def tried(job: MappingJob, models: list[SparseModel], explainable: int) -> Try:
    """Args: explainable: keypoints of keyframes that match in two others or more."""
    if not models:
        return Try(models, 0, 0, False)
    first = models[0]
    held, jump = _in_one_size(job, first)
    is_whole = held == len(job.key_rows) and jump < _DEPTH_JUMP and joining_points(first) >= _JOINING_POINTS
    observations = len(first.seen_points)
    return Try(models, held, observations, is_whole and observations >= _EXPLAINED * explainable)


def best(tries: Sequence[Try]) -> Try:
    """The one that holds most keyframes, of those the one that explains most; the earliest of equal ones.

    Whatever is further off than a few px is no observation, so that errors have been counted.
    """
    return max(tries, key=lambda one: (one.held, one.observations))


def is_settled(tries: Sequence[Try]) -> bool:
    """Would another try tell nothing new? One is sound, or the last two are alike: then chance is not to blame."""
    if any(one.is_sound for one in tries):
        return True
    if len(tries) < 2:
        return False
    a, b = tries[-2:]
    return a.held == b.held and abs(a.observations - b.observations) <= _ALIKE * max(a.observations, b.observations)


def joining_points(model: SparseModel) -> int:
    """The fewest points that are seen both up to a keyframe and after it."""
    count = len(model.rows)
    if count < 2 or not len(model.seen_points):
        return 0
    seen = np.searchsorted(model.rows, model.seen_rows)
    first, last = np.full(len(model.points), count), np.full(len(model.points), count)
    np.minimum.at(first, model.seen_points, seen)
    last[model.seen_points] = 0
    np.maximum.at(last, model.seen_points, seen)
    begun, ended = (np.cumsum(np.bincount(edge, minlength=count + 1)) for edge in (first, last))
    return int((begun - ended)[: count - 1].min())


def _in_one_size(job: MappingJob, model: SparseModel) -> tuple[int, float]:
    """Keyframes of the longest stretch whose size does not start anew, and the largest jump in depth."""
    poses = np.full((job.frame_count, 4, 4), np.nan)
    poses[model.rows] = model.camera_from_world
    state = State(poses, np.zeros((job.frame_count, 6)), model.points, model.lens)
    pixels = np.zeros((len(model.seen_rows), 2))
    seen = Observations.sorted(job.size, job.frame_count, len(model.points), model.seen_rows, model.seen_points, pixels)
    posed = np.isin(np.arange(job.frame_count), model.rows)
    depths = np.log(breaks.median_depths(seen, state)[model.rows])
    jumps = np.abs(np.diff(depths[np.isfinite(depths)]))
    return int(breaks.pieces(seen, state, posed)[0].sum()), float(np.exp(jumps.max(initial=0.0)))
