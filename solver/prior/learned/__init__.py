"""A prior that was trained: a masked sequence model over both hands, run with NumPy alone. See ``README.md``."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import SolverError
from ...optimise.costs.learned import HiddenFingersCost
from ...optimise.problem import Problem
from ...optimise.state import State
from . import file
from .hidden import hidden_fingers_cost

if TYPE_CHECKING:
    from ...optimise.refine import Predictor


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


def of_take(provenance: Mapping[str, Any], frame_rate: Fraction | float) -> Predictor | None:
    """The prior that a take was solved with, as far as its file is still there and of use."""
    options = provenance.get("options", {})
    if HiddenFingersCost.name in options.get("without", ()):
        return None
    try:
        return predictor(options.get("prior"), frame_rate)
    except SolverError:
        return None


@lru_cache(maxsize=2)
def _loaded(path: str, changed_ns: int):
    """``changed_ns`` is when the file was written: one that was trained anew is read anew."""
    return file.load(path)
