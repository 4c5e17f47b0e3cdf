"""The camera of a clip: where it was in every frame, or an honest answer that it can't be known."""

from __future__ import annotations

from collections.abc import Generator, Iterator

import numpy as np

from ..observations import HandTrack
from ..video import Clip
from . import notes, shot
from .cameras import CameraNote, CameraPath
from .features import Keyframe
from .footage import Footage, watch
from .progress import CameraProgress
from .similarity import Similarity
from .upright import upright_rotation

_RANK = ("static", "rotation", "general")


def solve(clip: Clip, tracks: list[HandTrack], focal_px: float | None = None) -> Iterator[CameraProgress | CameraPath]:
    """Progress, then the path, last.

    Args:
        tracks: hands, which must not be taken for background.
        focal_px: known focal length in px of the clip; None to find it out.

    Closing the iterator cancels: between two frames at once, while mapping within a tenth of a second.
    """
    footage = yield from watch(clip, tracks)
    shots = yield from _solve_shots(footage, focal_px)
    yield _compose(clip, footage, shots, focal_px)


def _solve_shots(footage: Footage, focal_px: float | None) -> Generator[CameraProgress, None, list[shot.Shot]]:
    """The longest shot first: the lens that it finds holds for the others."""
    known = focal_px * footage.scale if focal_px else None
    order = np.argsort(footage.shots[:, 0] - footage.shots[:, 1], kind="stable")
    solved: dict[int, shot.Shot] = {}
    for index in order.tolist():
        solved[index] = yield from shot.solve(_part(footage, index, known))
        if known is None and np.isfinite(solved[index].focal_sigma):
            known = solved[index].focal_px
    return [solved[index] for index in range(len(solved))]


def _part(footage: Footage, index: int, focal_px: float | None) -> shot.ShotFootage:
    first, last = (int(v) for v in footage.shots[index])
    keyframes = [
        Keyframe(k.row - first, k.points_px, k.descriptors) for k in footage.keyframes if first <= k.row <= last
    ]
    return shot.ShotFootage(
        footage.tracks.between(first, last), keyframes, footage.covered_cells[first : last + 1], focal_px
    )


def _compose(clip: Clip, footage: Footage, shots: list[shot.Shot], focal_px: float | None) -> CameraPath:
    lens = min(shots, key=lambda s: (s.focal_sigma, -len(s.status)))
    focal = focal_px or lens.focal_px / footage.scale
    settled = [_settled(s) for s in shots]
    return CameraPath(
        kind=max((s.kind for s in shots), key=_RANK.index),
        intrinsics=np.array([focal, focal, clip.size[0] / 2, clip.size[1] / 2]),
        world_from_camera=np.concatenate([poses for poses, _ in settled]),
        distortion=np.array([lens.k1, 0.0]),
        status=np.concatenate([s.status for s in shots]),
        quality_px=np.concatenate([s.error_px for s in shots]) / footage.scale,
        pose_sigma=np.concatenate([s.sigma for s in shots]),
        disagreement=np.concatenate([s.disagreement for s in shots]),
        points=np.concatenate([points for _, points in settled]),
        point_errors_px=np.concatenate([s.point_errors_px for s in shots]) / footage.scale,
        shots=footage.shots,
        focal_sigma=lens.focal_sigma,
        notes=_all_notes(clip, footage, shots, lens, focal),
    )


def _settled(part: shot.Shot) -> tuple[np.ndarray, np.ndarray]:
    """Poses and points with the first camera at the origin and y down; a static camera's frame is the world."""
    if part.kind == "static":
        return part.world_from_camera, part.points
    turn = upright_rotation(part.world_from_camera[:, :3, :3])
    move = Similarity(1.0, turn, -turn @ part.world_from_camera[0, :3, 3])
    return move.poses(part.world_from_camera), move.points(part.points)


def _all_notes(clip: Clip, footage: Footage, shots, lens: shot.Shot, focal: float) -> tuple[CameraNote, ...]:
    said = [note for part in shots for note in part.notes]
    if len(shots) > 1:
        said.insert(0, notes.cuts([clip.first_frame + int(row) for row in footage.shots[1:, 0]]))
    if np.isinf(lens.focal_sigma):
        said.append(notes.focal_assumed(focal, clip.size[0]))
    elif lens.focal_sigma > shot.UNCERTAIN_FOCAL:
        said.append(notes.focal_uncertain(focal, clip.size[0], 100 * lens.focal_sigma))
    return tuple(said)
