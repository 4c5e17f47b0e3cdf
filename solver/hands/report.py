"""Measures the tracker on a clip and draws what it saw: ``python -m solver.hands.report CLIP --out SHEET.png``.

Prints coverage per hand and CPU time per frame by part; the sheet is for looking.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from ..observations import HandTrack
from ..video import Clip, open_clip
from .assemble import assemble
from .landmarks import BONES
from .tracker import Tracker

_COLOURS = {"left": (255, 120, 40), "right": (60, 200, 60)}


@dataclass(frozen=True)
class Cost:
    """CPU milliseconds per frame: ``total`` of all, and what of it went into decoding and the two networks."""

    total: float
    decoding: float
    palms: float
    palm_calls: float
    landmarks: float
    landmark_calls: float

    def __str__(self) -> str:
        return (
            f"{self.total:.1f} CPU ms per frame: decoding {self.decoding:.1f} (measured apart), "
            f"palm network {self.palms:.1f} ({self.palm_calls:.2f} calls), "
            f"landmark network {self.landmarks:.1f} ({self.landmark_calls:.2f} calls)"
        )


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m solver.hands.report", description="Measure the hand tracker.")
    parser.add_argument("clip")
    parser.add_argument("--frames", default="24", help="frames on the sheet: numbers with commas, or how many")
    parser.add_argument("--out", type=Path, help="the sheet, a PNG")
    parser.add_argument("--columns", type=int, default=4)
    parser.add_argument("--width", type=int, default=640, help="of one picture, px")
    args = parser.parse_args(arguments)
    cv2.setNumThreads(1)
    clip = open_clip(args.clip)
    tracks, cost = measure(clip)
    sys.stdout.write(f"{len(clip)} frames {clip.size[0]}x{clip.size[1]}, {cost}\n")
    for index, hand in enumerate(tracks):
        sys.stdout.write(describe(index, hand, clip) + "\n")
    if args.out:
        picture = sheet(clip, tracks, chosen(clip, args.frames), args.columns, args.width)
        args.out.write_bytes(cv2.imencode(".png", picture[..., ::-1])[1].tobytes())
    return 0


def measure(clip: Clip) -> tuple[list[HandTrack], Cost]:
    """Tracks of ``clip`` and what they cost, decoding included."""
    started = time.process_time()
    tracker = Tracker(clip)
    for _ in tracker.forward():
        pass
    for _ in tracker.backward():
        pass
    tracks = assemble(tracker.trails, clip.size)
    total = time.process_time() - started
    started = time.process_time()
    for _ in clip.frames():
        pass
    decoding = time.process_time() - started
    palm, landmark = tracker.follower.palms.network, tracker.follower.landmarks.network
    per_frame = 1e3 / len(clip)
    return tracks, Cost(
        total * per_frame,
        decoding * per_frame,
        palm.cpu_seconds * per_frame,
        palm.calls / len(clip),
        landmark.cpu_seconds * per_frame,
        landmark.calls / len(clip),
    )


def describe(index: int, hand: HandTrack, clip: Clip) -> str:
    sigma = np.sqrt(hand.covariance_px[..., 0, 0]) / hand.hand_size_px()[:, None]
    return (
        f"hand {index}: {hand.side} (log-odds {hand.side_log_odds:+.0f}), frames {hand.frames[0]}..{hand.frames[-1]}, "
        f"coverage {len(hand.frames)}/{len(clip)}, presence {hand.presence.mean():.2f}, size "
        f"{np.median(hand.hand_size_px()):.0f} px, sigma {100 * np.median(sigma):.1f} % of it"
    )


def chosen(clip: Clip, text: str) -> list[int]:
    """Frame numbers: those listed, or that many spread evenly."""
    if "," in text:
        return [int(part) for part in text.split(",")]
    return np.linspace(clip.first_frame, clip.last_frame, int(text)).round().astype(int).tolist()


def sheet(clip: Clip, tracks: Sequence[HandTrack], numbers: Sequence[int], columns: int, width: int) -> np.ndarray:
    """The frames with their landmarks, in rows."""
    cells = [_cell(draw(f.image, tracks, f.number), f.number, width) for f in clip.frames() if f.number in numbers]
    cells += [np.zeros_like(cells[0])] * (-len(cells) % columns)
    return np.vstack([np.hstack(cells[i : i + columns]) for i in range(0, len(cells), columns)])


def _cell(image: np.ndarray, number: int, width: int) -> np.ndarray:
    small = cv2.resize(image, (width, round(image.shape[0] * width / image.shape[1])), interpolation=cv2.INTER_AREA)
    return cv2.putText(small, str(number), (6, 22), cv2.FONT_HERSHEY_SIMPLEX, 0.7, (255, 255, 0), 2)


def draw(image: np.ndarray, tracks: Sequence[HandTrack], number: int) -> np.ndarray:
    """A copy of ``image`` with the hands of frame ``number``: left orange, right green, track index and presence."""
    canvas = image.copy()
    for index, hand in enumerate(tracks):
        for at in np.flatnonzero(hand.frames == number):
            label = f"{index}{hand.side[0].upper()} {hand.presence[at]:.2f}"
            _draw_hand(canvas, hand.landmarks_px[at], label, _COLOURS[hand.side])
    return canvas


def _draw_hand(canvas: np.ndarray, points_px: np.ndarray, label: str, colour: tuple[int, int, int]) -> None:
    thick = max(1, math.ceil(max(canvas.shape) / 640))
    pixels = np.floor(points_px).astype(int)
    for start, end in BONES:
        cv2.line(canvas, pixels[start].tolist(), pixels[end].tolist(), colour, thick, cv2.LINE_AA)
    for pixel in pixels:
        cv2.circle(canvas, pixel.tolist(), thick, (255, 255, 255), -1)
    corner = (pixels.min(axis=0) - 4).tolist()
    cv2.putText(canvas, label, corner, cv2.FONT_HERSHEY_SIMPLEX, 0.55 * thick, colour, thick, cv2.LINE_AA)


if __name__ == "__main__":
    raise SystemExit(main())
