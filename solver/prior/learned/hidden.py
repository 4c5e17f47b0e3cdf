"""From a solved state to where the learned prior thinks that hidden fingers are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ...initialise.anatomy import palm_axes
from ...optimise.costs.learned import HiddenFingersCost
from ...optimise.gaps import landmarks_seen
from ...optimise.layout import Layout, Track
from ...optimise.problem import Problem
from ...optimise.state import State
from ..gaps import hinges_seen
from .features import FEATURES, HINGES, OTHER, OWN, RELATIVE
from .file import RATE

_PALM = (0, 5, 9, 13, 17)
# predictions of neighbouring frames err together: so many seconds of them count as one, twice a fitted finger's memory
ONE_S = 0.4
# factor on the stated deviations; ``tools.prior.learned`` tunes it
WIDTH = 1.0


class Model(Protocol):
    """What predicts: ``network.Network`` is one."""

    def predict(self, values: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean and deviation (T, P) of ``features.PREDICTED`` from (T, FEATURES) and which of them are known."""


@dataclass(frozen=True)
class Prediction:
    """(N, hinges) each: ``mean`` and ``deviation`` in rad, and which hinges are ``hidden``; others mean nothing."""

    mean: np.ndarray
    deviation: np.ndarray
    hidden: np.ndarray


def hidden_fingers_cost(
    model: Model, problem: Problem, state: State, frame_s: float, width: float = WIDTH
) -> HiddenFingersCost | None:
    """The prior's opinion of ``problem``'s hidden hinges, from those that ``state`` has of the seen ones.

    None when no hinge is hidden. ``width``: factor on the stated deviations.
    """
    told = predicted(model, problem, state, frame_s)
    if not told.hidden.any():
        return None
    repeats = max(1.0, ONE_S / frame_s)
    return HiddenFingersCost(
        mean=told.mean, information=told.hidden / (width * np.sqrt(repeats) * told.deviation)
    )  # fmt: skip


def predicted(model: Model, problem: Problem, state: State, frame_s: float) -> Prediction:
    """What ``model`` says of hinges that no landmark lies beyond."""
    layout = problem.layout
    landmarks = landmarks_seen(problem.costs, layout)
    known = hinges_seen(layout.tracks[0].skeleton.hinges, landmarks)
    mean, deviation = state.hands.angles.copy(), np.ones(known.shape)
    for index, track in enumerate(layout.tracks):
        if not known[track.hands].all():
            features, given = _features(problem, state, index, known, landmarks)
            mean[track.hands], deviation[track.hands] = _at_rate(model, features, given, frame_s)
    return Prediction(mean, deviation, ~known)


def _features(
    problem: Problem, state: State, index: int, known: np.ndarray, landmarks: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(n, FEATURES) of a track's frames, and what of them is known."""
    layout, angles = problem.layout, state.hands.angles
    own = layout.tracks[index]
    values, given = np.zeros((own.count, FEATURES)), np.zeros((own.count, FEATURES), bool)
    values[:, OWN], given[:, OWN] = angles[own.hands], known[own.hands]
    other = _other_hand(layout, index)
    if other is None:
        return values, given
    first, last = max(own.start, other.start), min(own.start + own.count, other.start + other.count)
    mine, theirs = (np.arange(first, last) - track.start for track in (own, other))
    values[mine, OTHER], given[mine, OTHER] = angles[other.hands][theirs], known[other.hands][theirs]
    values[mine, RELATIVE] = _relative(problem, state, index, other, mine, theirs)
    placed = landmarks[:, _PALM].any(1)
    given[mine, RELATIVE] = (placed[own.hands][mine] & placed[other.hands][theirs])[:, None]
    return values, given


def _other_hand(layout: Layout, index: int) -> Track | None:
    """The track of the other side that is there for most of the track's frames; of the same person if there is one."""
    own, best = layout.tracks[index], (0, None)
    for track in layout.tracks:
        if track.skeleton.side == own.skeleton.side:
            continue
        shared = min(own.start + own.count, track.start + track.count) - max(own.start, track.start)
        if shared > 0 and (score := shared + own.count * (track.shape == own.shape)) > best[0]:
            best = (score, track)
    return best[1]


def _relative(
    problem: Problem, state: State, index: int, other: Track, mine: np.ndarray, theirs: np.ndarray
) -> np.ndarray:
    """(n, 9) the other's wrist in the own palm's axes: hand lengths, and directions of its fingers and its palm."""
    own, hands = problem.layout.tracks[index], state.hands
    size = problem.at(state).hand_size[index]
    axes, other_axes = (
        hands.global_orient[track.hands][at] @ _rest_axes(track).T for track, at in ((own, mine), (other, theirs))
    )
    between = hands.wrist[other.hands][theirs] - hands.wrist[own.hands][mine]
    to_own = np.swapaxes(axes, 1, 2)
    place = (to_own @ between[..., None])[..., 0] / size
    turned = to_own @ other_axes
    return np.concatenate([place, turned[..., 0], turned[..., 1]], axis=1)


def _rest_axes(track: Track) -> np.ndarray:
    """Rows: towards the fingers, out of the palm, towards the thumb, of the hand at rest."""
    joints = track.skeleton.joints[..., 0]
    return palm_axes(joints[0], joints[1], joints[4], joints[7], track.skeleton.side)


def _at_rate(model: Model, values: np.ndarray, known: np.ndarray, frame_s: float) -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation (n, hinges) of the own hinges, predicted at the prior's own frame rate."""
    n = len(values)
    step = 1 / (RATE * frame_s)  # clip frames a frame of the prior
    at = np.arange(0, max(n - 1, 0) + step, step) if abs(step - 1) > 1e-3 else np.arange(n, dtype=float)
    mean, deviation = model.predict(*_resampled(values, known, np.minimum(at, n - 1)))
    back = np.arange(n)
    columns = range(HINGES)
    return tuple(np.stack([np.interp(back, at, x[:, k]) for k in columns], 1) for x in (mean, deviation))


def _resampled(values: np.ndarray, known: np.ndarray, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows at fractional frames: between known ones linearly; of a known and an unknown one the known."""
    low = np.floor(at).astype(int)
    high = np.minimum(low + 1, len(values) - 1)
    share = (at - low)[:, None] * known[high]
    share = np.where(known[low], share, known[high].astype(float))
    nearest = np.rint(at).astype(int)
    return (1 - share) * values[low] + share * values[high], known[nearest]
