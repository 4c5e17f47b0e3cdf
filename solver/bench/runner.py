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
        command, cwd=_REPOSITORY, env={**os.environ, **_SINGLE_THREADED}, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, encoding="utf-8",
    )  # fmt: skip
    with process.stdout:
        stages, failure = _listen(process)
    cpu, peak = _wait(process)
    wall = time.perf_counter() - started
    if process.returncode and not failure:
        failure = f"the solver ended with status {process.returncode}"
    return Run(None if failure else take, failure, stages, wall, cpu, peak)


def _listen(process: subprocess.Popen) -> tuple[dict[str, float], str]:
    stages, failure = {}, ""
    for line in process.stdout:
        message = json.loads(line)
        if message["type"] == "StageFinished":
            stages[message["stage"]] = message["cpu_seconds"]
        elif message["type"] == "Failed":
            failure = message["sentence"]
    return stages, failure


def _wait(process: subprocess.Popen) -> tuple[float | None, float | None]:
    """CPU seconds and peak memory in megabytes of the ended process and its own children."""
    if not hasattr(os, "wait4"):
        process.wait()
        return None, None
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    unit = 1e6 if sys.platform == "darwin" else 1e3  # macOS tells bytes, Linux kilobytes
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / unit
