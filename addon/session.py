"""A solve from start to end: messages in, state for the panels out. Modal operator and blocking call pump it alike.

Knows no bpy; what has to happen in the scene is told to a ``View``.
"""

from __future__ import annotations

import contextlib
import enum
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from ..solver import messages
from ..solver.errors import SolverError
from ..solver.messages import Failed, Finished, Message, TrackPose
from .process import SolverProcess

# enough to keep up with any solver, few enough that Blender's window stays fluent
MESSAGES_PER_PUMP = 200


class State(enum.Enum):
    STARTING = "Starting the solver"
    RUNNING = "Running"
    CANCELLING = "Cancelling"
    FINISHED = "Finished"
    CANCELLED = "Cancelled"
    FAILED = "Failed"


ACTIVE = (State.STARTING, State.RUNNING, State.CANCELLING)


class View(Protocol):
    """Where a solve is shown. Each of these may raise SolverError, which ends the solve as failed."""

    def camera_solved(self, message: messages.CameraSolved) -> None: ...

    def hand_started(self, message: messages.TrackStarted) -> None: ...

    def hands_moved(self, poses: Sequence[TrackPose]) -> None: ...

    def hand_judged(self, message: messages.HandJudged) -> None: ...

    def finished(self, take_path: str, is_partial: bool) -> bool:
        """Show the result; a part of one may be declined."""
        ...

    def stopped(self) -> None:
        """The solve ended without a take."""


@dataclass
class Session:
    """One solve.

    Attributes:
        state: see ``State``.
        stage: title of the running stage, ``stage_index`` of ``stage_count``.
        done, total: progress within the stage.
        warnings: what the solver warned of.
        problem: why it failed.
        take_path: where the take lies, "" until then.
        summary: the solver's words at the end.
        seconds: wall time from start to end.
    """

    request: messages.SolveRequest | messages.ResolveRequest
    state: State = State.STARTING
    stage: str = ""
    stage_index: int = 0
    stage_count: int = 1
    done: int = 0
    total: int = 0
    warnings: list[messages.Warned] = field(default_factory=list)
    problem: SolverError | None = None
    take_path: str = ""
    summary: str = ""
    seconds: float = 0.0
    _process: SolverProcess | None = None
    _view: View | None = None
    _is_process_shared: bool = False
    _started: float = field(default_factory=time.monotonic)

    @classmethod
    def start(cls, command: Sequence[str], request: messages.SolveRequest, view: View) -> Session:
        """Start a solver and send it the request.

        Raises:
            SolverError: ``solver-not-started``.
        """
        session = cls(request, _process=SolverProcess(command), _view=view)
        session._process.request(request)
        return session

    @classmethod
    def start_in(cls, process: SolverProcess, request: messages.ResolveRequest, view: View) -> Session:
        """Send a request to a process that outlives the session."""
        session = cls(request, _process=process, _view=view, _is_process_shared=True)
        process.request(request)
        return session

    @classmethod
    def refused(cls, problem: SolverError) -> Session:
        """A solve that could not even start."""
        return cls(messages.SolveRequest(), state=State.FAILED, problem=problem)

    @property
    def is_active(self) -> bool:
        return self.state in ACTIVE

    @property
    def progress(self) -> float:
        """0..1 over all stages, each counted alike."""
        within = self.done / self.total if self.total else 0.0
        return min(1.0, (self.stage_index + within) / max(1, self.stage_count))

    @property
    def outcome(self) -> str:
        """The state in a few words, with the time that it took."""
        timed = self.seconds and self.state in (State.FINISHED, State.CANCELLED)
        return f"{self.state.value} after {self.seconds:.0f} s" if timed else self.state.value

    def pump(self, timeout: float = 0.0) -> bool:
        """Take in what has arrived, waiting up to ``timeout`` seconds for it; True when the solve is over."""
        arrived = self._process.receive(timeout, MESSAGES_PER_PUMP)
        arrived = [message for message in arrived if message.request in (0, self.request.request)]
        with contextlib.ExitStack() as at_end:
            at_end.callback(self._close)  # also when the view raises: no solver outlives its session
            try:
                self._take_in_all(arrived)
            except SolverError as problem:
                self._fail(problem)
            if self.is_active:
                at_end.pop_all()
        return not self.is_active

    def cancel(self) -> None:
        """Ask the solver to stop at the next frame; what it has by then is kept."""
        if self.state in (State.STARTING, State.RUNNING):
            self.state = State.CANCELLING
            self._process.cancel(self.request.request)

    def abandon(self) -> None:
        """Stop at once, without touching the scene: it is about to go away."""
        if self.is_active:
            self.state = State.CANCELLED
            self._process.stop()  # whoever shares it starts another

    def _take_in_all(self, arrived: list[Message]) -> None:
        """Poses in one go; the end, if it is among them, last."""
        poses = [message for message in arrived if isinstance(message, TrackPose)]
        endings = [message for message in arrived if isinstance(message, messages.ENDINGS)]
        for message in arrived:
            self._take_in(message)
        if poses:
            self._view.hands_moved(poses)
        for message in endings:
            self._end(message)

    def _take_in(self, message: Message) -> None:
        match message:
            case messages.Hello(protocol=protocol):
                self._check_protocol(protocol)
            case messages.StageStarted():
                if self.state is State.STARTING:
                    self.state = State.RUNNING
                self.stage, self.done, self.total = message.title, 0, 0
                self.stage_index, self.stage_count = message.index, message.count
            case messages.Progress():
                self.done, self.total = message.done, message.total
            case messages.Warned():
                self.warnings.append(message)
            case messages.CameraSolved():
                self._view.camera_solved(message)
            case messages.TrackStarted():
                self._view.hand_started(message)
            case messages.HandJudged():
                self._view.hand_judged(message)

    def _check_protocol(self, protocol: int) -> None:
        if self.state is State.STARTING:
            self.state = State.RUNNING
        if protocol != messages.PROTOCOL_VERSION:
            sentence = f"The solver speaks version {protocol}, Handheld version {messages.PROTOCOL_VERSION}."
            self._fail(
                SolverError("protocol-mismatch", sentence, "Restart Blender; if that fails, install Handheld again.")
            )

    def _close(self) -> None:
        if not self._is_process_shared:
            self._process.stop()
        if self.is_active:
            self.state = State.FAILED
            self.problem = SolverError(
                "scene-not-updated",
                "An error in Handheld stopped the solve; Blender's console says where.",
                "Please report it; what was solved so far is kept.",
            )

    def _end(self, message: Message) -> None:
        self.seconds = time.monotonic() - self._started
        match message:
            case Finished():
                self._show(message)
            case Failed() if self.state is State.CANCELLING:
                self._stay()
            case Failed():
                self._fail(SolverError(message.code, message.sentence, message.repair))

    def _show(self, message: Finished) -> None:
        # Esc leaves what was there, also when the answer is on its way already
        too_late = self.state is State.CANCELLING and isinstance(self.request, messages.ResolveRequest)
        if too_late or not message.take or not self._view.finished(message.take, message.cancelled):
            self._stay()
            return
        self.take_path, self.summary = message.take, message.summary
        self.state = State.CANCELLED if message.cancelled else State.FINISHED

    def _stay(self) -> None:
        self.state = State.CANCELLED
        self._view.stopped()
        if isinstance(self.request, messages.ResolveRequest):
            self.summary = "The hands are as they were."

    def _fail(self, problem: SolverError) -> None:
        if self.is_active:
            self.state, self.problem = State.FAILED, problem
            self._view.stopped()
