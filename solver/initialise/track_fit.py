"""One track on its way: its evidence, its shape, and the poses per frame among which time decides."""

from __future__ import annotations

import numpy as np

from ..hand_model import HandModel
from ..observations import HandTrack
from .calibration import LandmarkCalibration
from .candidates import Candidates, interleaved, make_candidates, one_after_another, side_by_side
from .evidence import Evidence, Linearised, Weights, agreement, gather, linearise
from .kinematics import Pose, joint_rotations, pose_landmarks, skeleton_of, stack_poses
from .levenberg import minimise
from .modes import PathFinder, steadiness
from .motion import InitialMotion
from .shape import Shape, estimate_shape
from .starts import START_MODES, place, starting_poses

_SCREENING, _FULL = 8, 40  # iterations
# a start that costs this much more than the best one after screening is not carried on
_HOPELESS_NATS = 40.0
_SHAPE_FRAMES = 16


class TrackFit:
    """Fits one track, a stretch of frames at a time, in rising order. Set ``betas`` before the first ``extend``."""

    def __init__(
        self,
        index: int,
        track: HandTrack,
        model: HandModel,
        intrinsics: np.ndarray,
        weights: Weights,
        calibration: LandmarkCalibration,
    ) -> None:
        self.index, self.track, self.weights = index, track, weights
        self.skeleton = skeleton_of(model, calibration.offsets_m)
        self.betas = np.zeros(self.skeleton.shape_count)
        self._evidence = gather(
            track.landmarks_px, track.covariance_px, track.landmarks_m, intrinsics, calibration.residual_covariance
        )
        self._paths = PathFinder()
        self._done: list[Candidates] = []
        self._choice = np.zeros(0, int)

    def estimate_shape(self, hand_length_m: float | None) -> Shape:
        """The track's shape from frames in which the hand is large and surely one."""
        rows = _best_per_stretch(self.track.presence * self._evidence.size_px, _SHAPE_FRAMES)
        evidence = self._evidence.take(rows)
        candidates = self._fit_starts(evidence)
        pose = candidates.chosen(candidates.cost.argmin(1))
        return estimate_shape(evidence, self.skeleton, self.weights, pose, hand_length_m)

    def extend(self, count: int) -> InitialMotion:
        """Fit the next ``count`` frames."""
        rows = np.arange(len(self._choice), len(self._choice) + count)
        evidence = self._evidence.take(rows)
        candidates = self._fit_starts(evidence)
        candidates = side_by_side(candidates, self._fit_from_neighbours(evidence, candidates))
        choice = self._paths.extend(self.track.frames[rows], candidates.cost, candidates.landmarks)
        self._done.append(candidates)
        self._choice = np.concatenate([self._choice, choice])
        return self._motion(rows, one_after_another(self._done[-2:]))

    def revise(self) -> InitialMotion | None:
        """The frames whose choice all the later frames have changed, if any."""
        if not self._done:
            return None
        final = self._paths.path()
        changed = np.flatnonzero(final != self._choice)
        self._choice = final
        return self._motion(changed, one_after_another(self._done)) if len(changed) else None

    def _linearise(self, evidence: Evidence, pose: Pose) -> Linearised:
        return linearise(evidence, self.skeleton, self.weights, self.betas, pose)

    def _fit_starts(self, evidence: Evidence) -> Candidates:
        """Every start of every frame: a few iterations for all, the rest for those with a hope."""
        start = interleaved(starting_poses(evidence, self.skeleton, self.betas))
        evidence = evidence.take(np.repeat(np.arange(len(evidence)), START_MODES))
        screened = minimise(self._linearise, evidence, start, _SCREENING)
        best = np.repeat(screened.cost.reshape(-1, START_MODES).min(1), START_MODES)
        hopeful = np.flatnonzero((screened.cost < best + _HOPELESS_NATS) & ~screened.settled)
        refined = minimise(self._linearise, evidence.take(hopeful), screened.pose.take(hopeful), _FULL)
        cost = screened.cost.copy()
        cost[hopeful] = refined.cost
        pose = screened.pose.put(hopeful, refined.pose)
        return make_candidates(self.skeleton, self.betas, pose, cost, START_MODES)

    def _fit_from_neighbours(self, evidence: Evidence, candidates: Candidates) -> Candidates:
        """Once more from the pose that seems best in the frame before."""
        seeming = candidates.chosen(candidates.cost.argmin(1))
        last = self._done[-1].chosen(self._choice[-len(self._done[-1]) :]) if self._done else seeming
        first = last.take(np.array([len(last) - 1 if self._done else 0]))
        before = stack_poses([first, seeming.take(np.arange(len(seeming) - 1))])
        start = place(evidence, self.skeleton, self.betas, before.global_orient, before.angles)
        fitted = minimise(self._linearise, evidence, start, _FULL)
        return make_candidates(self.skeleton, self.betas, fitted.pose, fitted.cost, 1)

    def _motion(self, rows: np.ndarray, latest: Candidates) -> InitialMotion:
        """The chosen poses of some rows of the track; ``latest`` are the last fitted frames, these rows among them."""
        first = len(self._choice) - len(latest)
        frames = self.track.frames[first : len(self._choice)]
        calm = steadiness(frames, latest.chosen_landmarks(self._choice[first:]))[rows - first]
        candidates, choice = latest.take(rows - first), self._choice[rows]
        pose = candidates.chosen(choice)
        rest_wrist = self.skeleton.at(self.betas)[0][0]
        points = pose_landmarks(self.skeleton, self.betas, pose).landmarks
        error_px, inliers = agreement(self._evidence.take(rows), self.weights, points)
        return InitialMotion(
            track=self.index,
            side=self.skeleton.side,
            frames=self.track.frames[rows],
            rotations=joint_rotations(self.skeleton, pose),
            transl=pose.wrist - rest_wrist,
            angles=pose.angles,
            betas=self.betas,
            rest_wrist=rest_wrist,
            cost=candidates.cost[np.arange(len(rows)), choice],
            error_px=error_px,
            error_relative=error_px / self._evidence.size_px[rows],
            mode=choice,
            confidence=np.clip(self.track.presence[rows], 0, 1) * inliers * calm,
        )


def _best_per_stretch(score: np.ndarray, count: int) -> np.ndarray:
    """Rows of the best score in each of ``count`` equal stretches (all rows when there are fewer)."""
    stretches = np.array_split(np.arange(len(score)), min(count, len(score)) or 1)
    return np.array([rows[np.argmax(score[rows])] for rows in stretches if len(rows)], int)
