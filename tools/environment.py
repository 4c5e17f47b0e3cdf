"""Virtual environments with pinned content, made once and reused until a pin changes.

An environment is made of layers, one requirement file each (``tools/requirements/<layer>.txt``). A file with hashes is
installed with pip's hash checking. A further layer is added to what is there; a changed layer makes the whole anew.
"""

from __future__ import annotations

import functools
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from . import pythons, stamps
from .console import ROOT, BuildError, run_quietly, say, step

REQUIREMENTS = ROOT / "tools" / "requirements"
PIP_REPAIR = (
    "Check that pip reaches a package index from here (`python3 -m pip download numpy` shows it) and that the disk has "
    "room, then run the same command again: it goes on where it stopped."
)


@dataclass(frozen=True)
class Environment:
    """``name`` is its folder in the repository's root, ``python`` the version it needs."""

    name: str
    python: str
    layers: tuple[str, ...]

    @property
    def folder(self) -> Path:
        return ROOT / self.name

    @property
    def executable(self) -> Path:
        return self.folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")

    @property
    def site_packages(self) -> Path:
        inside = "Lib" if sys.platform == "win32" else f"lib/python{self.python}"
        return self.folder / inside / "site-packages"


# What the solver runs on, which also runs the build; and on top of it what only tests need.
SOLVER = Environment(".venv", "3.11", ("runtime",))
DEVELOP = Environment(".venv", "3.11", ("runtime", "develop"))


@functools.cache
def ensure(environment: Environment) -> Path:
    """Make or complete the environment; returns its Python.

    Raises:
        BuildError: no such Python, or a package could not be installed.
    """
    wanted = [_layer_key(environment, layer) for layer in environment.layers]
    present = stamps.read(environment.folder).splitlines() if environment.executable.exists() else []
    if present[: len(wanted)] == wanted:
        say(f"{environment.name}: ready")
        return environment.executable
    if not present or wanted[: len(present)] != present:
        _create(environment)
        present = []
    for count in range(len(present), len(wanted)):
        _install(environment, environment.layers[count])
        stamps.seal(environment.folder, "\n".join(wanted[: count + 1]))
    return environment.executable


def _layer_key(environment: Environment, layer: str) -> str:
    return f"{layer} {stamps.digest(environment.python, REQUIREMENTS / f'{layer}.txt')}"


def _create(environment: Environment) -> None:
    python = pythons.find(environment.python)
    if python is None:
        raise BuildError(
            f"No Python {environment.python} that can make virtual environments was found.",
            _get_python(environment.python),
        )
    with step(f"{environment.name}: creating with Python {environment.python}"):
        if (environment.folder / "pyvenv.cfg").exists():
            shutil.rmtree(environment.folder)
        run_quietly([python, "-m", "venv", environment.folder], _get_python(environment.python))


def _get_python(version: str) -> str:
    if sys.platform.startswith("linux"):
        return f"Install it, with Debian or Ubuntu: sudo apt install python{version} python{version}-venv"
    return f"Install Python {version} from its official installer and run the same command again."


def _install(environment: Environment, layer: str) -> None:
    requirements = REQUIREMENTS / f"{layer}.txt"
    checking = ["--require-hashes", "--no-deps"] if "--hash=" in requirements.read_text(encoding="utf-8") else []
    with step(f"{environment.name}: installing {layer}"):
        pip = [environment.executable, "-m", "pip", "--disable-pip-version-check", "install", "--only-binary=:all:"]
        run_quietly([*pip, *checking, "-r", requirements], PIP_REPAIR)
