"""How freely hands move where nothing is seen of them: one rule that decides by what is observed.

No single process fills every gap best. Short gaps are best crossed with the speed that fingers had (a long memory,
larger innovations); in long ones that leads astray. Where other fingers are seen, poses of hands tell much of the
hidden ones; where none is, or of a thumb, they tell little. A wrist that is gone for less than a second is best put on
a straight path, where the camera's is known. So each run of frames in which a hinge is hidden gets numbers by its kind
and its length, between those of a short and of a long gap in proportion to the logarithm of the length.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass
from functools import cached_property

import numpy as np

from ..hand_model.layout import KEYPOINT_JOINTS
from ..initialise.anatomy import Hinges

_TIPS = (4, 8, 12, 16, 20)
_THUMB = 4  # finger of joints 13 to 15
# seconds: what a short and a long gap are, between which numbers change
_SHORT_S, _LONG_S = 1 / 3, 2 / 3
# likewise for a wrist
_WRIST_SHORT_S, _WRIST_LONG_S = 1.0, 2.0


@dataclass(frozen=True)
class Freedom:
    """Of a hidden hinge: factor on the deviation of its velocity, ``memory_s`` of it, and how many deviations wide the
    distribution of poses is."""

    looseness: float
    memory_s: float
    width: float


@dataclass(frozen=True)
class Kind:
    """A kind of gap: numbers of a short and of a long one, and of what is never seen."""

    short: Freedom
    long: Freedom
    never: Freedom

    def at(self, length_s: float) -> np.ndarray:
        """(3,) logarithms of ``Freedom`` for a gap of that length; infinite: never seen."""
        short, long, never = (np.log(astuple(one)) for one in (self.short, self.long, self.never))
        if not np.isfinite(length_s):
            return never
        share = _share(length_s, _SHORT_S, _LONG_S)
        return (1 - share) * short + share * long


@dataclass(frozen=True)
class Rule:
    """The numbers. ``guided``: a finger when others are seen; ``alone``: when none is; ``thumb``. Of a wrist that is
    gone: ``wrist_memory_s`` in short gaps (in long ones its own)."""

    guided: Kind
    alone: Kind
    thumb: Kind
    wrist_memory_s: float


# chosen on the validation clips and on every other recording of each source, fitted to the other source (a finger's
# alone, short, by the search that tunes smoothers: ``python -m tools.prior rule``)
RULE = Rule(
    guided=Kind(Freedom(2.0, 0.5, 1.5), Freedom(1.0, 0.2, 1.5), Freedom(1.0, 0.2, 1.25)),
    alone=Kind(Freedom(2.0, 0.2, 2.5), Freedom(1.0, 0.2, 5.0), Freedom(1.0, 0.2, 1.25)),
    thumb=Kind(Freedom(1.0, 0.5, 5.0), Freedom(1.0, 0.2, 5.0), Freedom(1.0, 0.2, 1.25)),
    wrist_memory_s=0.02,
)


@dataclass(frozen=True, eq=False)
class HingeGaps:
    """What is hidden of N hand-frames' hinges, and how freely that moves; numbers mean nothing for seen hinges.

    Attributes:
        hidden: (N, hinges) bool. looseness, memory_s, width: (N, hinges), as ``Freedom``.
    """

    hidden: np.ndarray
    looseness: np.ndarray
    memory_s: np.ndarray
    width: np.ndarray

    @cached_property
    def patterns(self) -> tuple[np.ndarray, np.ndarray]:
        """(k, hinges) the different rows of ``hidden``, and (N,) which of them each is."""
        rows, index = np.unique(self.hidden, axis=0, return_inverse=True)
        return rows, index.reshape(-1)

    def of(self, hands: np.ndarray) -> HingeGaps:
        """Of these hand-frames alone."""
        return HingeGaps(self.hidden[hands], self.looseness[hands], self.memory_s[hands], self.width[hands])


@dataclass(frozen=True, eq=False)
class WristGaps:
    """Of N hand-frames: the process's ``memory`` rho (N,), and a factor (N,) on its innovation's deviation."""

    memory: np.ndarray
    looseness: np.ndarray

    def of(self, hands: np.ndarray) -> WristGaps:
        """Of these hand-frames alone."""
        return WristGaps(self.memory[hands], self.looseness[hands])


def conditional_whitener(whitener: np.ndarray, hidden: np.ndarray) -> np.ndarray:
    """(d, d) another W with the same ``W' W``: its rows of seen hinges have nothing of ``hidden`` (d,) ones in them,
    each row of a hidden hinge is what the seen ones leave open of it. So the hidden can be loosened without a word
    about the seen."""
    order = np.argsort(hidden, kind="stable")
    covariance = np.linalg.inv(whitener.T @ whitener)
    out = np.zeros_like(whitener)
    out[np.ix_(order, order)] = np.linalg.inv(np.linalg.cholesky(covariance[np.ix_(order, order)]))
    return out


def hinges_seen(hinges: Hinges, landmarks: np.ndarray) -> np.ndarray:
    """(N, hinges) bool: a landmark of ``landmarks`` (N, 21) lies beyond; one at the joint itself does not show it."""
    out = np.zeros((len(landmarks), len(hinges)), bool)
    for k, h in hinges.moves.T:
        if k in _TIPS or KEYPOINT_JOINTS[k] != hinges.joint[h]:
            out[:, h] |= landmarks[:, k]
    return out


def hinge_gaps(
    hinges: Hinges, tracks: Sequence[slice], landmarks: np.ndarray, frame_s: float, beside: int, rule: Rule = RULE
) -> HingeGaps:
    """From the landmarks that are seen, (N, 21) bool, of ``tracks`` (their hand-frames), by ``rule``.

    ``beside``: so many frames on both sides of a gap count as hidden, too (an innovation is about three frames).
    """
    seen = hinges_seen(hinges, landmarks)
    finger = (hinges.joint - 1) // 3
    guided = np.stack([seen[:, finger == f].any(1) for f in range(_THUMB)]).any(0)
    hidden, logs = np.zeros(seen.shape, bool), np.zeros((*seen.shape, 3))
    for track in tracks:
        for hinge in range(len(hinges)):
            for first, last, length in _runs(~seen[track, hinge]):
                kinds = [rule.thumb] if finger[hinge] == _THUMB else [rule.alone, rule.guided]
                share = guided[track][first:last].mean()
                numbers = [kind.at(length * frame_s) for kind in kinds]
                reach = slice(track.start + max(first - beside, 0), min(track.start + last + beside, track.stop))
                hidden[reach, hinge] = True
                logs[reach, hinge] = numbers[0] + share * (numbers[-1] - numbers[0])
    return HingeGaps(hidden, *np.exp(np.moveaxis(logs, -1, 0)))


def wrist_gaps(
    tracks: Sequence[slice], landmarks: np.ndarray, frame_s: float, usual_s: float, rule: Rule = RULE
) -> WristGaps:
    """From the landmarks that are seen, as in ``hinge_gaps``, of a wrist whose memory is else ``usual_s``.

    The frames beside a gap count as of it.
    """
    gone = ~landmarks.any(1)
    memory_s = np.full(len(gone), usual_s)
    for track in tracks:
        for first, last, length in _runs(gone[track]):
            share = _share(length * frame_s, _WRIST_SHORT_S, _WRIST_LONG_S)
            reach = slice(track.start + max(first - 1, 0), min(track.start + last + 1, track.stop))
            memory_s[reach] = rule.wrist_memory_s ** (1 - share) * usual_s**share
    memory, usual = np.exp(-frame_s / memory_s), np.exp(-frame_s / usual_s)
    return WristGaps(memory, np.sqrt((1 - memory**2) / (1 - usual**2)))


def _share(length_s: float, short_s: float, long_s: float) -> float:
    """How far a length is on the way from short to long."""
    if not np.isfinite(length_s):
        return 1.0
    return float(np.clip(np.log(length_s / short_s) / np.log(long_s / short_s), 0, 1))


def _runs(hidden: np.ndarray) -> Iterator[tuple[int, int, float]]:
    """First and end of each run of ``hidden`` (n,), with its length: twice as much where one side is open, infinite
    where both are."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], hidden, [False]]).astype(np.int8)))
    for first, last in zip(edges[::2], edges[1::2], strict=True):
        sides = int(first > 0) + int(last < len(hidden))
        yield int(first), int(last), (last - first) * {0: np.inf, 1: 2, 2: 1}[sides]
