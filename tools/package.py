"""Makes the extension's zips. Same inputs, same bytes: sorted members, one fixed date, no trace of the machine."""

from __future__ import annotations

import re
import shutil
import tomllib
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from . import stamps, vendor, wheels
from .console import ROOT, megabytes, say, step
from .targets import Target

DIST = ROOT / "dist"
LIBRARIES = ROOT / "build" / "libraries"
MANIFEST = ROOT / "blender_manifest.toml"
FOLDERS = ("addon", "operators", "ui", "solver")
FILES = ("__init__.py", "LICENSE", "NOTICE", "README.md")
# development's own; torch is no part of the zip, so neither is the layer that needs it
LEFT_OUT = ("__pycache__", "bench", "torch_layer.py")
SUFFIXES_LEFT_OUT = (".pyc", ".tmp")

_DATE = (1980, 1, 1, 0, 0, 0)
_MODE = 0o100644 << 16
_VERSION_LINE = re.compile(r"^blender_version_min = .*$", re.MULTILINE)


def build(target: Target, folder: Path = DIST) -> Path:
    """The zip for ``target``, made anew when anything in it has changed."""
    archive = folder / file_name(target)
    libraries = _libraries(target)
    own = dict(own_members(target))
    key = stamps.digest(stamps.read(libraries), *(piece for member in own.items() for piece in member))
    if stamps.read(archive) == key:
        say(f"{archive.name}: ready")
        return archive
    folder.mkdir(parents=True, exist_ok=True)
    with step(f"{archive.name}: packing"):
        write(archive, own, libraries)
        stamps.seal(archive, key)
    return archive


def _libraries(target: Target) -> Path:
    """A zip of the target's vendored libraries and their licences, which every further build appends to."""
    archive = LIBRARIES / f"{target.name}.zip"
    packages = wheels.runtime(target)
    key = stamps.digest(wheels.RUNTIME, wheels.WINDOWS, Path(vendor.__file__), *(path.name for path in packages))
    if stamps.read(archive) != key:
        LIBRARIES.mkdir(parents=True, exist_ok=True)
        with step(f"libraries for {target.name}: packing"):
            write(archive, dict(member for wheel in packages for member in vendor.members(wheel)))
            stamps.seal(archive, key)
    return archive


def file_name(target: Target) -> str:
    manifest = tomllib.loads(MANIFEST.read_text(encoding="utf-8"))
    return f"{manifest['id']}-{manifest['version']}-{target.name}.zip"


def own_members(target: Target) -> Iterator[tuple[str, bytes]]:
    """(path in the zip, content) of the extension itself, without its dependencies."""
    yield MANIFEST.name, manifest_for(target).encode()
    for name in FILES:
        yield name, (ROOT / name).read_bytes()
    for path in sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*")):
        if path.is_file() and _belongs(path.relative_to(ROOT)):
            yield path.relative_to(ROOT).as_posix(), path.read_bytes()
    # what the vendored libraries were built for; the solver's launcher compares it with the Python that runs it
    yield f"{vendor.VENDOR}/PYTHON", f"{target.python.version}\n".encode()


def manifest_for(target: Target) -> str:
    """The manifest with the target's platform and range of Blender versions."""
    lines = [f'blender_version_min = "{target.python.blender_version_min}"']
    if target.python.blender_version_max:
        lines.append(f'blender_version_max = "{target.python.blender_version_max}"')
    lines.append(f'platforms = ["{target.platform.name}"]')
    return _VERSION_LINE.sub("\n".join(lines), MANIFEST.read_text(encoding="utf-8"))


def write(archive: Path, content: dict[str, bytes], base: Path | None = None) -> None:
    """Write ``base`` and after it ``content`` as a zip; the file appears only when it is whole."""
    unfinished = archive.with_suffix(".part")
    if base:
        shutil.copyfile(base, unfinished)
    with zipfile.ZipFile(unfinished, "a" if base else "w") as file:
        for name in sorted(content):
            info = zipfile.ZipInfo(name, _DATE)
            info.create_system = 3
            info.external_attr = _MODE
            file.writestr(info, content[name], zipfile.ZIP_DEFLATED, compresslevel=6)
    unfinished.replace(archive)


def contents(archive: Path) -> str:
    """A Markdown table of what takes the zip's room."""
    packed: Counter[str] = Counter()
    unpacked: Counter[str] = Counter()
    with zipfile.ZipFile(archive) as file:
        for info in file.infolist():
            packed[_heading(info.filename)] += info.compress_size
            unpacked[_heading(info.filename)] += info.file_size
    rows = [f"| {name} | {megabytes(size)} | {megabytes(unpacked[name])} |" for name, size in packed.most_common()]
    title = f"## {archive.name}: {megabytes(archive.stat().st_size)}, installed {megabytes(unpacked.total())}"
    return "\n".join([title, "", "| part | in the zip | installed |", "|---|---|---|", *rows, ""])


def _belongs(path: Path) -> bool:
    hidden = path.name.startswith(".")
    return not hidden and not any(part in LEFT_OUT for part in path.parts) and path.suffix not in SUFFIXES_LEFT_OUT


def _heading(name: str) -> str:
    """A library by its name, ``vendor/scipy.libs/x`` and ``vendor/scipy/y`` alike; our data; else our own code."""
    first, _, rest = name.partition("/")
    if first == vendor.VENDOR and "/" in rest:
        package = rest.split("/")[0].removesuffix(".libs")
        return "cv2" if package.startswith("opencv") else package
    if name.startswith("solver/data/"):
        return "models and hand (solver/data)"
    return "licences" if first == vendor.LICENCES else "the extension's own code"
