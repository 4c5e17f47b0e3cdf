"""Real clips without truth: what can still be said about a solve. ``python -m solver.bench.real FOLDER [CLIP ...]``.

``FOLDER`` (or the environment's HANDHELD_REAL_CLIPS) holds movies; nothing of them is here but ``outlines.json``:
outlines of hands drawn by eye on a few frames, in shares of the picture's width and height, by the clip's file name and
the index of the frame from 0. Clips that are not in FOLDER are left out.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from .. import take as takes
from ..hand_model import loading
from ..hand_model.model import HandModel
from ..observations import KEYPOINT_NAMES
from ..reprojection import relative_errors
from . import metrics
from .prediction import in_camera
from .runner import Run, solve
from .silhouette import intersection_over_union, picture
from .table import show
from .text import columns, markdown

OUTLINES = Path(__file__).with_name("outlines.json")
MOVIES = (".mp4", ".mov", ".mkv", ".webm")
_TIPS = [index for index, name in enumerate(KEYPOINT_NAMES) if name.endswith("_tip")]
# what the columns are, for the table's foot
COLUMNS = {
    "left": "share of frames in which a left hand is seen",
    "right": "likewise, right",
    "filled": "share of hand-frames that are filled in",
    "doubles": "frames with two hands of one side at once",
    "swaps": "times that a hand appears where the other side's was last seen rather than its own",
    "2D [% of hand]": "median distance of landmarks from the tracked ones",
    "tip jitter [m/s³]": "third difference of the fingertips relative to the wrist",
    "wrist jitter [m/s³]": "third difference of the wrists in the camera's frame",
    "IoU": "of silhouettes with outlines drawn by eye, over the outlined hands; a missing one counts 0",
}


@dataclass(frozen=True)
class Outline:
    """``clip``: file name. ``index``: of the frame, from 0. ``points`` (n, 2): shares of width and height."""

    clip: str
    index: int
    side: str
    points: np.ndarray


def outlines() -> list[Outline]:
    entries = json.loads(OUTLINES.read_text(encoding="utf-8"))
    return [Outline(e["clip"], e["index"], e["side"], np.array(e["outline"], float)) for e in entries]


def figures(take: takes.Take, models: dict[str, HandModel], drawn: list[Outline]) -> list[float]:
    """In the order of ``COLUMNS``; NaN where there is nothing to measure."""
    seen = take.status == takes.OBSERVED
    of_side = [np.array([own == side for own in take.sides], bool) for side in takes.SIDES]
    there = [seen[rows].sum(axis=0) if rows.any() else np.zeros(len(take.frames), int) for rows in of_side]
    posed = [
        models[side].with_shape(take.betas[row]).pose(take.rotations[row], take.transl[row])
        for row, side in enumerate(take.sides)
    ]
    keypoints = np.stack([p.keypoints for p in posed]) if posed else np.zeros((0, len(take.frames), 21, 3))
    local = np.stack([in_camera(points, take.world_from_camera) for points in keypoints]) if posed else keypoints
    rate = take.frame_rate[0] / take.frame_rate[1]
    errors = relative_errors(take, models)
    known = errors[np.isfinite(errors)]
    placed = take.status != takes.MISSING
    return [
        *(float((count > 0).mean()) for count in there),
        float((take.status[placed] == takes.INFILLED).mean()) if placed.any() else float("nan"),
        float(sum((count > 1).sum() for count in there)),
        float(_swaps(take, local, of_side)),
        float(100 * np.median(known)) if len(known) else float("nan"),
        _jitter(keypoints[:, :, _TIPS] - keypoints[:, :, :1], rate, placed),
        _jitter(local[:, :, :1], rate, placed),
        _overlap(take, posed, models, drawn),
    ]


def _jitter(points: np.ndarray, rate: float, placed: np.ndarray) -> float:
    values = [metrics.jitter(track, rate, there) for track, there in zip(points, placed, strict=True)]
    values = [value for value in values if np.isfinite(value)]
    return float(np.mean(values)) if values else float("nan")


def _swaps(take: takes.Take, local: np.ndarray, of_side: list[np.ndarray]) -> int:
    """Frames in which a hand is nearer to where the other side's hand was than to where its own side's was."""
    middles = []
    for rows in of_side:
        known = np.where((take.status[rows] == takes.OBSERVED)[..., None], local[rows].mean(axis=2), np.nan)
        middles.append(_first_known(known))
    count = 0
    for own in range(2):
        now, before, others = middles[own][1:], _last_known(middles[own])[:-1], _last_known(middles[1 - own])[:-1]
        stays, leaps = np.linalg.norm(now - before, axis=1), np.linalg.norm(now - others, axis=1)
        count += int((leaps < stays).sum())  # a hand that was never seen before has nowhere to stay: NaN, no swap
    return count


def _last_known(places: np.ndarray) -> np.ndarray:
    """(T, 3) the last place known by each frame, NaN before the first."""
    rows = np.where(np.isfinite(places[:, 0]), np.arange(len(places)), -1)
    rows = np.maximum.accumulate(rows)
    return np.where((rows >= 0)[:, None], places[np.maximum(rows, 0)], np.nan)


def _first_known(tracks: np.ndarray) -> np.ndarray:
    """(T, 3) of (H, T, 3): of several tracks the first that is there."""
    result = np.full(tracks.shape[1:], np.nan)
    for track in tracks[::-1]:
        there = np.isfinite(track).all(axis=1)
        result[there] = track[there]
    return result


def _overlap(take: takes.Take, posed: list, models: dict[str, HandModel], drawn: list[Outline]) -> float:
    shares = []
    for outline in drawn:
        wanted = np.zeros((take.size[1], take.size[0]), np.uint8)
        cv2.fillPoly(wanted, [np.round(outline.points * take.size).astype(np.int32)], 1)
        row = outline.index
        if row >= len(take.frames):
            continue
        found = [hand for hand, side in enumerate(take.sides) if side == outline.side and take.status[hand, row]]
        if not found:
            shares.append(0.0)
            continue
        hand = max(found, key=lambda hand: take.confidence[hand, row])
        local = in_camera(posed[hand].vertices()[row : row + 1], take.world_from_camera[row : row + 1])[0]
        own = picture([(local, models[outline.side].watertight_faces)], take.intrinsics, take.size) == 0
        shares.append(intersection_over_union(own, wanted > 0, np.ones_like(own)))
    return float(np.mean(shares)) if shares else float("nan")


def rows_of(folder: Path, names: list[str], scratch: Path) -> list[list[str]]:
    """Solve every movie of ``folder`` (or those named) as it is, and say what can be said."""
    head = ["clip", *COLUMNS, "wall / clip length", "CPU s", "peak MB"]
    rows, models = [head], loading.load_pair("open")
    movies = sorted(path for path in folder.iterdir() if path.suffix.lower() in MOVIES)
    for movie in (movie for movie in movies if not names or movie.stem in names or movie.name in names):
        print(f"{movie.name} ...", file=sys.stderr, flush=True)
        run = solve(movie, scratch / f"{movie.stem}.npz", ("--model", "open"))
        rows.append([movie.stem, *_measured(run, models, [o for o in outlines() if o.clip == movie.name])])
    return rows


def _measured(run: Run, models: dict[str, HandModel], drawn: list[Outline]) -> list[str]:
    if run.take is None:
        return [run.failure, *["–"] * (len(COLUMNS) + 2)]
    take = takes.load(run.take)
    length = len(take.frames) * take.frame_rate[1] / take.frame_rate[0]
    return list(map(show, [*figures(take, models, drawn), run.wall_seconds / length, run.cpu_seconds, run.peak_mb]))


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m solver.bench.real", description="Real clips without truth.")
    parser.add_argument("folder", type=Path, nargs="?", default=os.environ.get("HANDHELD_REAL_CLIPS"))
    parser.add_argument("names", nargs="*", metavar="CLIP", help="these alone")
    parser.add_argument("--page", type=Path, metavar="FILE.md", help="write the table here too")
    options = parser.parse_args(arguments)
    if not options.folder or not Path(options.folder).is_dir():
        print("Name the folder with the clips, or set HANDHELD_REAL_CLIPS.", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as scratch:
        rows = rows_of(Path(options.folder), options.names, Path(scratch))
    print("\n".join(columns(rows)))
    if options.page:
        options.page.write_text(_page(rows), encoding="utf-8")
    return 0


def _page(rows: list[list[str]]) -> str:
    parts = [
        "# Real clips",
        "",
        "Written by `python -m solver.bench.real FOLDER --page`; there is no truth for these.",
        "",
    ]
    parts += [*markdown(rows), "", *(f"- {name}: {about}." for name, about in COLUMNS.items())]
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
