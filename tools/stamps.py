"""Stamps: a finished folder or file carries the digest of what it was made from, so that a second run reuses it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path


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


def read(made: Path) -> str:
    """The stamp of a folder or file, "" when it has none or is not there."""
    stamp = _stamp(made)
    return stamp.read_text(encoding="utf-8") if made.exists() and stamp.is_file() else ""


def seal(made: Path, key: str) -> None:
    """Declare a folder or file finished. Call it last."""
    _stamp(made).write_text(key, encoding="utf-8")


def _stamp(made: Path) -> Path:
    return made / ".stamp" if made.is_dir() else made.with_name(f".{made.name}.stamp")
