"""Which parts of hands are evidently in touch: seen at one place, not moving on each other, no farther apart in depth
than one camera errs.

The picture alone can't tell a hand on another from a hand before it. What it shows is that two parts overlap for a
while and go together; parts that only pass each other don't. Depths are those of the initial fit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d, label

from ..prior.capsules import Capsules, closest
from .costs.contact import shared_frames
from .costs.touch import Touches
from .layout import Layout

# last bones of the thumb, and the last two of each finger, as capsules: what one hand pinches with
_THUMB_END, _FINGER_ENDS = (5, 6), (8, 9, 11, 12, 14, 15, 17, 18)

_CHUNK = 128


@dataclass(frozen=True)
class Criteria:
    """When a touch is evident.

    Attributes:
        near: metres between outlines in the picture, at the hands' depth.
        slip: m/s in the picture between the two places.
        depth: farthest in depth, relative to the distance from the camera (of two hands), and in metres (of one hand).
        least_s: seconds for which all of it holds. window_s: over which motion is measured, and depth smoothed.
        lasting_near, lasting_slip: factors on ``near`` and ``slip`` before and after those seconds: a touch that is
            evident once is believed for as long as nothing speaks against it.
        most: touches of a pair of hands in one frame.
    """

    near: float = 0.004
    slip: float = 0.10
    depth: float = 0.08
    own_depth: float = 0.012
    least_s: float = 0.25
    window_s: float = 0.2
    lasting_near: float = 2.0
    lasting_slip: float = 1.5
    most: int = 2


@dataclass(frozen=True)
class Candidate:
    """A pair of capsules for a while, frames ``first`` to ``last``, and how far apart they are on average."""

    pair: int
    first: int
    last: int
    gap: float


def evident_touches(
    layout: Layout,
    in_camera: np.ndarray,
    seen: np.ndarray,
    capsules: Sequence[Capsules],
    growth: np.ndarray,
    frame_s: float,
    criteria: Criteria = Criteria(),
) -> Touches | None:
    """Touches of any two hands, and of thumb and fingers of one; None where none is evident.

    Args:
        in_camera: (N, 21, 3) keypoints of the initial fit in their frame's camera, metres.
        seen: (N,) bool, hand-frames with landmarks. capsules, growth: per track, as ``NonPenetrationCost`` has them.
    """
    found: list[Touches] = []
    for a in range(len(layout.tracks)):
        for b in range(a, len(layout.tracks)):
            first, second = shared_frames(layout, a, b)
            first, second = _near(in_camera, first, second, a == b)
            if len(first):
                pair = _Pair(in_camera[first], in_camera[second], (capsules[a], capsules[b]), growth[[a, b]], a == b)
                there = seen[first] & seen[second]
                found += _touches(pair, there, first, second, frame_s, criteria, len(found))
    return _joined(found)


def _near(in_camera: np.ndarray, first: np.ndarray, second: np.ndarray, own: bool) -> tuple[np.ndarray, np.ndarray]:
    """The hand-frames from the first to the last in which two hands are near each other in the picture."""
    if own or not len(first):
        return first, second
    one, other = in_camera[first][:, [0, 9, 12]], in_camera[second][:, [0, 9, 12]]
    length = sum(np.linalg.norm(np.diff(hand, axis=1), axis=-1).sum(1) for hand in (one, other))
    apart = one[:, 1, :2] / one[:, 1, 2:] - other[:, 1, :2] / other[:, 1, 2:]
    near = np.flatnonzero(np.linalg.norm(apart, axis=-1) * other[:, 1, 2] < length)
    return (first[near[0] : near[-1] + 1], second[near[0] : near[-1] + 1]) if len(near) else (first[:0], second[:0])


def _joined(parts: list[Touches]) -> Touches | None:
    if not parts:
        return None
    return Touches(*(np.concatenate([getattr(part, name) for part in parts]) for name in Touches.__dataclass_fields__))


class _Pair:
    """Two hands in the frames (n,) that both have, or one with itself: their p pairs of capsules, in the picture."""

    def __init__(self, one, other, capsules: tuple[Capsules, Capsules], growth: np.ndarray, own: bool) -> None:
        self.own, self.capsules = own, capsules
        self.depth = np.concatenate([one[..., 2], other[..., 2]], 1).mean(1)
        self.i, self.j = _own_pairs() if own else _all_pairs(*capsules)
        self.reach = growth[0] * capsules[0].radius[self.i] + growth[1] * capsules[1].radius[self.j]
        self.solid = self._axes(one, other)
        flat = (self._flat(points) for points in (one, other))
        self.flat = self._axes(*flat)

    def _flat(self, points: np.ndarray) -> np.ndarray:
        """In the picture, as large as at the hands' depth."""
        out = points * (self.depth[:, None] / points[..., 2])[..., None]
        out[..., 2] = 0
        return out

    def _axes(self, one: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, ...]:
        """Ends (n, c, 3) of the axes of the one and of the other."""
        return (*self.capsules[0].axes(one), *self.capsules[1].axes(other))

    def _of_pairs(self, axes: tuple[np.ndarray, ...], rows: np.ndarray | slice) -> tuple[np.ndarray, ...]:
        """Ends (m, p, 3) of both axes of each pair, in frames ``rows``."""
        return (*(ends[rows][:, self.i] for ends in axes[:2]), *(ends[rows][:, self.j] for ends in axes[2:]))

    def nearest(self, axes: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
        """Air (n, p) between the capsules, and the shares at which they are nearest."""
        parts = [self._nearest(self._of_pairs(axes, rows)) for rows in _chunks(len(axes[0]))]
        return tuple(np.concatenate(part) for part in zip(*parts, strict=True))

    def _nearest(self, ends: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
        shape = ends[0].shape[:2]
        distance, _, s, u = closest(*(end.reshape(-1, 3) for end in ends))
        return distance.reshape(shape) - self.reach, s.reshape(shape), u.reshape(shape)

    def slip(self, s: np.ndarray, u: np.ndarray, reach: int) -> np.ndarray:
        """(n, p) m/frame: how fast the places with these shares part in the picture, over ``2 reach`` frames."""
        n = len(s)
        before, after = np.maximum(np.arange(n) - reach, 0), np.minimum(np.arange(n) + reach, n - 1)
        moved = [
            np.linalg.norm(
                self._between(after[rows], s[rows], u[rows]) - self._between(before[rows], s[rows], u[rows]), axis=-1
            )
            for rows in _chunks(n)
        ]
        return np.concatenate(moved) / np.maximum(after - before, 1)[:, None]

    def _between(self, rows: np.ndarray, s: np.ndarray, u: np.ndarray) -> np.ndarray:
        start, stop, other_start, other_stop = self._of_pairs(self.flat, rows)
        return start + s[..., None] * (stop - start) - other_start - u[..., None] * (other_stop - other_start)


def _chunks(count: int) -> list[slice]:
    """Frames that are looked at together: a long clip has millions of pairs."""
    return [slice(start, start + _CHUNK) for start in range(0, count, _CHUNK)]


def _all_pairs(one: Capsules, other: Capsules) -> tuple[np.ndarray, np.ndarray]:
    return tuple(g.ravel() for g in np.indices((len(one.radius), len(other.radius))))


def _own_pairs() -> tuple[np.ndarray, np.ndarray]:
    return tuple(g.ravel() for g in np.meshgrid(_THUMB_END, _FINGER_ENDS, indexing="ij"))


def _touches(
    pair: _Pair, there: np.ndarray, first: np.ndarray, second: np.ndarray, frame_s: float, criteria: Criteria, run: int
) -> Iterator[Touches]:
    half = max(1, round(criteria.window_s / frame_s / 2))
    flat, s, u = pair.nearest(pair.flat)
    gap = gaussian_filter1d(pair.nearest(pair.solid)[0], half, axis=0)
    limit = criteria.own_depth if pair.own else criteria.depth * pair.depth[:, None]
    slip, possible = pair.slip(s, u, half), there[:, None] & (gap < limit)
    evident, lasting = (
        possible & (flat < near * criteria.near) & (slip < fast * criteria.slip * frame_s)
        for near, fast in ((1, 1), (criteria.lasting_near, criteria.lasting_slip))
    )
    least = max(2, round(criteria.least_s / frame_s))
    for number, chosen in enumerate(_chosen(evident, lasting, gap, least, criteria.most)):
        rows = np.arange(chosen.first, chosen.last + 1)
        k, m = chosen.pair, len(rows)
        where = (np.full(m, float(np.median(shares[rows, k]))) for shares in (s, u))
        yield Touches(
            first[rows], second[rows], np.full(m, pair.i[k]), np.full(m, pair.j[k]), *where, np.full(m, run + number)
        )


def _chosen(evident: np.ndarray, lasting: np.ndarray, gap: np.ndarray, least: int, most: int) -> list[Candidate]:
    """Stretches that last and are evident for so many frames on end, the nearest ones first, no more than ``most`` in
    any frame."""
    out, taken = [], np.zeros(len(evident), int)
    for candidate in sorted(_candidates(evident, lasting, gap, least), key=lambda c: c.gap):
        rows = slice(candidate.first, candidate.last + 1)
        if (taken[rows] < most).all():
            taken[rows] += 1
            out.append(candidate)
    return out


def _candidates(evident: np.ndarray, lasting: np.ndarray, gap: np.ndarray, least: int) -> Iterator[Candidate]:
    for k in np.flatnonzero(evident.sum(0) >= least):
        (of_evident, count), of_lasting = label(evident[:, k]), label(lasting[:, k])[0]
        long = np.flatnonzero(np.bincount(of_evident, minlength=count + 1)[1:] >= least) + 1
        for run in np.unique(of_lasting[np.isin(of_evident, long)]):
            rows = np.flatnonzero(of_lasting == run)
            yield Candidate(int(k), int(rows[0]), int(rows[-1]), float(gap[rows[evident[rows, k]], k].mean()))
