"""An armature at rest as arrays, so that everything about it can be computed without Blender. NumPy only."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np


@dataclass(frozen=True, eq=False)
class Skeleton:
    """N bones, parents before children, in the armature's own space.

    Attributes:
        names: (N,).
        parents: (N,) index of each bone's parent, -1: none.
        matrices: (N, 4, 4) rest pose, Blender's bone axes (Y along the bone).
        tails: (N, 3).
        connected: (N,) bool: the head is fixed to the parent's tail.
    """

    names: tuple[str, ...]
    parents: np.ndarray
    matrices: np.ndarray
    tails: np.ndarray
    connected: np.ndarray

    @cached_property
    def _index(self) -> dict[str, int]:
        return {name: number for number, name in enumerate(self.names)}

    def __contains__(self, name: str) -> bool:
        return name in self._index

    def index(self, name: str) -> int:
        return self._index[name]

    @cached_property
    def heads(self) -> np.ndarray:
        """(N, 3)."""
        return self.matrices[:, :3, 3]

    @cached_property
    def children(self) -> tuple[tuple[int, ...], ...]:
        """(N,) indices of each bone's children."""
        found: list[list[int]] = [[] for _ in self.names]
        for child, parent in enumerate(self.parents):
            if parent >= 0:
                found[parent].append(child)
        return tuple(map(tuple, found))

    def head(self, name: str) -> np.ndarray:
        return self.heads[self.index(name)]

    def tail(self, name: str) -> np.ndarray:
        return self.tails[self.index(name)]

    def is_below(self, name: str, ancestor: str) -> bool:
        """Does the parent chain of a bone pass through another?"""
        above, wanted = self.parents[self.index(name)], self.index(ancestor)
        while above >= 0:
            if above == wanted:
                return True
            above = self.parents[above]
        return False
