"""What moves by itself although no mask covers it: a person who turns in view, something that is carried.

A still world's points are explained to within their noise; what moves a little is explained badly over its whole
length, and a robust loss alone lets many such points bend the path together.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from . import adjustment, resection
from .adjustment import Observations, State
from .job import MappingJob

# A point whose mean error is this many times the median point's, and this many px, strays. With 1.6, nine tenths of the
# points on a moving person go in three validation clips, and a tenth of the others.
_STRAY, _STRAY_PX = 1.6, 0.3
# Points seen less often tell nothing of the usual error; frames left with fewer points than this keep what they have.
_MIN_LENGTH, _FEW_POINTS = 5, 40
# A track this long that no still point explains to within this many px moves by itself.
_LONG_FRAMES, _MOVING_PX = 8, 1.5


def stays(seen: Observations, error_px: np.ndarray, cap_px: float) -> np.ndarray:
    """(N,) which observations are of points that do not stray.

    Args:
        error_px: (N,) distance of each observation from where its point should be.
        cap_px: one observation counts no more than this.
    """
    counts = np.bincount(seen.points, minlength=seen.point_count)
    mean = np.bincount(seen.points, np.minimum(error_px, cap_px), seen.point_count) / np.maximum(counts, 1)
    telling = mean[counts >= _MIN_LENGTH]
    if not len(telling):
        return np.ones(len(seen.points), bool)
    kept = (mean <= max(_STRAY * float(np.median(telling)), _STRAY_PX))[seen.points]
    left = np.bincount(seen.frames[kept], minlength=seen.frame_count)
    return kept | (left < _FEW_POINTS)[seen.frames]


def share(job: MappingJob, state: State, posed: np.ndarray) -> float:
    """Of all that was followed for long outside the masks: what no point that stands still explains."""
    part = posed[job.rows]
    _, inverse, counts = np.unique(job.ids[part], return_inverse=True, return_counts=True)
    long = counts[inverse] >= _LONG_FRAMES
    if not long.any():
        return 0.0
    tracks, points = np.unique(inverse[long], return_inverse=True)
    seen = Observations.sorted(
        job.size, job.frame_count, len(tracks), job.rows[part][long], points, job.points_px[part][long]
    )
    found, _ = resection.triangulate(seen, state)
    error = np.linalg.norm(adjustment.residuals(seen, replace(state, points=found)), axis=1)
    mean = np.bincount(seen.points, error) / np.bincount(seen.points)
    return float((mean > _MOVING_PX)[seen.points].mean())
