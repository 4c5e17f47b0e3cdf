"""Windows to train on: recordings and procedural motion, varied, with hidden parts and a solve's kind of error."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from scipy.signal import lfilter

from solver.prior.learned.features import FEATURES, HINGES, OTHER, OWN, RELATIVE

from ..recordings import Recording, open_skeleton
from .motion import Clip, moved, perform

FRAMES = 80
# hinges of each finger from its base outwards: index, middle, pinky, ring, thumb
FINGERS = ((0, 1, 2, 3, 4), (5, 6, 7, 8, 9), (10, 11, 12, 13, 14), (15, 16, 17, 18, 19), (20, 21, 22, 23, 24, 25))
# hinges that stay known while a finger's outer landmarks are hidden: up to the base, up to the middle joint
_INNER = (0, 3, 4)
_STILL_FRAMES = 240
# errors of the angles that a solve has, in shares of a hinge's usual deviation: lasting, drifting, new each frame
ERRORS = (0.22, 0.10, 0.05)
_DRIFT = 0.85  # of a drifting error that is left after a frame


def standard() -> tuple[np.ndarray, np.ndarray]:
    """(FEATURES,) mean and deviation that features are standardised with: the anatomy's, and a metre's sense."""
    hinges = open_skeleton().hinges
    mean, deviation = np.zeros(FEATURES), np.ones(FEATURES)
    for part in (OWN, OTHER):
        mean[part], deviation[part] = hinges.mean, 0.7 * hinges.sigma
    deviation[RELATIVE][:3] = 1.5
    return mean, deviation


# where the other hand is, for each recording, by its identity: (n, 9), NaN where that is not known
Wrists = Mapping[int, np.ndarray]


def wrists(path: Path, recordings: Sequence[Recording]) -> Wrists:
    """Of ``recordings`` as they were read from ``path``; empty where the file has none (see ``convert``)."""
    with np.load(path, allow_pickle=False) as data:
        if "wrist" not in data:
            return {}
        parts = np.split(data["wrist"].astype(float), np.cumsum(data["seg_len"])[:-1])
    return {id(recording): part for recording, part in zip(recordings, parts, strict=True)}


def clips_of(recordings: Sequence[Recording], placed: Wrists) -> list[Clip]:
    """Recordings as clips; two hands of equal length that were recorded at once are one clip."""
    out, used = [], set()
    for i, one in enumerate(recordings):
        if i in used or len(one.angles) < 20:
            continue
        other = next(
            (j for j, r in enumerate(recordings) if j > i and j not in used and r.name == one.name
             and r.source == one.source and r.hand != one.hand and len(r.angles) == len(one.angles)), None,
        )  # fmt: skip
        used |= {i} | ({other} if other is not None else set())
        second = recordings[other].angles if other is not None else np.zeros_like(one.angles)
        pair = (one, recordings[other]) if other is not None else (one,)
        known = len(pair) == 2 and all(id(r) in placed and np.isfinite(placed[id(r)]).all() for r in pair)
        wrist = np.stack([placed[id(r)] for r in pair]) if known else np.zeros((2, len(one.angles), 9))
        out.append(Clip(np.stack([one.angles, second]), wrist, (True, other is not None), known))
    return out


def moves_between(rng: np.random.Generator, poses: np.ndarray, n: int) -> Clip:
    """A hand that goes through recorded still poses (k, 26), some of them mixed."""
    count = rng.integers(2, 7)
    first, second = poses[rng.integers(len(poses), size=(2, count))]
    share = np.where(rng.random((count, 1)) < 0.5, rng.random((count, 1)), 0.0)
    keys = np.degrees((1 - share) * first + share * second) + rng.normal(0, 4, HINGES)
    angles = np.radians(moved(rng, n, list(keys), 0.4, 0.5))
    return Clip(np.stack([angles, angles]), np.zeros((2, n, 9)), (True, False), False)


class Windows:
    """Draws training windows. ``share``: how much of them is recorded motion."""

    def __init__(
        self, recordings: Sequence[Recording], seed: int, procedural: int = 1500, share: float = 0.45,
        placed: Wrists | None = None,
    ) -> None:  # fmt: skip
        self.rng = np.random.default_rng(seed)
        self.hinges = open_skeleton().hinges
        self.recorded = clips_of(recordings, placed or {})
        still = [r.angles for r in recordings if len(r.angles) < 20]
        self.made = [perform(self.rng, _STILL_FRAMES) for _ in range(procedural)]
        if still:
            poses = np.concatenate(still)
            self.made += [moves_between(self.rng, poses, _STILL_FRAMES) for _ in range(procedural // 2)]
        self.share = share if self.recorded else 0.0
        # a recording counts by the root of its length
        weights = np.sqrt([clip.angles.shape[1] for clip in self.recorded])
        self.weights = weights / weights.sum() if len(weights) else weights

    def batch(self, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Truth (b, T, F), what a solve has of it, what of that is known, what of the truth exists at all (bool)."""
        drawn = [self._window() for _ in range(size)]
        truth, exists = (np.stack(parts) for parts in zip(*drawn, strict=True))
        known = np.stack([self._known(has) for has in exists])
        return truth, truth + self._errors(truth.shape), known, exists

    def _window(self) -> tuple[np.ndarray, np.ndarray]:
        rng = self.rng
        recorded = rng.random() < self.share
        pool = self.recorded if recorded else self.made
        clip = pool[rng.choice(len(pool), p=self.weights)] if recorded else pool[rng.integers(len(pool))]
        own = int(rng.integers(2)) if all(clip.has) else 0
        rate = np.exp(rng.uniform(-0.5, 0.5))
        n = clip.angles.shape[1]
        span = (FRAMES - 1) * rate
        at = rng.uniform(min(0, n - 1 - span), max(n - 1 - span, 0)) + rate * np.arange(FRAMES)
        if rng.random() < 0.5:
            at = at[::-1]
        inside = (at >= 0) & (at <= n - 1)
        truth, exists = np.zeros((FRAMES, FEATURES)), np.zeros((FRAMES, FEATURES), bool)
        for part, hand in ((OWN, own), (OTHER, 1 - own)):
            truth[:, part] = self._varied(_at(clip.angles[hand], at))
            exists[:, part] = (inside & clip.has[hand])[:, None]
        truth[:, RELATIVE] = _at(clip.wrist[own], at)
        exists[:, RELATIVE] = (inside & clip.placed)[:, None]
        if rng.random() < 0.4:  # the other hand is often out of the picture
            exists[:, OTHER] = exists[:, RELATIVE] = False
        return truth, exists

    def _varied(self, angles: np.ndarray) -> np.ndarray:
        """As another person would, seen by another tracker: gains and offsets of hinges."""
        rng, d = self.rng, angles.shape[1]
        gain = np.exp(0.15 * rng.standard_normal() + 0.12 * rng.standard_normal(d))
        offset = self.hinges.sigma * (0.12 * rng.standard_normal(d))
        return np.clip(angles * gain + offset, self.hinges.low, self.hinges.high)

    def _errors(self, shape: tuple[int, ...]) -> np.ndarray:
        rng, (b, _, f) = self.rng, shape
        lasting, drifting, fresh = ERRORS
        drift = lfilter([drifting * np.sqrt(1 - _DRIFT**2)], [1, -_DRIFT], rng.standard_normal(shape), axis=1)
        out = lasting * rng.standard_normal((b, 1, f)) + drift + fresh * rng.standard_normal(shape)
        return out * rng.uniform(0, 1.6, (b, 1, 1)) * standard()[1]

    def _known(self, exists: np.ndarray) -> np.ndarray:
        known = exists.copy()
        known[:, OWN] &= self._seen(0.9)
        known[:, OTHER] &= self._seen(0.3)
        both = known[:, OWN].any(1) & known[:, OTHER].any(1)
        known[:, RELATIVE] &= both[:, None]
        return known

    def _seen(self, chance: float) -> np.ndarray:
        """(T, 26) bool: some fingers, or parts of them, or all, hidden for a run, or throughout."""
        rng, seen = self.rng, np.ones((FRAMES, HINGES), bool)
        while rng.random() < chance:
            chance *= 0.3
            run = slice(0, FRAMES)
            if rng.random() > 0.3:
                length = int(np.exp(rng.uniform(np.log(4), np.log(75))))
                first = rng.integers(-length // 2, FRAMES - length // 2)
                run = slice(max(first, 0), max(first + length, 0))
            count = rng.choice([1, 2, 3, 4, 5], p=[0.25, 0.25, 0.1, 0.2, 0.2])
            fingers = rng.permutation(5)[:count]
            if count == 4 and rng.random() < 0.6:
                fingers = np.arange(4)
            elif count == 2 and rng.random() < 0.7:
                fingers = np.array([(0, 1), (1, 3), (3, 2)][rng.integers(3)])
            inner = _INNER[rng.choice(3, p=[0.8, 0.1, 0.1])]
            for finger in fingers:
                seen[run, FINGERS[finger][inner] : FINGERS[finger][-1] + 1] = False
        return seen


def _at(values: np.ndarray, at: np.ndarray) -> np.ndarray:
    """(m, k) rows of (n, k) at fractional places, the ends held."""
    at = np.clip(at, 0, len(values) - 1)
    low = np.minimum(at.astype(int), len(values) - 2) if len(values) > 1 else np.zeros(len(at), int)
    high = np.minimum(low + 1, len(values) - 1)
    share = (at - low)[:, None]
    return (1 - share) * values[low] + share * values[high]
