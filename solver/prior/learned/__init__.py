"""A prior that was trained: a masked sequence model over both hands, run with NumPy alone. See ``README.md``."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from pathlib import Path

from ...optimise.costs.learned import HiddenFingersCost
from ...optimise.problem import Problem
from ...optimise.refine import Predictor
from ...optimise.state import State
from . import file
from .hidden import hidden_fingers_cost


def predictor(path: str | Path | None, frame_rate: Fraction | float) -> Predictor | None:
    """What ``optimise.refine`` asks about hidden fingers, by the prior at ``path``; None for no path.

    Raises:
        SolverError: as ``file.load``.
    """
    if not path:
        return None
    network, frame_s = _loaded(str(path), Path(path).stat().st_mtime_ns if Path(path).exists() else 0), 1 / frame_rate

    def predict(problem: Problem, state: State) -> HiddenFingersCost | None:
        return hidden_fingers_cost(network, problem, state, float(frame_s))

    return predict


@lru_cache(maxsize=2)
def _loaded(path: str, changed_ns: int):
    """``changed_ns`` is when the file was written: one that was trained anew is read anew."""
    return file.load(path)
