"""The block-banded linear algebra against dense matrices, and the recursion's stability over a long clip."""

from __future__ import annotations

import numpy as np
import pytest

from solver.optimise.banded import (
    NotPositiveDefinite,
    factorise,
    selected_inverse,
    solve_bordered,
    solve_lower,
    solve_upper,
)


def _random_band(frames: int, size: int, seed: int = 0) -> tuple[np.ndarray, ...]:
    """As a motion prior and weak evidence make it: strong accelerations, mixed a little, few observed directions."""
    rng = np.random.default_rng(seed)
    diagonal, first, second = (np.zeros((frames, size, size)) for _ in range(3))
    for t in range(frames):
        seen = 0.1 * rng.standard_normal((2, size))
        diagonal[t] += seen.T @ seen + 1e-4 * np.eye(size)
    for t in range(frames - 2):
        mixing = np.eye(size) + 0.1 * rng.standard_normal((3, size, size))
        a, b, c = np.array([1.0, -2.0, 1.0])[:, None, None] * mixing
        for later, block in enumerate((a.T @ a, b.T @ b, c.T @ c)):
            diagonal[t + later] += block
        first[t] += b.T @ a
        first[t + 1] += c.T @ b
        second[t] += c.T @ a
    return diagonal, first, second


def _dense(diagonal: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    frames, size, _ = diagonal.shape
    out = np.zeros((frames * size, frames * size))
    for offset, blocks in enumerate((diagonal, first, second)):
        for t in range(frames - offset):
            rows, columns = slice((t + offset) * size, (t + offset + 1) * size), slice(t * size, (t + 1) * size)
            out[rows, columns] = blocks[t]
            out[columns, rows] = blocks[t].T
    return out


@pytest.mark.parametrize("frames", [1, 2, 3, 11])
@pytest.mark.parametrize("border", [0, 4])
def test_bordered_solve_equals_the_dense_one(frames, border):
    band = _random_band(frames, 5)
    rng = np.random.default_rng(1)
    sides = rng.standard_normal((frames, 5, border))
    corner = 1e4 * np.eye(border)
    right, right_border = rng.standard_normal((frames, 5)), rng.standard_normal(border)
    x, y = solve_bordered(factorise(*band), sides, corner, right, right_border)
    flat = sides.reshape(frames * 5, border)
    whole = np.block([[_dense(*band), flat], [flat.T, corner]])
    expected = np.linalg.solve(whole, np.concatenate([right.reshape(-1), right_border]))
    np.testing.assert_allclose(np.concatenate([x.reshape(-1), y]), expected, atol=1e-9 * np.abs(expected).max())


def test_an_indefinite_matrix_is_refused():
    diagonal, first, second = _random_band(6, 4)
    diagonal[3, 2, 2] = -1.0
    with pytest.raises(NotPositiveDefinite):
        factorise(diagonal, first, second)


def test_selected_inverse_stays_exact_over_a_long_clip():
    """At 9 frames the unsymmetrised recursion passes too; at 300 it is wrong by more than the number of atoms."""
    frames, size = 320, 12
    factor = factorise(*_random_band(frames, size))
    inverse = selected_inverse(factor)
    for t in (0, 1, 150, 318, 319):
        right = np.zeros((frames, size, size))
        right[t] = np.eye(size)
        column = solve_upper(factor, solve_lower(factor, right))[t]
        np.testing.assert_allclose(inverse[t], column, rtol=0, atol=1e-9 * np.abs(column).max())


def test_without_symmetrising_the_recursion_explodes():
    """The trap itself, so that nobody takes the symmetrising line for a decoration."""
    factor = factorise(*_random_band(320, 12))
    exact = selected_inverse(factor)
    naive = _unsymmetrised_inverse(factor)
    assert not np.abs(naive - exact).max() < 1e3 * np.abs(exact).max()


def _unsymmetrised_inverse(factor) -> np.ndarray:
    frames, size, _ = factor.pivot.shape
    out = np.empty_like(factor.pivot)
    ahead = np.zeros((2 * size, 2 * size))
    for t in range(frames - 1, -1, -1):
        upper = np.linalg.inv(factor.pivot[t]).T
        block = upper @ upper.T
        here = np.zeros_like(ahead)
        if t < frames - 1:
            gain = factor.below[t] @ upper.T
            mixed = ahead @ gain
            block = block + gain.T @ mixed
            here[size:, :size], here[:size, size:] = -mixed[:size], -mixed[:size].T
        here[:size, :size], here[size:, size:] = block, ahead[:size, :size]
        out[t], ahead = block, here
    return out
