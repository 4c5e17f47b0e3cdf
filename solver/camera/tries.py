"""Which of several maps of the same keyframes to keep, and whether one leaves enough doubt for another try.

The mapper draws by chance. From a bad beginning, or a wrong focal length, it can end in a world that explains half of
what is followed and fits that half to a pixel, so that nothing within such a map tells. Another map does: it explains
more. Where all is well every beginning ends alike, and another would be time lost.
"""

from __future__ import annotations

import math
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
# Two maps within this share of observations, and this ratio of depths all along the clip, are the same one.
_ALIKE, _ALIKE_DEPTHS = 0.03, 1.2


@dataclass(frozen=True)
class Try:
    """Attributes:
    models: the largest first.
    held: keyframes of the first that are of one size.
    observations: of the first model's points.
    log_depths: (T,) of the median point in each of its keyframes; NaN elsewhere.
    is_sound: all keyframes in one piece without a weak joint, and nearly all that can be explained is.
    """

    models: list[SparseModel]
    held: int
    observations: int
    log_depths: np.ndarray
    is_sound: bool


def tried(job: MappingJob, models: list[SparseModel], explainable: int) -> Try:
    """Args: explainable: keypoints of keyframes that match in two others or more."""
    if not models:
        return Try(models, 0, 0, np.full(job.frame_count, np.nan), False)
    first = models[0]
    held, log_depths = _in_one_size(job, first)
    jumps = np.abs(np.diff(log_depths[np.isfinite(log_depths)]))
    is_tight = jumps.max(initial=0.0) < np.log(_DEPTH_JUMP) and joining_points(first) >= _JOINING_POINTS
    observations = len(first.seen_points)
    is_sound = is_tight and held == len(job.key_rows) and observations >= _EXPLAINED * explainable
    return Try(models, held, observations, log_depths, is_sound)


def best(tries: Sequence[Try]) -> Try:
    """The one that holds most keyframes, of those the one that explains most; the earliest of equal ones.

    Whatever is further off than a few px is no observation, so that errors have been counted.
    """
    return max(tries, key=lambda one: (one.held, one.observations))


def is_settled(tries: Sequence[Try]) -> bool:
    """Would another try tell nothing new? One is sound, or the last two are alike: then chance is not to blame."""
    if any(one.is_sound for one in tries):
        return True
    return len(tries) > 1 and _are_alike(*tries[-2:])


def on_the_clock(cpu_seconds: float, clock_seconds: float, used_seconds: float) -> int:
    """Seconds of the clock in which a process that used ``used_seconds`` of ``clock_seconds`` gets ``cpu_seconds``."""
    return math.ceil(cpu_seconds * max(1.0, clock_seconds / max(used_seconds, 1e-3)))


def _are_alike(a: Try, b: Try) -> bool:
    """In what they hold and explain, and in the relation of their sizes from one end to the other."""
    apart = abs(a.observations - b.observations)
    if a.held != b.held or apart > _ALIKE * max(a.observations, b.observations):
        return False
    ratios = a.log_depths - b.log_depths
    ratios = ratios[np.isfinite(ratios)]
    return not len(ratios) or float(np.ptp(ratios)) < np.log(_ALIKE_DEPTHS)


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


def _in_one_size(job: MappingJob, model: SparseModel) -> tuple[int, np.ndarray]:
    """Keyframes of the longest stretch whose size does not start anew, and ``log_depths`` of ``Try``."""
    poses = np.full((job.frame_count, 4, 4), np.nan)
    poses[model.rows] = model.camera_from_world
    state = State(poses, np.zeros((job.frame_count, 6)), model.points, model.lens)
    pixels = np.zeros((len(model.seen_rows), 2))
    seen = Observations.sorted(job.size, job.frame_count, len(model.points), model.seen_rows, model.seen_points, pixels)
    posed = np.isin(np.arange(job.frame_count), model.rows)
    return int(breaks.pieces(seen, state, posed)[0].sum()), np.log(breaks.median_depths(seen, state))
