"""Fingertips where they belong on a hand of other proportions: damped Gauss-Newton on the fingers' angles. NumPy only.

Each finger bends in every joint (X) and spreads in its first (Z), the thumb in its first two. The angles move from the
transferred pose as little as they can while tips meet their goals, all frames at once:
minimise |w (tips - goals)|^2 + damping |angles|^2. Pinches couple the thumb with the fingers it meets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ...solver.hand_model.rotations import exp

_STEPS = 12
# radians that are worth as much as one finger's length: small, so that goals win where they can be met
_DAMPING = 0.02
_LARGEST_STEP = 0.35
# a pinch counts fully below the first distance and not at all beyond the second, in hand sizes (0.18 m is one)
PINCH_FULL, PINCH_NONE = 0.13, 0.28


@dataclass(frozen=True, eq=False)
class Chain:
    """A finger of the target in the palm's space.

    Attributes:
        base: (3,).
        ways: (n, 3) from each joint to the next, in the bone's frame.
        spreads: how many joints, from the first, also spread.
    """

    base: np.ndarray
    ways: np.ndarray
    spreads: int


def tips(chain: Chain, frames: np.ndarray) -> np.ndarray:
    """(T, 3) fingertips of (T, n, 3, 3) frames."""
    return chain.base + np.einsum("tnij,nj->ti", frames, chain.ways)


def to_tips(
    chains: Mapping[str, Chain], frames: Mapping[str, np.ndarray], goals: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Frames with which the fingertips are at their goals (T, 3) each, palm's space."""
    return {name: _one_finger(chains[name], frames[name], goals[name]) for name in frames}


def _one_finger(chain: Chain, frames: np.ndarray, goals: np.ndarray) -> np.ndarray:
    scale = np.linalg.norm(chain.ways, axis=1).sum()
    total = np.zeros((len(frames), _angle_count(chain)))
    for _ in range(_STEPS):
        jacobian = _jacobian(chain, frames) / scale
        residual = (goals - tips(chain, frames)) / scale
        step = _solved(jacobian, residual, total)
        total = total + step
        frames = _bent(chain, frames, step)
    return frames


def pinches(
    chains: Mapping[str, Chain],
    frames: Mapping[str, np.ndarray],
    wanted: Mapping[str, np.ndarray],
    weights: Mapping[str, np.ndarray],
) -> dict[str, np.ndarray]:
    """Frames that keep the way from the thumb's tip to those of fingers that meet it.

    Args:
        chains, frames: by finger, with the thumb; palm's space.
        wanted: (T, 3) from the thumb's tip to the finger's, by finger.
        weights: (T,) 0..1 of each pinch.
    """
    names = ["thumb", *wanted]
    frames = {name: frames[name] for name in frames}
    counts = [_angle_count(chains[name]) for name in names]
    ends = np.cumsum(counts)
    columns = dict(zip(names, [slice(end - count, end) for end, count in zip(ends, counts, strict=True)], strict=True))
    scale = np.linalg.norm(chains["thumb"].ways, axis=1).sum()
    total = np.zeros((len(frames["thumb"]), ends[-1]))
    for _ in range(_STEPS):
        jacobian = np.zeros((len(total), 3 * len(wanted), ends[-1]))
        residual = np.zeros((len(total), 3 * len(wanted)))
        thumb = _jacobian(chains["thumb"], frames["thumb"]) / scale
        for row, (name, way) in enumerate(wanted.items()):
            rows, weight = slice(3 * row, 3 * row + 3), weights[name]
            now = tips(chains[name], frames[name]) - tips(chains["thumb"], frames["thumb"])
            residual[:, rows] = weight[:, None] * (way - now) / scale
            jacobian[:, rows, columns[name]] = weight[:, None, None] * _jacobian(chains[name], frames[name]) / scale
            jacobian[:, rows, columns["thumb"]] = -weight[:, None, None] * thumb
        step = _solved(jacobian, residual, total)
        total = total + step
        for name in names:
            frames[name] = _bent(chains[name], frames[name], step[:, columns[name]])
    return frames


def pinch_weight(distances: np.ndarray, hand_size: float) -> np.ndarray:
    """(T,) how much of a pinch the distance between two tips is: 1 near, 0 far, smooth between."""
    share = (distances / hand_size - PINCH_FULL) / (PINCH_NONE - PINCH_FULL)
    share = np.clip(share, 0.0, 1.0)
    return 1.0 - share * share * (3.0 - 2.0 * share)


def _angle_count(chain: Chain) -> int:
    return len(chain.ways) + min(chain.spreads, len(chain.ways))


def _axes(chain: Chain, frames: np.ndarray) -> list[tuple[int, np.ndarray]]:
    """(joint, (T, 3) axis) of every angle."""
    bends = [(joint, frames[:, joint, :, 0]) for joint in range(len(chain.ways))]
    return bends + [(joint, frames[:, joint, :, 2]) for joint in range(min(chain.spreads, len(chain.ways)))]


def _jacobian(chain: Chain, frames: np.ndarray) -> np.ndarray:
    """(T, 3, angles): a turn about an axis moves the tip by axis x (tip - joint)."""
    steps = np.einsum("tnij,nj->tni", frames, chain.ways)
    arms = np.cumsum(steps[:, ::-1], axis=1)[:, ::-1]
    return np.stack([np.cross(axis, arms[:, joint]) for joint, axis in _axes(chain, frames)], axis=-1)


def _solved(jacobian: np.ndarray, residual: np.ndarray, total: np.ndarray) -> np.ndarray:
    transposed = np.swapaxes(jacobian, 1, 2)
    normal = transposed @ jacobian + _DAMPING**2 * np.eye(jacobian.shape[2])
    right = (transposed @ residual[..., None])[..., 0] - _DAMPING**2 * total
    return np.clip(np.linalg.solve(normal, right[..., None])[..., 0], -_LARGEST_STEP, _LARGEST_STEP)


def _bent(chain: Chain, frames: np.ndarray, angles: np.ndarray) -> np.ndarray:
    """Frames after small turns of every joint, which carry all bones after it."""
    turn = np.broadcast_to(np.eye(3), (len(frames), 3, 3))
    turns: list[np.ndarray] = [np.zeros((len(frames), 3)) for _ in chain.ways]
    for number, (joint, axis) in enumerate(_axes(chain, frames)):
        turns[joint] = turns[joint] + angles[:, number, None] * axis
    bent = np.empty_like(frames)
    for joint, vector in enumerate(turns):
        turn = turn @ exp(vector)
        bent[:, joint] = turn @ frames[:, joint]
    return bent
