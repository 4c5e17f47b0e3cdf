"""How true the world's size and vertical are: ``python -m solver.bench.world [--suite validation] [--clip CLIP ...]``.

One row per way to learn the size: by the whole clip, by each half and the middle of it (its camera as solved from the
whole), with the hands' true length, and with the true camera in units of its own. Then how many 95 % intervals hold,
and how much too far away the hands were put that tell it.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from ..camera import metric, upright
from ..camera.cameras import CameraPath, ScaleEstimate
from ..camera.formats import npz
from ..camera.known_sizes import KnownSizes
from ..camera.report import placed, solved, tracked, vertical_error
from ..camera.seen_hands import SeenHand
from ..camera.similarity import between_paths
from ..video import open_clip
from . import clips
from .clips import BenchClip

# the true camera comes in a unit of so many metres
_UNIT_M = 0.37
_MIN_FRAMES = 5


@dataclass(frozen=True)
class Row:
    """``scale``: what was found over the true size; ``low``, ``high``: its interval; ``too_far``: the logarithm of each
    hand's distance over its true one; ``vertical_deg``: off by."""

    name: str
    scale: float
    low: float
    high: float
    cues: tuple[str, ...]
    vertical_deg: float = float("nan")
    vertical_sigma_deg: float = float("nan")
    level_head_deg: float = float("nan")
    too_far: tuple[float, ...] = ()

    @property
    def holds(self) -> bool:
        return self.low <= 1 <= self.high


def rows(clip: BenchClip) -> Iterator[Row]:
    """Of a clip whose camera travels; a clip whose camera does not has a vertical alone, or nothing."""
    video = open_clip(clip.source)
    tracks = tracked(video)
    path = solved(video, tracks)
    true = clip.truth.world_from_camera
    frame_s, first = float(1 / video.frame_rate), video.first_frame
    if path.scale is None:
        if path.kind == "rotation":
            yield _with_vertical(Row("whole", np.nan, np.nan, np.nan, ()), path, true)
        return
    hands = placed(tracks, path)
    whole = dataclasses.replace(_row("whole", path, hands, true, first, frame_s), too_far=_too_far(clip, hands))
    yield _with_vertical(whole, path, true)
    count = len(true)
    for name, start, stop in (
        ("first half", 0, count // 2), ("second half", count // 2, count), ("middle", count // 4, 3 * count // 4)
    ):  # fmt: skip
        part = dataclasses.replace(
            path, world_from_camera=path.world_from_camera[start:stop], shots=None, point_shots=None,
            pose_sigma=None, expected_error=None,
        )  # fmt: skip
        yield _row(name, part, hands, true[start:stop], first + start, frame_s)
    length = placed(tracks, path, clip.truth.hand_length())
    by_length = _row("hand's length", path, length, true, first, frame_s, KnownSizes(hand_is_measured=True))
    yield dataclasses.replace(by_length, too_far=_too_far(clip, length))
    given = _in_units(path, clip, _UNIT_M)
    yield _row("true camera", given, placed(tracks, given), true, first, frame_s)


def _row(
    name: str, path: CameraPath, hands: list[SeenHand], true: np.ndarray, first_frame: int, frame_s: float,
    known: KnownSizes = KnownSizes(),  # noqa: B008 - frozen
) -> Row:  # fmt: skip
    found = metric.in_metres(path, hands, first_frame, frame_s, known)
    scale = 1 / between_paths(found.world_from_camera, true).scale
    return Row(name, scale, found.scale.low * scale, found.scale.high * scale, found.scale.cues)


def _too_far(clip: BenchClip, hands: list[SeenHand]) -> tuple[float, ...]:
    """Of each hand that is seen in enough frames; which hand it is tells the picture."""
    known, found = clip.truth, []
    for hand in hands:
        rows = np.searchsorted(known.frames, hand.frames)
        camera = np.linalg.inv(known.world_from_camera[rows])
        local = np.einsum("tij,thkj->thki", camera[:, :3, :3], known.keypoints[rows]) + camera[:, None, None, :3, 3]
        apart = np.linalg.norm(known.keypoints_px[rows] - hand.pixels[:, None], axis=-1).mean(axis=-1)
        mine = np.where(np.isfinite(apart), apart, np.inf).argmin(axis=1)
        error = np.median(np.log(hand.landmarks_m[..., 2] / local[np.arange(len(rows)), mine, :, 2]), axis=1)
        if np.isfinite(error).sum() >= _MIN_FRAMES:
            found.append(float(np.nanmean(error)))
    return tuple(found)


def _with_vertical(row: Row, path: CameraPath, true: np.ndarray) -> Row:
    level = upright.find_down(path.world_from_camera[:, :3, :3]).direction
    turned = path.world_from_camera.copy()
    turned[:, :3, :3] = upright.upright_rotation(level) @ turned[:, :3, :3]
    return dataclasses.replace(
        row, vertical_deg=float(np.degrees(vertical_error(path.world_from_camera, true))),
        vertical_sigma_deg=float(np.degrees(path.up_sigma)),
        level_head_deg=float(np.degrees(vertical_error(turned, true))),
    )  # fmt: skip


def _in_units(path: CameraPath, clip: BenchClip, unit_m: float) -> CameraPath:
    """The true camera with the solved points, as a file of unknown units would bring them."""
    known = npz.read(clip.folder / "camera.npz", clip.truth.size)
    poses = known.poses_at(clip.truth.frames)
    points = between_paths(path.world_from_camera, poses).points(path.points) / unit_m
    poses[:, :3, 3] /= unit_m
    return CameraPath(
        "given", known.lens.intrinsics, poses, known.lens.distortion, distortion_model=known.lens.model,
        points=points, point_errors_px=path.point_errors_px, scale=ScaleEstimate(determined=False), up_sigma=0.0,
    )  # fmt: skip


def table(found: dict[str, list[Row]]) -> str:
    """As text: every row, then the intervals' record and the verticals."""
    lines = [f"{'clip':>11}  {'told by':13}  scale  95 % interval  holds  vertical (sigma, level head) [deg]  cues"]
    every = [row for of_clip in found.values() for row in of_clip]
    for clip, of_clip in found.items():
        for row in of_clip:
            vertical = "" if np.isnan(row.vertical_deg) else (
                f"{row.vertical_deg:6.2f} ({row.vertical_sigma_deg:.1f}, {row.level_head_deg:.1f})"
            )  # fmt: skip
            size = f"{row.scale:5.2f}  {row.low:5.2f} to {row.high:5.2f}  {'yes' if row.holds else 'NO':>5}"
            size = " " * 28 if np.isnan(row.scale) else size
            lines.append(f"{clip:>11}  {row.name:13}  {size}  {vertical:34}  {', '.join(row.cues)}")
    sized = [row for row in every if np.isfinite(row.scale)]
    sure = [row for row in sized if row.cues != ("guess",)]
    for title, of in (("all", sized), ("of the whole clip", [r for r in sized if r.name == "whole"]), ("sure", sure)):
        if of:
            off = np.median([abs(np.log(row.scale)) for row in of])
            held = sum(row.holds for row in of)
            lines.append(f"intervals, {title}: {held} of {len(of)} hold; median error a factor of {np.exp(off):.2f}")
    for name in ("whole", "hand's length"):
        errors = np.array([error for row in every if row.name == name for error in row.too_far])
        if len(errors):
            each = ", ".join(f"{error:+.2f}" for error in errors)
            lines.append(f"hands too far, {name} (log): mean {errors.mean():+.3f}, sigma {errors.std():.3f}: {each}")
    return "\n".join(lines)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m solver.bench.world", description=__doc__)
    parser.add_argument("--suite", choices=tuple(clips.SUITES), default="test", help="test is reported, never tuned on")
    parser.add_argument("--clips", type=Path, metavar="FOLDER", help="clips of your own, instead of a suite's")
    parser.add_argument("--clip", nargs="+", metavar="CLIP", help="these alone")
    options = parser.parse_args(arguments)
    cv2.setNumThreads(1)
    found = {}
    for folder in clips.find(options.clips or clips.SUITES[options.suite]):
        if not options.clip or folder.name in options.clip:
            found[folder.name] = list(rows(clips.load(folder)))
    if not found:
        print("There is no clip with truth: `python3 build.py bench --make` renders them.", file=sys.stderr)
        return 2
    print(table(found))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
