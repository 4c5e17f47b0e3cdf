"""The one solve that may run at a time: starting it, finding it, ending it with the file or the add-on."""

from __future__ import annotations

import sys

import bpy
from bpy.app.handlers import persistent

from ..solver import messages
from ..solver.errors import SolverError
from . import held_keys, package, preferences, request, resolve, warm
from .preview import Preview
from .resolve import Stretch
from .session import Session

_last: Session | None = None


def current() -> Session | None:
    """The running solve, else the last one that ended; None when there was none or it was dismissed."""
    return _last


def is_running() -> bool:
    return _last is not None and _last.is_active


def start(context: bpy.types.Context) -> Session:
    """Start to solve the scene's clip. What stands in the way becomes a failed session for the panels to show.

    Raises:
        SolverError: ``already-running``; the running solve goes on.
    """
    global _last
    _require_idle()
    held_keys.notice()
    try:
        wanted, around = request.build(context)
        _last = Session.start(command(context), wanted, Preview(around))
    except SolverError as problem:
        refuse(problem)
    return _last


def start_resolve(context: bpy.types.Context, stretch: Stretch) -> Session:
    """Start to re-solve a stretch; what stands in the way becomes a failed session.

    Raises:
        SolverError: ``already-running``; the running solve goes on.
    """
    global _last
    _require_idle()
    try:
        wanted = resolve.plan(context, stretch)
        view = resolve.ResolveView(context, wanted)
        _last = Session.start_in(warm.process(command(context)), wanted.request, view)
    except SolverError as problem:
        refuse(problem)
    return _last


def refuse(problem: SolverError) -> Session:
    """What could not even start, for the panels to show."""
    global _last
    _last = Session.refused(problem)
    return _last


def _require_idle() -> None:
    if is_running():
        raise SolverError("already-running", "A solve is running already.", "Wait for it, or cancel it.")


def command(context: bpy.types.Context) -> list[str]:
    """How the solver is started: isolated from Blender's packages and the user's."""
    python = bpy.path.abspath(preferences.get(context).solver_python) or sys.executable
    return [python, "-I", str(package.FOLDER / "solver" / "launch.py"), "serve"]


def dismiss() -> None:
    """Forget a solve that has ended."""
    global _last
    if not is_running():
        _last = None


def abandon() -> None:
    """End whatever runs and forget it: the file or the add-on is going away."""
    global _last
    if _last is not None:
        _last.abandon()
    _last = None


@persistent
def _before_load(*_: object) -> None:
    abandon()


@persistent
def _after_undo(*_: object) -> None:
    """What a re-solve was asked for may be undone by now; a solve reads nothing that an undo changes."""
    if is_running() and isinstance(_last.request, messages.ResolveRequest):
        _last.cancel()


_HANDLERS = {"load_pre": _before_load, "undo_post": _after_undo, "redo_post": _after_undo}


def register() -> None:
    for name, handler in _HANDLERS.items():
        getattr(bpy.app.handlers, name).append(handler)


def unregister() -> None:
    abandon()
    warm.stop()
    for name, handler in _HANDLERS.items():
        getattr(bpy.app.handlers, name).remove(handler)
