"""From masks and a state of the solve to the cost that holds the hands to their outlines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..initialise.kinematics import joint_rotations
from ..optimise.costs import ContourCost
from ..optimise.evaluation import Evaluation
from ..optimise.kernels import GemanMcClure
from .contour import Outline, Posed, View, look, model_outline
from .crop import SIZE, Crop
from .masks import region_of
from .matching import ROWS, Evidence, Matches, match
from .surface import Surface, edge_points

_NEAREST_M = 0.05


@dataclass(frozen=True)
class ContourWeights:
    """Attributes:
    deviation: of a point of the outline from its line, as a share of the crop's side.
    share: how many points' worth of independent evidence there is in a crop pixel of outline.
    robust_sigmas: Geman-McClure scale, in deviations.
    landmarks: factor on the landmarks' information (as a square root) in frames whose mask is the artist's and is
        trusted fully. Beside masks that are cut here, landmarks keep all of theirs.
    reach: how far a match may be, shares of the crop's side, round by round.
    breadth: share of a difference between landmarks' and outlines' distances, over all of a person's frames, that is
        laid to the breadth of the hand: a half, as they err alike.
    """

    deviation: float = 1 / 96
    share: float = 0.8
    landmarks: float = 0.6
    robust_sigmas: float = 6.0
    reach: tuple[float, ...] = (14 / 96, 9 / 96, 6 / 96)
    breadth: float = 0.5


class PosedHands:
    """Hands over time in their cameras.

    Args:
        vertices: (N, V, 3) of each hand-frame, in its camera's frame, metres.
        surfaces: (N,) each one's surface. frames: (N,) its frame. tracks: (N,) whose hand it is.
        focal_px, centre_px: (2,) of the pinhole.
    """

    def __init__(
        self,
        vertices: np.ndarray,
        surfaces: Sequence[Surface],
        frames: np.ndarray,
        tracks: np.ndarray,
        focal_px: np.ndarray,
        centre_px: np.ndarray,
    ) -> None:
        self.vertices, self.frames, self.tracks = vertices, frames, tracks
        self._surfaces, self._focal_px, self._centre_px = surfaces, focal_px, centre_px
        self._in_frame: dict[int, list[int]] = {}
        for hand, frame in enumerate(frames.tolist()):
            self._in_frame.setdefault(frame, []).append(hand)

    @classmethod
    def of(cls, at: Evaluation, surfaces: Sequence[Surface]) -> PosedHands:
        """All hand-frames of a state; ``surfaces`` by track of its layout."""
        parts = [
            surface.vertices(track.bare, at.betas(track), at.hands(track.hands))
            for surface, track in zip(surfaces, at.layout.tracks, strict=True)
        ]
        frames, tracks = at.layout.frame_of, at.layout.track_of
        world = np.concatenate(parts) - at.scaled_centre[frames, None]
        vertices = world @ at.state.camera_from_world[frames].swapaxes(-1, -2)
        return cls(vertices, [surfaces[track] for track in tracks], frames, tracks, at.focal_px, at.view.centre_px)

    def __len__(self) -> int:
        return len(self.vertices)

    def surface(self, hand: int) -> Surface:
        return self._surfaces[hand]

    def project(self, hand: int) -> np.ndarray:
        """(V, 2) px."""
        x = self.vertices[hand]
        return self._focal_px * x[:, :2] / np.maximum(x[:, 2:], _NEAREST_M) + self._centre_px

    def present(self, frame: int) -> list[int]:
        """The hand-frames of a frame of the problem."""
        return self._in_frame.get(frame, [])

    def beside(self, hand: int) -> list[int]:
        """All hands in the same frame that are before the camera, this one first; empty when it isn't itself."""
        there = self._in_frame[int(self.frames[hand])]
        near = [other for other in [hand, *(o for o in there if o != hand)] if self._before_camera(other)]
        return near if near and near[0] == hand else []

    def _before_camera(self, hand: int) -> bool:
        return bool(self.vertices[hand, :, 2].min() > _NEAREST_M)

    def view(self, hand: int, crop: Crop, alone: bool = False) -> View:
        """The hand (as number 0) and those beside it in a crop; ``alone``: as if it were the only one."""
        posed, points = [], []
        for other in [hand] if alone else self.beside(hand):
            inside = crop.inside(self.project(other))
            if other == hand or ((inside.max(0) > 0) & (inside.min(0) < SIZE)).all():
                posed.append(Posed(self.surface(other), self.vertices[other]))
                points.append(inside)
        return look(posed, points)

    def outline(self, hand: int, crop: Crop) -> Outline:
        return model_outline(self.surface(hand), self.view(hand, crop), 0)


def contour_cost(
    at: Evaluation,
    surfaces: Sequence[Surface],
    evidence: Mapping[int, Evidence],
    round_index: int,
    weights: ContourWeights = ContourWeights(),
    breadth: np.ndarray | None = None,
) -> ContourCost:
    """The cost for a state.

    Args:
        surfaces: by track. evidence: by hand-frame, where there is one to trust.
        round_index: the later, the nearer matches must be.
        breadth: (shapes,) log, by how much each person's hands are broader than the model; None: by nothing.
    """
    n = at.layout.hand_count
    points, places = np.zeros((n, ROWS), np.int32), np.zeros((n, ROWS))
    normals, blend = np.zeros((n, ROWS, 2)), np.zeros((n, ROWS, 3))
    hands = PosedHands.of(at, surfaces)
    reach = weights.reach[min(round_index, len(weights.reach) - 1)] * SIZE
    skins = tuple(edge_points(surface) for surface in surfaces)
    found = {
        hand: match(hands.outline(hand, seen.crop), seen, reach)
        for hand, seen in evidence.items()
        if hands.beside(hand)
    }
    for hand, matches in found.items():
        seen, used = evidence[hand], slice(0, len(matches.edges))
        points[hand, used] = matches.edges
        normals[hand, used] = matches.normals * _information(matches, seen, weights)[:, None]
        broad = 0.0 if breadth is None else breadth[at.layout.tracks[at.layout.track_of[hand]].shape]
        places[hand, used] = (normals[hand, used] * _narrowed(matches.targets_px, hands.project(hand), broad)).sum(1)
    for index, track in enumerate(at.layout.tracks):
        blend[track.hands] = point_blend(at, index, skins[index].blend, points[track.hands])
    return ContourCost(
        skins=skins,
        points=points,
        normals=normals,
        places=places,
        blend=blend,
        camera_from_world=at.state.camera_from_world,
        camera_centre=at.scaled_centre,
        focal_px=at.focal_px,
        centre_px=at.view.centre_px,
        kernel=GemanMcClure(weights.robust_sigmas),
    )


def _narrowed(points_px: np.ndarray, hand_px: np.ndarray, broad: float) -> np.ndarray:
    """Points (m, 2) of the outline of a hand, at ``hand_px`` (V, 2), were it not so ``broad`` (log)."""
    centre = hand_px.mean(0)
    return centre + np.exp(-broad) * (points_px - centre)


def _information(found: Matches, seen: Evidence, weights: ContourWeights) -> np.ndarray:
    """(m,) 1/px, inverse deviations: neighbours on an outline err alike, so that each counts for its share only."""
    alone = seen.crop.scale / (weights.deviation * SIZE)
    return alone * np.sqrt(weights.share * found.weights * seen.trust)


def point_blend(at: Evaluation, index: int, blend: np.ndarray, points: np.ndarray) -> np.ndarray:
    """(n, ROWS, 3) pose blend shapes of the points as the hands are posed now."""
    track = at.layout.tracks[index]
    rotations = joint_rotations(track.bare, at.hands(track.hands))
    features = (rotations[:, 1:] - np.eye(3)).reshape(len(rotations), -1)
    out = np.empty((*points.shape, 3))
    for row, (feature, index_) in enumerate(zip(features, points, strict=True)):
        out[row] = blend[index_] @ feature
    return out


def overlaps(hands: PosedHands, evidence: Mapping[int, Evidence]) -> np.ndarray:
    """(N,) of hand and mask together, the share that both cover; NaN where there is no mask to trust.

    The arm, other hands and what is unknown do not count.
    """
    shares = np.full(len(hands), np.nan)
    for hand, seen in evidence.items():
        if hands.beside(hand):
            shares[hand] = overlap(hands, hand, seen)
    return shares


def overlap(hands: PosedHands, hand: int, seen: Evidence) -> float:
    """``overlaps`` of one hand-frame."""
    inside, unknown = seen.inside, seen.unknown
    region = region_of(hands.view(hand, seen.crop), unknown)
    known = ~(region.arm | region.arms | region.other | unknown)
    both, either = (inside & region.hand & known).sum(), ((inside | region.hand) & known).sum()
    return float(both / max(either, 1))
