"""A fingerprint of a clip's content, the key under which stages are cached."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import BinaryIO

from .clip import Clip
from .sequence import SequenceSource

# Up to this size every byte counts; above it, SAMPLES blocks spread evenly from the first byte to the last.
WHOLE_BYTES = 256 * 2**20
SAMPLES = 64
SAMPLE_BYTES = 2**20


def content_digest(clip: Clip | str | os.PathLike[str]) -> str:
    """sha256 (hex) of a movie, or of all images of a sequence in order.

    A file over 256 MiB is hashed by its length and 64 blocks of 1 MiB spread evenly over it, both ends included.
    Another take or export differs in all of them; an edit in place of a few bytes between blocks goes unnoticed.
    """
    digest = hashlib.sha256()
    for path in _files(clip):
        size = path.stat().st_size
        digest.update(size.to_bytes(8, "little"))
        with path.open("rb") as file:
            _add(digest, file, size)
    return digest.hexdigest()


def _files(clip: Clip | str | os.PathLike[str]) -> tuple[Path, ...]:
    if not isinstance(clip, Clip):
        return (Path(clip),)
    return clip.source.files if isinstance(clip.source, SequenceSource) else (clip.path,)


def _add(digest: hashlib._Hash, file: BinaryIO, size: int) -> None:
    if size <= WHOLE_BYTES:
        for block in iter(lambda: file.read(SAMPLE_BYTES), b""):
            digest.update(block)
        return
    for sample in range(SAMPLES):
        file.seek((size - SAMPLE_BYTES) * sample // (SAMPLES - 1))
        digest.update(file.read(SAMPLE_BYTES))
