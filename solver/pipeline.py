"""clip -> observations -> camera -> initial motion -> take, as one generator of messages.

Each stage is itself a generator: it yields progress and returns its result, so that a client sees hands move while
they are solved, and a cancel is heard at the next frame.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import time
from collections.abc import Callable, Generator, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from . import __version__, hands, initialise, messages, optimise
from . import take as takes
from .atomic import require_other
from .cache import StageCache
from .camera import given, metric, static, world
from .camera import solve as camera_solve
from .camera.cameras import CameraNote, CameraPath
from .camera.formats import LensPart
from .camera.ideal import ideal_tracks
from .camera.known_lens import with_lens
from .camera.known_sizes import require_frame
from .camera.notes import UNDETERMINED, not_along, size_not_used
from .camera.progress import CameraProgress
from .camera.seen_hands import SeenHand, seen_hands
from .draft import TakeDraft, camera_message
from .errors import SolverError
from .hand_model import loading
from .hand_model.model import HandModel
from .hands import HandBox, TrackerOptions
from .hands.edits import HandEdit, applied
from .initialise import InitialMotion
from .messages import Message
from .observations import HandTrack
from .optimise import Refined
from .optimise.costs import ContourCost
from .options import INITIAL, SolveOptions
from .prior import learned
from .prior.resting import rested
from .rendering.stage import fit_rendered
from .reprojection import with_errors
from .silhouette.kept import told
from .silhouette.mattes import open_masks
from .silhouette.stage import Outlined, OutlineProgress, fit_outlines
from .summary import STAGES, summary
from .video import Clip, content_digest, open_clip
from .video.sequence import DEFAULT_RATE

T = TypeVar("T")
# relative error of a hand's length that the person has measured
_MEASURED = 0.01
Stage = Generator[Message, None, T]


def solve(
    clip: str,
    output: str,
    options: SolveOptions,
    cancelled: Callable[[], bool] = lambda: False,
    request: int = 0,
) -> Iterator[Message]:
    """From clip to take. The last message is Finished or Failed: bad input is Failed, a defect is an exception.

    Args:
        clip: a movie, or an image sequence (see ``video.open_clip``).
        output: where the take is written.
        cancelled: asked between messages; when true, what was solved so far is written and the solve ends. A take that
            was there before is not given up for a part of a new one: then nothing is written.
        request: the number that all messages carry.
    """
    try:
        for message in _Solve(clip, output, options, cancelled).run():
            yield dataclasses.replace(message, request=request)
    except SolverError as error:
        yield messages.Failed(request, error.code, error.sentence, error.repair)


class _Cancelled(Exception):  # noqa: N818 - not an error: it unwinds the stages
    """The person asked to stop."""


class _Solve:
    """One run of all stages."""

    def __init__(self, clip: str, output: str, options: SolveOptions, cancelled: Callable[[], bool]) -> None:
        self._path, self._output, self._options, self._cancelled = clip, output, options, cancelled
        self._draft = TakeDraft(options.to_json())

    def run(self) -> Iterator[Message]:
        self._options.require_valid()
        self._cache = StageCache(self._options.cache)
        masks = (self._options.masks or {}).values()
        require_other(self._output, self._path, self._options.camera, self._options.prior, *masks)
        takes.check_writable(self._output)
        try:
            yield from self._stages()
        except _Cancelled:
            yield self._finished(cancelled=True)
        else:
            yield self._finished(cancelled=False)

    def _stages(self) -> Iterator[Message]:
        models = loading.load_pair(self._options.model)  # first: what is missing is told before the work
        clip = yield from self._stage("clip", self._open())
        self._masks = open_masks(self._options.masks or {}, clip)
        self._hidden = learned.predictor(self._options.prior, clip.frame_rate)
        # before the work, too: what is of no use is told at once
        known = self._known_camera(clip)
        if length := self._options.known_sizes().length:
            require_frame(length, clip.first_frame, len(clip))
        tracks = yield from self._stage("hands", self._find_hands(clip))
        camera = yield from self._stage("camera", self._place_camera(clip, tracks, known))
        self._draft.begin(clip, camera, tracks, models)
        tracks = ideal_tracks(tracks, camera)
        motions, camera = yield from self._stage("initialise", self._fit(clip, tracks, camera, models))
        if self._options.quality != INITIAL:
            refined = yield from self._stage("optimise", self._optimise(clip, tracks, motions, camera, models))
            if self._looks_at_outlines():
                outlined = yield from self._stage("outlines", self._outline(clip, refined, camera, models))
                if self._options.render:
                    yield from self._stage("rendering", self._render(outlined, models))

    def _stage(self, name: str, work: Stage[T]) -> Stage[T]:
        """Run one stage between its own messages, asking after each message whether to go on."""
        names = self._stage_names()
        yield messages.StageStarted(0, name, STAGES[name], names.index(name), len(names))
        wall, cpu = time.perf_counter(), _cpu_seconds()
        result = yield from self._until_cancelled(work)
        wall, cpu = time.perf_counter() - wall, _cpu_seconds() - cpu
        self._draft.seconds[name] = {"wall": wall, "cpu": cpu}
        yield messages.StageFinished(0, name, wall, cpu)
        return result

    def _stage_names(self) -> list[str]:
        """Those that these options ask for, in order."""
        optimised = self._options.quality != INITIAL
        outlined = optimised and self._looks_at_outlines()
        left_out = {
            "optimise": not optimised,
            "outlines": not outlined,
            "rendering": not (outlined and self._options.render),
        }
        return [name for name in STAGES if not left_out.get(name, False)]

    def _until_cancelled(self, work: Stage[T]) -> Stage[T]:
        while True:
            try:
                message = next(work)
            except StopIteration as end:
                return end.value
            yield message
            if self._cancelled():
                work.close()
                raise _Cancelled

    def _open(self) -> Stage[Clip]:
        options = self._options
        rate = Fraction(*options.frame_rate) if options.frame_rate else DEFAULT_RATE
        clip = open_clip(self._path, *(options.frame_range or (None, None)), sequence_rate=rate)
        yield messages.ClipOpened(
            0, str(clip.path), *clip.size, clip.frame_rate.as_integer_ratio(), clip.first_frame, clip.last_frame
        )
        for warning in clip.warnings:
            yield messages.Warned(0, warning.code, warning.sentence, warning.repair)
        self._draft.clip_sha256 = content_digest(clip)
        return clip

    def _hands_inputs(self, clip: Clip) -> dict[str, Any]:
        return {
            "solver": __version__,
            "clip": self._draft.clip_sha256,
            "range": [clip.first_frame, clip.last_frame],
            "boxes": self._options.hand_boxes,
        }

    def _find_hands(self, clip: Clip) -> Stage[list[HandTrack]]:
        inputs = self._hands_inputs(clip)
        tracks = self._cache.load("hands", inputs, HandTrack)
        if tracks is None:
            boxes = tuple(HandBox(int(box[0]), tuple(box[1:5]), box[5] or None) for box in self._options.hand_boxes)
            tracks = yield from _with_progress("hands", hands.track(clip, TrackerOptions(boxes=boxes)))
            self._cache.store("hands", inputs, tracks)
        tracks = applied(tracks, [HandEdit(int(f), (x, y), what) for f, x, y, what in self._options.hand_edits])
        if not tracks:
            raise SolverError(
                "no-hands-found",
                f"No hands were found in {clip.path.name}.",
                "Choose a clip or a frame range in which hands are in view, larger than about a tenth of the picture.",
            )
        return tracks

    def _known_camera(self, clip: Clip) -> tuple[CameraPath, bool] | None:
        """A camera that was solved elsewhere, and whether it is in metres."""
        options = self._options
        if options.camera is None:
            return None
        ratio = clip.frame_rate / Fraction(*options.camera_rate) if options.camera_rate else 1
        matching = given.Matching(
            options.camera_offset, float(ratio), options.camera_scale, options.focal_px, options.camera_order
        )
        return given.read(options.camera, np.array(clip.frame_numbers), clip.size, matching)

    def _place_camera(
        self, clip: Clip, tracks: list[HandTrack], known: tuple[CameraPath, bool] | None
    ) -> Stage[CameraPath]:
        if known is not None:
            camera, is_metric = known
            camera = camera if is_metric else given.guessed(camera)
        elif self._options.camera_motion == "auto":
            camera = yield from self._solve_camera(clip, tracks)
        else:
            camera = static.assume(len(clip), clip.size, self._options.focal_px)
            lens = self._known_lens(clip)
            camera = with_lens(camera, lens) if lens else camera
            if self._options.focal_px is None and lens is None:
                yield _lens_warning(camera, clip)
        metric.require_useful(camera, clip.first_frame, self._options.known_sizes())
        self._unplaced = camera
        camera = self._in_wanted_world(clip, camera)
        for note in (*camera.notes, *self._without_effect(camera)):
            yield messages.Warned(0, note.code, note.sentence, note.repair)
        yield camera_message(camera, clip.first_frame)
        return camera

    def _without_effect(self, camera: CameraPath) -> Iterator[CameraNote]:
        """What was asked for and changes nothing of this camera."""
        known = self._options.known_sizes()
        if camera.scale is None and (known.length or known.camera_height_m):
            yield size_not_used()
        if idle := [part for part in self._options.along if part not in self._solved_along(camera)]:
            yield not_along(idle)

    def _solved_along(self, camera: CameraPath) -> set[str]:
        unsure = {
            "poses": camera.kind != "static" and camera.expected_error is not None,
            "scale": camera.scale is not None,
            "focal": camera.focal_sigma > 0,
        }
        return {part for part in self._options.along if unsure[part]}

    def _solve_camera(self, clip: Clip, tracks: list[HandTrack]) -> Stage[CameraPath]:
        options = self._options
        lens = [options.intrinsics, options.distortion, options.distortion_model]
        inputs = {
            **self._hands_inputs(clip), "edits": options.hand_edits, "focal": options.focal_px, "lens": lens,
        }  # fmt: skip
        kept = self._cache.load("camera", inputs, CameraPath)
        if kept is not None:
            return kept[0]
        work = camera_solve.solve(clip, tracks, options.focal_px, self._known_lens(clip))
        camera = yield from _with_camera_progress(work)
        self._cache.store("camera", inputs, [camera])
        return camera

    def _known_lens(self, clip: Clip) -> LensPart | None:
        options = self._options
        if options.intrinsics is None:
            return None
        return LensPart(
            np.array(options.intrinsics), clip.size, np.array(options.distortion, float), options.distortion_model
        )

    def _in_wanted_world(self, clip: Clip, camera: CameraPath) -> CameraPath:
        options = self._options
        if options.world is None:
            return camera
        wanted = world.read(options.world, clip.size)
        return world.brought_into(camera, np.array(clip.frame_numbers), wanted, options.world_scale is not None)

    def _fit(
        self, clip: Clip, tracks: list[HandTrack], camera: CameraPath, models: dict[str, HandModel]
    ) -> Stage[tuple[dict[int, InitialMotion], CameraPath]]:
        """Hands as each frame's camera sees them, and the camera's path in metres, which they tell."""
        options = initialise.FitOptions(hand_length_m=self._options.hand_length_m)
        pieces, done, total = [], 0, sum(len(track.frames) for track in tracks)
        for piece in initialise.fit_tracks(tracks, models, camera.intrinsics, options):
            pieces.append(piece)
            yield from self._draft.add(piece)
            done = min(done + len(piece), total)
            yield messages.Progress(0, "initialise", done, total)
        motions = initialise.collect(pieces)
        if camera.scale is not None:
            camera = self._measured(clip, seen_hands(motions, tracks, models))
            yield from self._draft.move(camera, motions)
            for note in camera.notes:
                if note.code == UNDETERMINED:
                    yield messages.Warned(0, note.code, note.sentence, note.repair)
        return motions, camera

    def _measured(self, clip: Clip, hands: list[SeenHand]) -> CameraPath:
        camera = metric.in_metres(
            self._unplaced, hands, clip.first_frame, float(1 / clip.frame_rate), self._options.known_sizes()
        )
        return self._in_wanted_world(clip, camera)

    def _optimise(
        self,
        clip: Clip,
        tracks: list[HandTrack],
        motions: dict[int, InitialMotion],
        camera: CameraPath,
        models: dict[str, HandModel],
    ) -> Stage[Refined]:
        """Each of the optimiser's own stages shows its result; a cancel keeps the last one shown."""
        preset = self._preset()
        along = self._solved_along(camera)
        options = optimise.RefineOptions(
            preset,
            solve_camera="poses" in along,
            solve_scale="scale" in along,
            solve_focal="focal" in along,
            uncertainty=not self._looks_at_outlines(),
            size_error=_MEASURED if self._options.hand_length_m else optimise.RefineOptions.size_error,
        )
        frames, frame_s = np.array(clip.frame_numbers), float(1 / clip.frame_rate)
        total, steps = sum(stage.steps for stage in preset.stages), 0
        work = optimise.refine(tracks, motions, models, camera, frames, frame_s, options, hidden=self._hidden)
        for refined in work:
            steps += not refined.stage_end
            yield messages.Progress(0, "optimise", min(steps, total), total)
            if refined.stage_end or refined.final:
                yield from self._draft.replace(refined)
        return refined

    def _preset(self) -> optimise.Preset:
        return optimise.parts.without(optimise.PRESETS[self._options.quality], self._options.without)

    def _looks_at_outlines(self) -> bool:
        preset = self._preset()
        return (preset.outlines or bool(self._options.masks)) and ContourCost.name not in preset.off

    def _outline(
        self, clip: Clip, refined: Refined, camera: CameraPath, models: dict[str, HandModel]
    ) -> Stage[Outlined]:
        work = fit_outlines(refined, models, camera, clip, self._cancelled, self._masks)
        return (yield from self._on_masks("outlines", work))

    def _render(self, outlined: Outlined, models: dict[str, HandModel]) -> Stage[Outlined]:
        work = fit_rendered(outlined, models, self._cancelled, drawn_alone=not self._preset().outlines)
        return (yield from self._on_masks("rendering", work))

    def _on_masks(self, stage: str, work: Iterator[OutlineProgress | Refined | Outlined]) -> Stage[Outlined]:
        """Each round shows its result; a cancel keeps the last one shown."""
        for item in work:
            match item:
                case OutlineProgress(done=done, total=total):
                    yield messages.Progress(0, stage, done, total)
                case Refined():
                    yield from self._draft.replace(item)
                case Outlined(refined=final, overlap=overlap):
                    self._draft.replace_overlap(overlap)
                    self._draft.remember(told(item))
                    yield from self._draft.replace(final)
        return item

    def _finished(self, cancelled: bool) -> Message:
        take = self._draft.take()
        if take is None:
            return messages.Finished(0, "", cancelled, "Nothing was solved yet.")
        if cancelled and Path(self._output).exists():
            return messages.Finished(0, "", cancelled, "The earlier take was left as it is.")
        if self._options.long_gaps == "rest":
            take = rested(take, loading.load_pair(self._options.model))
        models = loading.load_pair(self._options.model)
        takes.save(with_errors(take, models), self._output)
        return messages.Finished(0, str(self._output), cancelled, summary(take, models))


def _cpu_seconds() -> float:
    """Of this process and of its children that have ended (on Windows: of this process alone)."""
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


def _with_progress(stage: str, work: Generator[Any, None, T]) -> Stage[T]:
    """Turn a stage's own progress (anything with ``done`` and ``total``) into messages."""
    try:
        while True:
            try:
                progress = next(work)
            except StopIteration as end:
                return end.value
            yield messages.Progress(0, stage, progress.done, progress.total)
    finally:
        work.close()


def _with_camera_progress(work: Iterator[CameraProgress | CameraPath]) -> Stage[CameraPath]:
    with contextlib.closing(work):
        for item in work:
            if isinstance(item, CameraPath):
                return item
            yield messages.Progress(0, "camera", item.done, item.total)
    raise AssertionError("the camera solve ended without a path")


def _lens_warning(camera: CameraPath, clip: Clip) -> Message:
    return messages.Warned(
        0,
        "focal-assumed",
        f"The lens is not known; {camera.intrinsics[0]:.0f} px are assumed "
        f"({36 * camera.intrinsics[0] / max(clip.size):.0f} mm on full frame). Depth scales with it.",
        "Set the focal length of the clip's camera if you know it.",
    )
