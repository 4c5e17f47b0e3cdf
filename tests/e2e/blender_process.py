"""Runs a script of ``inside/`` within a Blender of its own, isolated from the user's, and reads what it reports."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.blenders import Blender

INSIDE = Path(__file__).parent / "inside"
REPORT = "REPORT "
TIMEOUT_SECONDS = 300
_MARK = "HANDHELD_TEST_RUN"


@dataclass(frozen=True)
class Outcome:
    """``facts`` are what the script reported, ``left_running`` the command lines of processes that outlived Blender."""

    facts: dict[str, Any]
    left_running: list[str]
    log: str


def run(blender: Blender, script: str, home: Path, **arguments: Any) -> Outcome:
    """Run ``inside/<script>`` with ``arguments`` as keywords of its ``main``."""
    mark = uuid.uuid4().hex
    home.mkdir(parents=True, exist_ok=True)
    env = {**os.environ, "HOME": str(home), "BLENDER_USER_RESOURCES": str(home / "blender"), _MARK: mark}
    done = subprocess.run(
        [blender.environment.executable, "-I", INSIDE / script, json.dumps(arguments)],
        env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, encoding="utf-8", errors="replace", timeout=TIMEOUT_SECONDS, check=False,
    )  # fmt: skip
    reports = [line.removeprefix(REPORT) for line in done.stdout.splitlines() if line.startswith(REPORT)]
    assert done.returncode == 0 and reports, f"Blender {blender.series} ended with {done.returncode}:\n{done.stdout}"
    return Outcome(json.loads(reports[-1]), _marked_processes(mark), done.stdout)


def _marked_processes(mark: str) -> list[str]:
    """Command lines of this run's processes that still exist; empty where there is no /proc to ask."""
    if not sys.platform.startswith("linux"):
        return []
    wanted = f"{_MARK}={mark}".encode()
    processes = Path("/proc").glob("[0-9]*")
    return [_read(folder / "cmdline") for folder in processes if wanted in _bytes(folder / "environ")]


def _read(path: Path) -> str:
    return _bytes(path).replace(b"\0", b" ").decode(errors="replace")


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:  # it has ended meanwhile
        return b""
