"""``serve``: a process that stays alive between requests, so that a re-solve pays no start-up.

Requests come as lines on stdin, messages go as lines to stdout, logs to stderr. One request runs at a time, later ones
wait. The process ends when it is told to, or when stdin closes because its parent is gone.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
from collections.abc import Callable, Iterator
from typing import TextIO

from . import __version__, messages, pipeline
from .options import SolveOptions
from .resolving import Resolver

# how long a running stage may take to hear that the parent is gone, before the process ends itself
GRACE_SECONDS = 5.0


def claim_stdout() -> TextIO:
    """The real stdout as a text stream; from now on whatever a library prints goes to stderr."""
    stream = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8", newline="\n")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return stream


def serve(requests: TextIO, answers: TextIO) -> int:
    """Answer requests until told to stop; returns the exit status."""
    _Server(answers).run(requests)
    return 0


class _Server:
    def __init__(self, answers: TextIO) -> None:
        self._answers = answers
        self._pending: queue.Queue[messages.SolveRequest | messages.ResolveRequest | None] = queue.Queue()
        self._resolver: Resolver | None = None
        self._cancelled: set[int] = set()
        self._closing = threading.Event()
        self._write_lock = threading.Lock()

    def run(self, requests: TextIO) -> None:
        self._send(messages.Hello(solver_version=__version__, pid=os.getpid()))
        threading.Thread(target=self._read, args=(requests,), daemon=True).start()
        while (request := self._pending.get()) is not None:
            self._answer(request)

    def _read(self, requests: TextIO) -> None:
        for line in requests:
            if line.strip() and not self._take_in(line):
                break
        self._closing.set()
        self._pending.put(None)
        # a native call can't be interrupted; without a parent nobody waits for its result
        timer = threading.Timer(GRACE_SECONDS, os._exit, args=(1,))
        timer.daemon = True
        timer.start()

    def _take_in(self, line: str) -> bool:
        """False when this was the request to shut down."""
        try:
            message = messages.decode(line)
        except messages.ProtocolError as error:
            self._send(messages.Failed(0, "not-a-request", f"The solver was sent {error}.", "Update the extension."))
            return True
        match message:
            case messages.SolveRequest() | messages.ResolveRequest():
                self._pending.put(message)
            case messages.CancelRequest():
                self._cancelled.add(message.request)
            case messages.ShutdownRequest():
                return False
        return True

    def _answer(self, request: messages.SolveRequest | messages.ResolveRequest) -> None:
        def cancelled() -> bool:
            return self._closing.is_set() or request.request in self._cancelled

        if isinstance(request, messages.ResolveRequest):
            self._resolver = self._resolver or Resolver()
            answers = self._resolver.answer(request, cancelled)
        else:
            answers = answer(request, cancelled)
        for message in answers:
            self._send(message)

    def _send(self, message: messages.Message) -> None:
        with self._write_lock:
            self._answers.write(messages.encode(message) + "\n")
            self._answers.flush()


def answer(request: messages.SolveRequest, cancelled: Callable[[], bool]) -> Iterator[messages.Message]:
    """All messages that answer one request; the last is Finished or Failed."""
    try:
        options = SolveOptions.from_json(request.options)
    except TypeError as error:
        sentence = f"The solver doesn't know these options ({error})."
        yield messages.Failed(request.request, "options-not-known", sentence, "Update Handheld.")
        return
    yield from pipeline.solve(request.clip, request.output, options, cancelled, request.request)
