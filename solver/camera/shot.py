"""One shot's camera: decide how it moves, solve that, and say how well it is known."""

from __future__ import annotations

import dataclasses
from collections.abc import Generator
from dataclasses import dataclass, field

import numpy as np

from . import bridge, notes, rotation, structure
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
# Focal lengths known worse than this are worth a word; those known worse than the last are no better than an
# assumption.
UNCERTAIN_FOCAL, _FLAT_PROFILE, _UNKNOWN_FOCAL = 0.03, 0.12, 0.25
# One known worse than this is begun anew from the assumed one; shares of frames this close are alike.
_DOUBTFUL_FOCAL, _AS_MANY = 0.08, 0.05
# Parts of a clip whose log focal lengths differ by this were zoomed: five clips with one lens, real and rendered, give
# at most 0.037, the same with a zoom of 25 % 0.095 to 0.2, one of 10 % 0.033.
_ZOOM = 0.06
# Solves that expect more error of themselves, in shares of the path and in radians, are not to be trusted.
_WRONG_SHARE, _WRONG_RAD = 0.02, np.radians(1.0)
# If more than this share of what was followed moves by itself, some of it was probably taken for background.
_MUCH_MOVES = 0.15
# Of few points, a solve of which more than this share is torn makes no world.
_TORN_SHARE = 0.05
# parallax left by a rotation, in shares of the width
_NEARLY_TURNING = 0.008


@dataclass(frozen=True)
class Shot:
    """Rows of one shot in its own world (units of the solve). Fields as in ``CameraPath``, but for

    ``lens`` (4,): focal length in working px, k1, k2, readout.
    """

    kind: str
    world_from_camera: np.ndarray
    status: np.ndarray
    error_px: np.ndarray
    sigma: np.ndarray
    expected_error: np.ndarray
    lens: np.ndarray
    focal_sigma: float
    points: np.ndarray = field(default_factory=lambda: np.zeros((0, 3)))
    point_ids: np.ndarray = field(default_factory=lambda: np.zeros(0, int))
    point_errors_px: np.ndarray = field(default_factory=lambda: np.zeros(0))
    notes: tuple[CameraNote, ...] = ()
    moving_share: float = 0.0


@dataclass(frozen=True)
class ShotFootage:
    """The part of ``Footage`` that belongs to one shot, rows from 0. ``focal_px`` known (working px) or None.

    ``is_straight``: its lens is known to be free of distortion.
    """

    tracks: Tracks
    keyframes: list[Keyframe]
    covered_cells: np.ndarray
    focal_px: float | None
    is_straight: bool = False


def solve(footage: ShotFootage) -> Generator[CameraProgress, None, Shot]:
    """Yields progress, returns the shot."""
    motion = classify(footage.tracks, footage.keyframes, footage.covered_cells, footage.focal_px)
    if motion.kind in ("static", "nothing"):
        return _static(footage, motion)
    links = link(footage.keyframes)
    if motion.kind == "rotation":
        return _rotation(footage, motion, links)
    if motion.kind == "zoom":
        return _rotation(footage, motion, links, (notes.zooms(),))
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
        np.array([focal, 0.0, 0.0, 0.0]),
        0.0 if footage.focal_px else float("inf"),
        notes=tuple(said),
    )


def _lens(footage: ShotFootage, start_px: float, k1: float = 0.0) -> Lens:
    """What is known stays; ``start_px`` and ``k1`` are where to begin otherwise."""
    known = footage.focal_px is not None
    return Lens(footage.focal_px or start_px, 0.0 if footage.is_straight else k1, known, footage.is_straight)


def _rotation(footage: ShotFootage, motion: MotionKind, links: dict, said: tuple[CameraNote, ...] = ()) -> Shot:
    known = footage.focal_px is not None
    start = footage.focal_px or (motion.focal_px if motion.kind == "rotation" else assumed_focal(footage.tracks.size))
    turning = rotation.solve(footage.tracks, footage.keyframes, links, _lens(footage, start, motion.k1))
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
        "rotation", poses, status, turning.error_px, spread, np.full((len(poses), 2), np.nan),
        np.array([turning.focal_px, turning.k1, 0.0, 0.0]), sigma, notes=said + _bridging_notes(status),
    )  # fmt: skip


def _general(footage: ShotFootage, motion: MotionKind, links: dict) -> Generator[CameraProgress, None, Shot]:
    if not structure.available():
        return _rotation(footage, motion, links, (notes.no_mapper(),))
    if len(footage.keyframes) < _MIN_KEYFRAMES:
        return _rotation(footage, motion, links, (notes.not_solved("the shot is too short"),))
    known = footage.focal_px is not None
    epipolar = None if known else focal_from_epipolar(footage.tracks, footage.keyframes)
    lens = _lens(footage, epipolar or assumed_focal(footage.tracks.size))
    try:
        main = yield from _mapped(footage, links, lens)
        sigma = 0.0 if known else _focal_sigma(main)
        if sigma > _DOUBTFUL_FOCAL and epipolar is not None:
            main, sigma = yield from _begun_anew(footage, links, main, sigma)
        if sigma > _UNKNOWN_FOCAL:
            lens = Lens(assumed_focal(footage.tracks.size), 0.0, True, True, True)
            main = yield from _mapped(footage, links, lens)
            sigma = float("inf")
    except MappingFailed as failure:
        return _instead(footage, motion, links, str(failure))
    if not main or main[0].posed.mean() < _MIN_SOLVED:
        return _instead(footage, motion, links, "too few frames have enough points in common")
    shot = _from_models(footage.tracks, main, sigma)
    if _few_cells(footage) and _is_untrustworthy(shot):
        return _instead(footage, motion, links, "the few points behind the hands contradict each other")
    said = (notes.low_parallax(),) if motion.low_parallax else ()
    return dataclasses.replace(shot, notes=said + shot.notes)


def _begun_anew(
    footage: ShotFootage, links: dict, main: list[MappedModel], sigma: float
) -> Generator[CameraProgress, None, tuple[list[MappedModel], float]]:
    """The surer of ``main`` and what the assumed focal length leads to, with its sigma; ``main`` if that fails."""
    try:
        again = yield from _mapped(footage, links, _lens(footage, assumed_focal(footage.tracks.size)))
    except MappingFailed:
        return main, sigma
    return _surer((main, sigma), (again, _focal_sigma(again)))


def _surer(
    one: tuple[list[MappedModel], float], other: tuple[list[MappedModel], float]
) -> tuple[list[MappedModel], float]:
    """Of two solves from two focal lengths the one that holds more frames, or of as many knows its focal length better.

    From half of the true focal length the adjustment can end in a small, torn world that explains most of the points.
    """
    held = [float(models[0].posed.mean()) if models else 0.0 for models, _ in (one, other)]
    if abs(held[0] - held[1]) > _AS_MANY:
        return one if held[0] > held[1] else other
    return one if one[1] <= other[1] else other


def _focal_sigma(main: list[MappedModel]) -> float:
    """By the profile and by how groups of points disagree. A flat profile alone makes no assumption the better answer:

    on a fast turn with a rolling shutter the clip knew it to 1 % where the assumed lens was 45 % off.
    """
    if not main:
        return 0.0
    return float(max(main[0].lens_sigma[0], min(profile_sigma(main[0].profile), _FLAT_PROFILE)))


def _instead(footage: ShotFootage, motion: MotionKind, links: dict, reason: str) -> Shot:
    """The best answer that invents nothing: turning alone where that nearly explains the image, else standing still."""
    near = motion.residual_px < _NEARLY_TURNING * footage.tracks.size[0]
    if _few_cells(footage) and not near:
        return _static(footage, MotionKind("nothing"))
    return _rotation(footage, motion, links, (notes.not_solved(reason),))


def _is_untrustworthy(shot: Shot) -> bool:
    torn = (shot.status != SOLVED).mean() > _TORN_SHARE
    return torn or bool(_error_notes(shot.world_from_camera, shot.expected_error, shot.moving_share))


def _few_cells(footage: ShotFootage) -> bool:
    return float(np.median(footage.covered_cells)) < FEW_CELLS


def _mapped(footage: ShotFootage, links: dict, lens: Lens) -> Generator[CameraProgress, None, list[MappedModel]]:
    job = structure.make_job(footage.tracks, footage.keyframes, links, lens, profile=not lens.focal_fixed)
    return (yield from structure.solve(job))


def _from_models(tracks: Tracks, models: list[MappedModel], focal_sigma: float) -> Shot:
    joined = bridge.join(models, tracks)
    best = models[0]
    used = [(index, model, move) for index, (model, move) in enumerate(zip(models, joined.moves, strict=True)) if move]
    said = _bridging_notes(joined.status)
    if joined.guessed_joins:
        said += (notes.guessed_joins(joined.guessed_joins),)
    expected, sigma = np.full((2, tracks.frame_count, 2), np.nan)
    if best.zoom > _ZOOM:
        said += (notes.zooms_on_the_way(100 * np.expm1(best.zoom)),)
    error_px = np.full(tracks.frame_count, np.nan)
    for index, model, move in used:
        mine = joined.owner == index
        error_px[mine] = model.error_px[mine]
        expected[mine] = _expected(model, focal_sigma)[mine] * [1.0, move.scale]
        sigma[mine] = model.sigma[mine] * [1.0, move.scale]
    expected[:, 1] = np.hypot(expected[:, 1], joined.off_by_guess())
    return Shot(
        "general",
        joined.world_from_camera,
        joined.status,
        error_px,
        sigma,
        expected,
        best.lens,
        focal_sigma,
        np.concatenate([move.points(model.points) for _, model, move in used]),
        np.concatenate([model.point_ids for _, model, _ in used]),
        np.concatenate([model.point_errors_px for _, model, _ in used]),
        said + _error_notes(joined.world_from_camera, expected, best.moving_share),
        best.moving_share,
    )


def _expected(model: MappedModel, focal_sigma: float) -> np.ndarray:
    """(T, 2): what groups of points tell, and the focal length as far as it is known worse than by them."""
    beyond = np.sqrt(max(0.0, min(focal_sigma, _FLAT_PROFILE) ** 2 - float(model.lens_sigma[0]) ** 2))
    return np.hypot(model.spread, beyond * model.by_focal)


def _bridging_notes(status: np.ndarray) -> tuple[CameraNote, ...]:
    count = int((status == BRIDGED).sum())
    return (notes.bridged(count, len(status)),) if count else ()


def _error_notes(poses: np.ndarray, expected: np.ndarray, moving_share: float) -> tuple[CameraNote, ...]:
    rotation_rad, share = summary_of_expected_error(poses, expected)
    doubtful = np.isnan(share) or share > _WRONG_SHARE or rotation_rad > _WRONG_RAD
    if doubtful or moving_share > _MUCH_MOVES:
        return (notes.points_contradict(100 * moving_share, 100 * share, float(np.degrees(rotation_rad))),)
    return ()


def summary_of_expected_error(poses: np.ndarray, expected: np.ndarray) -> tuple[float, float]:
    """Root mean squares: rotation in rad, position in shares of the path's length; NaN where nothing is known."""
    if np.isnan(expected).all():
        return float("nan"), float("nan")
    length = np.linalg.norm(np.diff(poses[:, :3, 3], axis=0), axis=1).sum()
    rotation_rad, position = np.sqrt(np.nanmean(expected**2, axis=0))
    return float(rotation_rad), float(position / max(length, 1e-12))
