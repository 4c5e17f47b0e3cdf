"""The way in: tracks and their initial fit become one motion in one world, streamed while it settles."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ..camera.cameras import CameraPath
from ..hand_model import HandModel
from ..initialise import InitialMotion, LandmarkCalibration, default_calibration
from ..initialise.kinematics import joint_rotations
from ..observations import HandTrack
from ..take import INFILLED, OBSERVED
from .bodies import bodies
from .clip import Clip, assemble
from .costs import Cost
from .drawn_size import evened, log_size_taken
from .evaluation import Evaluation
from .meeting import of_air, part
from .objective import Maker, clip_costs
from .problem import Problem
from .second_look import look_again
from .solve import Iterate, Outcome, run
from .state import State
from .uncertainty import DRAWN_SIZE_ERROR, SIGMA_FACTOR, Uncertainty, marginals
from .weights import BALANCED, Preset

# gives a cost from a problem and its solved state, or None when there is nothing to predict
Predictor = Callable[[Problem, State], Cost | None]
_PREDICTIONS = 2
# by how much less far the last stage goes before drawn sizes are evened out and it is done again
_ROUGHER = 30.0


@dataclass(frozen=True)
class RefineOptions:
    """What the caller may choose.

    Attributes:
        preset: quality.
        longest_gap_s: a hand unseen for longer is absent rather than invented.
        solve_shape, solve_camera, solve_scale, solve_focal, solve_offsets: variables besides the hands. A static camera
            stays where it is whatever ``solve_camera`` says: a world that moved with it would look the same.
        uncertainty: compute covariances at the end (about two steps' worth of time).
        size_error: relative, one sigma, of the length of the hands that the initial fit came with. No picture tells it,
            and the distance from the lens is wrong by as much. The default is adults' spread: means of 194 and 181 mm
            with deviations of 10 mm in men and women (C. C. Gordon et al., 1988 Anthropometric Survey of U.S. Army
            Personnel, NATICK/TR-89/044).
    """

    preset: Preset = BALANCED
    longest_gap_s: float = 2.0
    solve_shape: bool = True
    solve_camera: bool = False
    solve_scale: bool = False
    solve_focal: bool = False
    solve_offsets: bool = False
    uncertainty: bool = True
    size_error: float = 0.06


@dataclass(frozen=True)
class RefinedTrack:
    """One track in the world.

    Attributes:
        track: index of the track. side: "left" or "right".
        frames: (n,) clip frame numbers, rising; a gap too long to invent is left out.
        rotations: (n, 16, 3, 3) local, MANO order, [0] is global_orient, flat mean included.
        transl: (n, 3) metres, smplx's meaning. betas: (10,). rest_wrist: (3,) the wrist is at ``rest_wrist + transl``.
        status: (n,) ``take.OBSERVED`` or ``take.INFILLED``.
        joint_sigma: (n, 21) metres, per axis: deviation of each keypoint's position in the world, relative to the
            wrist for all but the wrist itself; None before the end.
        drawn_size: (n,) as ``Take.drawn_size``.
        distance_sigma: (n,) metres, of the wrist's distance from the lens; None likewise.
    """

    track: int
    side: str
    frames: np.ndarray
    rotations: np.ndarray
    transl: np.ndarray
    betas: np.ndarray
    rest_wrist: np.ndarray
    status: np.ndarray
    drawn_size: np.ndarray
    joint_sigma: np.ndarray | None = None
    distance_sigma: np.ndarray | None = None


@dataclass(frozen=True)
class Origin:
    """What turns a solver's state back into tracks: ``clip``, ``calibration``, ``sides`` by track index, and how many
    frames are one observation to stated uncertainty (``repeats``), and ``RefineOptions.size_error``."""

    clip: Clip
    calibration: LandmarkCalibration
    sides: Mapping[int, str]
    repeats: float = 1.0
    size_error: float = 0.0


@dataclass(frozen=True)
class Refined:
    """The state of the solve after a step; the last one has ``final`` set. What it means for hands and camera is worked
    out where somebody looks at it: most steps nobody does, and in a long clip there are many.

    Attributes:
        stage, step: where the solve is. stage_end: whether a stage has just ended. cost: its objective.
        outcome: of the last stage, when final.
        problem, state: for a later local re-solve. origin: for a later stage (``continued``).
        uncertainty: when final and asked for.
    """

    stage: str
    step: int
    stage_end: bool
    cost: float
    problem: Problem
    state: State
    origin: Origin
    outcome: Outcome | None = None
    final: bool = False
    uncertainty: Uncertainty | None = None

    @cached_property
    def tracks(self) -> tuple[RefinedTrack, ...]:
        """All tracks."""
        origin = self.origin
        stated = None if self.uncertainty is None else _stated(origin, self._at, self.uncertainty)
        drawn = log_size_taken(self.problem, origin.clip.seen)
        return tuple(
            _track(origin.clip, self.state, index, origin.sides[index], drawn, stated) for index in sorted(origin.sides)
        )

    @cached_property
    def world_from_camera(self) -> np.ndarray:
        """(T, 4, 4) metres."""
        pose = np.tile(np.eye(4), (len(self.origin.clip.frames), 1, 1))
        pose[:, :3, :3] = np.swapaxes(self.state.camera_from_world, -1, -2)
        pose[:, :3, 3] = self._at.scaled_centre
        return pose

    @property
    def intrinsics(self) -> np.ndarray:
        """(4,) px."""
        return np.concatenate([self._at.focal_px, self.origin.clip.view.centre_px])

    @property
    def landmark_offsets(self) -> np.ndarray:
        """(21, 3) metres, right hand, bone-local."""
        return self.origin.calibration.offsets_m + self.state.offsets

    @cached_property
    def _at(self) -> Evaluation:
        return self.problem.at(self.state)


def refine(
    tracks: Sequence[HandTrack],
    motions: Mapping[int, InitialMotion],
    models: Mapping[str, HandModel],
    camera: CameraPath,
    frames: np.ndarray,
    frame_s: float,
    options: RefineOptions = RefineOptions(),
    calibration: LandmarkCalibration | None = None,
    cancelled: Callable[[], bool] = lambda: False,
    more: Sequence[Maker] = (),
    hidden: Predictor | None = None,
) -> Iterator[Refined]:
    """Solve all hands (and what else is free) together.

    Args:
        tracks: what was seen. motions: the initial fit by track index (``initialise.collect``), in camera frames.
        models: "left" and "right".
        camera: for ``frames`` (T,), the clip's frame numbers, rising by one.
        frame_s: seconds per frame.
        cancelled: asked before every factorisation; when true the best state so far is the final one.
        more: makers of costs whose evidence does not come from tracks.
        hidden: predicts what nothing shows from a solved state (``prior.learned``); asked twice, solved after each.

    Yields:
        ``Refined`` after every accepted step and stage; the last has ``final`` set, also after a cancel.
    """
    calibration = calibration or default_calibration()
    clip = assemble(
        tracks, motions, models, camera, frames, math.floor(options.longest_gap_s / frame_s), calibration,
        _free(options, camera),
    )  # fmt: skip
    sources = tuple(segment.track for segment in clip.segments)
    makers = (bodies(models), *more)
    costs = clip_costs(
        clip.layout, clip.start, clip.seen, clip.camera, frame_s, options.preset, makers, sources, options.size_error
    )
    problem = Problem(clip.layout, clip.view, costs)
    sides = {index: motion.side for index, motion in motions.items()}
    repeats = max(1.0, options.preset.weights.error_memory_s / frame_s)
    origin = Origin(clip, calibration, sides, repeats, options.size_error)
    posed, iterate = problem, Iterate(clip.start, "start", 0, 0, 0.0, 0.0, Outcome.CONVERGED)
    if clip.segments:
        predicted = _predicted(problem, clip, frame_s, options.preset, hidden, cancelled)
        for posed, iterate in _as_bodies(predicted, cancelled):
            yield continued(origin, posed, iterate)
    sure = options.uncertainty and bool(clip.segments) and not cancelled()
    yield continued(origin, posed, iterate, final=True, sure=sure)


def _iterates(
    problem: Problem, clip: Clip, frame_s: float, preset: Preset, cancelled: Callable[[], bool]
) -> Iterator[tuple[Problem, Iterate]]:
    """The preset's stages, hands being air, the last one again when drawn sizes are evened out; then other starts for
    stretches in a wrong mode, and the last stage once more if that helped."""
    stages, final = preset.stages, preset.stages[-1]
    if preset.drawn_size:
        stages = (*stages[:-1], replace(final, tolerance=_ROUGHER * final.tolerance))
    for iterate in run(of_air(problem), clip.start, stages, cancelled=cancelled):
        yield problem, iterate
    if preset.drawn_size and iterate.outcome.usable and not cancelled():
        problem, state = evened(problem, clip.start, iterate.state, clip.seen, frame_s)
        for iterate in run(of_air(problem), state, (replace(final, name="drawn size"),), cancelled=cancelled):
            yield problem, iterate
    if preset.second_look and iterate.outcome.usable and not cancelled():
        state, changed = look_again(of_air(problem), iterate.state, cancelled)
        if changed:
            for iterate in run(of_air(problem), state, (replace(final, name="second look"),), cancelled=cancelled):
                yield problem, iterate


def _as_bodies(
    found: Iterator[tuple[Problem, Iterate]], cancelled: Callable[[], bool]
) -> Iterator[tuple[Problem, Iterate]]:
    """What is ``found``, hands being air; then hands as bodies where they meet."""
    for posed, iterate in found:
        yield posed, iterate
    if iterate.outcome.usable and not cancelled():
        yield from ((posed, parted) for parted in part(posed, iterate, cancelled))


def _predicted(
    problem: Problem,
    clip: Clip,
    frame_s: float,
    preset: Preset,
    hidden: Predictor | None,
    cancelled: Callable[[], bool],
) -> Iterator[tuple[Problem, Iterate]]:
    """What is seen; then the last stage again with what is predicted from its state, and with what is from that."""
    for posed, iterate in _iterates(problem, clip, frame_s, preset, cancelled):
        yield posed, iterate
    even, final = posed, replace(preset.stages[-1], name="hidden fingers")
    for _ in range(_PREDICTIONS):
        if hidden is None or not iterate.outcome.usable or cancelled():
            return
        state, cost = iterate.state, hidden(even, iterate.state)
        if cost is None or cost.name in preset.off:
            return
        posed = replace(even, costs=(*even.costs, cost))
        for iterate in run(of_air(posed), state, (final,), cancelled=cancelled):
            yield posed, iterate


def _free(options: RefineOptions, camera: CameraPath) -> dict[str, bool]:
    moving = camera.kind != "static"
    return {
        "shape_free": options.solve_shape,
        "camera_free": options.solve_camera and moving,
        "scale_free": options.solve_scale and moving,
        "focal_free": options.solve_focal,
        "offsets_free": options.solve_offsets,
    }


def continued(origin: Origin, problem: Problem, iterate: Iterate, final: bool = False, sure: bool = False) -> Refined:
    """What a solve of ``origin``'s clip shows after an iterate; ``sure``: with covariances, under ``problem``."""
    return Refined(
        stage=iterate.stage,
        step=iterate.step,
        stage_end=iterate.outcome is not None,
        cost=iterate.cost,
        problem=problem,
        state=iterate.state,
        origin=origin,
        outcome=iterate.outcome if final else None,
        final=final,
        uncertainty=marginals(problem.discounted(origin.repeats), iterate.state) if sure else None,
    )


def _stated(origin: Origin, at: Evaluation, uncertainty: Uncertainty) -> tuple[np.ndarray, np.ndarray]:
    """(N, 21) and (N,) as ``RefinedTrack`` has them: the factor's own, and the distance that sizes leave open."""
    sigma = SIGMA_FACTOR * uncertainty.keypoint_sigma()
    offset = at.state.hands.wrist - at.scaled_centre[at.layout.frame_of]
    distance = np.linalg.norm(offset, axis=-1)
    ray = offset / distance[:, None]
    own = SIGMA_FACTOR * np.sqrt(np.einsum("ni,nij,nj->n", ray, uncertainty.world[:, 0], ray))
    left_open = np.hypot(origin.size_error, DRAWN_SIZE_ERROR) * distance
    # of three axes it lies along one
    sigma[:, 0] = np.hypot(sigma[:, 0], left_open / np.sqrt(3))
    return sigma, np.hypot(own, left_open)


def _track(
    clip: Clip, state: State, index: int, side: str, drawn: np.ndarray, stated: tuple[np.ndarray, np.ndarray] | None
) -> RefinedTrack:
    """A track's segments, one after another."""
    mine = [i for i, segment in enumerate(clip.segments) if segment.track == index]
    layouts = [clip.layout.tracks[i] for i in mine]
    hands = np.concatenate([np.arange(t.packed, t.packed + t.count) for t in layouts])
    skeleton, betas = layouts[0].bare, state.betas[layouts[0].shape]
    pose = state.hands.take(hands)
    rest_wrist = skeleton.at(betas)[0][0]
    seen = np.concatenate([clip.segments[i].seen for i in mine])
    return RefinedTrack(
        track=index,
        side=side,
        frames=np.concatenate([clip.frames[t.frames] for t in layouts]),
        rotations=joint_rotations(skeleton, pose),
        transl=pose.wrist - rest_wrist,
        betas=betas,
        rest_wrist=rest_wrist,
        status=np.where(seen, OBSERVED, INFILLED).astype(np.uint8),
        drawn_size=drawn[hands],
        joint_sigma=None if stated is None else stated[0][hands],
        distance_sigma=None if stated is None else stated[1][hands],
    )
