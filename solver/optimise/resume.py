"""A solved take as a problem again, so that a stretch of it can be re-solved, and the answer put back into the take."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..camera.cameras import project
from ..camera.distortion import undistort
from ..camera.ideal import ideal_tracks
from ..hand_model import HandModel
from ..hand_model.rotations import angle_between
from ..initialise import InitialMotion, default_calibration
from ..initialise.kinematics import Pose, joint_rotations, skeleton_of
from ..observations import HandTrack
from ..prior import learned
from ..take import MISSING, OBSERVED, Take
from .anatomy import angles_of
from .bodies import SOLVED, bodies
from .clip import Clip, assemble
from .constraints import Constraint, ImagePoint
from .drawn_size import resized
from .local import calmer, resolve
from .objective import clip_costs
from .problem import Problem
from .settled import carried, packed, remembered_cost, rest_cost, slopes, with_landmark_shares
from .solve import Iterate
from .state import State
from .surety import surety
from .uncertainty import SIGMA_FACTOR
from .weights import BALANCED, Preset

# what a pose loses as a client's floats
_SAME_RAD, _SAME_M = 2e-6, 1e-6
# the quality in which every frame is fitted by itself: no motion that rests anywhere
_FITTED_ALONE = "initial"


@dataclass(frozen=True)
class _Moved:
    """Hand-frames that stand elsewhere: packed index, the take's hand and row, and the poses, all (m, ...)."""

    packed: np.ndarray
    hand: np.ndarray
    row: np.ndarray
    rotations: np.ndarray
    transl: np.ndarray


@dataclass(frozen=True)
class Resumed:
    """A take with its problem. Costly to make (seconds for a long clip), so a ``serve`` process keeps it.

    Attributes:
        take: as it was. problem, state: it, to the solver. clip: what lies where.
        slopes: (H, T, d) what the take's own motion leaves unsaid of its costs, see ``settled``.
    """

    take: Take
    problem: Problem
    state: State
    clip: Clip
    slopes: np.ndarray

    def resolve(
        self,
        first_frame: int,
        last_frame: int,
        constraints: Sequence[Constraint] = (),
        hands: Collection[int] | None = None,
        smoothness: float = 1.0,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Iterator[tuple[Iterate, Resumed]]:
        """Re-solve clip frames ``first_frame`` to ``last_frame``, inclusive; see ``local.resolve``.

        Args:
            constraints: their ``track`` is the take's hand, their frames are clip frame numbers.
            hands: the take's hands that may move; None: all.
            smoothness: the usual speeds of hands are divided by it, for this stretch.

        Raises:
            ValueError: a constraint names a hand in a frame where it is missing.
        """
        problem = self.problem if smoothness == 1.0 else calmer(self.problem, smoothness)
        first, last = self._rows(first_frame, last_frame)
        inner, tracks = [self._translated(constraint) for constraint in constraints], self._tracks(hands)
        for iterate in resolve(problem, self.state, first, last, inner, tracks, False, self.frame_s, cancelled):
            yield iterate, self.with_state(iterate.state)

    def surety(
        self, first_frame: int, last_frame: int, constraints: Sequence[Constraint], hands: Collection[int] | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """How sure clip frames ``first_frame`` to ``last_frame`` are with constraints, around what stands.

        Returns:
            (H, n, 21) metres, deviations as ``Take.joint_sigma`` has them, and their ratio to those without the
            constraints (0: known for sure); NaN where a hand is missing or not among ``hands``.
        """
        first, last = self._rows(first_frame, last_frame)
        inner, tracks = [self._translated(constraint) for constraint in constraints], self._tracks(hands)
        repeats = max(1.0, BALANCED.weights.error_memory_s * self.take.frame_rate[0] / self.take.frame_rate[1])
        found = surety(self.problem, self.state, first, last, inner, tracks, repeats)
        sigma = np.full((len(self.take.sides), last - first + 1, 21), np.nan)
        ratio = sigma.copy()
        layout = self.problem.layout
        hand = np.array([segment.track for segment in self.clip.segments])[layout.track_of[found.hands]]
        row = layout.frame_of[found.hands] - first
        sigma[hand, row], ratio[hand, row] = SIGMA_FACTOR * found.after, found.ratio
        return sigma, ratio

    def _rows(self, first_frame: int, last_frame: int) -> tuple[int, int]:
        base = int(self.take.frames[0])
        return max(first_frame - base, 0), min(last_frame - base, len(self.take.frames) - 1)

    def _tracks(self, hands: Collection[int] | None) -> list[int] | None:
        """The layout's tracks of some of the take's hands."""
        if hands is None:
            return None
        return [index for index, segment in enumerate(self.clip.segments) if segment.track in hands]

    def _translated(self, constraint: Constraint) -> Constraint:
        """From the take's hand and frame numbers to the layout's track and frames."""
        base = int(self.take.frames[0])
        names = {field.name for field in dataclasses.fields(constraint)}
        moved = {name: getattr(constraint, name) - base for name in ("frame", "first", "last") if name in names}
        begin = moved.get("frame", moved.get("first"))
        for name in ("track", "other_track"):
            if name in names:
                moved[name] = self._segment(getattr(constraint, name), begin)
        if isinstance(constraint, ImagePoint) and constraint.position_px is not None:
            moved["position_px"] = self._straightened(constraint.position_px)
            if constraint.of_model:
                moved["position_px"] += self._landmark_offset_px(moved["track"], moved["frame"], constraint.keypoint)
        return dataclasses.replace(constraint, **moved)

    def _straightened(self, position_px: np.ndarray) -> np.ndarray:
        """A pixel of the clip as the problem's pinhole sees it."""
        take = self.take
        return undistort(np.asarray(position_px, float), take.intrinsics, take.distortion, take.distortion_model)

    def _landmark_offset_px(self, track: int, frame: int, keypoint: int) -> np.ndarray:
        """(2,) from the model's keypoint to the landmark of that name, as the standing pose shows them."""
        span, at = self.problem.layout.tracks[track], self.problem.at(self.state)
        hand = span.packed + frame - span.start
        world = np.stack([at.keypoints[hand, keypoint], at.points[hand, keypoint]])
        pose = np.linalg.inv(self.take.world_from_camera[frame])
        own, landmark = project(world @ pose[:3, :3].T + pose[:3, 3], self.take.intrinsics)
        return landmark - own

    def _segment(self, hand: int, frame: int) -> int:
        for index, segment in enumerate(self.clip.segments):
            if segment.track == hand and segment.first <= frame < segment.first + len(segment.rows):
                return index
        raise ValueError(f"hand {hand} has no frame {frame + int(self.take.frames[0])}")

    @property
    def frame_s(self) -> float:
        """Seconds from frame to frame."""
        return self.take.frame_rate[1] / self.take.frame_rate[0]

    def standing_at(
        self, rows: np.ndarray, rotations: np.ndarray, transl: np.ndarray, world_from_camera: np.ndarray
    ) -> Resumed:
        """The same clip with another motion in some frames.

        Poses that differ by less than single precision (a client's storage) keep their bits here.

        Args:
            rows: (n,) of the take. rotations: (H, n, 16, 3, 3). transl: (H, n, 3), NaN to leave a pose as it is.
            world_from_camera: (n, 4, 4).
        """
        take, state = self.take, self.state
        hands = self._moved_hands(rows, rotations, transl)
        camera = np.abs(take.world_from_camera[rows] - world_from_camera).max((1, 2)) > _SAME_M
        if not len(hands.packed) and not camera.any():
            return self
        turned, centre = state.camera_from_world.copy(), state.camera_centre.copy()
        turned[rows[camera]] = np.swapaxes(world_from_camera[camera, :3, :3], -1, -2)
        centre[rows[camera]] = world_from_camera[camera, :3, 3]
        path = take.world_from_camera.copy()
        path[rows[camera]] = world_from_camera[camera]
        changed = dataclasses.replace(
            take, world_from_camera=path, rotations=take.rotations.copy(), transl=take.transl.copy()
        )
        changed.rotations[hands.hand, hands.row] = hands.rotations
        changed.transl[hands.hand, hands.row] = hands.transl
        state = dataclasses.replace(state, hands=self._posed(hands), camera_from_world=turned, camera_centre=centre)
        problem = self.problem
        if camera.any():
            turn = path[:, :3, :3] @ np.swapaxes(take.world_from_camera[:, :3, :3], -1, -2)
            shift = path[:, :3, 3] - (turn @ take.world_from_camera[:, :3, 3:])[..., 0]
            problem = carried(problem, problem.layout, turn, shift)
        return dataclasses.replace(self, take=changed, problem=problem, state=state)

    def _moved_hands(self, rows: np.ndarray, rotations: np.ndarray, transl: np.ndarray) -> _Moved:
        parts = []
        for segment, track in zip(self.clip.segments, self.problem.layout.tracks, strict=True):
            inside = np.flatnonzero((rows >= segment.first) & (rows < segment.first + len(segment.rows)))
            inside = inside[np.isfinite(transl[segment.track, inside]).all(-1)]
            new_turn, new_shift = rotations[segment.track, inside], transl[segment.track, inside]
            here = rows[inside]
            moved = np.linalg.norm(new_shift - self.take.transl[segment.track, here], axis=-1) > _SAME_M
            turn = angle_between(self.take.rotations[segment.track, here], new_turn).max(-1, initial=0)
            chosen = moved | (turn > _SAME_RAD)
            packed = track.packed + here[chosen] - track.start
            parts.append((packed, np.full(chosen.sum(), segment.track), here[chosen],
                          new_turn[chosen], new_shift[chosen]))  # fmt: skip
        if not parts:
            return _Moved(np.zeros(0, int), np.zeros(0, int), np.zeros(0, int), np.zeros(0), np.zeros(0))
        return _Moved(*(np.concatenate(part) for part in zip(*parts, strict=True)))

    def _posed(self, moved: _Moved) -> Pose:
        hands, layout = self.state.hands, self.problem.layout
        orient, angles, wrist = hands.global_orient.copy(), hands.angles.copy(), hands.wrist.copy()
        for index, track in enumerate(layout.tracks):
            mine = np.flatnonzero(layout.track_of[moved.packed] == index) if len(moved.packed) else []
            if not len(mine):
                continue
            at = moved.packed[mine]
            orient[at] = moved.rotations[mine, 0]
            hinges = track.skeleton.hinges  # from the mean pose, as when a take is read: where it stood has no say
            angles[at] = angles_of(hinges, moved.rotations[mine, 1:], np.tile(hinges.mean, (len(at), 1)))
            wrist[at] = moved.transl[mine] + track.bare.at(self.state.betas[track.shape])[0][0]
        return Pose(orient, angles, wrist)

    def with_state(self, state: State) -> Resumed:
        """The take with ``state``'s poses where they differ from this one's; all other entries keep their bits."""
        rotations, transl = self.take.rotations.copy(), self.take.transl.copy()
        old, new = self.state.hands, state.hands
        changed = (
            (old.global_orient != new.global_orient).any((1, 2))
            | (old.wrist != new.wrist).any(1)
            | (old.angles != new.angles).any(1)
        )
        for segment, track in zip(self.clip.segments, self.problem.layout.tracks, strict=True):
            hands = np.flatnonzero(changed[track.hands]) + track.packed
            rows = hands - track.packed + track.start
            pose = new.take(hands)
            rotations[segment.track, rows] = joint_rotations(track.bare, pose)
            transl[segment.track, rows] = pose.wrist - track.bare.at(state.betas[track.shape])[0][0]
        take = dataclasses.replace(self.take, rotations=rotations, transl=transl)
        return dataclasses.replace(self, take=take, state=state)


def resume(
    take: Take, models: Mapping[str, HandModel], preset: Preset = BALANCED, rest: np.ndarray | None = None
) -> Resumed:
    """Make a take's problem: its globals and its camera are fixed, its poses are the start.

    Finger rotations that no hinge of the anatomy can make are met as nearly as possible, but only frames that a
    re-solve changes are ever written back.

    Args:
        models: "left" and "right", the models that the take was solved with.
        rest: ``Resumed.slopes`` of the take before hands were added to it; None: the take is as its solve left it.
    """
    calibration = dataclasses.replace(default_calibration(), offsets_m=take.landmark_offsets)
    frame_s = take.frame_rate[1] / take.frame_rate[0]
    camera = take.camera()
    hands = [hand for hand in range(len(take.sides)) if (take.status[hand] != MISSING).any()]
    tracks = ideal_tracks([_track(take, hand) for hand in range(len(take.sides))], camera)
    motions = {hand: _motion(take, hand, tracks[hand], models) for hand in hands}
    clip = assemble(tracks, motions, models, camera, take.frames, 0, calibration, {"shape_free": False})
    state = dataclasses.replace(clip.start, hands=_poses(take, clip, motions))
    clip = with_landmark_shares(clip, take)
    costs = clip_costs(clip.layout, state, clip.seen, clip.camera, frame_s, preset, (bodies(models, SOLVED),))
    problem = Problem(clip.layout, clip.view, costs)
    if take.drawn_size.size:
        problem = resized(problem, packed(clip, take.drawn_size))
    hidden = learned.of_take(take.provenance, 1 / frame_s)
    more = [hidden(problem, state) if hidden else None, remembered_cost(clip, state, take)]
    more = [cost for cost in more if cost is not None]
    problem = dataclasses.replace(problem, costs=(*problem.costs, *more))
    left = slopes(problem, clip, state, len(take.sides)) if rest is None else rest
    if take.provenance.get("options", {}).get("quality") == _FITTED_ALONE:
        left = np.zeros_like(left)
    problem = dataclasses.replace(problem, costs=(*problem.costs, rest_cost(clip, state.hands, left)))
    return Resumed(take, problem, state, clip, left)


def _track(take: Take, hand: int) -> HandTrack:
    """The hand's observations in every frame where it is present; unknown where it was infilled."""
    rows = np.flatnonzero(take.status[hand] != MISSING)
    seen = (take.status[hand, rows] == OBSERVED)[:, None, None]
    return HandTrack(
        side=take.sides[hand],
        side_log_odds=0.0,
        frames=take.frames[rows],
        landmarks_px=np.where(seen, take.keypoints_px[hand, rows], np.nan),
        covariance_px=take.keypoint_covariance_px[hand, rows],
        landmarks_m=np.where(seen, take.landmarks_m[hand, rows], np.nan)
        if take.landmarks_m.size
        else np.full((len(rows), 21, 3), np.nan),
        presence=take.confidence[hand, rows],
    )


def _motion(take: Take, hand: int, track: HandTrack, models: Mapping[str, HandModel]) -> InitialMotion:
    """The take's poses, left in the world: only frames, side and shape are asked of it, and angles are made from it."""
    rows = track.frames - take.frames[0]
    side, betas = take.sides[hand], take.betas[hand]
    skeleton = skeleton_of(models[side], np.zeros((21, 3)))
    rotations, n = take.rotations[hand, rows], len(rows)
    start = np.tile(skeleton.hinges.mean, (n, 1))
    return InitialMotion(
        track=hand, side=side, frames=track.frames, rotations=rotations, transl=take.transl[hand, rows],
        angles=angles_of(skeleton.hinges, rotations[:, 1:], start), betas=betas, rest_wrist=skeleton.at(betas)[0][0],
        cost=np.zeros(n), error_px=np.zeros(n), error_relative=np.zeros(n), mode=np.zeros(n, int),
        confidence=take.confidence[hand, rows],
    )  # fmt: skip


def _poses(take: Take, clip: Clip, motions: Mapping[int, InitialMotion]) -> Pose:
    """All hand-frames' poses as the take has them."""
    parts = []
    for segment in clip.segments:
        motion = motions[segment.track].take(segment.rows)
        parts.append((motion.rotations[:, 0], motion.angles, motion.wrist))
    if not parts:
        return clip.start.hands
    return Pose(*(np.concatenate(part) for part in zip(*parts, strict=True)))
