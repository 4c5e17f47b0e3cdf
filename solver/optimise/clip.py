"""From tracks and an initial fit to a problem with a start: gaps filled, hands packed, observations whitened."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..camera.cameras import CameraPath
from ..hand_model import HandModel
from ..hand_model.rotations import exp, log
from ..initialise import InitialMotion, LandmarkCalibration
from ..initialise.evidence import gather
from ..initialise.kinematics import Pose, Skeleton, skeleton_of, stack_poses
from ..observations import HandTrack
from .evaluation import View
from .layout import Layout, Span, arrange
from .observed import CameraBelief, Observations
from .state import State


@dataclass(frozen=True)
class Segment:
    """An unbroken stretch of one track: the solver's unit. A track with a gap too long to invent has several.

    Attributes:
        track: index into the tracks.
        first: its first frame, counted in the problem's frames.
        rows: (n,) row of the track's own arrays for each frame, -1 where the hand was not seen.
    """

    track: int
    first: int
    rows: np.ndarray

    @property
    def seen(self) -> np.ndarray:
        return self.rows >= 0


@dataclass(frozen=True)
class Clip:
    """A problem's ingredients; ``segments`` are in the order of the layout's tracks."""

    frames: np.ndarray
    segments: tuple[Segment, ...]
    layout: Layout
    view: View
    start: State
    seen: Observations
    camera: CameraBelief


def assemble(
    tracks: Sequence[HandTrack],
    motions: Mapping[int, InitialMotion],
    models: Mapping[str, HandModel],
    camera: CameraPath,
    frames: np.ndarray,
    longest_gap: int,
    calibration: LandmarkCalibration,
    free: Mapping[str, bool],
) -> Clip:
    """Pack a clip.

    Args:
        motions: initial fit by track index, each frame in its own camera's frame; tracks without one are left out.
        frames: (T,) the clip's frame numbers, rising by one, as ``camera.world_from_camera``'s rows.
        longest_gap: frames that are solved through when the hand is not seen; longer gaps part the track.
        free: flags of ``Layout``.
    """
    segments = [s for index in sorted(motions) for s in _segments(index, motions[index].frames, frames, longest_gap)]
    shapes, shape_of = _shared_shapes(motions)
    offsets = calibration.offsets_m
    skeletons = {side: skeleton_of(model, offsets) for side, model in models.items()}
    bare = {side: skeleton_of(model, np.zeros((21, 3))) for side, model in models.items()}
    sides = [motions[segment.track].side for segment in segments]
    layout = arrange(
        len(frames),
        [
            Span(skeletons[side], bare[side], shape_of[s.track], s.first, len(s.rows))
            for side, s in zip(sides, segments, strict=True)
        ],
        **free,
    )
    view, belief = _camera(camera)
    state = State(
        hands=_start(segments, motions, camera, skeletons, next(iter(skeletons.values()))),
        camera_from_world=belief.camera_from_world,
        camera_centre=belief.centre,
        betas=shapes,
        log_scale=0.0,
        log_focal=0.0,
        offsets=np.zeros((21, 3)),
    )
    seen = _observations(segments, tracks, camera, calibration)
    return Clip(frames, tuple(segments), layout, view, state, seen, belief)


def _segments(track: int, seen_frames: np.ndarray, frames: np.ndarray, longest_gap: int) -> list[Segment]:
    at = np.asarray(seen_frames) - frames[0]
    breaks = np.flatnonzero(np.diff(at) > longest_gap + 1) + 1
    out = []
    for rows in np.split(np.arange(len(at)), breaks):
        if len(rows):
            whole = np.full(at[rows[-1]] - at[rows[0]] + 1, -1)
            whole[at[rows] - at[rows[0]]] = rows
            out.append(Segment(track, int(at[rows[0]]), whole))
    return out


def _shared_shapes(motions: Mapping[int, InitialMotion]) -> tuple[np.ndarray, dict[int, int]]:
    """Distinct betas (S, 10), and which of them each track has: hands that the initial fit gave one shape keep it."""
    shapes: list[np.ndarray] = []
    shape_of: dict[int, int] = {}
    for index in sorted(motions):
        betas = motions[index].betas
        same = [i for i, other in enumerate(shapes) if np.array_equal(other, betas)]
        shape_of[index] = same[0] if same else len(shapes)
        if not same:
            shapes.append(betas)
    return np.array(shapes, float).reshape(-1, 10), shape_of


def _camera(camera: CameraPath) -> tuple[View, CameraBelief]:
    """How the camera looks, and what its solve says of its own errors (nothing, when it was given)."""
    pose = np.asarray(camera.world_from_camera, float)
    intrinsics = np.asarray(camera.intrinsics, float)
    scale = camera.scale
    interval = 2 * 1.96  # deviations within a 95 % interval
    belief = CameraBelief(
        np.swapaxes(pose[:, :3, :3], -1, -2).copy(),
        pose[:, :3, 3].copy(),
        deviation=camera.expected_error,
        step_deviation=camera.pose_sigma,
        scale_deviation=math.log(scale.high / scale.low) / interval if scale and scale.high > scale.low > 0 else None,
        focal_deviation=camera.focal_sigma if 0 < camera.focal_sigma < math.inf else None,
    )
    return View(intrinsics[:2], intrinsics[2:]), belief


def _start(
    segments: list[Segment],
    motions: Mapping[int, InitialMotion],
    camera: CameraPath,
    skeletons: Mapping[str, Skeleton],
    any_skeleton: Skeleton,
) -> Pose:
    """Poses in the world for all hand-frames; those between sightings interpolated."""
    parts = []
    for segment in segments:
        motion = motions[segment.track]
        rows = segment.rows[segment.seen]
        at = segment.first + np.flatnonzero(segment.seen)
        world = motion.take(rows).in_world(camera.world_from_camera[at])
        parts.append(fill(Pose(world.rotations[:, 0], world.angles, world.wrist), segment.seen))
    if not parts:
        return Pose(np.zeros((0, 3, 3)), np.zeros((0, len(any_skeleton.hinges))), np.zeros((0, 3)))
    return stack_poses(parts)


def fill(known: Pose, seen: np.ndarray) -> Pose:
    """Poses for all frames of ``seen`` (n,) bool from those of the seen ones; the first and the last are seen.

    Positions and angles are interpolated linearly, orientations along the geodesic.
    """
    where = np.flatnonzero(seen)
    after = np.clip(np.searchsorted(where, np.arange(len(seen)), side="right"), 1, max(len(where) - 1, 1))
    before = after - 1
    after = np.minimum(after, len(where) - 1)
    span = np.maximum(where[after] - where[before], 1)
    share = ((np.arange(len(seen)) - where[before]) / span)[:, None]
    turn = log(np.swapaxes(known.global_orient[before], -1, -2) @ known.global_orient[after])
    return Pose(
        known.global_orient[before] @ exp(share * turn),
        (1 - share) * known.angles[before] + share * known.angles[after],
        (1 - share) * known.wrist[before] + share * known.wrist[after],
    )


def _observations(
    segments: list[Segment], tracks: Sequence[HandTrack], camera: CameraPath, calibration: LandmarkCalibration
) -> Observations:
    n = sum(len(segment.rows) for segment in segments)
    landmarks, whitening = np.zeros((n, 21, 2)), np.zeros((n, 21, 2, 2))
    ray, depth, hinted = np.tile([0.0, 0.0, 1.0], (n, 1)), np.zeros((n, 21)), np.zeros((n, 21), bool)
    start = 0
    for segment in segments:
        track, rows = tracks[segment.track], segment.rows[segment.seen]
        evidence = gather(
            track.landmarks_px[rows], track.covariance_px[rows], track.landmarks_m[rows],
            camera.intrinsics, calibration.residual_covariance,
        )  # fmt: skip
        at = start + np.flatnonzero(segment.seen)
        turn = camera.world_from_camera[segment.first + np.flatnonzero(segment.seen), :3, :3]
        landmarks[at], whitening[at] = evidence.landmarks_px, evidence.whitener
        ray[at] = (turn @ evidence.ray[..., None])[..., 0]
        depth[at], hinted[at] = evidence.hint[..., 2], evidence.hinted
        start += len(segment.rows)
    return Observations(landmarks, whitening, ray, depth, hinted)
