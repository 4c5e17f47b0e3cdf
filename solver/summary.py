"""What a person reads at the end of a solve."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from . import take as takes
from .hand_model.model import HandModel
from .reprojection import relative_errors
from .wording import counted

STAGES = {
    "clip": "Reading the clip",
    "hands": "Finding the hands",
    "camera": "Placing the camera",
    "initialise": "Fitting the hands",
    "optimise": "Optimising the motion",
    "outlines": "Fitting the outlines",
    "rendering": "Rendering the hands",
}


def summary(take: takes.Take, models: dict[str, HandModel]) -> str:
    """Coverage, fit and speed in words, one line each."""
    lines = [
        f"{side} hand: seen in {(status == takes.OBSERVED).mean():.0%} of {counted(len(take.frames), 'frame')}, "
        f"filled in {(status == takes.INFILLED).mean():.0%}, {_percent(errors)} of hand size from its landmarks"
        for side, status, errors in zip(take.sides, take.status, relative_errors(take, models), strict=True)
    ]
    lines += _outline_lines(take)
    seconds = take.provenance.get("seconds", {})
    length = len(take.frames) / Fraction(*take.frame_rate)
    total = sum(stage["cpu"] for stage in seconds.values())
    lines += [
        f"{STAGES[name]}: {1e3 * s['cpu'] / len(take.frames):.1f} CPU ms per frame" for name, s in seconds.items()
    ]
    return "\n".join([*lines, f"CPU time / clip length: {total / length:.2f}"])


def _outline_lines(take: takes.Take) -> list[str]:
    """How well each hand covers its mask, and where worst."""
    lines = []
    for side, shares in zip(take.sides, take.outline_overlap, strict=False):
        known = np.flatnonzero(np.isfinite(shares))
        if len(known):
            worst = sorted(take.frames[known[np.argsort(shares[known])[:3]]].tolist())
            lines.append(
                f"{side} hand: covers {shares[known].mean():.0%} of itself and its mask in "
                f"{counted(len(known), 'frame')}, least in {', '.join(map(str, worst))}"
            )
    return lines


def _percent(errors: np.ndarray) -> str:
    """The median of what there is."""
    known = errors[np.isfinite(errors)]
    return f"{np.median(known):.1%}" if len(known) else "unknown"
