"""How many metres one unit of a solved path is. Never asked of the hands' smoothness.

In ``world = R h + s C`` the image of the hands says nothing about s, and the s that makes hands move least shrinks the
world when they are carried with the camera. What does say something is in ``scale_evidence`` (hands that touch or keep
still), ``scale_scene`` (floors and tables) and ``scale_priors``. A scene can be read in several ways, and what hands do
over the level surface depends on whether it is the floor: each reading's likelihood on a grid of log s is put together
with what hands say there, and the sum's median and 95 % interval are the answer, wide where there are two. What a
person has measured overrides it (``known_sizes``).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import log_ndtr

from . import scale_evidence, scale_priors, scale_scene
from .cameras import CameraPath, ScaleEstimate
from .scale_evidence import Evidence
from .scale_lying import SURFACE_NOISE, Rest
from .scale_scene import Reading, Scene
from .seen_hands import SeenHand

# What all depths of a clip's initial fit have wrong in common, and one person's whole hand against the population's:
# (how much too far, sigma) of the logarithm, for eight hands of four validation clips (``bench.world`` prints them). A
# hand whose tilt is read too low is put too far away, never too near.
_HAND, _MEASURED_HAND = (0.09, 0.13), (0.07, 0.105)
# What lies around a fingertip in the image may also lie before it: the bound is soft.
_BOUND_NOISE = 0.3
# Some of what passes the tests is wrong: hands that hover, anywhere above the surface, or move along with the camera
# for a while; hardly ever do hands lie on the floor.
_STILL_WRONG, _TOUCHING, _WRONG = 0.15, 0.5, 0.03
# Of those that seem to lie on a table and on a floor so many do, for a moment and for longer (of imagined ones 0.83,
# 0.9; on floors 0.39 and two in three of 6).
_LYING = ((0.65, 0.06), (0.9, 0.5))
# How much seldomer a hand seems to lie where the surface is the floor (imagined worlds: 0.16 times a clip, not 0.57).
_SELDOM = 0.3
_HOVER, _HOVER_NOISE = 2.5, 0.1
# of the logarithm: so little over the surface is what seems to lie for longer, but for some
_LOW_HOVER, _HIGH = 0.25, 0.1
# of the logarithm: how close hands come to what they work at; how high over a floor those of who stands are
_WORK_GAP, _WORK_NOISE, _OVER_FLOOR, _OVER_FLOOR_SIGMA, _ANYWHERE = 0.6, 0.15, 1.2, 0.5, 0.15
_DETERMINED_WIDTH = 0.35
_GRID = scale_priors.GRID
_NOTHING = 1e-300


# a way to read the scene that is less likely than this is not spoken of
_WORTH_SAYING = 0.05


@dataclass(frozen=True)
class LevelReading:
    """The lowest level surface in view is the floor, or a piece of furniture; ``likely`` 0 to 1; ``below_m`` the camera
    and ``factor`` times the size that was found, if it is."""

    is_floor: bool
    likely: float
    below_m: float
    factor: float


@dataclass(frozen=True)
class Told:
    """``readings``: those that are worth saying, likeliest first; empty where no level surface is in view."""

    scale: ScaleEstimate
    readings: tuple[LevelReading, ...]


def estimate(
    path: CameraPath,
    hands: list[SeenHand],
    first_frame: int,
    frame_s: float | None = None,
    hand_is_measured: bool = False,
) -> ScaleEstimate:
    """As ``tell``, without its readings."""
    return tell(path, hands, first_frame, frame_s, hand_is_measured).scale


def tell(
    path: CameraPath,
    hands: list[SeenHand],
    first_frame: int,
    frame_s: float | None = None,
    hand_is_measured: bool = False,
) -> Told:
    """Metres per unit of ``path`` (general, any units, y down; one world).

    Args:
        hands: none of them: a guess from the scene and the path alone.
        first_frame: the frame number of the path's first row.
        frame_s: seconds between frames, where they are known. Steps and level surfaces tell nothing in a world whose
            ``up_sigma`` is unknown.
        hand_is_measured: the hands have the length that they really have.
    """
    scene = scale_scene.look(path)
    evidence = scale_evidence.gather(path, hands, first_frame, scene.surfaces[0] if scene.surfaces else None, frame_s)
    read = scale_priors.log_densities(path, scene, frame_s, _GRID)
    error = _MEASURED_HAND if hand_is_measured else _HAND
    found = {
        reading: prior + _of_hands(evidence, reading is Reading.FLOOR and scene.main_is_lowest, *error)
        for reading, prior in read.items()
    }
    top = max(values.max() for values in found.values())
    density = {reading: np.exp(values - top) for reading, values in found.items()}
    answer = _answer(sum(density.values()), evidence)
    return Told(answer, _readings(density, scene, answer.metres_per_unit))


def _readings(density: dict[Reading, np.ndarray], scene: Scene, size: float) -> tuple[LevelReading, ...]:
    if not len(scene.below):
        return ()
    whole, found = sum(values.sum() for values in density.values()), []
    for is_floor, kinds in ((True, {Reading.FLOOR}), (False, {Reading.TABLE, Reading.POINTS})):
        of = sum(values for reading, values in density.items() if reading in kinds)
        likely = float(np.sum(of) / whole)
        if likely >= _WORTH_SAYING:
            middle = float(np.exp(np.interp(0.5, np.cumsum(of) / of.sum(), _GRID)))
            found.append(LevelReading(is_floor, likely, float(scene.below.max()) * middle, middle / size))
    return tuple(sorted(found, key=lambda one: -one.likely))


def _answer(density: np.ndarray, evidence: Evidence) -> ScaleEstimate:
    low, middle, high = np.interp([0.025, 0.5, 0.975], np.cumsum(density) / density.sum(), _GRID)
    determined = bool(high - low < 2 * _DETERMINED_WIDTH)
    found = (("still hands", evidence.still), ("resting hands", evidence.resting), ("contact", evidence.contact))
    names = tuple(name for name, values in found if len(values)) if determined else ()
    return ScaleEstimate(
        float(np.exp(middle)), float(np.exp(low - middle)), float(np.exp(high - middle)), determined and bool(names),
        names or ("guess",),
    )  # fmt: skip


def _of_hands(evidence: Evidence, is_floor: bool, too_far: float, hand_sigma: float) -> np.ndarray:
    """(g,) log likelihood of what hands say if the level surface ``is_floor`` or not, blurred by what they share."""
    said = np.zeros_like(_GRID)
    for value, sigma in evidence.still:
        said += np.log((1 - _STILL_WRONG) * _hit(value, sigma) + _STILL_WRONG / np.ptp(_GRID))
    for value, sigma in evidence.contact:
        said += _touching(value, sigma)
    for rest in evidence.resting:
        said += _lying(rest, is_floor)
    if evidence.above is not None and (is_floor or not evidence.resting):
        gap = _over_floor(evidence.above) if is_floor else _over_work(evidence.above)
        said += np.log((1 - _ANYWHERE) * gap + _ANYWHERE / np.ptp(_GRID))
    if np.isfinite(evidence.bound):
        said += log_ndtr((_GRID - evidence.bound) / _BOUND_NOISE)
    # hundreds of hands agree or not by more than a number can hold
    top = said.max()
    return top + np.log(_blurred(np.exp(said - top), too_far, hand_sigma) + _NOTHING)


def _lying(rest: Rest, is_floor: bool) -> np.ndarray:
    """Log likelihood of a hand's seeming to lie on the level surface."""
    share, hovers = _LYING[rest.lasts][is_floor], _anywhere_over(rest.value)
    if rest.lasts:
        hovers = _HIGH * hovers + (1 - _HIGH) * _just_over(rest.value)
    density = share * _hit(rest.value, SURFACE_NOISE) + (1 - share - _WRONG) * hovers
    return np.log(density + _WRONG / np.ptp(_GRID)) + is_floor * np.log(_SELDOM)


def _touching(value: float, sigma: float) -> np.ndarray:
    """Log likelihood of a value that is true in some of the cases, else mostly some way below it."""
    density = _TOUCHING * _hit(value, sigma) + (1 - _TOUCHING - _WRONG) * _anywhere_over(value)
    return np.log(density + _WRONG / np.ptp(_GRID))


def _anywhere_over(value: float) -> np.ndarray:
    hovers = (value < _GRID + _HOVER_NOISE) & (value > _GRID - _HOVER)
    return hovers / (_HOVER + _HOVER_NOISE)


def _just_over(value: float) -> np.ndarray:
    above = _GRID - value
    return np.where(above > -_HOVER_NOISE, np.exp(-np.maximum(above, 0) / _LOW_HOVER), 0) / (_LOW_HOVER + _HOVER_NOISE)


def _over_work(value: float) -> np.ndarray:
    above = _GRID - value
    noise = np.exp(-0.5 * (np.minimum(above, 0) / _WORK_NOISE) ** 2)
    return noise * np.exp(-np.maximum(above, 0) / _WORK_GAP) / _WORK_GAP


def _over_floor(value: float) -> np.ndarray:
    return _hit(value + _OVER_FLOOR, _OVER_FLOOR_SIGMA)


def _hit(value: float, sigma: float) -> np.ndarray:
    return np.exp(-0.5 * ((_GRID - value) / sigma) ** 2) / (sigma * np.sqrt(2 * np.pi))


def _blurred(density: np.ndarray, too_far: float, hand_sigma: float) -> np.ndarray:
    """One person's hands have one size: its uncertainty does not shrink with the number of stretches."""
    step = _GRID[1] - _GRID[0]
    reach = np.arange(-int(4 * hand_sigma / step), int(4 * hand_sigma / step) + 1) * step
    # a bound alone reaches to the end of the grid, beyond which it says the same
    padded = np.pad(density, len(reach) // 2, mode="edge")
    kernel = np.exp(-0.5 * (reach / hand_sigma) ** 2)
    return np.interp(_GRID + too_far, _GRID, np.convolve(padded, kernel / kernel.sum(), "valid"))
