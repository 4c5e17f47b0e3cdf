"""Truth out of ARCTIC (Fan et al. 2023), for who has it and MANO's files: ``solver.bench.arctic DATA s01/NAME OUT``.

Its layout under ``DATA`` (``arctic_data/data``):

- ``raw_seqs/s01/NAME.mano.npy``: by side ``rot`` (T, 3), ``pose`` (T, 45) with MANO's mean still to be added, ``trans``
  (T, 3), ``shape`` (10,);
- ``raw_seqs/s01/NAME.egocam.dist.npy``: ``R_k_cam_np`` (T, 3, 3) and ``T_k_cam_np`` (T, 3, 1) camera from world,
  ``intrinsics`` (3, 3), ``dist8`` OpenCV's rational distortion;
- ``images/s01/NAME/VIEW/00001.jpg``, of which image n shows frame n - ``ioi_offset``; view 0 is worn on the head;
- ``meta/misc.json``: by subject ``ioi_offset``, and of the standing cameras 1 to 8 ``intris_mat`` and ``world2cam``.

The head-worn camera's images are made straight and written to OUT, the others stay where they are. Which joints are
hidden it does not tell. The first and last ten frames may be black and are left out, as its authors do.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ..errors import SolverError
from ..formats import containers
from ..hand_model import loading
from ..hand_model.model import HandModel
from .conversion import Pinhole, hand, straightened, write_clip, write_image
from .truth import SIDES

FRAME_RATE = (30, 1)
HEAD_WORN = 0
_LEFT_OUT = 10


def convert(
    data: Path,
    sequence: str,
    out: Path,
    models: dict[str, HandModel],
    view: int = HEAD_WORN,
    first: int | None = None,
    last: int | None = None,
) -> None:
    """Write a clip of images ``first`` to ``last`` (all) of one view to ``out``.

    Raises:
        SolverError: ``bench-no-truth``: no image of the view has a truth; ``result-not-readable``: a file is missing.
    """
    subject = sequence.split("/")[0]
    misc = json.loads((data / "meta" / "misc.json").read_text(encoding="utf-8"))[subject]
    mano = containers.read(data / "raw_seqs" / f"{sequence}.mano.npy")
    images = _images(data / "images" / sequence / str(view), first, last)
    offset, count = int(misc["ioi_offset"]), len(mano["right"]["rot"])
    images = {n: path for n, path in images.items() if _LEFT_OUT <= n - offset < count - _LEFT_OUT}
    if not images:
        raise SolverError(
            "bench-no-truth", f"{sequence} has no images of view {view} with a truth.", "Choose another view or range."
        )
    numbers = np.array(list(images))
    rows = numbers - offset
    source = data / "images" / sequence / str(view)
    if view == HEAD_WORN:
        camera, poses = _straight(data, sequence, images, rows, out)
        source = out / "frames"
    else:
        camera, poses = _standing(misc, view, images[numbers[0]], len(rows))
    parts = [_hand(mano[side], models[side], rows) for side in SIDES]
    keypoints, vertices = (np.stack([part[k] for part in parts], axis=1) for k in range(2))
    about = f"ARCTIC, {sequence}, view {view}"
    write_clip(out, source, about, numbers, FRAME_RATE, camera, poses, keypoints, vertices, models)


def _images(folder: Path, first: int | None, last: int | None) -> dict[int, Path]:
    numbered = {int(path.stem): path for path in sorted(folder.glob("*.jpg")) if path.stem.isdigit()}
    return {n: p for n, p in numbered.items() if (first is None or n >= first) and (last is None or n <= last)}


def _hand(mano: dict[str, Any], model: HandModel, rows: np.ndarray) -> tuple[np.ndarray, ...]:
    vectors = np.concatenate(
        [np.asarray(mano["rot"], float), np.asarray(mano["pose"], float) + model.hands_mean], axis=1
    )
    betas = np.asarray(mano["shape"], float).reshape(-1, 10)[0]
    return hand(model, betas, vectors[rows].reshape(-1, 16, 3), np.asarray(mano["trans"], float)[rows])


def _straight(
    data: Path, sequence: str, images: dict[int, Path], rows: np.ndarray, out: Path
) -> tuple[Pinhole, np.ndarray]:
    """The head-worn camera without its distortion: what it is, and its poses (T, 4, 4). Writes its images."""
    ego = containers.read(data / "raw_seqs" / f"{sequence}.egocam.dist.npy")
    matrix, distortion = np.asarray(ego["intrinsics"], float), np.ravel(np.asarray(ego["dist8"], float))
    camera = _pinhole(matrix, next(iter(images.values())))
    rays = camera.rays()
    where = cv2.projectPoints(rays.reshape(-1, 3), np.zeros(3), np.zeros(3), matrix, distortion)[0]
    where = where.reshape(*rays.shape[:2], 2) + 0.5  # OpenCV's pixel centres are at whole numbers
    for number, path in images.items():
        write_image(out / "frames" / f"{number:05d}.jpg", straightened(cv2.imread(str(path)), where))
    turn, step = (np.asarray(ego[name], float)[rows] for name in ("R_k_cam_np", "T_k_cam_np"))
    return camera, _inverse(turn, step.reshape(-1, 3))


def _standing(misc: dict[str, Any], view: int, image: Path, count: int) -> tuple[Pinhole, np.ndarray]:
    pose = np.asarray(misc["world2cam"], float)[view - 1]
    poses = _inverse(np.repeat(pose[None, :3, :3], count, axis=0), np.repeat(pose[None, :3, 3], count, axis=0))
    return _pinhole(np.asarray(misc["intris_mat"], float)[view - 1], image), poses


def _pinhole(matrix: np.ndarray, image: Path) -> Pinhole:
    height, width = cv2.imread(str(image)).shape[:2]
    focal_and_centre = np.array([matrix[0, 0], matrix[1, 1], matrix[0, 2] + 0.5, matrix[1, 2] + 0.5])
    return Pinhole(focal_and_centre, (width, height))


def _inverse(turn: np.ndarray, step: np.ndarray) -> np.ndarray:
    """(T, 4, 4) world from camera of camera from world."""
    poses = np.tile(np.eye(4), (len(turn), 1, 1))
    poses[:, :3, :3] = np.swapaxes(turn, 1, 2)
    poses[:, :3, 3] = -np.einsum("tji,tj->ti", turn, step)
    return poses


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m solver.bench.arctic", description="Truth out of ARCTIC.")
    parser.add_argument("data", type=Path, help="arctic_data/data")
    parser.add_argument("sequence", help="for example s05/box_use_01")
    parser.add_argument("out", type=Path, help="a clip folder, for python -m solver.bench --clips")
    parser.add_argument("--view", type=int, default=HEAD_WORN, help="0 (default) is worn on the head, 1 to 8 stand")
    parser.add_argument("--frames", nargs=2, type=int, default=(None, None), metavar=("FIRST", "LAST"))
    parser.add_argument("--mano", type=Path, required=True, metavar="FOLDER", help="with MANO_LEFT.pkl, MANO_RIGHT.pkl")
    options = parser.parse_args(arguments)
    try:
        models = loading.load_pair(options.mano)
        convert(options.data, options.sequence, options.out, models, options.view, *options.frames)
    except SolverError as error:
        print(f"error ({error.code}): {error.sentence}\n  {error.repair}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
