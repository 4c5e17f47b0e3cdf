"""Re-solving a stretch: what is asked of the solver, and its answer as keys. The scene keeps the motion."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np

from ..solver import constraints, messages
from ..solver.errors import SolverError
from ..solver.hand_model.rotations import matrix_from_quaternion
from ..solver.messages import TrackPose
from ..solver.standing import Standing
from ..solver.take import MISSING, Take
from . import (
    animation,
    certainty,
    clip,
    clip_tracks,
    hands,
    judgement,
    pinned_camera,
    preferences,
    request,
    rig,
    scene,
    shifting,
    take_files,
    wishes,
)
from .references import Reference

# the solver holds two frames on either side, and so joins them in position and velocity
_MARGIN = 2


@dataclass(frozen=True)
class Stretch:
    """Scene frames to solve again, inclusive; ``hands`` are armature names, empty for all."""

    first: int
    last: int
    hands: tuple[str, ...] = ()


@dataclass(frozen=True)
class _CameraPlan:
    """Our camera's new path (n, 4, 4), solver axes, in ``shown`` scene frames (n,)."""

    camera: Reference
    shown: np.ndarray
    path: np.ndarray

    def write(self) -> None:
        camera = self.camera.get()
        if camera is not None:
            pinned_camera.write(camera, self.shown, self.path)


@dataclass(frozen=True)
class Plan:
    """A stretch, ready to be asked for.

    Attributes:
        request: what the solver is sent.
        armatures: by the take's row, of the hands that may move.
        clip_offset: what is added to a scene frame to get the clip's.
        camera: what to write to our camera at the end, if the artist has keys in it.
    """

    root: Reference
    request: messages.ResolveRequest
    armatures: dict[int, Reference]
    clip_offset: int
    camera: _CameraPlan | None


def plan(context: bpy.types.Context, stretch: Stretch) -> Plan:
    """Read off the scene all that the re-solve of a stretch needs.

    Raises:
        SolverError: there is no take, it can't be read, the stretch has no frame of it, or the motion can't be read.
    """
    root = require_root(context)
    take = take_files.of_root(root)
    movie = root.handheld.clip
    offset = int(take.frames[0] - clip.scene_frames(movie, take.frames[:1])[0])
    _require_in_place(root)
    rows = rows_of(take, stretch, offset)
    near = _widened(rows, len(take.frames))
    found = hands.by_row(root, take)
    path, camera = _camera(root, take, near, ~np.isin(near, rows), offset)
    standing = _standing(take, found, take.frames[near], offset, path)
    free = [row for row, armature in found.items() if not stretch.hands or armature.name in stretch.hands]
    if not free:
        raise SolverError("no-hand-to-solve", "None of the take's hands is in the scene.", "Undo, or solve again.")
    for row in free:
        hands.require_own_motion(found[row])
    first, last = (int(take.frames[row]) for row in (rows[0], rows[-1]))
    asked = wishes.gather(root, found, first - offset, last - offset, offset)
    if movie is not None:
        there = {row: presence(take, row, found[row], offset) for row in free}
        marks = [mark for row in free for mark in clip_tracks.changes(movie, take, row, found[row], first, last)]
        asked += [mark for mark in marks if there[mark.track][mark.frame - take.frames[0]]]
    wanted = messages.ResolveRequest(
        request=request.next_number(),
        take=str(take_files.path_of(root)),
        model=preferences.model_source(context),
        standing=_saved(standing),
        first=first,
        last=last,
        hands=tuple(free),
        shown=context.scene.frame_current + offset,
        absent=tuple(row for row in range(len(take.sides)) if row not in found),
        constraints=tuple(map(constraints.to_json, asked)),
        smoothness=context.scene.handheld_editing.smoothness,
    )
    armatures = {row: Reference.to("objects", found[row]) for row in free}
    return Plan(Reference.to("objects", root), wanted, armatures, offset, camera)


def require_root(context: bpy.types.Context) -> bpy.types.Object:
    """The root that the artist edits.

    Raises:
        SolverError: ``nothing-solved``, or ``object-linked``.
    """
    root = scene.require_root(context)
    hands.require_editable(root)
    return root


def _require_in_place(root: bpy.types.Object) -> None:
    moved, movie = shifting.frames_moved(root), root.handheld.clip
    if moved:
        back = f"set the clip's Start Frame to {movie.frame_start - moved}" if movie else "open the clip again"
        raise SolverError(
            "clip-shifted",
            "The clip starts at another frame than when it was solved, so the keys don't fit its pictures.",
            f"Move the keys along, or {back}.",
        )


def rows_of(take: Take, stretch: Stretch, clip_offset: int) -> np.ndarray:
    """The take's rows in a stretch, rising.

    Raises:
        SolverError: ``range-empty``.
    """
    numbers = take.frames - clip_offset
    rows = np.flatnonzero((numbers >= stretch.first) & (numbers <= stretch.last))
    if not len(rows):
        raise SolverError(
            "range-empty",
            f"Frames {stretch.first} to {stretch.last} hold none of the take's ({numbers[0]} to {numbers[-1]}).",
            "Choose another range.",
        )
    return rows


def _widened(rows: np.ndarray, count: int) -> np.ndarray:
    return np.arange(max(rows[0] - _MARGIN, 0), min(rows[-1] + _MARGIN, count - 1) + 1)


def _standing(
    take: Take, found: dict[int, bpy.types.Object], numbers: np.ndarray, clip_offset: int, camera: np.ndarray
) -> Standing:
    rotations = np.full((len(take.sides), len(numbers), 16, 3, 3), np.nan)
    transl = np.full((len(take.sides), len(numbers), 3), np.nan)
    for row, armature in found.items():
        there = presence(take, row, armature, clip_offset)[numbers - take.frames[0]]
        motion = hands.keyed_motion(armature, numbers[there] - clip_offset)
        if not (np.isfinite(motion.transl).all() and np.isfinite(motion.rotations).all()):
            raise SolverError("motion-not-valid", f"{armature.name} has keys that are no numbers.", "Delete them.")
        rotations[row, there], transl[row, there] = motion.rotations, motion.transl
    return Standing(numbers, rotations, transl, camera)


def presence(take: Take, row: int, armature: bpy.types.Object, clip_offset: int) -> np.ndarray:
    """(T,) is the hand there? Where the take has it, where it has keys, and all through a gap that the artist keyed."""
    seen = take.status[row] != MISSING
    keyed = np.isin(take.frames - clip_offset, animation.key_frames(armature, hands.LOCATION))
    there = seen | keyed
    if there.all():
        return there
    artists = np.concatenate([*animation.artist_frames(armature).values(), np.zeros(0)])
    bridged = np.isin(take.frames - clip_offset, artists)
    gaps = np.split(np.arange(len(there)), np.flatnonzero(np.diff(seen.astype(int))) + 1)
    for gap in gaps:
        if len(gap) and not seen[gap[0]] and bridged[gap].any():
            there[gap] = True
    return there


def together_in(root: bpy.types.Object, whose: Sequence[bpy.types.Object], first: int, last: int) -> bool:
    """Is there a scene frame from ``first`` to ``last`` in which all these hands are there?

    Raises:
        SolverError: the take can't be read.
    """
    take = take_files.of_root(root)
    shown = clip.scene_frames(root.handheld.clip, take.frames)
    offset = int(take.frames[0] - shown[0])
    there = (shown >= first) & (shown <= last)
    rows = {armature: row for row, armature in hands.by_row(root, take).items()}
    for hand in whose:
        there = there & (presence(take, rows[hand], hand, offset) if hand in rows else False)
    return bool(np.any(there))


def _camera(
    root: bpy.types.Object, take: Take, near: np.ndarray, is_end: np.ndarray, clip_offset: int
) -> tuple[np.ndarray, _CameraPlan | None]:
    """Where the camera stands (n, 4, 4) in the take's rows ``near``: ours by its keys, the artist's as the take has it.

    Artist's keys in ours are led in and out; then there is something to write at the end.
    """
    ours, shown, solved = pinned_camera.of_root(root), take.frames[near] - clip_offset, take.world_from_camera[near]
    if ours is None:
        return solved, None
    eased = pinned_camera.eased_path(ours, shown, is_end, solved)
    if eased is None:
        return (pinned_camera.keyed_path(ours, shown) if pinned_camera.is_keyed_by_solver(ours) else solved), None
    hands.require_own_motion(ours)
    written = ~is_end if pinned_camera.is_keyed_by_solver(ours) else np.ones(len(near), bool)
    return eased, _CameraPlan(Reference.to("objects", ours), shown[written], eased[written])


def _saved(standing: Standing) -> str:
    path = Path(bpy.app.tempdir or tempfile.gettempdir()) / "handheld_standing.npz"
    standing.save(path)
    return str(path)


class ResolveView:
    """``session.View`` of a re-solve: the shown frame moves while it runs, keys are written when it is complete."""

    def __init__(self, context: bpy.types.Context, wanted: Plan) -> None:
        self._scene = Reference.to("scenes", context.scene)
        self._plan = wanted
        self._poses: dict[tuple[int, int], TrackPose] = {}
        self._judged: dict[int, messages.HandJudged] = {}
        self._frame_before = context.scene.frame_current
        self._shown_before = {row: rig.shown_pose(armature) for row, armature in self._hands()}

    def camera_solved(self, message: messages.CameraSolved) -> None:
        """A re-solve takes the camera as it stands."""

    def hand_started(self, message: messages.TrackStarted) -> None:
        """All hands are there."""

    def hands_moved(self, poses: Sequence[TrackPose]) -> None:
        target = self._scene.get()
        self._poses.update({(pose.track, pose.frame): pose for pose in poses})
        if target is not None:
            shown = target.frame_current + self._plan.clip_offset
            for pose in {pose.track: pose for pose in poses if pose.frame == shown}.values():
                self._show(pose)

    def hand_judged(self, message: messages.HandJudged) -> None:
        self._judged[message.track] = message

    def finished(self, take_path: str, is_partial: bool) -> bool:
        target, root = self._scene.get(), self._plan.root.get()
        if target is None or root is None:
            raise SolverError("scene-gone", "The hands that were re-solved are not there any more.", "Undo.")
        take = take_files.of_root(root)
        for row, armature in self._hands():
            self._write(take, row, armature)
        if self._plan.camera is not None:
            self._plan.camera.write()
        target.frame_set(target.frame_current, subframe=target.frame_subframe)
        return True

    def stopped(self) -> None:
        """Back to what was shown, unkeyed poses too."""
        target = self._scene.get()
        if target is None:
            return
        for row, armature in self._hands():
            rig.put_back(armature, self._shown_before[row])
        if target.frame_current != self._frame_before:
            target.frame_set(target.frame_current, subframe=target.frame_subframe)

    def _hands(self) -> Iterator[tuple[int, bpy.types.Object]]:
        """By the take's row, those of the hands that are still there."""
        for row, reference in self._plan.armatures.items():
            if (armature := reference.get()) is not None:
                yield row, armature

    def _show(self, pose: TrackPose) -> None:
        """Pose the bones without a key: the next frame change puts back what is keyed."""
        reference = self._plan.armatures.get(pose.track)
        armature = reference.get() if reference else None
        if armature is None:
            return
        rig.pose(armature, matrix_from_quaternion(np.array(pose.rotations)), np.array(pose.transl))

    def _write(self, take: Take, row: int, armature: bpy.types.Object) -> None:
        poses = [pose for (track, _), pose in sorted(self._poses.items()) if track == row]
        offset, asked = self._plan.clip_offset, self._plan.request
        within = (asked.first - offset, asked.last - offset)
        if poses:
            rig.write_motion(armature, _motion(poses, offset), within)
        if row in self._judged:
            if not judgement.is_there(armature):
                found = certainty.of_hand(take, row)
                judgement.write(armature, take.frames - offset, found.confidence, found.fingers, found.error_px)
            _write_judgement(armature, self._judged[row], within, offset)
        there = presence(take, row, armature, offset)
        if (there != (take.status[row] != MISSING)).any():
            rig.write_visibility(armature, take.frames - offset, there)


def _motion(poses: Sequence[TrackPose], clip_offset: int) -> rig.HandMotion:
    return rig.HandMotion(
        np.array([pose.frame for pose in poses]) - clip_offset,
        matrix_from_quaternion(np.array([pose.rotations for pose in poses])),
        np.array([pose.transl for pose in poses]),
    )


def _write_judgement(
    armature: bpy.types.Object, judged: messages.HandJudged, within: tuple[int, int], clip_offset: int
) -> None:
    confidence, error_px = np.array(judged.confidence, float), np.array(judged.error_px, float)
    fingers = certainty.of_fingers(np.array(judged.fingertip_sigma, float).reshape(-1, 5), confidence)
    judgement.write(armature, np.array(judged.frames) - clip_offset, confidence, fingers, error_px, within)
