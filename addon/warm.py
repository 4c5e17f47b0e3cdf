"""The solver process that stays between re-solves, so that the next answer comes at once. It ends with Blender."""

from __future__ import annotations

from collections.abc import Sequence

from .process import SolverProcess

# what its files may grow to, several hundred re-solves, before the next one is given to a fresh process
MOST_BYTES = 64 << 20

_process: SolverProcess | None = None
_command: tuple[str, ...] = ()


def process(command: Sequence[str]) -> SolverProcess:
    """The running process, or a new one if there is none that was started with this command and is not worn out.

    Raises:
        SolverError: ``solver-not-started``.
    """
    global _process, _command
    is_fit = _process is not None and _process.is_alive and _process.bytes_said < MOST_BYTES
    if not is_fit or _command != tuple(command):
        stop()
        _process, _command = SolverProcess(command), tuple(command)
    return _process


def stop() -> None:
    """End the process, if there is one."""
    global _process
    if _process is not None:
        _process.stop()
    _process = None
