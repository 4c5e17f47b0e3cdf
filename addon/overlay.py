"""Pictures of a take over its clip, drawn by the solver in a process of its own; and where hands cover it worst."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO

import bpy
import numpy as np

from ..solver.errors import SolverError
from ..solver.take import Take
from . import clip, preferences, solve, take_files

_STOP_GRACE_SECONDS = 2.0


def worst_frame(take: Take, around: bpy.types.MovieClip | None, current: int) -> int | None:
    """Of the tenth of scene frames with the poorest overlap the next after ``current``; the first again at the end."""
    if not take.outline_overlap.size or not np.isfinite(take.outline_overlap).any():
        return None
    poorest = np.nanmin(np.where(np.isfinite(take.outline_overlap), take.outline_overlap, np.inf), axis=0)
    known = np.isfinite(poorest)
    limit = np.quantile(poorest[known], 0.1)
    numbers = clip.scene_frames(around, take.frames)[known & (poorest <= limit)]
    later = numbers[numbers > current]
    return int(later[0] if len(later) else numbers[0])


class OverlayRun:
    """The solver drawing one movie. Ends with ``stop`` or by itself.

    Args:
        command: how to start it. movie: what it writes.

    Raises:
        SolverError: ``solver-not-started``.
    """

    def __init__(self, command: Sequence[str], movie: Path) -> None:
        self.movie = movie
        self._words: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        group = {"creationflags": subprocess.CREATE_NO_WINDOW} if os.name == "nt" else {"start_new_session": True}
        try:
            self._popen = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=self._words, **group
            )
        except OSError as error:
            self._words.close()
            raise SolverError(
                "solver-not-started",
                f"The solver could not be started with {command[0]} ({error.strerror}).",
                "Correct Solver Python in the preferences, or leave it empty.",
            ) from error

    @property
    def is_running(self) -> bool:
        return self._popen.poll() is None

    def wait(self) -> None:
        self._popen.wait()

    def stop(self) -> None:
        """End it; what it wrote so far is removed."""
        if self.is_running:
            self._popen.terminate()
            try:
                self._popen.wait(_STOP_GRACE_SECONDS)
            except subprocess.TimeoutExpired:
                self._popen.kill()
                self._popen.wait()
            self.movie.unlink(missing_ok=True)
        self._words.close()

    def problem(self) -> str:
        """What it said when it failed; "" when it did not."""
        if self._popen.returncode == 0:
            return ""
        self._words.seek(0)
        said = [line.strip() for line in self._words.read().decode("utf-8", "replace").splitlines() if line.strip()]
        told = next((index for index, line in enumerate(said) if line.startswith("error (")), None)
        if told is None:
            return said[-1] if said else "The solver stopped."
        return " ".join(said[told:]).partition("): ")[2]


def start(context: bpy.types.Context, root: bpy.types.Object, style: str) -> OverlayRun:
    """Draw a root's take in one of the solver's styles, beside the take.

    Raises:
        SolverError: the take can't be read, ``no-clip``, or the solver can't be started.
    """
    take_files.of_root(root)
    if root.handheld.clip is None:
        raise SolverError("no-clip", "These hands have no clip.", "Load the clip that they were solved from.")
    take = take_files.path_of(root)
    movie = take.with_name(f"{take.stem.removesuffix('.handheld')}.{style}.mp4")
    launch = solve.command(context)[:-1]  # without "serve"
    arguments = ["overlay", str(take), "-o", str(movie), "--style", style, "--model", preferences.model_source(context)]
    return OverlayRun([*launch, *arguments, "--clip", str(clip.file_path(root.handheld.clip))], movie)


def show(context: bpy.types.Context, movie: Path, root: bpy.types.Object) -> bpy.types.MovieClip:
    """Load a finished overlay as a clip that plays in step with the plate, and show it in an open clip editor."""
    known = [other for other in bpy.data.movieclips if clip.file_path(other) == movie]
    shown = known[0] if known else bpy.data.movieclips.load(str(movie))
    take = take_files.of_root(root)
    shown.frame_start = int(clip.scene_frames(root.handheld.clip, take.frames)[0])
    shown.use_proxy = False
    space = context.space_data
    if space is not None and space.type == "CLIP_EDITOR":
        space.clip = shown
    return shown
