"""What a person has measured: it sets the size of the world, whatever hands and habits say."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import SolverError
from . import scale_priors, scale_scene
from .cameras import CameraPath, ScaleEstimate, undistort
from .scale_scene import Scene
from .surfaces import find_levels, good_points

# A point's surface is fitted to so many background points, the nearest in the picture, within this share of its width.
_NEAREST, _MIN_NEAR, _REACH = 12, 4, 0.12
# a tape's and a click's error; the floor is where the camera's height was measured to, within this: as a surface that
# was found, or as single points
_TAPE_SIGMA, _HEIGHT_SIGMA, _POINTS_SIGMA = 0.01, 0.02, 0.12
# two measures that are so many of their sigmas apart are not of one world
_CONTRADICTING = 3.0
HEIGHT_CUE = "camera height"


@dataclass(frozen=True)
class KnownLength:
    """``metres`` between two places that ``frame`` (clip frame number) shows at ``first_px`` and ``second_px``."""

    frame: int
    first_px: tuple[float, float]
    second_px: tuple[float, float]
    metres: float


@dataclass(frozen=True)
class KnownSizes:
    """Attributes:
    hand_is_measured: the hands have their own length, not the population's.
    camera_height_m: of the camera over the floor, or over a table in view, on average.
    length: between two places in the picture; both together are weighed by how sure they are.
    """

    hand_is_measured: bool = False
    camera_height_m: float | None = None
    length: KnownLength | None = None


def require_frame(known: KnownLength, first_frame: int, count: int) -> None:
    """Raises SolverError ``known-length-no-frame``."""
    if not first_frame <= known.frame < first_frame + count:
        raise SolverError(
            "known-length-no-frame",
            f"The known length is in frame {known.frame}, but {first_frame} to {first_frame + count - 1} are solved.",
            "Give its places in a frame that is solved.",
        )


def by_length(path: CameraPath, known: KnownLength, first_frame: int) -> ScaleEstimate:
    """Metres per unit of ``path``, whose first row is ``first_frame``.

    Raises:
        SolverError: ``known-length-no-points``: nothing tells how far away one of the places is;
            ``known-length-too-short``: they are one place.
    """
    row = known.frame - first_frame
    ends = [_place(path, row, np.array(pixel)) for pixel in (known.first_px, known.second_px)]
    length = float(np.linalg.norm(ends[0][0] - ends[1][0]))
    depth = max(end[0][2] for end in ends)
    if length < 1e-3 * depth:
        raise SolverError(
            "known-length-too-short",
            "The two places of the known length are one.",
            "Give two places that are further apart, best as far apart as the picture allows.",
        )
    # an error of either depth, alone, as the length feels it
    along = [abs(float((ends[0][0] - ends[1][0]) @ end)) / length for end, _ in ends]
    spread = np.hypot(*(a * sigma for a, (_, sigma) in zip(along, ends, strict=True))) / length
    common = np.mean([sigma for _, sigma in ends])
    return _exactly(known.metres / length, float(np.hypot(np.hypot(spread, common), _TAPE_SIGMA)), "known length")


def by_height(path: CameraPath, metres: float, frame_s: float | None = None) -> ScaleEstimate | None:
    """Metres per unit of ``path``; None where it shows no level surface below the camera.

    The height is over what makes the likeliest world: one of the surfaces, or what single points show far below them.
    1.6 m are over a floor.
    """
    scene = scale_scene.look(path)
    found = _heights(path, scene, metres)
    if len(found) < 2:
        return found[0] if found else None
    read = scale_priors.log_densities(path, scene, frame_s, scale_priors.GRID)
    likely = np.logaddexp.reduce(list(read.values()))
    return max(found, key=lambda by: np.interp(np.log(by.metres_per_unit), scale_priors.GRID, likely))


def with_height(by: ScaleEstimate, path: CameraPath, metres: float) -> ScaleEstimate:
    """What a length says, ``by``, together with the camera's height over whatever of ``by_height`` agrees with it best.

    ``by`` alone where no level surface is below the camera.

    Raises:
        SolverError: ``known-sizes-contradict``.
    """
    heights = _heights(path, scale_scene.look(path), metres)
    if not heights:
        return by
    other = min(heights, key=lambda height: abs(np.log(height.metres_per_unit / by.metres_per_unit)))
    sigmas = np.array([np.log(one.high) / 1.96 for one in (by, other)])
    logs = np.log([by.metres_per_unit, other.metres_per_unit])
    if abs(logs[1] - logs[0]) > _CONTRADICTING * np.hypot(*sigmas):
        said = metres * by.metres_per_unit / other.metres_per_unit
        raise SolverError(
            "known-sizes-contradict",
            f"By the known length the camera is {said:.2f} m high, not {metres:.2f} m.",
            "Measure again, or give one of the two alone. The height is the camera's over the floor or table in view.",
        )
    weights = sigmas**-2.0
    return _exactly(float(np.exp(weights @ logs / weights.sum())), float(weights.sum() ** -0.5), *by.cues, *other.cues)


def _heights(path: CameraPath, scene: Scene, metres: float) -> list[ScaleEstimate]:
    """By each level surface below the camera, best supported first, then by single points far below them."""
    centres = path.world_from_camera[:, :3, 3]
    over = [float(np.mean(surface.below(centres))) for surface in find_levels(path)]
    found = [_exactly(metres / height, _HEIGHT_SIGMA, HEIGHT_CUE) for height in over if height > 0]
    if found and scene.lowest is not None and scene.lies_lower:
        found.append(_exactly(metres / scene.lowest, _POINTS_SIGMA, HEIGHT_CUE))
    return found


def no_floor() -> SolverError:
    return SolverError(
        "camera-height-no-floor",
        "The camera's height can't set the size of the world: no floor or table top was found below it.",
        "Give a known length or a hand's length instead.",
    )


def _exactly(factor: float, sigma: float, *cues: str) -> ScaleEstimate:
    return ScaleEstimate(factor, float(np.exp(-1.96 * sigma)), float(np.exp(1.96 * sigma)), True, cues)


def _place(path: CameraPath, row: int, pixel: np.ndarray) -> tuple[np.ndarray, float]:
    """(3,) in the frame's camera where its ray meets the surface there, and the relative one-sigma of its depth.

    Inverse depth is affine in the picture over a plane; absolute deviations let what lies behind it not count.
    """
    camera = path.world_from_camera[row]
    local = (good_points(path) - camera[:3, 3]) @ camera[:3, :3]
    local = local[local[:, 2] > 1e-9]
    bearing = undistort(pixel[None], path.intrinsics, path.distortion, path.distortion_model)[0] - path.intrinsics[2:]
    bearing = bearing / path.intrinsics[:2]
    offset = local[:, :2] / local[:, 2:] - bearing
    distance = np.linalg.norm(offset, axis=1)
    near = np.argsort(distance)[:_NEAREST]
    near = near[distance[near] < _REACH * 2 * path.intrinsics[2] / path.intrinsics[0]]
    if len(near) < _MIN_NEAR:
        raise SolverError(
            "known-length-no-points",
            f"At ({pixel[0]:.0f}, {pixel[1]:.0f}) the known length has too few background points around it to tell how "
            "far away that is.",
            "Choose places with texture around them, on things that stand still, in a frame that shows them unhidden.",
        )
    inverse = 1 / local[near, 2]
    columns = np.concatenate([np.ones((len(near), 1)), offset[near]], axis=1)[:, : 3 if len(near) >= 6 else 1]
    weights = np.ones(len(near))
    for _ in range(20):
        root = np.sqrt(weights)[:, None]
        fitted = np.linalg.lstsq(columns * root, inverse * root[:, 0], rcond=None)[0]
        error = np.abs(inverse - columns @ fitted)
        weights = 1 / np.maximum(error, 1e-3 * np.median(inverse))
    depth = 1 / max(float(fitted[0]), 1e-9)
    return np.append(bearing, 1.0) * depth, float(np.median(error) * depth)
