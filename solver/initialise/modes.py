"""Which of several poses per frame: the path through a track that is cheap in every frame and calm between frames."""

from __future__ import annotations

import numpy as np

# One step of a hand between neighbouring frames, in palm sizes (RMS over landmarks, wrist at the origin): fast gestures
# move 0.3 to 0.5; a flip moves 2 and more. Beyond the cap a jump costs no more: tracks do contain cuts.
STEP_SIGMA = 0.4
JUMP_NATS = 15.0
USUAL_NATS = 3.0  # what a fast but real step costs


def transition_nats(before: np.ndarray, after: np.ndarray, elapsed: np.ndarray) -> np.ndarray:
    """Cost of going from each pose of one frame to each of the next.

    Args:
        before, after: (t, m, 21, 3) landmarks relative to the wrist, in palm sizes.
        elapsed: (t,) frames between them; the step may grow with the root of time.

    Returns:
        (t, m, m) nats, [i, j] from i to j.
    """
    difference = before[:, :, None] - after[:, None]
    squares = (difference**2).sum(-1).mean(-1) / (STEP_SIGMA**2 * elapsed[:, None, None])
    return np.minimum(0.5 * squares, JUMP_NATS)


def steadiness(frames: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """(t,) 0..1: low where a frame fits neither the frame before it nor the one after it.

    The net sometimes reads one blurred frame as the hand's other face; then every start ends in the same wrong pose,
    and only its neighbours tell. A lasting change is steady on one side. ``landmarks``: (t, 21, 3), relative to the
    wrist, in palm sizes.
    """
    if len(frames) < 2:
        return np.ones(len(frames))
    steps = transition_nats(landmarks[:-1, None], landmarks[1:, None], np.diff(frames))[:, 0, 0]
    calmer_side = np.minimum(np.append(steps, np.inf), np.append(np.inf, steps))
    return np.exp(-np.maximum(calmer_side - USUAL_NATS, 0) / USUAL_NATS)


class PathFinder:
    """Viterbi's algorithm (1967) fed piece by piece: each piece is decided with all that came before it."""

    def __init__(self) -> None:
        self._totals: np.ndarray | None = None
        self._landmarks: np.ndarray | None = None
        self._frame = 0
        self._origins: list[np.ndarray] = []

    def extend(self, frames: np.ndarray, costs: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
        """Add frames (t,), costs (t, m) and landmarks (t, m, 21, 3) relative to the wrist, in palm sizes.

        Returns:
            (t,) best choice for these frames so far; ``path`` may revise it when more is known.
        """
        for frame, cost, points in zip(frames, costs, landmarks, strict=True):
            self._step(int(frame), cost, points)
        return self.path()[-len(frames) :]

    def _step(self, frame: int, cost: np.ndarray, points: np.ndarray) -> None:
        if self._totals is None:
            self._origins.append(np.zeros(len(cost), int))
            self._totals = cost
        else:
            elapsed = np.array([max(frame - self._frame, 1)])
            through = self._totals[:, None] + transition_nats(self._landmarks[None], points[None], elapsed)[0]
            self._origins.append(through.argmin(0))
            self._totals = through.min(0) + cost
        self._landmarks, self._frame = points, frame

    def path(self) -> np.ndarray:
        """(all frames so far,) the best choice in each."""
        choice = [int(np.argmin(self._totals))]
        for origins in self._origins[:0:-1]:
            choice.append(int(origins[choice[-1]]))
        return np.array(choice[::-1])
