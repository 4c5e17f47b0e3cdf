"""Makes the extension's zips. Same inputs, same bytes: sorted members, one fixed date, no trace of the machine."""

from __future__ import annotations

import re
import tomllib
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from . import stamps, vendor, wheels
from .console import ROOT, megabytes, say, step
from .targets import Target

DIST = ROOT / "dist"
MANIFEST = ROOT / "blender_manifest.toml"
FOLDERS = ("addon", "operators", "ui", "solver")
FILES = ("__init__.py", "LICENSE", "NOTICE", "README.md")
# development's own
LEFT_OUT = ("__pycache__", "bench")
SUFFIXES_LEFT_OUT = (".pyc", ".tmp")

_DATE = (1980, 1, 1, 0, 0, 0)
_MODE = 0o100644 << 16
_VERSION_LINE = re.compile(r"^blender_version_min = .*$", re.MULTILINE)


def build(target: Target, folder: Path = DIST) -> Path:
    """The zip for ``target``, made anew when anything in it has changed."""
    archive = folder / file_name(target)
    packages = wheels.runtime(target)
    sources = dict(own_members(target))
    key = stamps.digest(
        *(piece for member in sources.items() for piece in member),
        *(path.name for path in packages),
        wheels.RUNTIME,
        Path(__file__),
        Path(vendor.__file__),
    )
    stamp = f".{archive.name}.stamp"
    if archive.exists() and stamps.read(folder, stamp) == key:
        say(f"{archive.name}: ready")
        return archive
    folder.mkdir(parents=True, exist_ok=True)
    with step(f"{archive.name}: packing"):
        content = sources | dict(member for wheel in packages for member in vendor.members(wheel))
        write(archive, content)
        stamps.seal(folder, key, stamp)
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


def write(archive: Path, content: dict[str, bytes]) -> None:
    """Write ``content`` as a zip that depends on nothing else; the file appears only when it is whole."""
    unfinished = archive.with_suffix(".part")
    with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as file:
        for name in sorted(content):
            info = zipfile.ZipInfo(name, _DATE)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.create_system = 3
            info.external_attr = _MODE
            file.writestr(info, content[name])
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
    return not any(part in LEFT_OUT for part in path.parts) and path.suffix not in SUFFIXES_LEFT_OUT


def _heading(name: str) -> str:
    """``vendor/scipy.libs/x`` and ``vendor/scipy/y`` both count as ``vendor/scipy``."""
    parts = name.split("/")
    if parts[0] != vendor.VENDOR or len(parts) < 3:
        return parts[0]
    package = parts[1].removesuffix(".libs")
    return f"{vendor.VENDOR}/{'cv2' if package.startswith('opencv') else package}"
