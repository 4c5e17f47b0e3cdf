"""Stamps: a finished folder carries the digest of what it was made from, so that a second run reuses it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

STAMP = ".stamp"


def digest(*parts: str | bytes | Path) -> str:
    """Hex digest of strings, bytes and the content of files; folders count with every Python file below them."""
    total = hashlib.sha256()
    for part in parts:
        for piece in _pieces(part):
            total.update(hashlib.sha256(piece).digest())
    return total.hexdigest()


def _pieces(part: str | bytes | Path) -> Iterable[bytes]:
    if isinstance(part, bytes):
        yield part
    elif isinstance(part, str):
        yield part.encode()
    elif part.is_dir():
        yield from (path.read_bytes() for path in sorted(part.rglob("*.py")))
    else:
        yield part.read_bytes()


def read(folder: Path, name: str = STAMP) -> str:
    """The stamp of ``folder``, "" when it has none."""
    stamp = folder / name
    return stamp.read_text(encoding="utf-8") if stamp.is_file() else ""


def seal(folder: Path, key: str, name: str = STAMP) -> None:
    """Declare ``folder`` finished. Call it last."""
    (folder / name).write_text(key, encoding="utf-8")
