"""Fingertips where they belong on a hand of other proportions: damped Gauss-Newton on the fingers' angles. NumPy only.

Each finger bends in every joint (X) and spreads in its first (Z), the thumb in its first two. The angles move from the
transferred pose as little as they can while tips meet their goals, all frames at once: first
minimise |w (tips - goals)|^2 + damping |angles|^2, then a few damped steps for what is left, which move nothing where a
finger is stretched or a goal can't be reached. Pinches couple the thumb with the fingers it meets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ...solver.hand_model.rotations import exp

# steps with a pull towards the transferred pose, then without
_PULLED_STEPS, _FREE_STEPS = 5, 4
# finger lengths that one radian is worth; a tenth of it makes stretched fingers jump from frame to frame
_DAMPING = 0.3
_PULLS = (1.0,) * _PULLED_STEPS + (0.0,) * _FREE_STEPS
_LARGEST_STEP = 0.35
# a quarter of a pinch holds the finger already
_HOLD = 4.0
# a pinch counts fully below the first distance and not at all beyond the second, in hand sizes (0.18 m is one)
PINCH_FULL, PINCH_NONE = 0.08, 0.25
_EASING = 3  # frames before and after


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
    for pull in _PULLS:
        jacobian = _jacobian(chain, frames) / scale
        residual = (goals - tips(chain, frames)) / scale
        step = _solved(jacobian, residual, pull * total)
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
    frames = dict(frames)
    # part of the way for part of a pinch; a finger that hardly pinches is hardly held
    before = {name: tips(chains[name], frames[name]) - tips(chains["thumb"], frames["thumb"]) for name in wanted}
    goals = {name: before[name] + weights[name][:, None] * (way - before[name]) for name, way in wanted.items()}
    held = {name: np.minimum(1.0, _HOLD * weights[name])[:, None] for name in wanted}
    columns = _columns({name: chains[name] for name in ("thumb", *wanted)})
    total = np.zeros((len(frames["thumb"]), max(column.stop for column in columns.values())))
    for pull in _PULLS:
        step = _solved(*_pinch_system(chains, frames, goals, held, columns), pull * total)
        total = total + step
        for name, column in columns.items():
            frames[name] = _bent(chains[name], frames[name], step[:, column])
    return frames


def _columns(chains: Mapping[str, Chain]) -> dict[str, slice]:
    """Where each finger's angles stand in one vector of all."""
    ends = np.cumsum([_angle_count(chain) for chain in chains.values()])
    starts = np.concatenate([[0], ends[:-1]])
    return {name: slice(int(start), int(end)) for name, start, end in zip(chains, starts, ends, strict=True)}


def _pinch_system(
    chains: Mapping[str, Chain],
    frames: Mapping[str, np.ndarray],
    goals: Mapping[str, np.ndarray],
    held: Mapping[str, np.ndarray],
    columns: Mapping[str, slice],
) -> tuple[np.ndarray, np.ndarray]:
    """Jacobian (T, 3 pinches, angles) and residual (T, 3 pinches), in lengths of the thumb."""
    count, width = len(frames["thumb"]), max(column.stop for column in columns.values())
    scale = np.linalg.norm(chains["thumb"].ways, axis=1).sum()
    jacobian, residual = np.zeros((count, 3 * len(goals), width)), np.zeros((count, 3 * len(goals)))
    thumb_tip, thumb = tips(chains["thumb"], frames["thumb"]), _jacobian(chains["thumb"], frames["thumb"])
    for row, (name, goal) in enumerate(goals.items()):
        rows, weight = slice(3 * row, 3 * row + 3), held[name] / scale
        residual[:, rows] = weight * (goal - tips(chains[name], frames[name]) + thumb_tip)
        jacobian[:, rows, columns[name]] = weight[..., None] * _jacobian(chains[name], frames[name])
        jacobian[:, rows, columns["thumb"]] = -weight[..., None] * thumb
    return jacobian, residual


def pinch_weight(distances: np.ndarray, hand_size: float) -> np.ndarray:
    """(T,) how much of a pinch the distance between two tips is: 1 near, 0 far, smooth between."""
    share = (distances / hand_size - PINCH_FULL) / (PINCH_NONE - PINCH_FULL)
    share = np.clip(share, 0.0, 1.0)
    return 1.0 - share * share * (3.0 - 2.0 * share)


def eased(weights: np.ndarray) -> np.ndarray:
    """(T,) weights that rise and fall over some frames and are nowhere less: a pinch is prepared, and let go."""
    width = 2 * _EASING + 1
    wide = np.lib.stride_tricks.sliding_window_view(np.pad(weights, _EASING, mode="edge"), width).max(axis=1)
    return np.lib.stride_tricks.sliding_window_view(np.pad(wide, _EASING, mode="edge"), width).mean(axis=1)


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
