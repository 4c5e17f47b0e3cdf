"""Measures the initial fit on a clip and draws it: ``python -m solver.initialise.report CLIP [--out SHEET.png]``."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from ..camera.cameras import project
from ..camera.static import assume
from ..hand_model import HandModel, load_pair, rotations
from ..hands import track
from ..observations import HandTrack
from ..overlay.draw import Surface, paint
from ..video import Clip, open_clip
from . import FitOptions, InitialMotion, collect, fit_tracks
from .starts import MODE_NAMES

_COLOURS = {"left": (70, 170, 255), "right": (255, 160, 70)}
_COLUMNS, _CELL_PX = 3, 640
_JUMP_DEG = 45.0  # between neighbouring frames: a flip, or a very fast hand


def main(arguments: Sequence[str] | None = None) -> int:
    options = _arguments(arguments)
    clip = open_clip(options.clip)
    intrinsics = assume(len(clip), clip.size, options.focal).intrinsics
    models = load_pair(options.model)
    tracks = _tracks(clip)
    started = time.process_time()
    motions = collect(fit_tracks(tracks, models, intrinsics, FitOptions(hand_length_m=options.hand_length)))
    spent = time.process_time() - started
    for motion in motions.values():
        sys.stdout.write(_described(motion) + "\n")
    sys.stdout.write(_summary(list(motions.values()), spent) + "\n")
    if options.out:
        _write_sheet(clip, tracks, motions, models, intrinsics, options.sheet, options.out)
    return 0


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clip")
    parser.add_argument("--focal", type=float, help="px; else a usual lens is assumed")
    parser.add_argument("--hand-length", type=float, help="metres, wrist to middle fingertip")
    parser.add_argument("--model", default="auto")
    parser.add_argument("--sheet", type=int, default=12, help="number of frames on the sheet")
    parser.add_argument("--out", type=Path, help="PNG: plates with the fitted meshes and the tracked landmarks")
    return parser.parse_args(arguments)


def _tracks(clip: Clip) -> list[HandTrack]:
    progress = track(clip)
    while True:
        try:
            next(progress)
        except StopIteration as end:
            return end.value


def _described(motion: InitialMotion) -> str:
    turned = np.degrees(rotations.angle_between(motion.rotations[:-1, 0], motion.rotations[1:, 0]))
    together = np.diff(motion.frames) == 1
    depth = motion.wrist[:, 2]
    modes = np.bincount(motion.mode, minlength=len(MODE_NAMES))
    chosen = " ".join(f"{name} {count}" for name, count in zip(MODE_NAMES, modes, strict=True))
    return (
        f"{motion.side:<5} {len(motion):4d} frames  error {100 * np.median(motion.error_relative):.2f} % of hand size"
        f" ({np.median(motion.error_px):.1f} px)  depth {np.median(depth):.3f} m, spread {depth.std():.3f},"
        f" step {1e3 * np.median(np.abs(np.diff(depth))) if len(depth) > 1 else 0:.1f} mm"
        f"  jumps {int((turned[together] > _JUMP_DEG).sum())}  confidence {motion.confidence.mean():.2f}  from {chosen}"
    )


def _summary(motions: list[InitialMotion], spent: float) -> str:
    if not motions:
        return "no hands"
    errors = np.concatenate([motion.error_relative for motion in motions])
    low, middle, high = 100 * np.quantile(errors, [0.1, 0.5, 0.9])
    return (
        f"{len(errors)} hand frames: reprojection against the calibrated landmarks median {middle:.2f} % of hand size"
        f" (10 % {low:.2f}, 90 % {high:.2f}); {1e3 * spent / len(errors):.1f} CPU ms per hand frame"
    )


def _write_sheet(
    clip: Clip,
    tracks: Sequence[HandTrack],
    motions: dict[int, InitialMotion],
    models: dict[str, HandModel],
    intrinsics: np.ndarray,
    count: int,
    path: Path,
) -> None:
    with_hands = np.unique(np.concatenate([motion.frames for motion in motions.values()] or [np.zeros(0, int)]))
    wanted = set(with_hands[np.linspace(0, len(with_hands) - 1, count).astype(int)].tolist()) if len(with_hands) else ()
    cells = []
    for number, image in clip.frames():
        if number not in wanted:
            continue
        surfaces, landmarks = [], []
        for index, motion in motions.items():
            for row in np.flatnonzero(motion.frames == number):
                posed = models[motion.side].with_shape(motion.betas).pose(motion.rotations[row], motion.transl[row])
                faces = models[motion.side].watertight_faces
                surfaces.append(Surface(posed.vertices(), faces, _COLOURS[motion.side]))
                landmarks.append((tracks[index].landmarks_px[row], project(posed.keypoints, intrinsics)))
        cells.append(_cell(image, paint(image, surfaces, intrinsics), landmarks, number))
    if cells:
        cells += [np.zeros_like(cells[0])] * (-len(cells) % _COLUMNS)
        rows = [np.hstack(cells[i : i + _COLUMNS]) for i in range(0, len(cells), _COLUMNS)]
        path.write_bytes(cv2.imencode(".png", np.vstack(rows)[..., ::-1])[1].tobytes())


def _cell(plate: np.ndarray, painted: np.ndarray, landmarks: list, number: int) -> np.ndarray:
    """Plate and painting side by side, cropped to the hands."""
    points = np.concatenate([seen for seen, _ in landmarks])
    middle, reach = (points.min(0) + points.max(0)) / 2, np.ptp(points, axis=0).max() * 0.75
    for seen, _ in landmarks:
        for x, y in seen:
            cv2.circle(painted, (round(x), round(y)), max(1, round(reach / 120)), (0, 230, 0), -1)
    side = 2 * int(reach)
    to_cell = np.array([[1, 0, side / 2 - middle[0]], [0, 1, side / 2 - middle[1]]]) * (_CELL_PX / 2 / side)
    both = [cv2.warpAffine(image, to_cell, (_CELL_PX // 2, _CELL_PX // 2)) for image in (plate, painted)]
    cell = np.hstack(both)
    cv2.putText(cell, str(number), (6, 18), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (255, 60, 60), 1)
    return cell


if __name__ == "__main__":
    sys.exit(main())
