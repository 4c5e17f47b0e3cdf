"""Solves a clip's camera and prints how it went: ``python -m solver.camera.report CLIP [--truth TRUTH.npz]``.

``--sheet`` draws the background points over some frames; a point that slides on its surface shows a bad camera. So does
a ``--cube`` that doesn't stay where it stands.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from scipy.spatial.transform import Rotation

from .. import hands, initialise
from ..hand_model import loading
from ..observations import HandTrack
from ..video import Clip, open_clip
from . import metric
from .cameras import BRIDGED, SOLVED, CameraPath
from .ideal import ideal_tracks
from .known_sizes import KnownSizes
from .lengthened import there_and_back
from .progress import CameraProgress
from .seen_hands import SeenHand, seen_hands
from .sheet import place_cube, sheet
from .shot import summary_of_expected_error
from .similarity import between_paths, rotation_angles
from .solve import solve


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m solver.camera.report", description=__doc__)
    parser.add_argument("clip", type=Path)
    parser.add_argument("--focal-px", type=float)
    parser.add_argument("--unmasked", action="store_true", help="take hands for background, to see what they do")
    parser.add_argument("--frames", type=int, help="play the clip there and back for so many, to see what that costs")
    parser.add_argument("--truth", type=Path, help="npz with world_from_camera and intrinsics of every frame")
    parser.add_argument("--sheet", type=Path, help="PNG to draw")
    parser.add_argument(
        "--cube", type=float, nargs=3, metavar=("FRAME", "X", "Y"), help="draw a cube standing on what is seen there"
    )
    chosen = parser.parse_args(arguments)
    if chosen.frames is not None and chosen.frames < 1:
        parser.error("--frames: give it one or more")
    cv2.setNumThreads(1)
    clip = open_clip(chosen.clip)
    tracks = [] if chosen.unmasked else tracked(clip)
    if chosen.frames:
        clip, tracks = there_and_back(clip, tracks, chosen.frames)
    before = _cpu_seconds()
    path = solved(clip, tracks, chosen.focal_px)
    milliseconds = 1000 * (_cpu_seconds() - before) / len(clip)
    lines = [f"{chosen.clip.name}: {len(clip)} frames, {milliseconds:.0f} CPU ms a frame{_peak()}"]
    if not chosen.frames:
        path = metric.in_metres(path, placed(tracks, path), clip.first_frame, float(1 / clip.frame_rate), KnownSizes())
    lines += described(path)
    if chosen.truth:
        lines += against(path, chosen.truth)
    sys.stdout.write("\n".join(lines) + "\n")
    if chosen.sheet:
        cube = None
        if chosen.cube and len(path.points) < 3:
            parser.error("--cube: a camera that doesn't travel tells no ground to stand on")
        if chosen.cube:
            cube = place_cube(path, int(chosen.cube[0]) - clip.first_frame, np.array(chosen.cube[1:]))
        cv2.imwrite(str(chosen.sheet), sheet(clip, path, cube))
    return 0


def tracked(clip: Clip) -> list[HandTrack]:
    """The clip's hands, by our own tracker."""
    running = hands.track(clip)
    while True:
        try:
            next(running)
        except StopIteration as end:
            return end.value


def solved(clip: Clip, tracks: list[HandTrack], focal_px: float | None = None) -> CameraPath:
    """The clip's camera, in a world whose size is a guess."""
    for said in solve(clip, tracks, focal_px):
        if not isinstance(said, CameraProgress):
            path = said
    return path


def placed(tracks: list[HandTrack], path: CameraPath, hand_length_m: float | None = None) -> list[SeenHand]:
    """The hands in front of each frame's camera."""
    models, tracks = loading.load_pair("auto"), ideal_tracks(tracks, path)
    options = initialise.FitOptions(hand_length_m=hand_length_m)
    motions = initialise.collect(list(initialise.fit_tracks(tracks, models, path.intrinsics, options)))
    return seen_hands(motions, tracks, models)


def _cpu_seconds() -> float:
    """Of this process and of the mapping processes that have ended."""
    try:
        import resource
    except ImportError:
        return time.process_time()
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in used)


def _peak() -> str:
    """Largest memory of this process and of any mapping process so far, in words where the system tells it."""
    try:
        import resource
    except ImportError:
        return ""
    unit = 1e6 if sys.platform == "darwin" else 1e3  # macOS tells bytes, Linux kilobytes
    own, mapping = (
        resource.getrusage(who).ru_maxrss / unit for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return f", peak {own:.0f} MB here, {mapping:.0f} MB mapping"


def described(path: CameraPath) -> list[str]:
    """What the solve says of itself."""
    turned, share = summary_of_expected_error(path.world_from_camera, path.expected_error)
    length = np.linalg.norm(np.diff(path.world_from_camera[:, :3, 3], axis=0), axis=1).sum()
    lines = [
        f"  kind {path.kind}, {len(path.shots)} shot(s), solved {(path.status == SOLVED).mean():.1%}, "
        f"bridged {(path.status == BRIDGED).mean():.1%}",
        f"  focal {path.intrinsics[0]:.1f} px (sigma {path.focal_sigma:.1%}), k1 {path.distortion[0]:+.3f}, "
        f"k2 {path.distortion[1]:+.3f}, readout {path.readout:.2f} frames",
        f"  background reprojection {np.nanmedian(path.quality_px):.2f} px median, {len(path.points)} points",
        f"  path {length:.2f} m; expected error {share:.2%} of it and {np.degrees(turned):.2f} deg",
    ]
    if path.scale:
        state = "determined" if path.scale.determined else "not determined"
        cues = ", ".join(path.scale.cues)
        lines.append(f"  scale {state} by {cues}: 95 % within {path.scale.low:.2f} to {path.scale.high:.2f} of it")
    if np.isfinite(path.up_sigma):
        lines.append(f"  vertical known to {np.degrees(path.up_sigma):.1f} deg")
    return lines + [f"  {note.code}: {note.sentence}" for note in path.notes]


def against(path: CameraPath, truth: Path) -> list[str]:
    """Errors after a similarity, and of the scale and the lens."""
    with np.load(truth, allow_pickle=False) as data:
        poses, intrinsics = data["world_from_camera"], data["intrinsics"]
    move = between_paths(path.world_from_camera, poses)
    moved = move.poses(path.world_from_camera)
    length = np.linalg.norm(np.diff(poses[:, :3, 3], axis=0), axis=1).sum()
    error = np.sqrt((np.linalg.norm(moved[:, :3, 3] - poses[:, :3, 3], axis=1) ** 2).mean())
    angles = rotation_angles(moved[:, :3, :3].transpose(0, 2, 1) @ poses[:, :3, :3])
    lines = [
        f"  truth: rotation {np.degrees(np.sqrt((angles**2).mean())):.3f} deg, "
        f"focal {path.intrinsics[0] / intrinsics[0] - 1:+.2%}"
    ]
    if length > 1e-3:
        lines.append(f"  truth: ATE {1000 * error:.1f} mm = {error / length:.3%} of {length:.2f} m")
    if path.scale:
        held = path.scale.low <= move.scale <= path.scale.high
        where = "inside" if held else "outside"
        lines.append(f"  truth: scale {1 / move.scale:.3f} of the true one, {where} the interval")
    lines.append(f"  truth: vertical {np.degrees(vertical_error(path.world_from_camera, poses)):.2f} deg off")
    return lines


def vertical_error(poses: np.ndarray, true_poses: np.ndarray) -> float:
    """Radians between the verticals of two worlds (y down) that hold the same cameras (T, 4, 4)."""
    turn = Rotation.from_matrix(poses[:, :3, :3] @ true_poses[:, :3, :3].transpose(0, 2, 1)).mean()
    return float(np.arccos(np.clip(turn.as_matrix()[1, 1], -1, 1)))


if __name__ == "__main__":
    sys.exit(main())
