"""Finds Python interpreters of a given version that can make virtual environments."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

# ensurepip is missing where a distribution splits it off; such a Python can't make a virtual environment
_PROBE = "import sys, venv, ensurepip; print('%d.%d' % sys.version_info[:2], sys.executable)"


@functools.cache
def find(version: str) -> Path | None:
    """The first interpreter of ``version`` ("3.11") on this machine that can make a virtual environment."""
    for candidate in _candidates(version):
        found, _, executable = _probe(candidate).partition(" ")
        if found == version:
            return Path(executable)
    return None


def _candidates(version: str) -> Iterator[list[str]]:
    yield [sys.executable]
    if on_path := shutil.which(f"python{version}"):
        yield [on_path]
    if sys.platform == "win32" and (launcher := shutil.which("py")):
        yield [launcher, f"-{version}"]
    for folder in sorted(_pyenv_versions().glob(f"{version}.*")):
        yield [str(folder / ("python.exe" if sys.platform == "win32" else "bin/python3"))]
    if sys.platform != "win32":
        yield [f"/usr/bin/python{version}"]


def _pyenv_versions() -> Path:
    return Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"


def _probe(command: list[str]) -> str:
    try:
        done = subprocess.run(
            [*command, "-I", "-c", _PROBE], capture_output=True, text=True, timeout=60, check=False
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
