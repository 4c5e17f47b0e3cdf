"""The solver's process as seen from Blender: start it, talk to it, notice when it dies. Knows no bpy, has no thread."""

from __future__ import annotations

import atexit
import os
import signal
import subprocess
import time
from collections import OrderedDict, deque
from collections.abc import Sequence
from typing import Any

from ..solver import messages
from ..solver.errors import SolverError
from ..solver.messages import Failed, Message
from .growing_file import GrowingFile

# A frame of detection on a slow machine takes about a second, opening a long movie a few.
CANCEL_GRACE_SECONDS = 8.0
STOP_GRACE_SECONDS = 2.0
POLL_SECONDS = 0.005
LOG_LINES = 200
_ON_WINDOWS = os.name == "nt"


class MessageQueue:
    """First in, first out; a message with the ``redundancy_key`` of a waiting one takes its place at the end."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[Any, Message] = OrderedDict()
        self._count = 0

    def put(self, message: Message) -> None:
        self._count += 1
        key = message.redundancy_key() or self._count
        self._waiting.pop(key, None)
        self._waiting[key] = message

    def get(self, limit: int) -> list[Message]:
        """Up to ``limit`` messages."""
        count = min(limit, len(self._waiting))
        return [self._waiting.popitem(last=False)[1] for _ in range(count)]


class SolverProcess:
    """A running solver. Every request that was sent ends in exactly one ``Finished`` or ``Failed``, come what may."""

    _running: set[SolverProcess] = set()

    def __init__(self, command: Sequence[str]) -> None:
        """Start ``command`` in a process group of its own.

        Raises:
            SolverError: ``solver-not-started``.
        """
        self.log: deque[str] = deque(maxlen=LOG_LINES)
        self._queue = MessageQueue()
        self._open_requests: dict[int, Message] = {}
        self._cancel_deadline = float("inf")
        self._output, self._errors = GrowingFile("messages"), GrowingFile("errors")
        self._popen = _start(command, self._output, self._errors)
        SolverProcess._running.add(self)

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def is_alive(self) -> bool:
        return self._popen.poll() is None

    @property
    def bytes_said(self) -> int:
        """Size of the files that it has filled so far, which nothing can shorten while it runs."""
        return self._output.bytes_read + self._errors.bytes_read

    def request(self, message: messages.SolveRequest | messages.ResolveRequest) -> None:
        self._open_requests[message.request] = message
        self._send(message)

    def cancel(self, request: int) -> None:
        """Ask; if the answer takes longer than ``CANCEL_GRACE_SECONDS``, ``receive`` ends the process."""
        self._cancel_deadline = time.monotonic() + CANCEL_GRACE_SECONDS
        self._send(messages.CancelRequest(request=request))

    def receive(self, timeout: float = 0.0, limit: int = 1000) -> list[Message]:
        """What has arrived since the last call; waits up to ``timeout`` seconds for the first message."""
        deadline = time.monotonic() + timeout
        if time.monotonic() > self._cancel_deadline:
            self.stop()
        while not (arrived := self._arrived(limit)) and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
        for message in arrived:
            if isinstance(message, messages.ENDINGS):
                self._open_requests.pop(message.request, None)
        if not self._open_requests:
            self._cancel_deadline = float("inf")
        return arrived

    def stop(self) -> None:
        """End the process: by closing its input, then by a signal to its group, then by force. Idempotent."""
        SolverProcess._running.discard(self)
        if self.is_alive:
            self._send(messages.ShutdownRequest())
            _signal_group(self._popen, "terminate")
            if not _wait(self._popen, STOP_GRACE_SECONDS):
                _signal_group(self._popen, "kill")
                _wait(self._popen, STOP_GRACE_SECONDS)
        while self._read():
            pass
        self._close_input()
        self._output.close()
        self._errors.close()

    @classmethod
    def stop_all(cls) -> None:
        for process in list(cls._running):
            process.stop()

    def _send(self, message: Message) -> None:
        try:
            self._popen.stdin.write(messages.encode(message) + "\n")
            self._popen.stdin.flush()
        except (OSError, ValueError):
            self.log.append(f"{type(message).__name__} could not be sent: the solver doesn't listen any more")

    def _close_input(self) -> None:
        try:
            self._popen.stdin.close()
        except OSError:
            self.log.append("the solver was gone before its input was closed")

    def _arrived(self, limit: int) -> list[Message]:
        was_alive = self.is_alive  # asked first: what it wrote before it ended is read after
        has_more = self._read()
        arrived = self._queue.get(limit)
        if not arrived and not has_more and not was_alive:
            arrived = [self._death(request) for request in sorted(self._open_requests)]
        return arrived

    def _read(self) -> bool:
        """Take in a piece of what was written; False when there was nothing."""
        complaints, said = self._errors.lines(), self._output.lines()
        self.log.extend(complaints)
        for line in said:
            self._take_in(line)
        return bool(complaints or said)

    def _take_in(self, line: str) -> None:
        try:
            self._queue.put(messages.decode(line))
        except messages.ProtocolError:
            self.log.append(line)

    def _death(self, request: int) -> Failed:
        last_words = next((line.strip() for line in reversed(self.log) if line.strip()), "")
        sentence = f"The solver stopped unexpectedly ({_describe_exit(self._popen.poll())})."
        if last_words:
            sentence += f' Its last words: "{last_words[:300]}".'
        if isinstance(self._open_requests[request], messages.ResolveRequest):
            return Failed(request, "re-solve-died", sentence, "Re-solve again; nothing was changed.")
        return Failed(
            request, "solver-died", sentence, "Press Solve to start it again; stages that were done are kept."
        )


def _start(command: Sequence[str], output: GrowingFile, errors: GrowingFile) -> subprocess.Popen[str]:
    group: dict[str, Any] = {"start_new_session": True}
    if _ON_WINDOWS:
        group = {"creationflags": subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP}
    try:
        return subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=output.sink, stderr=errors.sink,
            text=True, encoding="utf-8", bufsize=1, **group,
        )  # fmt: skip
    except OSError as error:
        output.close()
        errors.close()
        raise SolverError(
            "solver-not-started",
            f"The solver could not be started with {command[0]} ({error.strerror}).",
            "Correct Solver Python in the preferences, or leave it empty.",
        ) from error
    finally:
        output.handed_over()
        errors.handed_over()


def _signal_group(popen: subprocess.Popen[str], how: str) -> None:
    """Reach the process's children too; on Windows it has none that outlive it."""
    if _ON_WINDOWS:
        getattr(popen, how)()
        return
    try:
        os.killpg(popen.pid, signal.SIGTERM if how == "terminate" else signal.SIGKILL)
    except ProcessLookupError:
        return


def _wait(popen: subprocess.Popen[str], seconds: float) -> bool:
    """True when the process has ended within ``seconds``."""
    try:
        popen.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def _describe_exit(status: int) -> str:
    if status < 0:
        return f"signal {signal.Signals(-status).name}"
    return f"exit status {status}"


atexit.register(SolverProcess.stop_all)
