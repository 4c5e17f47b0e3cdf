"""What a zip is made for: a platform and a Python version, and the Blender versions that have that Python."""

from __future__ import annotations

import platform
import sys
from dataclasses import dataclass


@dataclass(frozen=True)
class Python:
    """``blender_version_max`` is exclusive, as Blender reads it; "" when there is none yet."""

    version: str
    blender_version_min: str
    blender_version_max: str

    @property
    def tag(self) -> str:
        return "cp" + self.version.replace(".", "")


@dataclass(frozen=True)
class Platform:
    """``name`` is Blender's, ``wheel_tags`` are the wheels that run there, the preferred first."""

    name: str
    wheel_tags: tuple[str, ...]


@dataclass(frozen=True)
class Target:
    platform: Platform
    python: Python

    @property
    def name(self) -> str:
        return f"{self.platform.name}-{self.python.tag}"


PYTHONS = (Python("3.11", "4.2.0", "5.1.0"), Python("3.13", "5.1.0", ""))
PLATFORMS = (
    # Blender itself asks for glibc 2.28
    Platform("linux-x64", ("manylinux_2_28_x86_64", "manylinux_2_27_x86_64", "manylinux2014_x86_64")),
    Platform("windows-x64", ("win_amd64",)),
    # PyAV has no wheel for an older macOS
    Platform("macos-arm64", ("macosx_14_0_arm64",)),
)
TARGETS = tuple(Target(platform, python) for platform in PLATFORMS for python in PYTHONS)

_SYSTEMS = {"linux": "linux", "win32": "windows", "darwin": "macos"}
_MACHINES = {"x86_64": "x64", "amd64": "x64", "arm64": "arm64", "aarch64": "arm64"}


def platform_name() -> str:
    """Blender's name of the platform that this runs on."""
    machine = platform.machine().lower()
    return f"{_SYSTEMS.get(sys.platform, sys.platform)}-{_MACHINES.get(machine, machine)}"


def select(wanted: str) -> tuple[Target, ...]:
    """The targets of ``wanted``: "all", "current" (this machine's platform), a platform, or one target's name."""
    if wanted == "all":
        return TARGETS
    name = platform_name() if wanted == "current" else wanted
    return tuple(target for target in TARGETS if name in (target.name, target.platform.name))
