"""From rendered frames to a recording: lens distortion, low light and sensor noise, then an H.264 file."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from .clips import ClipSpec, Nuisance
from .scene import render_size


def develop(folder: Path, spec: ClipSpec, target: Path) -> None:
    """Encode ``folder/frames`` as ``target`` with the faults of ``spec.nuisance``; the same bytes on every run."""
    rng = np.random.default_rng(spec.seed)
    bend = distortion_map(spec)
    with av.open(str(target), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(*spec.frame_rate))
        stream.width, stream.height = spec.size
        stream.pix_fmt = "yuv420p"
        stream.codec_context.thread_count = 1
        stream.options = {"crf": str(spec.nuisance.crf), "preset": "slow"}
        for number in range(spec.frame_count):
            image = cv2.imread(str(folder / "frames" / f"{number:05d}.png"), cv2.IMREAD_COLOR)
            if bend is not None:
                image = cv2.remap(image, *bend, cv2.INTER_LANCZOS4)
            frame = av.VideoFrame.from_ndarray(exposed(image, spec.nuisance, rng), format="bgr24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def distortion_map(spec: ClipSpec) -> tuple[np.ndarray, np.ndarray] | None:
    """Where each pixel of the distorted clip lies in the (wider) rendered pinhole image, OpenCV's pixel coordinates."""
    if not (spec.nuisance.k1 or spec.nuisance.k2):
        return None
    fx, fy, cx, cy = spec.intrinsics
    u, v = np.meshgrid(np.arange(spec.size[0]) + 0.5, np.arange(spec.size[1]) + 0.5)
    distorted = np.stack([(u - cx) / fx, (v - cy) / fy], axis=-1)
    straight = undistort(distorted, spec.nuisance)
    wide = render_size(spec)
    return (
        (straight[..., 0] * fx + wide[0] / 2 - 0.5).astype(np.float32),
        (straight[..., 1] * fy + wide[1] / 2 - 0.5).astype(np.float32),
    )


def distort(points: np.ndarray, nuisance: Nuisance) -> np.ndarray:
    """(..., 2) pinhole image coordinates (at focal length one) to distorted ones."""
    r2 = (points**2).sum(axis=-1, keepdims=True)
    return points * (1 + nuisance.k1 * r2 + nuisance.k2 * r2**2)


def undistort(points: np.ndarray, nuisance: Nuisance) -> np.ndarray:
    """The inverse of ``distort``, by fixed-point iteration."""
    straight = points
    for _ in range(30):
        r2 = (straight**2).sum(axis=-1, keepdims=True)
        straight = points / (1 + nuisance.k1 * r2 + nuisance.k2 * r2**2)
    return straight


def exposed(image: np.ndarray, nuisance: Nuisance, rng: np.random.Generator) -> np.ndarray:
    """(H, W, 3) uint8 as a sensor would give it: darker in low light, with the noise of a raised gain."""
    values = image.astype(np.float32)
    noise = nuisance.noise
    if nuisance.light < 1:
        values = 255 * (values / 255) ** 1.1 * nuisance.light**0.6
        noise = nuisance.noise + 2.2 * (1 / nuisance.light - 1) ** 0.5 * (0.4 + np.sqrt(values / 255))
    grain = rng.standard_normal(values.shape, dtype=np.float32)
    return np.clip(values + noise * grain, 0, 255).round().astype(np.uint8)
