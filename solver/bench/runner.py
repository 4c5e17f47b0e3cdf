"""Runs the product on a clip from outside, as a person would, and measures what that takes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

_REPOSITORY = Path(__file__).resolve().parents[2]
_SPAWN = Path(__file__).with_name("spawn.py")
_SINGLE_THREADED = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


@dataclass(frozen=True)
class Run:
    """Attributes:
    take: the file that it wrote, None if it failed.
    failure: the product's own sentence then.
    stage_cpu_seconds: CPU seconds per stage, by the product's own messages.
    wall_seconds, cpu_seconds: of the whole process with its children; CPU is None where the system does not tell.
    peak_mb: largest resident memory of the process or one of its children, None likewise.
    """

    take: Path | None
    failure: str = ""
    stage_cpu_seconds: dict[str, float] = field(default_factory=dict)
    wall_seconds: float = 0.0
    cpu_seconds: float | None = None
    peak_mb: float | None = None


def solve(clip: Path, take: Path, arguments: tuple[str, ...] = ()) -> Run:
    """One solve in a process of its own; nothing is cached."""
    command = [sys.executable, "-m", "solver", "solve", str(clip), "-o", str(take), "--json", *arguments]
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-I", str(_SPAWN), *command], cwd=_REPOSITORY, env={**os.environ, **_SINGLE_THREADED},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, encoding="utf-8",
    )  # fmt: skip
    with process.stdout:
        stages, failure, cpu, peak = _listen(process)
    process.wait()
    wall = time.perf_counter() - started
    if process.returncode and not failure:
        failure = f"the solver ended with status {process.returncode}"
    return Run(None if failure else take, failure, stages, wall, cpu, peak)


def _listen(process: subprocess.Popen) -> tuple[dict[str, float], str, float | None, float | None]:
    stages, failure, cpu, peak = {}, "", None, None
    for line in process.stdout:
        message = json.loads(line)
        match message["type"]:
            case "StageFinished":
                stages[message["stage"]] = message["cpu_seconds"]
            case "Failed":
                failure = message["sentence"]
            case "Used":  # by spawn
                cpu, peak = message["cpu_seconds"], message["peak_mb"]
    return stages, failure, cpu, peak
