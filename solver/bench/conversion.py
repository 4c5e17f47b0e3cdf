"""What loaders of real data sets have in common: hands by MANO's parameters, lenses made straight, a clip's folder."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from ..camera.cameras import project
from ..hand_model.layout import KEYPOINT_NODES, TIP_VERTICES
from ..hand_model.model import HandModel
from ..hand_model.rotations import exp
from .truth import OUTSIDE, SIDES, VISIBLE

JPEG_QUALITY = 95


@dataclass(frozen=True)
class Pinhole:
    """The camera that a clip is brought to: ``intrinsics`` (4,) px, pixel centres at half-integers; ``size`` px."""

    intrinsics: np.ndarray
    size: tuple[int, int]

    def rays(self) -> np.ndarray:
        """(H, W, 3) through the pixels' centres, z = 1."""
        fx, fy, cx, cy = self.intrinsics
        u, v = np.meshgrid(np.arange(self.size[0]) + 0.5, np.arange(self.size[1]) + 0.5)
        return np.stack([(u - cx) / fx, (v - cy) / fy, np.ones_like(u)], axis=-1)


def straightened(image: np.ndarray, where: np.ndarray) -> np.ndarray:
    """A picture sampled at ``where`` (H, W, 2) px, pixel centres at half-integers; black outside."""
    x, y = np.moveaxis(where.astype(np.float32) - 0.5, -1, 0)
    return cv2.remap(image, x, y, cv2.INTER_LINEAR)


def write_image(path: Path, image: np.ndarray) -> None:
    """BGR, as a JPEG of high quality."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _, encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    path.write_bytes(encoded.tobytes())


def hand(
    model: HandModel, betas: np.ndarray, rotation_vectors: np.ndarray, transl: np.ndarray
) -> tuple[np.ndarray, ...]:
    """Keypoints (T, 21, 3), tips on the skin, and vertices (T, V, 3) of whole poses (T, 16, 3); NaN where those are."""
    there = np.isfinite(rotation_vectors).all(axis=(1, 2))
    keypoints, vertices = np.full((len(there), 21, 3), np.nan), np.full((len(there), len(model.v_template), 3), np.nan)
    if there.any():
        posed = model.with_shape(betas).pose(exp(rotation_vectors[there]), transl[there])
        vertices[there] = posed.vertices()
        nodes = np.concatenate([posed.joints, vertices[there][:, list(TIP_VERTICES)]], axis=1)
        keypoints[there] = nodes[:, list(KEYPOINT_NODES)]
    return keypoints, vertices


def write_clip(
    out: Path,
    source: Path,
    about: str,
    frames: np.ndarray,
    frame_rate: tuple[int, int],
    camera: Pinhole,
    world_from_camera: np.ndarray,
    keypoints: np.ndarray,
    vertices: np.ndarray | None = None,
    models: dict[str, HandModel] | None = None,
) -> None:
    """``truth.npz``, ``camera.npz`` and ``source.json``, as ``clips.load`` takes them.

    Args:
        source: the folder of images.
        frames: (T,) their numbers. world_from_camera: (T, 4, 4).
        keypoints: (T, 2, 21, 3) world, NaN where not annotated. What lies in the frame counts as visible: these data
            sets do not say which joints are hidden.
        vertices: (T, 2, V, 3) with the faces of ``models``, if there are any.
    """
    local = np.einsum(
        "tji,thkj->thki", world_from_camera[:, :3, :3], keypoints - world_from_camera[:, None, None, :3, 3]
    )
    px = project(np.where(local[..., 2:] > 0.01, local, np.nan), camera.intrinsics)
    inside = ((px >= 0) & (px < list(camera.size))).all(axis=-1)
    shared = {"frames": frames, "world_from_camera": world_from_camera, "intrinsics": camera.intrinsics}
    meshes = {}
    if vertices is not None:
        meshes = {"vertices": vertices.astype(np.float32), "faces": np.stack([models[side].faces for side in SIDES])}
    out.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        out / "truth.npz",
        frame_rate=np.array(frame_rate),
        size=np.array(camera.size, int),
        keypoints=keypoints,
        keypoints_px=px,
        visibility=np.where(inside, VISIBLE, OUTSIDE).astype(np.uint8),
        **shared,
        **meshes,
    )
    np.savez_compressed(out / "camera.npz", **shared)
    (out / "source.json").write_text(json.dumps({"source": str(source.resolve()), "about": about}), encoding="utf-8")
