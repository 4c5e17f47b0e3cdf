"""One search for all arms: along one number after another, downhill by a factor until both neighbours are worse."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from .arms import Arm, Numbers
from .size import WHOLE

# neighbours of a number are this much smaller and larger; a search ends at the ends of its range, and says so
_FACTOR = 2.0
_START = Numbers()
_RANGE = {"scale": (1 / 64, 64.0), "memory_s": (0.0125, 6.4), "pose": (0.3, 80.0)}


@dataclass(frozen=True)
class Tuned:
    """The best numbers, how many were tried, and which of them lie at the end of their range."""

    numbers: Numbers
    trials: int
    at_edge: tuple[str, ...]

    def __str__(self) -> str:
        n = self.numbers
        told = f"noise x{n.scale:.2f}, memory {n.memory_s:.3f} s, pose x{n.pose:.2g} ({self.trials} trials)"
        return told + "".join(f", {name} AT THE EDGE of its range" for name in self.at_edge)


def tune(arm: Arm, value: Callable[[Numbers], float], rounds: int = WHOLE.rounds, start: Numbers = _START) -> Tuned:
    """The numbers of ``arm`` with the least ``value``, from ``start`` on; each is searched ``rounds`` times."""
    known: dict[Numbers, float] = {}

    def of(numbers: Numbers) -> float:
        if numbers not in known:
            known[numbers] = value(numbers)
        return known[numbers]

    best = start
    for _ in range(rounds if len(arm.searched) > 1 else 1):
        before = best
        for name in arm.searched:
            best = _along(name, best, of)
        if best == before:
            break
    edge = tuple(name for name in arm.searched if None in _neighbours(name, best))
    return Tuned(best, len(known), edge)


def _along(name: str, best: Numbers, of: Callable[[Numbers], float]) -> Numbers:
    for direction in (0, 1):
        while (tried := _neighbours(name, best)[direction]) is not None and of(tried) < of(best):
            best = tried
    return best


def _neighbours(name: str, numbers: Numbers) -> tuple[Numbers | None, Numbers | None]:
    """With the number a step smaller and a step larger; None where the range ends."""
    low, high = _RANGE[name]
    values = (getattr(numbers, name) / _FACTOR, getattr(numbers, name) * _FACTOR)
    return tuple(replace(numbers, **{name: v}) if low <= v <= high else None for v in values)
