"""The fitted numbers: how fast each hinge moves and with which others, and where hinges rest.

They are of hinge angles (``initialise.anatomy``), whose axes come from the loaded model's own rest joints, and per
second, so that they hold for any model in MANO's layout and any frame rate.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

NUMBERS = Path(__file__).with_name("numbers.json")


@dataclass(frozen=True, eq=False)
class HandDistribution:
    """Statistics of a hand's d hinges.

    Attributes:
        memory_s: seconds until a hinge has forgotten its velocity.
        speed: (d,) rad/s, deviation of velocity.
        innovation_correlation: (d, d) of what the velocities do not foresee.
        mean, deviation: (d,) rad, of the pose.
        pose_correlation: (d, d).
    """

    memory_s: float
    speed: np.ndarray
    innovation_correlation: np.ndarray
    mean: np.ndarray
    deviation: np.ndarray
    pose_correlation: np.ndarray

    def innovation_whitener(self) -> np.ndarray:
        """(d, d) W with ``W' W`` the inverse of the correlation of innovations."""
        return whitener(self.innovation_correlation)

    def pose_whitener(self) -> np.ndarray:
        """(d, d) W with ``W' W`` the inverse of the pose's covariance."""
        return whitener(self.pose_correlation) / self.deviation


def whitener(covariance: np.ndarray) -> np.ndarray:
    """(d, d) W with ``W' W = covariance^-1``: the inverse of the lower Cholesky factor."""
    return np.linalg.inv(np.linalg.cholesky(covariance))


@cache
def shipped() -> HandDistribution:
    """The numbers that come with the solver; ``tools/prior`` fits them, NOTICE names the recordings."""
    return parse(NUMBERS.read_text(encoding="utf-8"))


def parse(text: str) -> HandDistribution:
    """From JSON as ``unparse`` writes it."""
    fields = json.loads(text)
    degrees = {name: np.radians(fields[name]) for name in ("speed", "mean", "deviation")}
    tables = {name: np.array(fields[name]) for name in ("innovation_correlation", "pose_correlation")}
    return HandDistribution(memory_s=fields["memory_s"], **degrees, **tables)


def unparse(distribution: HandDistribution, provenance: str) -> str:
    """JSON, angles in degrees, one row of a table a line."""
    lines = [f'"provenance": {json.dumps(provenance)}', f'"memory_s": {distribution.memory_s:.4f}']
    for name in ("speed", "mean", "deviation"):
        lines.append(f'"{name}": {_row(np.degrees(getattr(distribution, name)), 1)}')
    for name in ("innovation_correlation", "pose_correlation"):
        rows = ",\n".join("  " + _row(row, 3) for row in getattr(distribution, name))
        lines.append(f'"{name}": [\n{rows}\n]')
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _row(values: np.ndarray, digits: int) -> str:
    return json.dumps([round(float(value), digits) + 0.0 for value in values])
