"""The default costs of a clip, made from what was observed."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ..prior.distribution import shipped
from . import costs
from .activity import liveliness
from .camera_doubt import relative_error, step_noise
from .costs.dynamics import Process
from .evaluation import size_of
from .gaps import freed
from .kernels import GemanMcClure
from .layout import Layout, Track
from .observed import CameraBelief, Observations
from .state import State
from .weights import Preset, Weights


@dataclass(frozen=True)
class Ingredients:
    """All that a default cost may be made from.

    Attributes:
        start: where sizes and shapes are held to. frame_s: seconds per frame.
        sources: for each of the layout's tracks the index of the observed track that it is a part of.
        size_error: relative, of the hands' length that ``start`` has.
    """

    layout: Layout
    start: State
    seen: Observations
    camera: CameraBelief
    frame_s: float
    preset: Preset
    sources: tuple[int, ...] = ()
    size_error: float = math.inf

    @property
    def weights(self) -> Weights:
        return self.preset.weights


# gives the costs of one kind for a clip; none where the clip has nothing for them
Maker = Callable[[Ingredients], Iterable[costs.Cost]]


def clip_costs(
    layout: Layout,
    start: State,
    seen: Observations,
    camera: CameraBelief,
    frame_s: float,
    preset: Preset,
    more: Sequence[Maker] = (),
    sources: tuple[int, ...] = (),
    size_error: float = math.inf,
) -> tuple[costs.Cost, ...]:
    """The costs of a clip: what ``MAKERS`` and ``more`` (costs with evidence of their own) make of it, without those
    that ``preset.off`` names. Arguments as in ``Ingredients``."""
    if not layout.tracks:
        return ()
    given = Ingredients(layout, start, seen, camera, frame_s, preset, sources, size_error)
    made = [cost for maker in (*MAKERS, *more) for cost in maker(given)]
    return tuple(cost for cost in made if cost.name not in preset.off)


@dataclass(frozen=True)
class Looseness:
    """Factors (N,) on the deviations of the dynamics: of the fingers, of the wrist's position and of its rotation."""

    fingers: np.ndarray | None = None
    position: np.ndarray | None = None
    rotation: np.ndarray | None = None


def motion_costs(
    layout: Layout, camera: CameraBelief, frame_s: float, w: Weights, loose: Looseness = Looseness()
) -> list[costs.Cost]:
    """Dynamics, limits and pose distribution: what needs no observation."""
    hinges = layout.tracks[0].skeleton.hinges
    flexing = hinges.sigma[hinges.flexion].max()
    speed = np.radians(w.finger_speed_deg) * hinges.sigma / flexing
    prior = shipped()
    return [
        costs.FingerDynamicsCost(
            process=costs.process(speed, w.finger_memory_s, frame_s),
            together=prior.innovation_whitener(),
            looseness=loose.fingers,
            frame_s=frame_s,
        ),
        costs.WristPositionCost(
            process=_positions(w, frame_s),
            centre=camera.centre,
            log_scale=camera.log_scale,
            scale_deviation=relative_error(camera),
            looseness=loose.position,
        ),
        costs.WristRotationCost(process=_turns(w, frame_s), looseness=loose.rotation),
        costs.JointLimitCost(low=hinges.low, high=hinges.high, deviation=np.radians(w.limit_deg)),
        costs.PoseCovarianceCost(mean=prior.mean, whitener=prior.pose_whitener() / w.pose_scale, width=w.pose_scale),
    ]


def _positions(w: Weights, frame_s: float) -> Process:
    return costs.process(w.wrist_speed, w.wrist_memory_s, frame_s)


def _turns(w: Weights, frame_s: float) -> Process:
    return costs.process(np.radians(w.wrist_turn_deg), w.wrist_turn_memory_s, frame_s)


def _keypoints(given: Ingredients) -> Iterator[costs.Cost]:
    seen = given.seen
    kernel = GemanMcClure(given.weights.robust_sigmas)
    yield costs.KeypointCost(targets_px=seen.landmarks_px, whitening=seen.whitening, kernel=kernel)


def _motion(given: Ingredients) -> Iterable[costs.Cost]:
    loose = Looseness() if given.layout.camera_free else _looseness(given)  # a free camera answers for its own errors
    made = motion_costs(given.layout, given.camera, given.frame_s, given.weights, loose)
    return freed(made, given.layout, given.seen.whitening.any((2, 3)), given.frame_s)


def _looseness(given: Ingredients) -> Looseness:
    """Looser where a hand is seen to be lively, and where noise of the camera's steps would pass for motion."""
    w, layout, start = given.weights, given.layout, given.start
    positions, turns = _positions(w, given.frame_s), _turns(w, given.frame_s)
    lively = liveliness(layout, start, given.seen, given.camera, float(positions.deviation))
    lively = np.clip(lively, w.calmest, w.liveliest)
    turn, shift = step_noise(layout, start, given.camera)
    size = np.array([size_of(t.skeleton, start.betas[t.shape])[0] for t in layout.tracks])[layout.track_of]
    # an innovation is a step less ``memory`` times the one before
    shift = shift * np.hypot(1, positions.memory) / (size * positions.deviation)
    turn = turn * np.hypot(1, turns.memory) / turns.deviation
    return Looseness(lively, np.hypot(lively, shift), np.hypot(lively, turn))


def _hints(given: Ingredients) -> Iterator[costs.Cost]:
    if given.preset.hint and given.seen.hinted.any():
        yield _hint(given.layout, given.start, given.seen, given.weights)


def _globals(given: Ingredients) -> Iterable[costs.Cost]:
    return _global_costs(given.layout, given.start, given.seen, given.camera, given.weights, given.size_error)


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
    layout: Layout, start: State, seen: Observations, camera: CameraBelief, w: Weights, size_error: float
) -> Sequence[costs.Cost]:
    out: list[costs.Cost] = []
    if layout.shape_free:
        out += _shape_costs(layout, start, seen, w, size_error)
    if layout.camera_free:
        out.append(_camera(camera, w))
    if layout.scale_free:
        out.append(costs.ScaleCost(log_scale=camera.log_scale, deviation=camera.scale_deviation or w.scale))
    if layout.focal_free:
        out.append(costs.FocalCost(deviation=camera.focal_deviation or w.focal))
    if layout.offsets_free:
        growth = _growth(seen.whitening.any((1, 2, 3)).sum(), w)
        out.append(costs.OffsetsCost(deviation=w.offsets_m / growth, tightened=growth))
    return out


def _shape_costs(layout: Layout, start: State, seen: Observations, w: Weights, size_error: float) -> list[costs.Cost]:
    out: list[costs.Cost] = []
    frames_seen = np.bincount(layout.track_of, seen.whitening.any((1, 2, 3)), minlength=len(layout.tracks))
    for shape in range(layout.shape_count):
        mine = [index for index, track in enumerate(layout.tracks) if track.shape == shape]
        size, _ = size_of(layout.tracks[mine[0]].skeleton, start.betas[shape])
        growth = _growth(frames_seen[mine].sum(), w)
        size_deviation = w.hand_size / growth
        if size_error < w.hand_size:  # a measured length: no picture knows better
            size_deviation = w.measured_size
        out += [
            costs.ShapeCost(shape=shape, mean=np.zeros(10), deviation=w.shape),
            costs.ShapeCost(shape=shape, mean=start.betas[shape], deviation=w.shape_start / growth, tightened=growth),
            costs.ShapeLimitCost(
                shape=shape,
                limit=np.maximum(w.shape_limit, np.abs(start.betas[shape])),
                deviation=w.shape_limit_softness / growth,
                tightened=growth,
            ),
            costs.HandSizeCost(
                shape=shape,
                track=mine[0],
                log_size=float(np.log(size)),
                deviation=size_deviation,
                tightened=max(min(w.hand_size, size_error) / size_deviation, 1.0),
            ),
        ]
    return out


def _growth(hand_frames: float, w: Weights) -> float:
    """How much tighter a prior on a global variable gets with the number of hand-frames."""
    return float(np.sqrt(max(1.0, hand_frames / w.shape_frames)))


def _camera(camera: CameraBelief, w: Weights) -> costs.CameraCost:
    count = len(camera.centre)
    return costs.CameraCost(
        camera_from_world=camera.camera_from_world,
        centre=camera.centre,
        information=_root_information(camera.deviation, (w.camera_turn, w.camera_shift), count),
        log_scale=camera.log_scale,
        step_information=_root_information(camera.step_deviation, (w.camera_turn_step, w.camera_shift_step), count)[1:],
    )


def _root_information(deviation: np.ndarray | None, default: tuple[float, float], count: int) -> np.ndarray:
    """(T, 6, 6) diagonal, from (T, 2) deviations of turn and shift; ``default`` where they are not known. What is said
    to be known better than a hundredth of the default is not believed."""
    given = np.full((count, 2), np.nan) if deviation is None else deviation
    sigma = np.maximum(np.where(np.isfinite(given), given, default), 0.01 * np.array(default))
    return (1 / np.repeat(sigma, 3, axis=1))[..., None] * np.eye(6)


# Every default cost comes from one of these. A new kind of cost is one line here, or is handed to ``refine``.
MAKERS: tuple[Maker, ...] = (_keypoints, _motion, _hints, _globals)
