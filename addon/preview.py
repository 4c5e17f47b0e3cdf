"""The scene while a solve runs: hands appear and move as their poses arrive. Pushes no undo step, holds no object.

The preview of a clip's first solve becomes its result. A clip that was solved before keeps that result until the new
take is complete; its preview stands beside it for so long.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import bpy
import numpy as np

from ..solver import hand_model, messages, take
from ..solver.camera.cameras import CameraPath
from ..solver.errors import SolverError
from ..solver.hand_model.rotations import matrix_from_quaternion
from ..solver.messages import TrackPose
from . import clip, rig, scene, take_list, take_to_scene
from .references import Reference
from .take_to_scene import Surroundings


class Preview:
    """``session.View`` of a Blender scene."""

    def __init__(self, around: Surroundings) -> None:
        self._scene = Reference.to("scenes", around.scene)
        self._clip = Reference.to("movieclips", around.clip)
        self._camera = Reference.to("objects", around.camera) if around.camera else None
        self._model_source = around.model_source
        self._frame_before = around.scene.frame_current
        self._followed_to: int | None = None
        self._root: Reference | None = None
        self._tracks: dict[int, messages.TrackStarted] = {}
        self._hands: dict[int, Reference] = {}
        self._signs: dict[int, np.ndarray] = {}

    def camera_solved(self, message: messages.CameraSolved) -> None:
        """Make the camera, or bring it up to date; a camera of the artist's stands already."""
        around = self._surroundings()
        if around is None or around.camera is not None or not message.poses:
            return
        if scene.find_root(around.scene, around.clip) is not None:
            around = replace(around, use_scene_camera=False)  # the camera of the standing result stays the scene's
        poses = np.array(message.poses)
        matrices = np.tile(np.eye(4), (len(poses), 1, 1))
        matrices[:, :3, :3], matrices[:, :3, 3] = matrix_from_quaternion(poses[:, :4]), poses[:, 4:]
        numbers = message.first_frame + np.arange(len(poses))
        path = CameraPath(
            message.kind,
            np.array(message.intrinsics),
            matrices,
            np.array(message.distortion or (0.0, 0.0)),
            distortion_model=message.distortion_model,
        )
        take_to_scene.build_camera(path, tuple(around.clip.size), numbers, self._ensure_root(around), around)

    def hand_started(self, message: messages.TrackStarted) -> None:
        self._tracks[message.track] = message

    def hands_moved(self, poses: Sequence[TrackPose]) -> None:
        around = self._surroundings()
        if around is None:
            return
        for track in sorted({pose.track for pose in poses} & self._tracks.keys()):
            self._move_hand(track, [pose for pose in poses if pose.track == track], around)
        if around.scene.handheld.use_follow:
            self._followed_to = int(clip.scene_frames(around.clip, poses[-1].frame))
            around.scene.frame_set(self._followed_to)

    def hand_judged(self, message: messages.HandJudged) -> None:
        """The take tells it."""

    def finished(self, take_path: str, is_partial: bool) -> bool:
        around = self._surroundings()
        if around is None:
            sentence = "The scene or the clip that was solved is not there any more."
            raise SolverError("scene-gone", sentence, f"Import the take {take_path}, it is complete.")
        if is_partial and scene.find_root(around.scene, around.clip) is not None:
            Path(take_path).unlink(missing_ok=True)  # a whole result is not given up for a part of another
            return False
        solved = take.load(take_path)
        self._become_result(around)
        take_list.place(solved, take_path, around)
        self._return_to_frame(around)
        return True

    def stopped(self) -> None:
        around = self._surroundings()
        if around is not None:
            self._become_result(around)
            self._return_to_frame(around)

    def _surroundings(self) -> Surroundings | None:
        """None when the scene or the clip is gone: then there is nothing to show."""
        target, movie = self._scene.get(), self._clip.get()
        if target is None or movie is None:
            return None
        camera = self._camera.get() if self._camera else None
        return Surroundings(target, movie, self._model_source, camera, target.handheld.use_scene_camera)

    def _become_result(self, around: Surroundings) -> None:
        root = self._root.get() if self._root else None
        if root is None:
            return
        if scene.find_root(around.scene, around.clip) is None:
            root.handheld.role = "ROOT"
        else:
            scene.remove_tree(root)

    def _return_to_frame(self, around: Surroundings) -> None:
        """Back to where the artist was, unless they have gone elsewhere meanwhile."""
        if around.scene.frame_current == self._followed_to:
            around.scene.frame_set(self._frame_before)

    def _ensure_root(self, around: Surroundings) -> bpy.types.Object:
        """The preview's root, made anew when an undo took it away."""
        root = self._root.get() if self._root else None
        if root is None:
            name = f"Hands {clip.file_path(around.clip).stem}"
            root = scene.build_root(around.scene, around.clip, name, "PREVIEW")
            self._root = Reference.to("objects", root)
        return root

    def _move_hand(self, track: int, poses: list[TrackPose], around: Surroundings) -> None:
        armature = self._ensure_hand(track, around)
        poses = sorted(poses, key=lambda pose: pose.frame)
        numbers = np.array([pose.frame for pose in poses])
        motion = rig.HandMotion(
            clip.scene_frames(around.clip, numbers),
            matrix_from_quaternion(np.array([pose.rotations for pose in poses])),
            np.array([pose.transl for pose in poses]),
        )
        self._signs[track] = rig.append_motion(armature, motion, self._signs.get(track))

    def _ensure_hand(self, track: int, around: Surroundings) -> bpy.types.Object:
        armature = self._hands[track].get() if track in self._hands else None
        if armature is None:
            started = self._tracks[track]
            model = hand_model.load(started.side, self._model_source)
            shaped = model.with_shape(np.array(started.betas or [0.0] * 10))
            armature = take_to_scene.ensure_hand(self._ensure_root(around), shaped, self._ordinal(track))
            self._hands[track] = Reference.to("objects", armature)
        return armature

    def _ordinal(self, track: int) -> int:
        side = self._tracks[track].side
        return sorted(number for number, other in self._tracks.items() if other.side == side).index(track)
