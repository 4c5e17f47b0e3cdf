"""Smooth motion through keys: a wave, a grasp, a carry are a few keys each; the rest is interpolation and tremor."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .figure import Arm, HandPose, wrist_rotation
from .handshapes import SHAPES, finger_rotations
from .rotations import axis_angle, nearest_rotation

_SUBSTEPS = 8  # dense samples per frame on which the keys are smoothed


@dataclass(frozen=True)
class HandKey:
    """Where a hand is at ``time`` seconds.

    Attributes:
        wrist: metres, in ``frame``.
        fingers, palm: directions along the fingers and out of the palm, in ``frame``.
        shape: a name in ``handshapes.SHAPES``.
        frame: "world", or "body": x right, y forward, z up, at the wearer's eyes, turning with the body's heading.
    """

    time: float
    wrist: tuple[float, float, float]
    fingers: tuple[float, float, float]
    palm: tuple[float, float, float]
    shape: str = "relaxed"
    frame: str = "world"


@dataclass(frozen=True)
class Wave:
    """A periodic addition to the motion between two times: degrees about an axis of the hand's own frame
    ("fingers", "palm" or "thumb"), or of the fingers' curl ("curl")."""

    start: float
    end: float
    about: str
    degrees: float
    hertz: float


def tremor(times: np.ndarray, seed: int, columns: int) -> np.ndarray:
    """(T, columns) smooth noise of unit size: sums of sines with seeded phases between 0.5 and 6 Hz."""
    rng = np.random.default_rng(seed)
    hertz = np.array([0.45, 0.9, 1.7, 3.1, 5.7])
    size = np.array([1.0, 0.7, 0.4, 0.15, 0.05])
    phases = rng.uniform(0, 2 * np.pi, (len(hertz), columns))
    return np.einsum("f,tfc->tc", size, np.sin(2 * np.pi * hertz[:, None] * times[:, None, None] + phases))


def smooth(samples: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian smoothing along axis 0, ``sigma`` in samples, ends held."""
    radius = int(np.ceil(3 * sigma))
    kernel = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    kernel /= kernel.sum()
    padded = np.concatenate([np.repeat(samples[:1], radius, 0), samples, np.repeat(samples[-1:], radius, 0)])
    flat = padded.reshape(len(padded), -1)
    smoothed = np.stack([np.convolve(column, kernel, mode="valid") for column in flat.T], axis=1)
    return smoothed.reshape(samples.shape)


def hand_motion(
    arm: Arm,
    keys: tuple[HandKey, ...],
    waves: tuple[Wave, ...],
    times: np.ndarray,
    body: np.ndarray,
    seed: int,
    smoothing: float = 0.09,
) -> list[HandPose]:
    """Poses at ``times`` (T,), evenly spaced. ``body`` (T, 4, 4) is the world from the body's frame.

    ``smoothing`` [s] is the width of the Gaussian that rounds the straight lines between keys.
    """
    step = (times[1] - times[0]) / _SUBSTEPS
    dense = np.arange(times[0], times[-1] + step / 2, step)
    body_dense = _resample(body, times, dense)
    wrists, turns, angles = _between_keys(arm, keys, dense, body_dense)
    sigma = smoothing / step
    wrists = smooth(wrists, sigma) + 0.0025 * tremor(dense, seed, 3)
    turns = nearest_rotation(smooth(turns, sigma))
    angles = smooth(angles, 0.7 * sigma) + 1.6 * tremor(dense, seed + 1, angles.shape[1])
    turns, angles = _with_waves(arm, waves, dense, turns, angles, step)
    return [HandPose(turns[i], wrists[i], finger_rotations(arm, angles[i])) for i in range(0, len(dense), _SUBSTEPS)]


def _resample(matrices: np.ndarray, times: np.ndarray, dense: np.ndarray) -> np.ndarray:
    flat = matrices.reshape(len(times), -1)
    linear = np.stack([np.interp(dense, times, column) for column in flat.T], axis=1).reshape(-1, 4, 4)
    linear[:, :3, :3] = nearest_rotation(linear[:, :3, :3])
    return linear


def _between_keys(
    arm: Arm, keys: tuple[HandKey, ...], dense: np.ndarray, body: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Straight-line interpolation: wrists (D, 3), rotations (D, 3, 3), angles (D, 17)."""
    wrists = np.empty((len(keys), len(dense), 3))
    turns = np.empty((len(keys), len(dense), 3, 3))
    for k, key in enumerate(keys):
        rotation = wrist_rotation(arm, np.array(key.fingers, float), np.array(key.palm, float))
        frame = body if key.frame == "body" else np.broadcast_to(np.eye(4), body.shape)
        wrists[k] = frame[:, :3, :3] @ np.array(key.wrist) + frame[:, :3, 3]
        turns[k] = frame[:, :3, :3] @ rotation
    weights = _hat_weights(np.array([key.time for key in keys]), dense)
    angles = np.array([SHAPES[key.shape].vector() for key in keys])
    return (
        np.einsum("dk,kdi->di", weights, wrists),
        nearest_rotation(np.einsum("dk,kdij->dij", weights, turns)),
        weights @ angles,
    )


def _hat_weights(nodes: np.ndarray, times: np.ndarray) -> np.ndarray:
    return np.stack([np.interp(times, nodes, row) for row in np.eye(len(nodes))], axis=1)


def _with_waves(
    arm: Arm, waves: tuple[Wave, ...], dense: np.ndarray, turns: np.ndarray, angles: np.ndarray, step: float
) -> tuple[np.ndarray, np.ndarray]:
    axes = {"fingers": arm.fingers, "palm": arm.palm, "thumb": arm.thumb}
    for wave in waves:
        window = smooth(((dense >= wave.start) & (dense <= wave.end)).astype(float)[:, None], 0.1 / step)[:, 0]
        swing = window * wave.degrees * np.sin(2 * np.pi * wave.hertz * (dense - wave.start))
        if wave.about == "curl":
            angles = angles + swing[:, None] * _CURL_SHARE
        else:
            turns = turns @ axis_angle(np.deg2rad(swing)[:, None] * axes[wave.about])
    return turns, angles


# how much of a curl wave each angle of ``HandShape.vector`` takes
_CURL_SHARE = np.array([1.0, 1.1, 0.6] * 4 + [0.3, 0.0, 0.3, 0.3, 0.0])
