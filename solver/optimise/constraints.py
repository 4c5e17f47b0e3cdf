"""What an artist asks for, and what it means to the solver: costs, held variables, changed starts.

A hard pose is a variable that does not move; a hard point is a target with a tenth of a millimetre (or of a pixel),
since a point is no variable: one out of reach keeps a residual rather than tearing the hand.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..constraints import (
    CameraPose,
    Constraint,
    HoldStill,
    Ignore,
    ImagePoint,
    Point,
    Pose,
    Together,
)
from . import costs
from .anatomy import angles_of
from .costs.remembered import RememberedCost, RestCost
from .gaps import landmarks_seen, without
from .kernels import QUADRATIC
from .layout import ROOT, SHIFT, TURN, Layout
from .problem import Problem
from .state import State

_HARD_M, _HARD_PX = 1e-4, 0.1


@dataclass
class Constrained:
    """A problem and start with constraints taken in; ``held`` (T, D) bool are the variables that must not move."""

    problem: Problem
    state: State
    held: np.ndarray


def constrain(problem: Problem, state: State, constraints: list[Constraint]) -> Constrained:
    """Take all constraints into a problem; the given objects stay as they are.

    Raises:
        ValueError: a frame lies outside its track, or a track doesn't exist.
    """
    layout, shown = problem.layout, landmarks_seen(problem.costs, problem.layout)
    out = Constrained(problem, _copied(state), np.zeros((layout.frame_count, layout.block_size), bool))
    _see(out, [constraint for constraint in constraints if isinstance(constraint, ImagePoint)])
    for constraint in constraints:
        match constraint:
            case Pose():
                _pin_pose(out, constraint)
            case Point(track, frame, keypoint, position, deviation):
                hands = np.array([_hand(layout, track, frame)])
                _add(out, costs.PointTargetCost(
                    hands=hands, points=np.array([keypoint]), targets=np.asarray(position, float)[None],
                    deviation=np.array([deviation or _HARD_M]),
                ))  # fmt: skip
            case HoldStill(track, first, last, keypoint, deviation):
                hands = np.arange(_hand(layout, track, first), _hand(layout, track, last) + 1)
                _add(out, costs.hold_still(hands, keypoint, deviation or _HARD_M))
            case Together():
                _join(out, constraint)
            case Ignore(track, first, last):
                _blind(out, np.arange(_hand(layout, track, first), _hand(layout, track, last) + 1))
            case CameraPose(frame, rotation, centre):
                out.state.camera_from_world[frame], out.state.camera_centre[frame] = rotation, centre
                out.held[frame, layout.camera] = True
    out.problem = without(out.problem, shown)
    return out


def _copied(state: State) -> State:
    hands = replace(
        state.hands, **{name: getattr(state.hands, name).copy() for name in ("global_orient", "angles", "wrist")}
    )
    return replace(
        state,
        hands=hands,
        camera_from_world=state.camera_from_world.copy(),
        camera_centre=state.camera_centre.copy(),
    )


def _add(out: Constrained, cost: costs.Cost) -> None:
    out.problem = replace(out.problem, costs=(*out.problem.costs, cost))


def _hand(layout: Layout, track: int, frame: int) -> int:
    """Packed index of a track's frame."""
    if not 0 <= track < len(layout.tracks):
        raise ValueError(f"no track {track}")
    span = layout.tracks[track]
    if not span.start <= frame < span.start + span.count:
        raise ValueError(f"track {track} has no frame {frame}")
    return span.packed + frame - span.start


def _pin_pose(out: Constrained, pin: Pose) -> None:
    layout = out.problem.layout
    hand = _hand(layout, pin.track, pin.frame)
    hands, column = np.array([hand]), int(layout.column_of[hand])
    poses, hard = out.state.hands, pin.deviation is None
    columns: list[int] = []
    if pin.global_orient is not None:
        poses.global_orient[hand] = pin.global_orient
        columns += range(TURN.start, TURN.stop)
        if not hard:
            deviation = np.array([np.radians(3.0) * pin.deviation])
            _add(out, costs.OrientTargetCost(hands=hands, targets=pin.global_orient[None], deviation=deviation))
    if pin.wrist is not None:
        poses.wrist[hand] = pin.wrist
        columns += range(SHIFT.start, SHIFT.stop)
        if not hard:
            deviation = np.array([3e-3 * pin.deviation])
            at_wrist = np.zeros(1, int)
            _add(
                out,
                costs.PointTargetCost(hands=hands, points=at_wrist, targets=pin.wrist[None], deviation=deviation),
            )
    if pin.rotations is not None:
        columns += _bend(out, pin, hands)
    if hard:
        out.held[pin.frame, column + np.array(columns, int)] = True


def _bend(out: Constrained, pin: Pose, hands: np.ndarray) -> list[int]:
    """Start at the pin's fingers (and, unless they are hard, pull towards them); gives their columns."""
    hinges, poses = out.problem.layout.tracks[pin.track].skeleton.hinges, out.state.hands
    pinned = np.isfinite(pin.rotations).all((1, 2))
    rotations = np.where(pinned[:, None, None], pin.rotations, np.eye(3))
    chosen = pinned[hinges.joint - 1]
    angles = np.where(chosen, angles_of(hinges, rotations[None], poses.angles[hands]), poses.angles[hands])
    poses.angles[hands] = angles
    if pin.deviation is not None:
        information = chosen[None] / (np.radians(3.0) * pin.deviation)
        _add(out, costs.AnglesTargetCost(hands=hands, targets=angles, information=information))
    return (ROOT + np.flatnonzero(chosen)).tolist()


def _keypoint_cost(problem: Problem) -> costs.KeypointCost:
    return next(cost for cost in problem.costs if isinstance(cost, costs.KeypointCost))


def _exchange(out: Constrained, old: costs.Cost, *new: costs.Cost) -> None:
    out.problem = replace(out.problem, costs=(*new, *(c for c in out.problem.costs if c is not old)))


def _see(out: Constrained, seen: list[ImagePoint]) -> None:
    """All marks at once: a cost of its own for them, and the tracker's landmarks there count no more."""
    if not seen:
        return
    old = _keypoint_cost(out.problem)
    targets, rest, mine = old.targets_px.copy(), old.whitening.copy(), np.zeros_like(old.whitening)
    for mark in seen:
        at = _hand(out.problem.layout, mark.track, mark.frame), mark.keypoint
        rest[at] = 0
        if mark.position_px is not None:
            targets[at] = mark.position_px
            mine[at] = np.eye(2) / (mark.deviation or _HARD_PX)
    # without a robust kernel: an artist's mark is no outlier
    pinned = costs.KeypointCost(targets_px=targets, whitening=mine, kernel=QUADRATIC)
    _exchange(out, old, replace(old, whitening=rest), pinned)


def _blind(out: Constrained, hands: np.ndarray) -> None:
    old = _keypoint_cost(out.problem)
    whitening = old.whitening.copy()
    whitening[hands] = 0
    _exchange(out, old, replace(old, whitening=whitening))
    for cost in out.problem.costs:
        if isinstance(cost, costs.DepthHintCost):
            information, depth = cost.information.copy(), cost.depth.copy()
            information[hands], depth[hands] = 0, 0
            _exchange(out, cost, replace(cost, information=information, depth=depth))
        elif isinstance(cost, RememberedCost | RestCost):
            kept = np.ones(out.problem.layout.hand_count)
            kept[hands] = 0
            _exchange(out, cost, cost.faded(kept))


def _join(out: Constrained, touch: Together) -> None:
    layout = out.problem.layout
    frames = np.arange(touch.first, touch.last + 1)
    first = _hand(layout, touch.track, touch.first) + frames - touch.first
    second = _hand(layout, touch.other_track, touch.first) + frames - touch.first
    _hand(layout, touch.track, touch.last), _hand(layout, touch.other_track, touch.last)
    _add(out, costs.TogetherCost(
        first=first, first_point=np.full(len(frames), touch.keypoint),
        second=second, second_point=np.full(len(frames), touch.other_keypoint),
        deviation=np.full(len(frames), touch.deviation or _HARD_M),
    ))  # fmt: skip
