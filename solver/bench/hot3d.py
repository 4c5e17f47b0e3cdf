"""Truth out of HOT3D-Clips (Banerjee et al. 2024), for who has it and MANO's files: ``solver.bench.hot3d CLIP OUT``.

Its layout, per clip a ``clip-001849.tar`` with, per frame, ``000000.cameras.json`` (by stream: ``calibration`` with
``projection_params``, ``T_world_from_camera``), ``000000.hands.json`` (by side: ``mano_pose`` with 15 ``thetas`` of
MANO's PCA and ``wrist_xform``, the rotation vector and transl that smplx takes), ``000000.image_214-1.jpg``; and once
``__hand_shapes.json__`` (``mano``: betas of both hands).

Its lenses are fisheyes (FISHEYE624). The clip is made straight: images of a pinhole camera are written to OUT. Aria's
colour camera lies on its side; its clips are turned upright. Which joints are hidden it does not tell.
"""

from __future__ import annotations

import argparse
import json
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ..errors import SolverError
from ..hand_model import loading
from ..hand_model.model import HandModel
from ..hand_model.rotations import matrix_from_quaternion
from .conversion import Pinhole, hand, straightened, write_clip, write_image
from .truth import SIDES

FRAME_RATE = (30, 1)
COLOUR_STREAM = "214-1"
_SHAPES = "__hand_shapes.json__"
# what a camera that is turned a quarter to the right sees at its x, y, z is at these of the one on its side
_UPRIGHT = np.array([[0.0, 1, 0], [-1, 0, 0], [0, 0, 1]])


def convert(
    archive: Path, out: Path, models: dict[str, HandModel], stream: str = COLOUR_STREAM, degrees: float = 80.0
) -> None:
    """Write the clip's straight images, ``truth.npz``, ``camera.npz`` and ``source.json`` to ``out``.

    Args:
        stream: whose images. degrees: horizontal field of view of the pinhole camera.

    Raises:
        SolverError: ``bench-no-truth``: the clip has no hands (those of the test split are withheld) or no such stream.
    """
    with tarfile.open(archive) as tar:
        names = set(tar.getnames())
        keys = sorted(name.split(".")[0] for name in names if name.endswith(".hands.json"))
        if not keys or _SHAPES not in names or f"{keys[0]}.image_{stream}.jpg" not in names:
            raise SolverError(
                "bench-no-truth",
                f"{archive.name} has no hand poses, no hand shapes or no images of stream {stream}.",
                "Choose a clip of the training split, or another stream.",
            )
        betas = np.array(_json(tar, _SHAPES)["mano"], float)
        first = _json(tar, f"{keys[0]}.cameras.json")[stream]["calibration"]
        lens, turned = np.array(first["projection_params"], float), stream == COLOUR_STREAM
        camera = _pinhole(first, degrees, turned)
        poses, vectors, transl = [], [], []
        for key, image, cameras, hands in _frames(tar, keys, stream):
            poses.append(_pose(cameras[stream]["T_world_from_camera"], turned))
            pose = [_hand_pose(hands.get(side), models[side]) for side in SIDES]
            vectors.append([p[0] for p in pose])
            transl.append([p[1] for p in pose])
            write_image(out / "frames" / f"{key}.jpg", straightened(image, fisheye624(_rays(camera, turned), lens)))
    parts = [hand(models[s], betas, np.array(vectors)[:, k], np.array(transl)[:, k]) for k, s in enumerate(SIDES)]
    keypoints, vertices = (np.stack([part[k] for part in parts], axis=1) for k in range(2))
    frames, about = np.array([int(key) for key in keys]), f"HOT3D, {archive.stem}, stream {stream}"
    write_clip(out, out / "frames", about, frames, FRAME_RATE, camera, np.array(poses), keypoints, vertices, models)


def fisheye624(rays: np.ndarray, parameters: np.ndarray) -> np.ndarray:
    """(..., 2) px, pixel centres at half-integers, of rays (..., 3), z forward.

    Parameters: f (or fx fy) cx cy, six radial, two tangential, four of a thin prism; the radius is the angle from the
    axis. Project Aria's documentation of its FISHEYE624 model; pixel centres there are at whole numbers.
    """
    parameters = np.concatenate([parameters[:1], parameters]) if len(parameters) == 15 else parameters
    (fx, fy, cx, cy), radial, (p0, p1), (s0, s1, s2, s3) = np.split(parameters, [4, 10, 12])
    across = np.linalg.norm(rays[..., :2], axis=-1)
    angle = np.arctan2(across, rays[..., 2])
    growth = 1 + sum(k * angle ** (2 * n + 2) for n, k in enumerate(radial))
    u, v = np.moveaxis(rays[..., :2] * (angle * growth / np.maximum(across, 1e-12))[..., None], -1, 0)
    r2 = u * u + v * v
    x = u + 2 * p1 * u * v + p0 * (r2 + 2 * u * u) + s0 * r2 + s1 * r2 * r2
    y = v + 2 * p0 * u * v + p1 * (r2 + 2 * v * v) + s2 * r2 + s3 * r2 * r2
    return np.stack([fx * x + cx, fy * y + cy], axis=-1) + 0.5


def _pinhole(calibration: dict[str, Any], degrees: float, turned: bool) -> Pinhole:
    size = (calibration["image_width"], calibration["image_height"])
    width, height = size[::-1] if turned else size
    focal = width / 2 / np.tan(np.deg2rad(degrees) / 2)
    return Pinhole(np.array([focal, focal, width / 2, height / 2]), (width, height))


def _rays(camera: Pinhole, turned: bool) -> np.ndarray:
    """Of the straight picture, in the frame of the camera that took it."""
    return camera.rays() @ _UPRIGHT.T if turned else camera.rays()


def _pose(transform: dict[str, Any], turned: bool) -> np.ndarray:
    """(4, 4) world from the straight picture's camera."""
    pose = np.eye(4)
    pose[:3, :3] = matrix_from_quaternion(np.array(transform["quaternion_wxyz"], float))
    pose[:3, 3] = transform["translation_xyz"]
    if turned:
        pose[:3, :3] = pose[:3, :3] @ _UPRIGHT
    return pose


def _hand_pose(entry: dict[str, Any] | None, model: HandModel) -> tuple[np.ndarray, np.ndarray]:
    """Whole pose (16, 3) as rotation vectors, and transl (3,); NaN where there is none."""
    if not entry or "mano_pose" not in entry:
        return np.full((16, 3), np.nan), np.full(3, np.nan)
    wrist = np.array(entry["mano_pose"]["wrist_xform"], float).ravel()
    thetas = np.array(entry["mano_pose"]["thetas"], float).ravel()
    fingers = model.hands_mean + thetas @ model.hands_components[: len(thetas)]
    return np.concatenate([wrist[:3], fingers]).reshape(16, 3), wrist[3:6]


def _frames(
    tar: tarfile.TarFile, keys: list[str], stream: str
) -> Iterator[tuple[str, np.ndarray, dict[str, Any], dict[str, Any]]]:
    """Key, BGR image, cameras and hands of each frame."""
    for key in keys:
        content = np.frombuffer(tar.extractfile(f"{key}.image_{stream}.jpg").read(), np.uint8)
        image = cv2.imdecode(content, cv2.IMREAD_COLOR)
        yield key, image, _json(tar, f"{key}.cameras.json"), _json(tar, f"{key}.hands.json")


def _json(tar: tarfile.TarFile, name: str) -> dict[str, Any]:
    return json.loads(tar.extractfile(name).read())


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m solver.bench.hot3d", description="Truth out of HOT3D-Clips.")
    parser.add_argument("archive", type=Path, help="for example train_aria/clip-001849.tar")
    parser.add_argument("out", type=Path, help="a clip folder, for python -m solver.bench --clips")
    parser.add_argument("--stream", default=COLOUR_STREAM, help="214-1 is Aria's colour camera, 1201-1 a grey one")
    parser.add_argument("--fov", type=float, default=80.0, metavar="DEGREES", help="horizontal, of the straight images")
    parser.add_argument("--mano", type=Path, required=True, metavar="FOLDER", help="with MANO_LEFT.pkl, MANO_RIGHT.pkl")
    options = parser.parse_args(arguments)
    try:
        convert(options.archive, options.out, loading.load_pair(options.mano), options.stream, options.fov)
    except SolverError as error:
        print(f"error ({error.code}): {error.sentence}\n  {error.repair}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
