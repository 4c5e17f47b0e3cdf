"""Blender's own extension program: it validates zips and writes repositories, without a Blender window."""

from __future__ import annotations

from pathlib import Path

from . import blenders
from .console import run_quietly


def validate(archive: Path) -> None:
    """Have Blender judge a zip.

    Raises:
        BuildError: with what Blender finds wrong.
    """
    _call(["validate", archive], "Mend what Blender names in blender_manifest.toml or in tools/package.py.")


def server_generate(repository: Path) -> None:
    """Write ``index.json`` and ``index.html`` for the zips in ``repository``."""
    _call(["server-generate", f"--repo-dir={repository}", "--html"], "See what Blender names above.")


def _call(arguments: list[str | Path], repair: str) -> None:
    python = blenders.ensure(blenders.DEFAULT)
    run_quietly([python, "-I", blenders.DEFAULT.extension_tool, *arguments], repair)
