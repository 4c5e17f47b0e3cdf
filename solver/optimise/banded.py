"""Block-banded symmetric systems with a border: Cholesky, solves, selected inverse. NumPy and SciPy's LAPACK, float64.

The matrix has T diagonal blocks of D x D and couples a frame with the next two (half-bandwidth of two blocks)::

    diagonal[t] = H[t, t]      first[t] = H[t+1, t]      second[t] = H[t+2, t]      (the last ones of these unused)

Time and memory are linear in T. BLAS must run on one thread here: at blocks of about a hundred its own threads cost
4-12 times more than they bring (``launch`` sees to it).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import blas, lapack


class NotPositiveDefinite(ArithmeticError):
    """The matrix has no Cholesky factor; the caller raises its damping."""


@dataclass(frozen=True)
class Factor:
    """Lower Cholesky factor: ``pivot[t]`` = L[t, t], ``below[t]`` = the stack of L[t+1, t] and L[t+2, t]."""

    pivot: np.ndarray
    below: np.ndarray


def factorise(diagonal: np.ndarray, first: np.ndarray, second: np.ndarray, out: Factor | None = None) -> Factor:
    """Right-looking block Cholesky on a rolling 2D x 2D Schur complement; ``out`` is overwritten if given.

    Raises:
        NotPositiveDefinite
    """
    frames, size, _ = diagonal.shape
    out = out or empty_factor(frames, size)
    panel = np.empty((2 * size, size), order="F")
    here = np.zeros((2 * size, 2 * size), order="F")
    ahead = np.zeros((2 * size, 2 * size), order="F")
    here[:size, :size] = diagonal[0]
    if frames > 1:
        here[size:, :size], here[size:, size:] = first[0], diagonal[1]
    for t in range(frames):
        pivot, info = lapack.dpotrf(here[:size, :size], lower=1, clean=1)
        if info != 0:
            raise NotPositiveDefinite(f"pivot {info} of block {t}")
        out.pivot[t] = pivot
        if t + 1 == frames:
            out.below[t] = 0
            break
        panel[:size] = here[size:, :size]
        ahead[:size, :size] = here[size:, size:]
        panel[size:] = 0
        if t + 2 < frames:
            panel[size:] = second[t]
            ahead[size:, :size], ahead[size:, size:] = first[t + 1], diagonal[t + 2]
        below = blas.dtrsm(1.0, pivot, panel, side=1, lower=1, trans_a=1)
        out.below[t] = below
        here, ahead = blas.dsyrk(-1.0, below, beta=1.0, c=ahead, lower=1, overwrite_c=1), here
    return out


def empty_factor(frames: int, size: int) -> Factor:
    """Memory for a factor; reuse it, since fresh pages cost more than the arithmetic."""
    return Factor(np.empty((frames, size, size)), np.empty((frames, 2 * size, size)))


def solve_lower(factor: Factor, right: np.ndarray) -> np.ndarray:
    """L y = right for right-hand sides (T, D, k)."""
    frames, size, _ = factor.pivot.shape
    y = np.array(right, order="C")
    for t in range(frames):
        y[t] = blas.dtrsm(1.0, factor.pivot[t].T, y[t], side=0, lower=0, trans_a=1)
        if t + 1 < frames:
            step = factor.below[t] @ y[t]
            y[t + 1] -= step[:size]
            if t + 2 < frames:
                y[t + 2] -= step[size:]
    return y


def solve_upper(factor: Factor, right: np.ndarray) -> np.ndarray:
    """L' x = right for right-hand sides (T, D, k)."""
    frames, size, _ = factor.pivot.shape
    x = np.array(right, order="C")
    for t in range(frames - 1, -1, -1):
        b = x[t]
        if t + 1 < frames:
            b = b - factor.below[t, :size].T @ x[t + 1]
        if t + 2 < frames:
            b = b - factor.below[t, size:].T @ x[t + 2]
        x[t] = blas.dtrsm(1.0, factor.pivot[t].T, b, side=0, lower=0, trans_a=0)
    return x


def solve_bordered(
    factor: Factor, border: np.ndarray, corner: np.ndarray, right: np.ndarray, right_border: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Solve ``[[H, border], [border', corner]] [x; y] = [right; right_border]`` by the Schur complement of H.

    Args:
        border: (T, D, b). corner: (b, b). right: (T, D). right_border: (b,). b may be 0.
    """
    both = solve_lower(factor, np.concatenate([border, right[..., None]], axis=-1))
    reduced, u = both[..., :-1], both[..., -1]
    flat = reduced.reshape(right.size, corner.shape[0])
    schur = corner - flat.T @ flat
    y = np.linalg.solve(schur, right_border - flat.T @ u.reshape(-1))
    x = solve_upper(factor, (u - reduced @ y)[..., None])[..., 0]
    return x, y


def selected_inverse(factor: Factor) -> np.ndarray:
    """(T, D, D) diagonal blocks of H^-1, by the block form of Takahashi's recursion (K. Takahashi et al., 1973).

    Each diagonal block is made symmetric before it is used. Without that the one-sided rounding of a block enters the
    mirrored off-diagonal one and grows 1.7-fold per frame: 1e76 after 300 frames, and nothing to see after nine.
    """
    frames, size, _ = factor.pivot.shape
    inverse = np.empty_like(factor.pivot)
    ahead = np.zeros((2 * size, 2 * size))  # covariance of frames t+1, t+2
    for t in range(frames - 1, -1, -1):
        upper, _ = lapack.dtrtri(factor.pivot[t].T, lower=0)
        block = upper @ upper.T
        here = np.zeros_like(ahead)
        if t < frames - 1:
            gain = factor.below[t] @ upper.T
            mixed = ahead @ gain
            block += gain.T @ mixed
            here[size:, :size], here[:size, size:] = -mixed[:size], -mixed[:size].T
        block = 0.5 * (block + block.T)
        here[:size, :size], here[size:, size:] = block, ahead[:size, :size]
        inverse[t], ahead = block, here
    return inverse
