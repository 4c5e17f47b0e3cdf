"""What a child process writes, read from the main thread as it comes. Knows no bpy.

A pipe would need a thread to be read without waiting (Windows has no other way), and Blender bears no Python thread:
it lets go of the interpreter while it evaluates a scene, the thread's garbage collection then frees Blender's objects
in the midst of that, and Blender crashes now and then. A file needs none.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

_CHUNK_BYTES = 1 << 20


class GrowingFile:
    """A temporary file that one process appends lines to and this one reads.

    Attributes:
        sink: file descriptor to hand to the child as its standard output or error; see ``handed_over``.
    """

    def __init__(self, name: str) -> None:
        descriptor, path = tempfile.mkstemp(prefix=f"handheld-{name}-", suffix=".log")
        os.close(descriptor)
        self._path = Path(path)
        # appending: children of the child write to the same end
        self.sink = os.open(path, os.O_WRONLY | os.O_APPEND | getattr(os, "O_BINARY", 0))
        self._source = self._path.open("rb")
        self._unfinished = b""

    def handed_over(self) -> None:
        """The child has its own descriptor by now: close ours. Idempotent."""
        if self.sink >= 0:
            os.close(self.sink)
        self.sink = -1

    def lines(self) -> list[str]:
        """The complete lines that came since the last call, at most a megabyte of them."""
        if self._source.closed:
            return []
        chunk = self._source.read(_CHUNK_BYTES)
        *complete, self._unfinished = (self._unfinished + chunk).split(b"\n")
        return [line.decode("utf-8", errors="replace") for line in complete]

    @property
    def bytes_read(self) -> int:
        return 0 if self._source.closed else self._source.tell()

    def close(self) -> None:
        """Stop reading and remove the file; where something still writes to it, Windows keeps it. Idempotent."""
        self.handed_over()
        self._source.close()
        try:
            self._path.unlink(missing_ok=True)
        except PermissionError:
            return
