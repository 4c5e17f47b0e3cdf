"""A state with what costs ask of it: landmarks in the world and in the camera, computed once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..initialise.kinematics import Pose, Posed, Skeleton, pose_landmarks
from .kinematics import Jacobians, landmark_jacobians, with_offsets
from .layout import Layout, Track
from .state import State


@dataclass(frozen=True)
class View:
    """The pinhole that looks: focal lengths (fx, fy) and centre (cx, cy) in px, before the solved focal factor."""

    focal_px: np.ndarray
    centre_px: np.ndarray


class Evaluation:
    """One state of one problem. Nothing here changes after it was computed."""

    def __init__(self, layout: Layout, view: View, state: State) -> None:
        self.layout, self.view, self.state = layout, view, state
        # what a cost found out for its value and needs again for its Jacobian, by the cost's identity
        self.memo: dict[int, object] = {}
        self._bare: dict[int, Jacobians] = {}

    @cached_property
    def skeletons(self) -> tuple[Skeleton, ...]:
        """Each track's skeleton with the solved landmark offsets."""
        if not self.state.offsets.any():
            return self.given_skeletons
        return tuple(with_offsets(track.skeleton, self.state.offsets) for track in self.layout.tracks)

    @cached_property
    def given_skeletons(self) -> tuple[Skeleton, ...]:
        """Each track's skeleton with the landmark offsets it came with."""
        return tuple(track.skeleton for track in self.layout.tracks)

    @cached_property
    def bare_skeletons(self) -> tuple[Skeleton, ...]:
        """Each track's skeleton whose landmarks are the model's own joints and tips."""
        return tuple(track.bare for track in self.layout.tracks)

    @cached_property
    def posed(self) -> tuple[Posed, ...]:
        """Each track's bones, carrying the landmarks as the detector means them."""
        return tuple(
            pose_landmarks(skeleton, self.betas(track), self.hands(track.hands))
            for skeleton, track in zip(self.skeletons, self.layout.tracks, strict=True)
        )

    @cached_property
    def points(self) -> np.ndarray:
        """(N, 21, 3) landmarks as the detector means them, in the world, metres."""
        return self._landmarks(self.posed)

    @cached_property
    def given_points(self) -> np.ndarray:
        """(N, 21, 3) the same with the offsets that the tracks came with."""
        return self.points if self.skeletons is self.given_skeletons else self._carried(self.given_skeletons)

    @cached_property
    def keypoints(self) -> np.ndarray:
        """(N, 21, 3) the model's own joints and tips in the world, metres: what touches, and what an artist pins."""
        return self._carried(self.bare_skeletons)

    def _carried(self, skeletons: tuple[Skeleton, ...]) -> np.ndarray:
        return self._landmarks(tuple(
            posed.carrying(skeleton, self.betas(track))
            for posed, skeleton, track in zip(self.posed, skeletons, self.layout.tracks, strict=True)
        ))  # fmt: skip

    @staticmethod
    def _landmarks(posed: tuple[Posed, ...]) -> np.ndarray:
        return np.concatenate([np.zeros((0, 21, 3)), *(p.landmarks for p in posed)])

    def betas(self, track: Track) -> np.ndarray:
        return self.state.betas[track.shape]

    def hands(self, index: slice | np.ndarray) -> Pose:
        return self.state.hands.take(index)

    @cached_property
    def scaled_centre(self) -> np.ndarray:
        """(T, 3) camera centres in metres."""
        return np.exp(self.state.log_scale) * self.state.camera_centre

    @cached_property
    def points_camera(self) -> np.ndarray:
        """(N, 21, 3) landmarks in the camera's frame, metres."""
        frames = self.layout.frame_of
        relative = self.points - self.scaled_centre[frames, None]
        return relative @ np.swapaxes(self.state.camera_from_world[frames], -1, -2)

    @cached_property
    def focal_px(self) -> np.ndarray:
        """(2,) solved focal lengths."""
        return np.exp(self.state.log_focal) * self.view.focal_px

    @cached_property
    def hand_size(self) -> np.ndarray:
        """(tracks,) hand length in metres, the unit of smoothness; exponential in betas, so that it stays positive."""
        return np.array([size_of(track.skeleton, self.betas(track))[0] for track in self.layout.tracks])

    @cached_property
    def hand_size_slope(self) -> np.ndarray:
        """(tracks, 10) derivative of the size's logarithm by betas."""
        slopes = [size_of(track.skeleton, self.betas(track))[1] for track in self.layout.tracks]
        return np.array(slopes).reshape(len(slopes), -1)

    def jacobians(self, index: int, hands: slice | np.ndarray, skeletons: tuple[Skeleton, ...]) -> Jacobians:
        """Jacobians of some hand-frames of track ``index`` with one of the sets of skeletons above."""
        track = self.layout.tracks[index]
        start = track.packed
        own = slice(hands.start - start, hands.stop - start) if isinstance(hands, slice) else hands - start
        posed, betas = self.posed[index].take(own), self.betas(track)
        if skeletons is not self.skeletons:
            posed = posed.carrying(skeletons[index], betas)
        return landmark_jacobians(skeletons[index], betas, self.hands(hands), posed)

    def bare_jacobians(self, index: int) -> Jacobians:
        """Of ``keypoints``, all hand-frames of track ``index``: what bodies share."""
        if index not in self._bare:
            self._bare[index] = self.jacobians(index, self.layout.tracks[index].hands, self.bare_skeletons)
        return self._bare[index]

    def moved(self, step: np.ndarray, border_step: np.ndarray) -> Evaluation:
        return Evaluation(self.layout, self.view, self.state.moved(self.layout, step, border_step))


def size_of(skeleton: Skeleton, betas: np.ndarray) -> tuple[float, np.ndarray]:
    """Hand size ``l0 exp(k.betas)`` in metres and k, with the mean length l0 and its relative slope k."""
    slope = skeleton.length[1:] / skeleton.length[0]
    return float(skeleton.length[0] * np.exp(slope @ betas)), slope
