"""A take while it is being solved: filled piece by piece, whole at any moment."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from . import __version__, messages
from . import take as takes
from .camera.cameras import SOLVED, CameraPath, ScaleEstimate
from .camera.distortion import for_focal
from .hand_model.model import HandModel
from .hand_model.rotations import quaternion_from_matrix
from .initialise import InitialMotion, default_calibration
from .messages import Message
from .observations import HandTrack
from .optimise import Refined, RefinedTrack, Remembered
from .video import Clip


class TakeDraft:
    """Collects what the stages give; ``take()`` is what there is so far.

    Attributes:
        clip_sha256: digest of the clip.
        seconds: wall and CPU seconds by stage.
    """

    def __init__(self, options: dict[str, Any]) -> None:
        self.clip_sha256 = ""
        self.seconds: dict[str, dict[str, float]] = {}
        self._costs: list[str] = []
        self._options = options
        self._clip: Clip | None = None
        self._announced: set[int] = set()

    def begin(self, clip: Clip, camera: CameraPath, tracks: list[HandTrack], models: dict[str, HandModel]) -> None:
        """Make room for the tracks; every hand is missing in every frame until ``add``."""
        self._clip, self._camera = clip, camera
        self._sides = tuple(track.side for track in tracks)
        self._model = next(iter(models.values()))
        hands, frames = len(tracks), len(clip)
        self._betas = np.zeros((hands, 10))
        self._rotations = np.full((hands, frames, 16, 3, 3), np.nan)
        self._transl = np.full((hands, frames, 3), np.nan)
        self._status = np.full((hands, frames), takes.MISSING, np.uint8)
        self._confidence = np.zeros((hands, frames))
        self._offsets = default_calibration().offsets_m
        self._sigma = np.full((hands, frames, 21), np.nan)
        self._distance_sigma = np.full((hands, frames), np.nan)
        self._drawn_size = np.zeros((hands, frames))
        self._keypoints_px = np.full((hands, frames, 21, 2), np.nan)
        self._covariance_px = np.full((hands, frames, 21, 2, 2), np.nan)
        self._landmarks_m = np.full((hands, frames, 21, 3), np.nan)
        self._overlap, self._outlines = np.zeros((0, 0)), {}
        for hand, track in enumerate(tracks):
            rows = track.frames - clip.first_frame
            self._keypoints_px[hand, rows] = track.landmarks_px
            self._covariance_px[hand, rows] = track.covariance_px
            self._landmarks_m[hand, rows] = track.landmarks_m

    def add(self, motion: InitialMotion) -> Iterator[Message]:
        """Take in some frames of one track, seen from each frame's camera; gives the messages that show them."""
        rows, hand = motion.frames - self._clip.first_frame, motion.track
        motion = self._place(motion)
        self._betas[hand] = motion.betas
        self._confidence[hand, rows] = motion.confidence
        self._status[hand, rows] = takes.OBSERVED
        if hand not in self._announced:
            self._announced.add(hand)
            yield messages.TrackStarted(0, hand, motion.side, tuple(motion.betas.tolist()))
        yield from pose_messages(hand, motion.frames, motion.rotations, motion.transl, motion.confidence)

    def move(self, camera: CameraPath, motions: Mapping[int, InitialMotion]) -> Iterator[Message]:
        """Put all that was added into the world of another ``camera``; gives the messages that show it there."""
        self._camera = camera
        placed = [self._place(motion) for motion in motions.values()]
        yield camera_message(camera, self._clip.first_frame)
        for motion in placed:
            yield from pose_messages(motion.track, motion.frames, motion.rotations, motion.transl, motion.confidence)

    def _place(self, motion: InitialMotion) -> InitialMotion:
        rows = motion.frames - self._clip.first_frame
        motion = motion.in_world(self._camera.world_from_camera[rows])
        self._rotations[motion.track, rows] = motion.rotations
        self._transl[motion.track, rows] = motion.transl
        return motion

    def replace(self, refined: Refined) -> Iterator[Message]:
        """Put the optimiser's motion, camera and lens in the place of what was there; gives the messages for it.

        The draft is whole before the first message: whoever stops listening half way still gets every hand.
        """
        before = self._camera
        self._camera = dataclasses.replace(
            before,
            world_from_camera=refined.world_from_camera,
            intrinsics=refined.intrinsics,
            # a free camera answers for its own errors: the hands were not loosened for them
            pose_sigma=None if refined.problem.layout.camera_free else before.pose_sigma,
            # the landmarks were straightened with the lens that came in
            distortion=for_focal(
                before.distortion, before.distortion_model, refined.intrinsics[0] / before.intrinsics[0]
            ),
        )
        self._offsets = refined.landmark_offsets
        self._costs = sorted({cost.name for cost in refined.problem.costs})
        for values, empty in (
            (self._rotations, np.nan),
            (self._transl, np.nan),
            (self._sigma, np.nan),
            (self._distance_sigma, np.nan),
            (self._drawn_size, 0),
            (self._status, 0),
        ):
            values[:] = empty
        for track in refined.tracks:
            self._replace_track(track)
        yield camera_message(self._camera, self._clip.first_frame)
        for track in refined.tracks:
            confidence = self._confidence[track.track, track.frames - self._clip.first_frame]
            yield from pose_messages(track.track, track.frames, track.rotations, track.transl, confidence)

    def _replace_track(self, track: RefinedTrack) -> None:
        hand, rows = track.track, track.frames - self._clip.first_frame
        self._betas[hand] = track.betas
        self._rotations[hand, rows] = track.rotations
        self._transl[hand, rows] = track.transl
        self._status[hand, rows] = track.status
        self._drawn_size[hand, rows] = track.drawn_size
        if track.joint_sigma is not None:
            self._sigma[hand, rows] = track.joint_sigma
            self._distance_sigma[hand, rows] = track.distance_sigma

    def replace_overlap(self, overlap: Mapping[int, tuple[np.ndarray, np.ndarray]]) -> None:
        """Put in how well each hand covers its mask: by hand its frames and shares."""
        self._overlap = np.full(self._status.shape, np.nan)
        for hand, (frames, shares) in overlap.items():
            self._overlap[hand, frames - self._clip.first_frame] = shares

    def remember(self, told: Mapping[int, tuple[np.ndarray, Remembered]]) -> None:
        """Put in what outlines told: by hand its frames and that."""
        sizes = {"outline_information": 0, "outline_slope": 0}
        for _, kept in told.values():
            sizes = {"outline_information": kept.information.shape[-1], "outline_slope": kept.slope.shape[-1]}
        self._outlines = {name: np.zeros((*self._status.shape, size), np.float32) for name, size in sizes.items()}
        self._outlines["landmark_share"] = np.full(self._status.shape, np.nan)
        for hand, (frames, kept) in told.items():
            rows = frames - self._clip.first_frame
            self._outlines["outline_information"][hand, rows] = kept.information
            self._outlines["outline_slope"][hand, rows] = kept.slope
            self._outlines["landmark_share"][hand, rows] = kept.landmark_share

    def take(self) -> takes.Take | None:
        """Everything so far; None while there is no camera yet."""
        if self._clip is None:
            return None
        clip = self._clip
        return takes.Take(
            clip_path=str(clip.path.absolute()),  # a take is opened from other folders, too
            clip_sha256=self.clip_sha256,
            frame_rate=clip.frame_rate.as_integer_ratio(),
            size=clip.size,
            frames=np.array(clip.frame_numbers),
            intrinsics=self._camera.intrinsics,
            world_from_camera=self._camera.world_from_camera,
            camera_kind=self._camera.kind,
            camera_status=_or_full(self._camera.status, len(clip), SOLVED, np.uint8),
            camera_error_px=_or_full(self._camera.quality_px, len(clip), np.nan, float),
            camera_sigma=_or_none(self._camera.expected_error),
            camera_step_sigma=_or_none(self._camera.pose_sigma),
            camera_scale=None if self._camera.scale is None else _fields(self._camera.scale),
            focal_sigma=_known(self._camera.focal_sigma),
            up_sigma=_known(self._camera.up_sigma),
            points=self._camera.points,
            point_errors_px=self._camera.point_errors_px,
            distortion=self._camera.distortion,
            distortion_model=self._camera.distortion_model,
            model=self._model.name,
            model_sha256=self._model.sha256,
            sides=self._sides,
            betas=self._betas,
            rotations=self._rotations,
            transl=self._transl,
            status=self._status,
            confidence=self._confidence,
            keypoints_px=self._keypoints_px,
            keypoint_covariance_px=self._covariance_px,
            landmarks_m=self._landmarks_m,
            drawn_size=self._drawn_size,
            outline_overlap=self._overlap,
            **self._outlines,
            joint_sigma=self._sigma,
            distance_sigma=self._distance_sigma,
            landmark_offsets=self._offsets,
            provenance={
                "solver": __version__,
                "options": self._options,
                "seconds": self.seconds,
                "costs": self._costs,
            },
        )


def camera_message(camera: CameraPath, first_frame: int) -> Message:
    """What shows the camera to a client."""
    quaternions = quaternion_from_matrix(camera.world_from_camera[:, :3, :3])
    poses = np.concatenate([quaternions, camera.world_from_camera[:, :3, 3]], axis=1)
    rows = tuple(map(tuple, poses.tolist()))
    return messages.CameraSolved(
        0,
        camera.kind,
        tuple(camera.intrinsics.tolist()),
        first_frame,
        rows,
        tuple(camera.distortion.tolist()),
        camera.distortion_model,
    )


def _or_none(sigma: np.ndarray | None) -> np.ndarray:
    return np.zeros((0, 2)) if sigma is None or np.isnan(sigma).all() else sigma


def _fields(scale: ScaleEstimate) -> dict[str, Any]:
    return {**dataclasses.asdict(scale), "cues": list(scale.cues)}


def _known(sigma: float) -> float | None:
    return float(sigma) if np.isfinite(sigma) else None


def _or_full(values: np.ndarray | None, count: int, filling: float, kind: type) -> np.ndarray:
    return np.full(count, filling, kind) if values is None else values.astype(kind)


def pose_messages(
    track: int, frames: np.ndarray, rotations: np.ndarray, transl: np.ndarray, confidence: np.ndarray
) -> Iterator[Message]:
    """What shows n poses of a hand to a client."""
    quaternions = quaternion_from_matrix(rotations).tolist()
    for row, frame in enumerate(frames.tolist()):
        joints = tuple(tuple(quaternion) for quaternion in quaternions[row])
        yield messages.TrackPose(0, track, frame, joints, tuple(transl[row].tolist()), float(confidence[row]))
