"""Are landmarks trusted as far as they should be? Their residuals in stated deviations, about the fit and about truth.

Residuals about a fit are small wherever the hand can follow an error, so a small figure does not say that the tracker's
stated errors are too large: where the truth is known, its residuals stand beside.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from solver import take as takes
from solver.bench import truth as truths
from solver.errors import SolverError
from solver.hand_model import loading
from solver.optimise import resume
from solver.optimise.costs import KeypointCost
from solver.take import Take

# the median of a squared norm of two normal deviates
_MEDIAN = 2 * np.log(2)


def of_takes(*paths: str) -> None:
    """Squared whitened residuals, 1 if errors are as stated: medians, which outliers don't move, by track.

    Raises:
        SolverError: no take is named, or one can't be read.
    """
    if not paths:
        raise SolverError("no-take", "Residuals are a take's.", "Name at least one: `whitening TAKE ...`.")
    print(f"{'take':40}{'track':>6}{'about the fit':>15}{'about truth':>13}{'each joint, its bias out':>26}")
    for path in paths:
        take = takes.load(path)
        resumed = resume(take, loading.load_pair("open"))
        at = resumed.problem.at(resumed.state)
        for cost in resumed.problem.costs:
            if isinstance(cost, KeypointCost):
                fit = (cost.residuals(at) ** 2).sum(-1).reshape(-1, 21)
        known = _truth_of(take)
        for index, track in enumerate(resumed.problem.layout.tracks):
            row, hand = fit[track.hands], resumed.clip.segments[index].track
            about = _about_truth(take, hand, known) if known else (np.nan, np.nan)
            print(
                f"{Path(path).stem[-38:]:40}{hand:6d}{np.median(row[row > 0]) / _MEDIAN:15.2f}"
                f"{about[0]:13.2f}{about[1]:26.2f}",
                flush=True,
            )


def _truth_of(take: Take) -> truths.Truth | None:
    path = Path(take.clip_path).parent / "truth.npz"
    return truths.load(path) if path.exists() else None


def _about_truth(take: Take, hand: int, truth: truths.Truth) -> tuple[float, float]:
    """As it is, and without the median error of each landmark (the tracker's joints are not quite the model's)."""
    side = truths.SIDES.index(take.sides[hand])
    seen = np.isfinite(take.keypoints_px[hand]).all((1, 2)) & truth.present()[:, side]
    error = (take.keypoints_px[hand] - truth.keypoints_px[:, side])[seen]
    information = np.linalg.inv(take.keypoint_covariance_px[hand][seen])
    return tuple(
        float(np.median(np.einsum("tki,tkij,tkj->tk", e, information, e)) / _MEDIAN)
        for e in (error, error - np.median(error, axis=0))
    )
