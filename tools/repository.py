"""The static repository: a folder to put on any web server, from which Blender installs and updates by one address."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

from . import extension_tool
from .targets import TARGETS


def generate(archives: Sequence[Path], repository: Path) -> Path:
    """Fill ``repository`` with ``archives`` and Blender's index of them; returns the index."""
    shutil.rmtree(repository, ignore_errors=True)
    repository.mkdir(parents=True)
    for archive in archives:
        _link(archive, repository / archive.name)
    extension_tool.server_generate(repository)
    index = repository / "index.json"
    index.write_text(_with_python_versions(index.read_text(encoding="utf-8")), encoding="utf-8")
    return index


def _link(source: Path, target: Path) -> None:
    try:
        target.hardlink_to(source)
    except OSError:  # another disk, or a file system without links
        shutil.copyfile(source, target)


def _with_python_versions(index: str) -> str:
    """Name each zip's Python: Blender derives it from the wheels in a manifest, where vendored libraries aren't."""
    document = json.loads(index)
    versions = {f"-{target.name}.zip": target.python.version for target in TARGETS}
    for entry in document["data"]:
        suffix = next(suffix for suffix in versions if entry["archive_url"].endswith(suffix))
        entry["python_versions"] = [versions[suffix]]
    return json.dumps(document, indent=2) + "\n"
