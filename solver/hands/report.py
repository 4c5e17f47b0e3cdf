"""Measures the tracker on a clip and draws what it saw: ``python -m solver.hands.report CLIP --out SHEET.png``."""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from ..observations import HandTrack
from ..video import Clip, open_clip
from . import track

_BONES = [(0, 1), (0, 5), (5, 9), (9, 13), (13, 17), (0, 17)] + [
    (i, i + 1) for finger in range(5) for i in range(4 * finger + 1, 4 * finger + 4)
]
_COLOURS = {"left": (255, 120, 40), "right": (60, 200, 60)}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clip")
    parser.add_argument(
        "--frames", help="frames of the sheet, comma-separated, or a count to spread evenly", default="24"
    )
    parser.add_argument("--out", type=Path, help="sheet.png")
    parser.add_argument("--columns", type=int, default=4)
    parser.add_argument("--width", type=int, default=640)
    args = parser.parse_args(arguments)
    clip = open_clip(args.clip)
    started = time.process_time()
    steps = track(clip)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            tracks = end.value
            break
    seconds = time.process_time() - started
    sys.stdout.write(f"{len(clip)} frames, {1e3 * seconds / len(clip):.1f} CPU ms per frame\n")
    for i, t in enumerate(tracks):
        sys.stdout.write(
            f"{i}: {t.side} odds {t.side_log_odds:.1f} frames {t.frames[0]}..{t.frames[-1]} n {len(t.frames)} "
            f"presence {t.presence.mean():.2f} size {np.median(t.hand_size_px()):.0f}\n"
        )
    if args.out:
        cv2.imwrite(str(args.out), sheet(clip, tracks, chosen(clip, args.frames), args.columns, args.width)[..., ::-1])
    return 0


def chosen(clip: Clip, text: str) -> list[int]:
    if "," in text:
        return [int(part) for part in text.split(",")]
    return [int(f) for f in np.linspace(clip.first_frame, clip.last_frame, int(text)).round()]


def sheet(clip: Clip, tracks: list[HandTrack], numbers: list[int], columns: int, width: int) -> np.ndarray:
    cells = []
    for number, image in clip.frames():
        if number in numbers:
            cells.append(_cell(draw(image, tracks, number), number, width))
    blank = np.zeros_like(cells[0])
    rows = math.ceil(len(cells) / columns)
    cells += [blank] * (rows * columns - len(cells))
    return np.vstack([np.hstack(cells[r * columns : (r + 1) * columns]) for r in range(rows)])


def _cell(image: np.ndarray, number: int, width: int) -> np.ndarray:
    small = cv2.resize(image, (width, round(image.shape[0] * width / image.shape[1])), interpolation=cv2.INTER_AREA)
    return cv2.putText(small, str(number), (6, 22), cv2.FONT_HERSHEY_SIMPLEX, 0.7, (255, 255, 0), 2)


def draw(image: np.ndarray, tracks: list[HandTrack], number: int) -> np.ndarray:
    canvas = image.copy()
    thick = max(1, round(max(image.shape) / 500))
    for name, hand in enumerate(tracks):
        for points, presence in zip(
            hand.landmarks_px[hand.frames == number], hand.presence[hand.frames == number], strict=True
        ):
            pixel = np.round(points - 0.5).astype(int)
            for a, b in _BONES:
                cv2.line(canvas, pixel[a].tolist(), pixel[b].tolist(), _COLOURS[hand.side], thick, cv2.LINE_AA)
            for p in pixel:
                cv2.circle(canvas, p.tolist(), thick + 1, (255, 255, 255), -1)
            label = f"{name}{hand.side[0].upper()} {presence:.2f}"
            cv2.putText(
                canvas,
                label,
                pixel.min(axis=0).tolist(),
                cv2.FONT_HERSHEY_SIMPLEX,
                0.5 * thick,
                _COLOURS[hand.side],
                thick,
            )
    return canvas


if __name__ == "__main__":
    raise SystemExit(main())
