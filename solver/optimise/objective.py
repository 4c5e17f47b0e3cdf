"""The default costs of a clip, made from what was observed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from . import costs
from .evaluation import size_of
from .kernels import GemanMcClure
from .layout import Layout, Track
from .state import State
from .weights import Preset, Weights


@dataclass(frozen=True)
class Observations:
    """What was seen, for the N packed hand-frames of a layout.

    Attributes:
        landmarks_px: (N, 21, 2); whitening: (N, 21, 2, 2) 1/px with ``W'W = covariance^-1``, 0 where nothing was seen.
        ray: (N, 3) unit viewing direction to the hand, in the world.
        depth: (N, 21) the landmark net's depths along the ray about their mean, in palm sizes; 0 where unknown.
        hinted: (N, 21) bool: where ``depth`` is known.
    """

    landmarks_px: np.ndarray
    whitening: np.ndarray
    ray: np.ndarray
    depth: np.ndarray
    hinted: np.ndarray


@dataclass(frozen=True)
class CameraBelief:
    """What mapping knows about its camera, for the layout's frames, and about its scale.

    Attributes:
        camera_from_world: (T, 3, 3); centre: (T, 3) in mapping's unit.
        information: (T, 6, 6) square root information of [turn, centre], or None for the weights' defaults.
        log_scale, scale_deviation: the scale's estimate.
    """

    camera_from_world: np.ndarray
    centre: np.ndarray
    information: np.ndarray | None = None
    log_scale: float = 0.0
    scale_deviation: float | None = None


def clip_costs(
    layout: Layout, start: State, seen: Observations, camera: CameraBelief, frame_s: float, preset: Preset
) -> tuple[costs.Cost, ...]:
    """All default costs. ``frame_s``: seconds per frame. ``start``: where sizes and shapes are held to."""
    if not layout.tracks:
        return ()
    w = preset.weights
    out: list[costs.Cost] = [
        costs.KeypointCost(
            targets_px=seen.landmarks_px, whitening=seen.whitening, kernel=GemanMcClure(w.robust_sigmas)
        ),
        *motion_costs(layout, camera, frame_s, w),
    ]
    if preset.hint and seen.hinted.any():
        out.append(_hint(layout, start, seen, w))
    if preset.repulsion and len(layout.tracks) > 1:
        radii = [size_of(t.skeleton, start.betas[t.shape])[0] * costs.SPHERE_RADII for t in layout.tracks]
        out.append(costs.RepulsionCost(radii=np.array(radii), deviation=w.repulsion_m))
    return (*out, *_global_costs(layout, start, seen, camera, w))


def motion_costs(layout: Layout, camera: CameraBelief, frame_s: float, w: Weights) -> list[costs.Cost]:
    """Dynamics, limits and pose distribution: what needs no observation."""
    hinges = layout.tracks[0].skeleton.hinges
    flexing = hinges.sigma[hinges.flexion].max()
    speed = np.radians(w.finger_speed_deg) * hinges.sigma / flexing
    return [
        costs.FingerDynamicsCost(process=costs.process(speed, w.finger_memory_s, frame_s)),
        costs.WristPositionCost(
            process=costs.process(w.wrist_speed, w.wrist_memory_s, frame_s),
            centre=camera.centre,
            log_scale=camera.log_scale,
        ),
        costs.WristRotationCost(process=costs.process(np.radians(w.wrist_turn_deg), w.wrist_turn_memory_s, frame_s)),
        costs.JointLimitCost(low=hinges.low, high=hinges.high, deviation=np.radians(w.limit_deg)),
        costs.PoseDistributionCost(mean=hinges.mean, deviation=w.pose_scale * hinges.sigma),
    ]


def _hint(layout: Layout, start: State, seen: Observations, w: Weights) -> costs.DepthHintCost:
    palm = np.array([t.skeleton.palm_size * np.exp(_log_growth(t, start)) for t in layout.tracks])[layout.track_of]
    information = seen.hinted / (w.hint_palm_sizes * palm)[:, None]
    return costs.DepthHintCost(
        ray=seen.ray,
        depth=np.where(seen.hinted, seen.depth / w.hint_palm_sizes, 0.0),
        information=information,
        kernel=GemanMcClure(w.hint_robust_sigmas),
    )


def _log_growth(track: Track, start: State) -> float:
    size, _ = size_of(track.skeleton, start.betas[track.shape])
    return float(np.log(size / track.skeleton.length[0]))


def _global_costs(
    layout: Layout, start: State, seen: Observations, camera: CameraBelief, w: Weights
) -> Sequence[costs.Cost]:
    out: list[costs.Cost] = []
    if layout.shape_free:
        out += _shape_costs(layout, start, seen, w)
    if layout.camera_free:
        out.append(_camera(camera, w))
    if layout.scale_free:
        out.append(costs.ScaleCost(log_scale=camera.log_scale, deviation=camera.scale_deviation or w.scale))
    if layout.focal_free:
        out.append(costs.FocalCost(deviation=w.focal))
    if layout.offsets_free:
        seen_hands = seen.whitening.any((1, 2, 3)).sum()
        out.append(costs.OffsetsCost(deviation=w.offsets_m / _growth(seen_hands, w)))
    return out


def _shape_costs(layout: Layout, start: State, seen: Observations, w: Weights) -> list[costs.Cost]:
    out: list[costs.Cost] = []
    frames_seen = np.bincount(layout.track_of, seen.whitening.any((1, 2, 3)), minlength=len(layout.tracks))
    for shape in range(layout.shape_count):
        mine = [index for index, track in enumerate(layout.tracks) if track.shape == shape]
        size, _ = size_of(layout.tracks[mine[0]].skeleton, start.betas[shape])
        growth = _growth(frames_seen[mine].sum(), w)
        out += [
            costs.ShapeCost(shape=shape, mean=np.zeros(10), deviation=w.shape),
            costs.ShapeCost(shape=shape, mean=start.betas[shape], deviation=w.shape_start / growth),
            costs.HandSizeCost(
                shape=shape, track=mine[0], log_size=float(np.log(size)), deviation=w.hand_size / growth
            ),
        ]
    return out


def _growth(hand_frames: float, w: Weights) -> float:
    """How much tighter a prior on a global variable gets with the number of hand-frames."""
    return float(np.sqrt(max(1.0, hand_frames / w.shape_frames)))


def _camera(camera: CameraBelief, w: Weights) -> costs.CameraCost:
    default = np.diag(1 / np.array([w.camera_turn] * 3 + [w.camera_shift] * 3))
    information = camera.information
    if information is None:
        information = np.broadcast_to(default, (len(camera.centre), 6, 6))
    return costs.CameraCost(
        camera_from_world=camera.camera_from_world,
        centre=camera.centre,
        information=information,
        log_scale=camera.log_scale,
        step_information=np.diag(1 / np.array([w.camera_turn_step] * 3 + [w.camera_shift_step] * 3)),
    )
