"""One shot's camera: decide how it moves, solve that, and say how well it is known."""

from __future__ import annotations

import dataclasses
from collections.abc import Generator
from dataclasses import dataclass, field

import numpy as np

from . import bridge, notes, quality, rotation, structure
from .cameras import ASSUMED, BRIDGED, SOLVED, CameraNote
from .features import Keyframe
from .job import MappedModel
from .lens import assumed_focal, focal_from_epipolar, profile_sigma
from .links import link
from .motion_kind import FEW_CELLS, MotionKind, classify
from .progress import CameraProgress
from .structure import Lens, MappingFailed
from .tracks import Tracks

# Less of the shot in the largest model is no solve.
_MIN_SOLVED = 0.25
_MIN_KEYFRAMES = 4
# Focal lengths known worse than this are worth a word; where two solves are farther apart than the last, neither is
# better than an assumption.
UNCERTAIN_FOCAL, _FLAT_PROFILE, _UNKNOWN_FOCAL = 0.03, 0.12, 0.15
# Two solves that differ by more, in shares of the path and in radians, are not to be trusted.
_APART_SHARE, _APART_RAD = 0.02, np.radians(1.0)
_SECOND_SEED = 1
# Of few points, a solve of which more than this share is torn makes no world.
_TORN_SHARE = 0.05
# parallax left by a rotation, in shares of the width
_NEARLY_TURNING = 0.008


@dataclass(frozen=True)
class Shot:
    """Rows of one shot in its own world (units of the solve), lens in working px. Fields as in ``CameraPath``."""

    kind: str
    world_from_camera: np.ndarray
    status: np.ndarray
    error_px: np.ndarray
    sigma: np.ndarray
    disagreement: np.ndarray
    focal_px: float
    k1: float
    focal_sigma: float
    points: np.ndarray = field(default_factory=lambda: np.zeros((0, 3)))
    point_ids: np.ndarray = field(default_factory=lambda: np.zeros(0, int))
    point_errors_px: np.ndarray = field(default_factory=lambda: np.zeros(0))
    notes: tuple[CameraNote, ...] = ()


@dataclass(frozen=True)
class ShotFootage:
    """The part of ``Footage`` that belongs to one shot, rows from 0. ``focal_px`` known (working px) or None."""

    tracks: Tracks
    keyframes: list[Keyframe]
    covered_cells: np.ndarray
    focal_px: float | None


def solve(footage: ShotFootage) -> Generator[CameraProgress, None, Shot]:
    """Yields progress, returns the shot."""
    motion = classify(footage.tracks, footage.keyframes, footage.covered_cells, footage.focal_px)
    if motion.kind in ("static", "nothing"):
        return _static(footage, motion)
    links = link(footage.keyframes)
    if motion.kind == "rotation":
        return _rotation(footage, motion, links)
    return (yield from _general(footage, motion, links))


def _static(footage: ShotFootage, motion: MotionKind) -> Shot:
    count = footage.tracks.frame_count
    seen = motion.kind == "static"
    focal = footage.focal_px or assumed_focal(footage.tracks.size)
    said = [] if seen else [notes.nothing_to_track()]
    return Shot(
        "static",
        np.tile(np.eye(4), (count, 1, 1)),
        np.full(count, SOLVED if seen else ASSUMED, np.uint8),
        np.full(count, motion.displacement_px if seen else np.nan),
        np.zeros((count, 2)) if seen else np.full((count, 2), np.nan),
        np.full((count, 2), np.nan),
        focal,
        0.0,
        0.0 if footage.focal_px else float("inf"),
        notes=tuple(said),
    )


def _rotation(footage: ShotFootage, motion: MotionKind, links: dict, said: tuple[CameraNote, ...] = ()) -> Shot:
    known = footage.focal_px is not None
    start = footage.focal_px or (motion.focal_px if motion.kind == "rotation" else assumed_focal(footage.tracks.size))
    turning = rotation.solve(footage.tracks, footage.keyframes, links, Lens(start, motion.k1, known, False))
    sigma = turning.focal_sigma
    if not known and (sigma > _UNKNOWN_FOCAL or motion.kind != "rotation"):
        start = assumed_focal(footage.tracks.size)
        turning = rotation.solve(footage.tracks, footage.keyframes, links, Lens(start, 0.0, True, True))
        sigma = float("inf")
    poses = np.tile(np.eye(4), (footage.tracks.frame_count, 1, 1))
    poses[:, :3, :3] = turning.camera_from_world.transpose(0, 2, 1)
    status = np.where(turning.solved, SOLVED, BRIDGED).astype(np.uint8)
    spread = np.stack([np.sqrt(2) * turning.sigma_rad, np.zeros(len(poses))], axis=1)
    return Shot(
        "rotation", poses, status, turning.error_px, spread, np.full((len(poses), 2), np.nan), turning.focal_px,
        turning.k1, sigma, notes=said + _bridging_notes(status),
    )  # fmt: skip


def _general(footage: ShotFootage, motion: MotionKind, links: dict) -> Generator[CameraProgress, None, Shot]:
    if not structure.available():
        return _rotation(footage, motion, links, (notes.no_mapper(),))
    if len(footage.keyframes) < _MIN_KEYFRAMES:
        return _rotation(footage, motion, links, (notes.not_solved("the shot is too short"),))
    known = footage.focal_px is not None
    epipolar = None if known else focal_from_epipolar(footage.tracks, footage.keyframes)
    lens = Lens(footage.focal_px or epipolar or assumed_focal(footage.tracks.size), 0.0, known, False)
    try:
        main, second = yield from _two_solves(footage, links, lens)
        sigma = 0.0 if known else _focal_sigma(main, second)
        if sigma > _UNKNOWN_FOCAL:
            lens = Lens(assumed_focal(footage.tracks.size), 0.0, True, False)
            main, second = yield from _two_solves(footage, links, lens)
            sigma = float("inf")
    except MappingFailed as failure:
        return _instead(footage, motion, links, str(failure))
    if not main or main[0].posed.mean() < _MIN_SOLVED:
        return _instead(footage, motion, links, "too few frames have enough points in common")
    shot = _from_models(footage.tracks, main, second, sigma)
    if _few_cells(footage) and _is_untrustworthy(shot):
        return _instead(footage, motion, links, "the few points behind the hands contradict each other")
    said = (notes.low_parallax(),) if motion.low_parallax else ()
    return dataclasses.replace(shot, notes=said + shot.notes)


def _focal_sigma(main: list[MappedModel], second: list[MappedModel]) -> float:
    """By the profile and by the second solve. A flat profile alone does not make an assumption the better answer:

    on a fast turn with a rolling shutter two solves agreed to 1 % where the assumed lens was 45 % off.
    """
    if not main or not second:
        return 0.0
    apart = abs(np.log(main[0].focal_px / second[0].focal_px))
    return float(max(apart, min(profile_sigma(main[0].profile), _FLAT_PROFILE)))


def _instead(footage: ShotFootage, motion: MotionKind, links: dict, reason: str) -> Shot:
    """The best answer that invents nothing: turning alone where that nearly explains the image, else standing still."""
    near = motion.residual_px < _NEARLY_TURNING * footage.tracks.size[0]
    if _few_cells(footage) and not near:
        return _static(footage, MotionKind("nothing"))
    return _rotation(footage, motion, links, (notes.not_solved(reason),))


def _is_untrustworthy(shot: Shot) -> bool:
    torn = (shot.status != SOLVED).mean() > _TORN_SHARE
    return torn or bool(_disagreement_notes(shot.world_from_camera, shot.disagreement))


def _few_cells(footage: ShotFootage) -> bool:
    return float(np.median(footage.covered_cells)) < FEW_CELLS


def _two_solves(
    footage: ShotFootage, links: dict, lens: Lens
) -> Generator[CameraProgress, None, tuple[list[MappedModel], list[MappedModel]]]:
    """All data, and half of it with another seed, side by side."""
    fewer = footage.tracks.where(quality.half(footage.tracks.ids, _SECOND_SEED))
    fewer_links = {pair: matches[_SECOND_SEED::2] for pair, matches in links.items()}
    jobs = [
        structure.make_job(
            footage.tracks, footage.keyframes, links, lens, profile=not lens.focal_fixed, uncertainty=True
        ),
        structure.make_job(fewer, footage.keyframes, fewer_links, lens, seed=_SECOND_SEED),
    ]
    main, second = yield from structure.solve(jobs)
    return main, second


def _from_models(tracks: Tracks, main: list[MappedModel], second: list[MappedModel], focal_sigma: float) -> Shot:
    joined = bridge.join(main, tracks)
    best = main[0]
    apart = quality.disagreement(best, second[0]) if second else np.full((tracks.frame_count, 2), np.nan)
    used = [(model, move) for model, move in zip(main, joined.moves, strict=True) if move is not None]
    said = _bridging_notes(joined.status)
    if joined.guessed_joins:
        said += (notes.guessed_joins(joined.guessed_joins),)
    return Shot(
        "general",
        joined.world_from_camera,
        joined.status,
        np.select([joined.owner == i for i in range(len(main))], [m.error_px for m in main], np.nan),
        np.where((joined.owner == 0)[:, None], best.sigma, np.nan),
        apart,
        best.focal_px,
        best.k1,
        focal_sigma,
        np.concatenate([move.points(model.points) for model, move in used]),
        np.concatenate([model.point_ids for model, _ in used]),
        np.concatenate([model.point_errors_px for model, _ in used]),
        said + _disagreement_notes(joined.world_from_camera, apart),
    )


def _bridging_notes(status: np.ndarray) -> tuple[CameraNote, ...]:
    count = int((status == BRIDGED).sum())
    return (notes.bridged(count, len(status)),) if count else ()


def _disagreement_notes(poses: np.ndarray, apart: np.ndarray) -> tuple[CameraNote, ...]:
    rotation_rad, share = summary_of_disagreement(poses, apart)
    if np.isnan(share) or share > _APART_SHARE or rotation_rad > _APART_RAD:
        return (notes.two_solves_disagree(100 * share, float(np.degrees(rotation_rad))),)
    return ()


def summary_of_disagreement(poses: np.ndarray, apart: np.ndarray) -> tuple[float, float]:
    """Root mean squares: rotation in rad, position in shares of the path's length; NaN where nothing is shared."""
    if np.isnan(apart).all():
        return float("nan"), float("nan")
    length = np.linalg.norm(np.diff(poses[:, :3, 3], axis=0), axis=1).sum()
    rotation_rad, position = np.sqrt(np.nanmean(apart**2, axis=0))
    return float(rotation_rad), float(position / max(length, 1e-12))
