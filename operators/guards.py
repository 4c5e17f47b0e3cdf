"""What operators have in common: a problem is a report, what can't be changed is greyed out with the reason, files."""

from __future__ import annotations

import functools
from collections.abc import Callable

import bpy
from bpy.props import StringProperty

from ..addon import scene, solve
from ..solver.errors import SolverError

_Execute = Callable[[bpy.types.Operator, bpy.types.Context], set[str]]


def reported(execute: _Execute) -> _Execute:
    """An operator's ``execute`` of which a ``SolverError`` is reported as an error, and cancels the operator."""

    @functools.wraps(execute)
    def guarded(self: bpy.types.Operator, context: bpy.types.Context) -> set[str]:
        try:
            return execute(self, context)
        except SolverError as problem:
            self.report({"ERROR"}, str(problem))
            return {"CANCELLED"}

    return guarded


class ReadsSolved:
    """Mix-in of operators that look at what was solved."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return allows(cls, scene.why_no_root(context))


class WritesKeys:
    """Mix-in of operators that write keys, which an override takes: ``hands.require_own_motion`` says what doesn't."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return allows(cls, why_not_now() or scene.why_no_root(context))


class ChangesSolved:
    """Mix-in of operators that change what is kept about what was solved: it must be this file's own."""

    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        refusal = why_not_now() or scene.why_no_root(context) or scene.why_not_own(scene.edited_root(context))
        return allows(cls, refusal)


class ChangesClip:
    """Mix-in of operators that keep something on the clip that is edited."""

    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        movie = scene.edited_clip(context)
        why_not_clip = "Open a clip first" if movie is None else scene.why_not_own(movie)
        return allows(cls, why_not_now() or why_not_clip)


class ReadsFile:
    """Mix-in of operators that ask for a file, unless it was dropped or is given."""

    filepath: StringProperty(subtype="FILE_PATH", options={"SKIP_SAVE"})

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if self.filepath:
            return self.execute(context)
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}


def why_not_now() -> str:
    """Why nothing may be changed while a solve runs; "" when none does."""
    return "A solve is running; wait for it, or cancel it" if solve.is_running() else ""


def allows(operator: type[bpy.types.Operator], refusal: str) -> bool:
    """What ``poll`` gives: nothing speaks against it, or it is greyed out with the reason in its tooltip."""
    if refusal:
        operator.poll_message_set(refusal)
    return not refusal
