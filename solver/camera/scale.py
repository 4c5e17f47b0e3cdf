"""How many metres one unit of a solved path is. Never asked of the hands' smoothness.

In ``world = R h + s C`` the image of the hands says nothing about s, and the s that makes hands move least shrinks the
world when they are carried with the camera. What does say something is in ``scale_evidence`` (hands that touch or keep
still) and ``scale_priors``. All goes into one likelihood on a grid of log s; its median and 95 % interval are the
answer (DESIGN.md, section 7). What a person has measured overrides it (``known_sizes``).
"""

from __future__ import annotations

import numpy as np
from scipy.special import log_ndtr

from . import scale_evidence, scale_priors
from .cameras import CameraPath, ScaleEstimate
from .scale_evidence import Evidence
from .seen_hands import SeenHand
from .surfaces import find_level

# One person's whole hand against the population's, and what all depths of a clip's initial fit have wrong in common:
# eight hands of four validation clips lay 0.88 to 1.30 times as far as they should, 0.16 in the root mean square of the
# logarithm. Their true lengths leave 0.095.
_HAND_SIGMA, _MEASURED_HAND_SIGMA = 0.16, 0.10
# What lies around a fingertip in the image may also lie before it: the bound is soft.
_BOUND_NOISE = 0.3
# Some of what passes the tests is wrong: hands that hover, or move along with the camera for a while.
_CONTACT_SHARE, _GAP_IN_FRONT, _OUTLIERS = 0.6, 0.3, 0.1
_DETERMINED_WIDTH = 0.35
_GRID = np.linspace(np.log(1e-3), np.log(1e3), 4001)


def estimate(
    path: CameraPath,
    hands: list[SeenHand],
    first_frame: int,
    frame_s: float | None = None,
    hand_is_measured: bool = False,
) -> ScaleEstimate:
    """Metres per unit of ``path`` (general, any units, y down; one world).

    Args:
        hands: none of them: a guess from the scene and the path alone.
        first_frame: the frame number of the path's first row.
        frame_s: seconds between frames, where they are known. They and level surfaces tell nothing in a world whose
            ``up_sigma`` is unknown.
        hand_is_measured: the hands have the length that they really have.
    """
    is_upright = np.isfinite(path.up_sigma)
    surface = find_level(path) if is_upright else None
    evidence = scale_evidence.gather(path, hands, first_frame, surface)
    prior = scale_priors.log_density(path, surface, frame_s if is_upright else None, _GRID)
    return _answer(evidence, prior, _MEASURED_HAND_SIGMA if hand_is_measured else _HAND_SIGMA)


def _answer(evidence: Evidence, prior: np.ndarray, hand_sigma: float) -> ScaleEstimate:
    """What hands say is blurred by their size, which all of it shares; the priors are not."""
    said = np.zeros_like(_GRID)
    for value, sigma in evidence.still:
        said += np.log((1 - _OUTLIERS) * _hit(value, sigma) + _OUTLIERS / np.ptp(_GRID))
    for value, sigma in (*evidence.contact, *evidence.resting):
        in_front = np.where(value < _GRID, np.exp(-(_GRID - value) / _GAP_IN_FRONT) / _GAP_IN_FRONT, 0.0)
        free = 1 - _CONTACT_SHARE - _OUTLIERS
        said += np.log(_CONTACT_SHARE * _hit(value, sigma) + free * in_front + _OUTLIERS / np.ptp(_GRID))
    if np.isfinite(evidence.bound):
        said += log_ndtr((_GRID - evidence.bound) / _BOUND_NOISE)
    density = _blurred(np.exp(said - said.max()), hand_sigma) * np.exp(prior - prior.max())
    low, middle, high = np.interp([0.025, 0.5, 0.975], np.cumsum(density) / density.sum(), _GRID)
    determined = bool(high - low < 2 * _DETERMINED_WIDTH)
    found = (("still hands", evidence.still), ("resting hands", evidence.resting), ("contact", evidence.contact))
    names = tuple(name for name, values in found if len(values)) if determined else ()
    return ScaleEstimate(
        float(np.exp(middle)), float(np.exp(low - middle)), float(np.exp(high - middle)), determined,
        names or ("guess",),
    )  # fmt: skip


def _hit(value: float, sigma: float) -> np.ndarray:
    return np.exp(-0.5 * ((_GRID - value) / sigma) ** 2) / (sigma * np.sqrt(2 * np.pi))


def _blurred(density: np.ndarray, hand_sigma: float) -> np.ndarray:
    """One person's hands have one size: its uncertainty does not shrink with the number of stretches."""
    step = _GRID[1] - _GRID[0]
    reach = np.arange(-int(4 * hand_sigma / step), int(4 * hand_sigma / step) + 1) * step
    # a bound alone reaches to the end of the grid, beyond which it says the same
    padded = np.pad(density, len(reach) // 2, mode="edge")
    return np.convolve(padded, np.exp(-0.5 * (reach / hand_sigma) ** 2), "valid")
