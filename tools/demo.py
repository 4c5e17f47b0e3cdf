"""``build.py demo``: the whole product once. A real Blender installs the zip and solves a clip through it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from . import blenders, inputs, package, targets
from .console import ROOT, BuildError, headline, run_quietly, say, step

DEMO = ROOT / "demo"
DEFAULT_CLIP = ROOT / "tools" / "demo_clip" / "default_clip.mp4"
SCRIPT = ROOT / "tools" / "blender_scripts" / "solve_clip.py"
HOME = ROOT / "build" / "homes" / "demo"
LOG = ROOT / "build" / "logs" / "demo.log"


@dataclass(frozen=True)
class Outcome:
    """``take`` and ``extension`` are paths; ``summary`` is what the extension says at the end, several lines."""

    take: Path
    extension: Path
    summary: str


def run(clip: Path, folder: Path = DEMO) -> None:
    """Leave a .blend, a take, an overlay movie and a contact sheet for ``clip`` in ``folder``.

    Raises:
        BuildError: the clip isn't there, or a step failed.
    """
    if not clip.exists():
        raise BuildError(
            f"There is no file {clip}.", "Give the path of a video, or none for the clip that comes along."
        )
    headline("Set-up")
    inputs.ensure()
    python = blenders.ensure(blenders.DEFAULT)
    archive = package.build(_target(blenders.DEFAULT.python))
    headline(f"Solving {clip.name} in Blender {blenders.DEFAULT.series}")
    folder.mkdir(parents=True, exist_ok=True)
    blend = folder / f"{clip.stem}.blend"
    outcome = _solve(python, archive, clip.resolve(), blend)
    pictures = _draw(python, outcome, clip.resolve(), folder)
    shutil.rmtree(HOME)
    headline("Done")
    for line in outcome.summary.splitlines():
        say(line)
    for path in (blend, outcome.take, *pictures):
        say(str(path.relative_to(folder.parent)))


def _target(python: str) -> targets.Target:
    fitting = [target for target in targets.select("current") if target.python.version == python]
    if not fitting:
        names = ", ".join(platform.name for platform in targets.PLATFORMS)
        raise BuildError(
            f"{targets.platform_name()} is no platform that Handheld is built for.", f"Use one of: {names}."
        )
    return fitting[0]


def _solve(python: Path, archive: Path, clip: Path, blend: Path) -> Outcome:
    shutil.rmtree(HOME, ignore_errors=True)
    HOME.mkdir(parents=True)
    LOG.parent.mkdir(parents=True, exist_ok=True)
    env = {**os.environ, "HOME": str(HOME), "BLENDER_USER_RESOURCES": str(HOME / "blender")}
    command = [python, "-I", SCRIPT, archive, clip, blend]
    with subprocess.Popen(
        [str(word) for word in command], env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, encoding="utf-8", errors="replace",
    ) as process:  # fmt: skip
        said = dict(_follow(process.stdout))
    if "REPORT" not in said:
        problem = said.get("PROBLEM", f"Blender ended with status {process.returncode}.")
        raise BuildError(problem, f"Blender's log may say more: {LOG}")
    fields = json.loads(said["REPORT"])
    return Outcome(Path(fields["take"]), Path(fields["extension"]), fields["summary"])


def _follow(lines: Iterator[str]) -> Iterator[tuple[str, str]]:
    """Write Blender's output to the log, show progress, and hand on what it says to us."""
    with LOG.open("w", encoding="utf-8") as log:
        started = time.monotonic()
        for line in lines:
            log.write(line)
            kind, _, text = line.rstrip("\n").partition(" ")
            if kind == "PROGRESS":
                _show(f"{text} ({time.monotonic() - started:.0f} s)")
            elif kind in ("REPORT", "PROBLEM"):
                yield kind, text
    if sys.stdout.isatty():
        print()


def _show(text: str) -> None:
    """One line that is written over where there is a terminal, else a line each."""
    if sys.stdout.isatty():
        print(f"\r\033[K  {text}", end="", flush=True)
    else:
        say(text)


def _draw(python: Path, outcome: Outcome, clip: Path, folder: Path) -> tuple[Path, Path]:
    """The overlay movie and the contact sheet, by the installed solver."""
    overlay, sheet = folder / f"{clip.stem}.overlay.mp4", folder / f"{clip.stem}.sheet.png"
    launch = outcome.extension / "solver" / "launch.py"
    with step("drawing the hands over the clip"):
        run_quietly(
            [python, "-I", launch, "overlay", outcome.take, "-o", overlay, "--sheet", sheet, "--clip", clip],
            f"The take is there: {outcome.take}. See the message above for what stopped the drawing.",
        )
    return overlay, sheet
