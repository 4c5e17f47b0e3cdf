"""Truth out of the H2O data set (Kwon et al. 2021), for who has it: ``python -m solver.bench.h2o SEQUENCE/cam4 OUT``.

Its layout, per camera folder: ``rgb/000000.png`` ..., ``cam_pose/000000.txt`` (16 numbers, world from camera),
``hand_pose/000000.txt`` (per hand, left then right: 1 if annotated, then 21 x 3 metres in the camera's frame),
``cam_intrinsics.txt`` (fx fy cx cy width height). What it can't tell: which joints are occluded; all that lie in the
frame count as visible. The images stay where they are.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from .conversion import Pinhole, write_clip

FRAME_RATE = (30, 1)
_NUMBERS_PER_HAND = 1 + 21 * 3


def convert(folder: Path, out: Path, first: int | None = None, last: int | None = None) -> None:
    """Write ``truth.npz``, ``camera.npz`` and ``source.json`` to ``out`` for frames ``first`` to ``last`` (all)."""
    numbers = sorted(int(path.stem) for path in (folder / "hand_pose").glob("*.txt"))
    numbers = [n for n in numbers if (first is None or n >= first) and (last is None or n <= last)]
    poses = np.stack([np.loadtxt(folder / "cam_pose" / f"{n:06d}.txt").reshape(4, 4) for n in numbers])
    local = _hands(np.stack([np.loadtxt(folder / "hand_pose" / f"{n:06d}.txt").ravel() for n in numbers]))
    fx, fy, cx, cy, width, height = np.loadtxt(folder / "cam_intrinsics.txt").ravel()
    intrinsics = np.array([fx, fy, cx + 0.5, cy + 0.5])  # its pixel centres are at whole numbers, ours at halves
    world = np.einsum("tij,thkj->thki", poses[:, :3, :3], local) + poses[:, None, None, :3, 3]
    camera = Pinhole(intrinsics, (int(width), int(height)))
    about = f"H2O, {'/'.join(folder.parts[-4:])}"
    write_clip(out, folder / "rgb", about, np.array(numbers), FRAME_RATE, camera, poses, world)


def _hands(rows: np.ndarray) -> np.ndarray:
    """(T, 2, 21, 3) in the camera's frame, NaN where not annotated."""
    hands = rows.reshape(len(rows), 2, _NUMBERS_PER_HAND)
    annotated = hands[..., 0] > 0.5
    return np.where(annotated[..., None, None], hands[..., 1:].reshape(len(rows), 2, 21, 3), np.nan)


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m solver.bench.h2o", description="Truth out of the H2O data set.")
    parser.add_argument("camera", type=Path, help="for example subject4/h1/0/cam4")
    parser.add_argument("out", type=Path, help="a clip folder, for python -m solver.bench")
    parser.add_argument("--frames", nargs=2, type=int, default=(None, None), metavar=("FIRST", "LAST"))
    options = parser.parse_args(arguments)
    convert(options.camera, options.out, *options.frames)


if __name__ == "__main__":
    main(sys.argv[1:])
