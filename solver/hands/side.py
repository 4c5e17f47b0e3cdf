"""Left or right, decided once for a whole trail.

The network's vote in a single frame is often wrong (about a quarter of the frames of a head-worn clip), the sum over a
trail rarely. What else is known: a person's two hands in view at once are a left and a right one, and a lost hand
found again nearby is the same one. All of it is one small sum over the trails' sides, maximised exactly if small.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from .trail import Trail, continuity

# Votes of neighbouring frames repeat each other: a frame counts as this share of an independent one.
_INDEPENDENT = 0.3
# No number of frames makes a side more certain than this (log-odds), so that the other facts keep a say.
_MAX_VOTE = 30.0
# Cost of two equal sides in view at once, full after this many frames (log-odds).
_TWINS, _TWINS_FRAMES = 10.0, 5
# Gain of an equal side for a hand that is found where it was lost.
_SAME = 8.0
# Up to this many trails that influence each other are solved exactly.
_EXACT = 14
_GIVEN = {"left": -1e3, "right": 1e3}


def decide_sides(trails: Sequence[Trail]) -> list[str]:
    """ "left" or "right" for each trail."""
    votes = np.array([vote(trail) for trail in trails])
    n = len(trails)
    bonds = np.zeros((n, n))
    for i, j in itertools.combinations(range(n), 2):
        bonds[i, j] = bonds[j, i] = bond(trails[i], trails[j])
    signs = np.zeros(n)
    for group in _groups(bonds):
        signs[group] = solve(votes[group], bonds[np.ix_(group, group)])
    return ["right" if sign > 0 else "left" for sign in signs]


def vote(trail: Trail) -> float:
    """Log-odds of "right" of the trail by itself."""
    if trail.side is not None:
        return _GIVEN[trail.side]
    return float(np.clip(_INDEPENDENT * trail.log_odds(), -_MAX_VOTE, _MAX_VOTE))


def bond(a: Trail, b: Trail) -> float:
    """Log-odds that two trails have one side: negative when seen at once, positive when one continues the other."""
    common = len(a.readings.keys() & b.readings.keys())
    if common:
        return -_TWINS * min(1.0, common / _TWINS_FRAMES)
    return _SAME * continuity(a, b)


def solve(votes: np.ndarray, bonds: np.ndarray) -> np.ndarray:
    """(n,) signs s of +-1 that maximise ``sum(votes * s) + sum over pairs of bonds_ij * s_i * s_j``."""
    n = len(votes)
    if n <= _EXACT:
        signs = np.array(list(itertools.product((-1.0, 1.0), repeat=n)))
        gains = signs @ votes + np.einsum("ki,ij,kj->k", signs, bonds, signs) / 2
        return signs[int(np.argmax(gains))]
    signs = np.where(votes >= 0, 1.0, -1.0)
    for _ in range(10 * n):
        pull = votes + bonds @ signs
        wrong = pull * signs
        worst = int(np.argmin(wrong))
        if wrong[worst] >= 0:
            break
        signs[worst] *= -1
    return signs


def _groups(bonds: np.ndarray) -> list[list[int]]:
    """Indices of trails joined by bonds, directly or through others."""
    left, groups = set(range(len(bonds))), []
    while left:
        group, border = [], [min(left)]
        while border:
            i = border.pop()
            if i in left:
                left.remove(i)
                group.append(i)
                border.extend(np.flatnonzero(np.abs(bonds[i]) > 0.05).tolist())
        groups.append(sorted(group))
    return groups
