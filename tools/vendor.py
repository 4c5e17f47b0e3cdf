"""Chooses what of a wheel goes into the zip: what the solver runs on, and every licence text."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

from .wheels import distribution

VENDOR = "vendor"
LICENCES = "licences"

# Nothing here is imported, directly or on the way, by what the solver uses; the install test imports all of it.
DROPPED = (
    "*/tests/*", "*/_examples/*", "*.pyi", "*.h", "*.hpp", "*.pyx", "*.pxd", "*.pxi", "*.a", "*.lib", "*.c", "*.f90",
    "numpy/distutils/*",
    # accelerators, ahead-of-time compilers for phones, the converter: the interpreter on the CPU needs none
    "ai_edge_litert/libLiteRt*Accelerator.*", "ai_edge_litert/tools/*", "ai_edge_litert/vendors/*",
    "ai_edge_litert/aot/*", "ai_edge_litert/tflite/*", "ai_edge_litert/schema_py_generated.py",
    # OpenCV loads this plug-in only to decode movies; PyAV does that here
    "cv2/opencv_videoio_ffmpeg*.dll",
    "*.data/scripts/*", "*.data/headers/*", "*.dist-info/*",
)  # fmt: skip
# LiteRT's Windows libraries need these of Microsoft's C++ runtime and bring none; many machines have no recent one.
# Windows looks beside the library that asks.
MICROSOFT_RUNTIME = ("msvcp140.dll", "vcruntime140_threads.dll")
_LICENCE_WORDS = ("licen", "copying", "notice", "authors")
# A wheel's `<name>.data/<scheme>/` holds what an installer would put into these places.
_LIBRARY_SCHEMES = ("purelib", "platlib")


def members(wheel: Path) -> Iterator[tuple[str, bytes]]:
    """(path in the zip, content) of all that is taken from ``wheel``."""
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if path := destination(distribution(wheel), name):
                yield path, archive.read(name)


def destination(project: str, name: str) -> str:
    """Where the wheel's member ``name`` goes in the zip, "" for nowhere."""
    if name.endswith("/"):
        return ""
    if is_licence(name):
        return f"{LICENCES}/{project}/{_inside(name)}"
    if project == "msvc-runtime":
        folder, _, file = name.rpartition("/")
        wanted = folder.endswith(".data/data") and file in MICROSOFT_RUNTIME
        return f"{VENDOR}/ai_edge_litert/{file}" if wanted else ""
    if any(fnmatchcase(name, pattern) for pattern in DROPPED):
        return ""
    return f"{VENDOR}/{_installed(name)}"


def is_licence(name: str) -> bool:
    folder, _, file = name.rpartition("/")
    return ".dist-info" in folder and ("/licenses" in folder or any(word in file.lower() for word in _LICENCE_WORDS))


def _inside(name: str) -> str:
    """The path below the dist-info folder, without the folder ``licenses`` that newer wheels have."""
    return name.split("/", 1)[1].removeprefix("licenses/")


def _installed(name: str) -> str:
    top, _, rest = name.partition("/")
    scheme, _, below = rest.partition("/")
    return below if top.endswith(".data") and scheme in _LIBRARY_SCHEMES else name
