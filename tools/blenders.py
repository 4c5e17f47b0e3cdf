"""The Blenders that tests and the demo run in: the ``bpy`` package of each series, in an environment of its own."""

from __future__ import annotations

import ctypes
import functools
import sys
from dataclasses import dataclass
from pathlib import Path

from . import environment, pythons
from .console import BuildError
from .environment import Environment


@dataclass(frozen=True)
class Blender:
    """``series`` as in "4.5"; an ``optional`` one is left out where its Python is missing."""

    series: str
    python: str
    optional: bool = False

    @property
    def environment(self) -> Environment:
        return Environment(f".venv-bpy-{self.series}", self.python, (f"blender-{self.series}",))

    @property
    def extension_tool(self) -> Path:
        """Blender's own program that validates extensions and generates repositories."""
        scripts = self.environment.site_packages / "bpy" / self.series / "scripts"
        return scripts / "addons_core" / "bl_pkg" / "cli" / "blender_ext.py"

    def missing_because(self) -> str:
        """Why this Blender can't be had here, "" when it can."""
        if pythons.find(self.python):
            return ""
        return f"Blender {self.series} needs Python {self.python}, which was not found on this machine"


BLENDERS = (
    Blender("4.2", "3.11"),
    Blender("4.5", "3.11"),
    Blender("5.0", "3.11"),
    Blender("5.2", "3.13", optional=True),
)
# The one that the demo and the build's own checks use.
DEFAULT = BLENDERS[1]

_LIBRARIES = {
    "libX11.so.6": "libx11-6",
    "libXrender.so.1": "libxrender1",
    "libXfixes.so.3": "libxfixes3",
    "libXi.so.6": "libxi6",
    "libXxf86vm.so.1": "libxxf86vm1",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libSM.so.6": "libsm6",
    "libGL.so.1": "libgl1",
    "libEGL.so.1": "libegl1",
}


@functools.cache
def ensure(blender: Blender) -> Path:
    """Install ``blender`` if need be; returns the Python that imports it as ``bpy``.

    Raises:
        BuildError: a system library or the Python is missing, or a package could not be installed.
    """
    _check_libraries()
    return environment.ensure(blender.environment)


def available() -> tuple[Blender, ...]:
    """All Blenders but the optional ones that can't be had here."""
    return tuple(blender for blender in BLENDERS if not (blender.optional and blender.missing_because()))


def _check_libraries() -> None:
    if not sys.platform.startswith("linux"):
        return
    missing = [package for library, package in _LIBRARIES.items() if not _loads(library)]
    if missing:
        raise BuildError(
            f"Blender needs system libraries that this machine lacks: {', '.join(missing)}.",
            f"Install them, with Debian or Ubuntu: sudo apt install {' '.join(missing)}",
        )


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True
