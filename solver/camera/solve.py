"""The camera of a clip: where it was in every frame, or an honest answer that it can't be known.

The size of its world is a guess here, until hands are placed (``metric``).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Generator, Iterator

import numpy as np

from ..observations import HandTrack
from ..video import Clip
from . import notes, scale, shot
from .cameras import CameraNote, CameraPath, ScaleEstimate
from .features import Keyframe
from .footage import Footage, watch
from .formats import LensPart
from .known_lens import through_pinhole, with_lens
from .progress import CameraProgress
from .segments import Segments, normals
from .surfaces import find_largest
from .upright import Lines, find_down, stood_up

_RANK = ("static", "rotation", "general")
# a vertical known worse than this is worth a word
_GUESSED_UP = np.radians(8.0)


def solve(
    clip: Clip,
    tracks: list[HandTrack],
    focal_px: float | None = None,
    lens: LensPart | None = None,
) -> Iterator[CameraProgress | CameraPath]:
    """Progress, then the path, last.

    Args:
        tracks: hands, which must not be taken for background.
        focal_px: known focal length in px of the clip; None to find it out.
        lens: all of the lens, when it is known; without distortion in it, that is still found out.

    Closing the iterator cancels: between two frames at once, while mapping within a tenth of a second.
    """
    footage = yield from watch(clip, tracks)
    if lens is None:
        shots = yield from _solve_shots(footage, focal_px)
        yield _compose(clip, footage, shots, focal_px)
        return
    footage, _ = through_pinhole(lens, footage, tracks)
    shots = yield from _solve_shots(footage, float(lens.intrinsics[0]), bool(np.any(lens.distortion)))
    path = _compose(clip, footage, shots, float(lens.intrinsics[0]))
    yield with_lens(path, lens)


def _solve_shots(
    footage: Footage, focal_px: float | None, is_straight: bool = False
) -> Generator[CameraProgress, None, list[shot.Shot]]:
    """The longest shot first: the lens that it finds holds for the others."""
    known, sigma = (focal_px * footage.scale, 0.0) if focal_px else (None, np.inf)
    order = np.argsort(footage.shots[:, 0] - footage.shots[:, 1], kind="stable")
    solved: dict[int, shot.Shot] = {}
    for index in order.tolist():
        solved[index] = yield from shot.solve(_part(footage, index, known, is_straight))
        if known is not None:  # no shot knows the lens better than the one that found it
            solved[index] = dataclasses.replace(solved[index], focal_sigma=sigma)
        elif np.isfinite(solved[index].focal_sigma):
            known, sigma = float(solved[index].lens[0]), solved[index].focal_sigma
    return [solved[index] for index in range(len(solved))]


def _part(footage: Footage, index: int, focal_px: float | None, is_straight: bool) -> shot.ShotFootage:
    first, last = (int(v) for v in footage.shots[index])
    keyframes = [
        Keyframe(k.row - first, k.points_px, k.descriptors) for k in footage.keyframes if first <= k.row <= last
    ]
    return shot.ShotFootage(
        footage.tracks.between(first, last), keyframes, footage.covered_cells[first : last + 1], focal_px, is_straight
    )


def _compose(
    clip: Clip,
    footage: Footage,
    shots: list[shot.Shot],
    focal_px: float | None,
) -> CameraPath:
    lens = min(shots, key=lambda s: (s.focal_sigma, -len(s.status)))
    focal = focal_px or lens.lens[0] / footage.scale
    intrinsics = np.array([focal, focal, clip.size[0] / 2, clip.size[1] / 2])
    parts = [
        _settled(part, intrinsics, footage.scale, footage.segments.between(int(first), int(last)))
        for part, (first, last) in zip(shots, footage.shots, strict=True)
    ]
    up_sigma = max(parts, key=lambda p: len(p.status)).up_sigma
    longest = max((p for p in parts if p.scale), key=lambda p: len(p.status), default=None)
    return CameraPath(
        kind=max((s.kind for s in shots), key=_RANK.index),
        intrinsics=intrinsics,
        world_from_camera=np.concatenate([p.world_from_camera for p in parts]),
        distortion=lens.lens[1:3],
        readout=float(lens.lens[3]),
        status=np.concatenate([p.status for p in parts]),
        quality_px=np.concatenate([p.quality_px for p in parts]),
        pose_sigma=np.concatenate([p.pose_sigma for p in parts]),
        expected_error=np.concatenate([p.expected_error for p in parts]),
        points=np.concatenate([p.points for p in parts]),
        point_errors_px=np.concatenate([p.point_errors_px for p in parts]),
        shots=footage.shots,
        point_shots=np.repeat(np.arange(len(parts)), [len(p.points) for p in parts]),
        focal_sigma=lens.focal_sigma,
        scale=longest.scale if longest else None,
        up_sigma=up_sigma,
        notes=_all_notes(clip, footage, shots, lens, focal, up_sigma),
    )


def _settled(
    part: shot.Shot,
    intrinsics: np.ndarray,
    working_scale: float,
    segments: Segments,
) -> CameraPath:
    """One shot in likely metres, its first camera at the origin, y down; a static camera's frame is the world."""
    path = CameraPath(
        part.kind, intrinsics, part.world_from_camera, part.lens[1:3], part.status, part.error_px / working_scale,
        part.sigma, part.expected_error, part.points, part.point_errors_px / working_scale,
    )  # fmt: skip
    if part.kind == "static":
        return path
    path = stood_up(path, find_down(part.world_from_camera[:, :3, :3]))  # as cameras are held
    plane = find_largest(path) if part.kind == "general" else None
    turns = path.world_from_camera[:, :3, :3]
    edges = normals(segments.enlarged(1 / working_scale), turns, intrinsics, part.lens[1:3])
    path = stood_up(path, find_down(turns, Lines(*edges), plane))
    return _guessed(path, scale.estimate(path, [], 0)) if part.kind == "general" else path


def _guessed(path: CameraPath, by: ScaleEstimate) -> CameraPath:
    """``path`` (one shot, first camera at the origin) times ``by.metres_per_unit``."""
    poses = path.world_from_camera.copy()
    poses[:, :3, 3] *= by.metres_per_unit
    lengths = np.array([1.0, by.metres_per_unit])
    return dataclasses.replace(
        path, world_from_camera=poses, points=path.points * by.metres_per_unit, pose_sigma=path.pose_sigma * lengths,
        expected_error=path.expected_error * lengths, scale=by,
    )  # fmt: skip


def _all_notes(
    clip: Clip, footage: Footage, shots: list[shot.Shot], lens: shot.Shot, focal: float, up_sigma: float
) -> tuple[CameraNote, ...]:
    said = [note for part in shots for note in part.notes]
    if len(shots) > 1:
        said.insert(0, notes.cuts([clip.first_frame + int(row) for row in footage.shots[1:, 0]]))
    if footage.interlaced:
        said.append(notes.interlaced())
    if np.isinf(lens.focal_sigma):
        said.append(notes.focal_assumed(focal, max(clip.size)))
    elif lens.focal_sigma > shot.UNCERTAIN_FOCAL:
        said.append(notes.focal_uncertain(focal, max(clip.size), 100 * lens.focal_sigma))
    if up_sigma > _GUESSED_UP:
        said.append(notes.up_guessed(float(np.degrees(up_sigma))))
    return tuple(said)
