"""How sure the result is: marginal covariances of keypoints and camera, from the factor of the last system.

They hold locally: a wrong mode (a flipped hand), a swapped identity or a biased scale is invisible to them. A detector
makes the same error in frame after frame, so the pictures of about a second are given to them as one observation
(``Problem.discounted``): else a clip of many frames would seem to know what none of its frames does.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .banded import factorise, selected_inverse, solve_lower, solve_upper
from .costs.base import chunks
from .layout import BETA_COUNT, SHIFT
from .problem import Problem
from .solve import Held, hold, prepared
from .state import State
from .system import System

# Stated deviations are multiplied by this before they are shown: real errors have fatter tails than a normal
# distribution. On the benchmark's validation clips (``python -m solver.bench --suite validation --mode camera``)
# intervals of joints relative to the wrist then hold 76 % and 91 % of the errors, those of visible ones 79 % and 93 %;
# where a hand is often misread 50 % and 73 %. Less would suit the narrow interval, and the wide one still worse.
SIGMA_FACTOR = 2.1
# relative error (one sigma) of the size at which the tracker draws a hand, which lasts: it is in the distance, and no
# number of pictures takes it away. On the validation clips, once a hand's length is right, distances still err by that
DRAWN_SIZE_ERROR = 0.06


@dataclass(frozen=True)
class Uncertainty:
    """Marginal covariances, given the model.

    Attributes:
        world: (N, 21, 3, 3) of the model's keypoints in the world, m^2.
        relative: (N, 21, 3, 3) of the keypoints relative to the wrist joint, world axes, m^2 (0 for the wrist).
        camera: (T, 6, 6) of camera turn (rad, left) and centre (mapping's unit); None when the camera was given.
        globals: (b, b) of the free global variables, in the order of ``Layout.border``.
    """

    world: np.ndarray
    relative: np.ndarray
    camera: np.ndarray | None
    globals: np.ndarray

    def keypoint_sigma(self) -> np.ndarray:
        """(N, 21) metres per axis (root mean square): of the wrist in the world, of the others relative to it."""
        covariance = self.relative.copy()
        covariance[:, 0] = self.world[:, 0]
        return np.sqrt(np.maximum(np.trace(covariance, axis1=-2, axis2=-1), 0) / 3)


def marginals(problem: Problem, state: State, held: Held | None = None) -> Uncertainty:
    """Covariances at a solution; linear in the number of frames, about the cost of two steps.

    What is ``held`` counts as known.
    """
    layout = problem.layout
    at = problem.at(state)
    system = problem.linearise(at, System(layout))
    if held is not None:
        hold(system, held)
    blocks, mixed, corner = block_covariances(prepared(system))
    if held is not None:
        free = (~held.columns).astype(float)
        blocks *= free[:, :, None] * free[:, None, :]
    camera = layout.camera
    world = np.zeros((layout.hand_count, 21, 3, 3))
    relative = np.zeros_like(world)
    for index, hands in chunks(layout):
        track = layout.tracks[index]
        frames = slice(track.start + hands.start - track.packed, track.start + hands.stop - track.packed)
        own = slice(track.slot * layout.hand_size, (track.slot + 1) * layout.hand_size)
        betas = layout.betas_columns(track)
        joint = _joint_covariance(blocks[frames, own, own], mixed[frames, own, betas], corner[betas, betas])
        jacobians = at.jacobians(index, hands, at.bare_skeletons)
        n, width = joint.shape[0], layout.hand_size + BETA_COUNT * layout.shape_free
        slope = np.zeros((n, 21, 3, width))
        everything = (np.repeat(np.arange(n), 21), np.tile(np.arange(21), n))
        slope[..., : layout.hand_size] = jacobians.dense(*everything, layout.hand_size).reshape(n, 21, 3, -1)
        slope[..., layout.hand_size :] = jacobians.shape[..., : width - layout.hand_size]
        world[hands] = _through(slope, joint)
        slope[..., SHIFT] = 0
        relative[hands] = _through(slope, joint)
    return Uncertainty(world, relative, blocks[:, camera, camera] if layout.camera_free else None, corner)


def block_covariances(system: System) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of the whole bordered inverse: diagonal blocks (T, D, D), blocks with the border (T, D, b), border (b, b)."""
    factor = factorise(system.diagonal, system.first, system.second)
    reduced = solve_lower(factor, system.border)
    gain = solve_upper(factor, reduced)
    flat = reduced.reshape(system.gradient.size, system.corner.shape[0])
    corner = np.linalg.inv(system.corner - flat.T @ flat)
    mixed = -gain @ corner
    return selected_inverse(factor) - mixed @ gain.swapaxes(1, 2), mixed, corner


def _joint_covariance(own: np.ndarray, mixed: np.ndarray, betas: np.ndarray) -> np.ndarray:
    """(n, d + k, d + k) of a hand's variables and its betas."""
    n, d, k = mixed.shape
    out = np.empty((n, d + k, d + k))
    out[:, :d, :d], out[:, :d, d:] = own, mixed
    out[:, d:, :d], out[:, d:, d:] = mixed.swapaxes(1, 2), betas
    return out


def _through(slope: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    """(n, 21, 3, 3) covariances of (n, 21, 3, w) linear functions."""
    n, points, axes, width = slope.shape
    moved = slope.reshape(n, points * axes, width) @ covariance
    return moved.reshape(n, points, axes, width) @ slope.swapaxes(-1, -2)
