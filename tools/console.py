"""What a developer sees: one line per step, and a failure that says what to do."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TAIL_LINES = 25


class BuildError(Exception):
    """A step failed. ``sentence`` says what, ``repair`` what to do about it."""

    def __init__(self, sentence: str, repair: str) -> None:
        super().__init__(f"{sentence}\n{repair}")
        self.sentence = sentence
        self.repair = repair


@contextmanager
def step(title: str) -> Iterator[None]:
    """Print ``title`` and, when the block ends, how long it took."""
    print(f"  {title} ... ", end="", flush=True)
    started = time.monotonic()
    try:
        yield
    except BaseException:
        print("failed", flush=True)
        raise
    print(f"{time.monotonic() - started:.1f} s", flush=True)


def say(line: str) -> None:
    print(f"  {line}", flush=True)


def headline(line: str) -> None:
    print(f"\n== {line}", flush=True)


def megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"


def run_quietly(command: Sequence[str | Path], repair: str, env: Mapping[str, str] | None = None) -> str:
    """Run a command from the repository's root and return its output (stdout and stderr together).

    Raises:
        BuildError: it failed; the sentence ends with the last lines that it printed.
    """
    words = [str(word) for word in command]
    try:
        done = subprocess.run(
            words, cwd=ROOT, env=_environment(env), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, encoding="utf-8", errors="replace", check=False,
        )  # fmt: skip
    except OSError as error:
        raise BuildError(f"{words[0]} could not be started ({error.strerror}).", repair) from error
    if done.returncode:
        tail = "\n".join(done.stdout.splitlines()[-TAIL_LINES:])
        raise BuildError(f"This command ended with status {done.returncode}:\n{' '.join(words)}\n{tail}", repair)
    return done.stdout


def run_visibly(
    command: Sequence[str | Path], env: Mapping[str, str] | None = None, timeout: float | None = None
) -> bool:
    """Run a command whose output the developer watches; True when it succeeded within ``timeout`` seconds."""
    words = [str(word) for word in command]
    try:
        return subprocess.run(words, cwd=ROOT, env=_environment(env), timeout=timeout, check=False).returncode == 0
    except subprocess.TimeoutExpired:
        say(f"stopped after {timeout:.0f} s: {' '.join(words)}")
        return False


def _environment(extra: Mapping[str, str] | None) -> dict[str, str]:
    """This process's environment without what would leak another Python's packages into a child."""
    kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
    return {**kept, **(extra or {})}
