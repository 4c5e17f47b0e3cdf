"""Where in a hand's flesh its capsules lie best: the constants of ``solver.prior.capsules``, and how well they do."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.optimize import least_squares

from solver import hand_model
from solver.bench.contact import nearest_bone
from solver.bench.surfaces import Sampling
from solver.prior import capsules
from solver.prior.capsules import Ends, ends_of, measured, to_segments

# rays from the wrist to the knuckles, and the thumb's first bone, as far as ends can say it
_START = Ends(
    palm=(((0.05, 0.0), (0.8, 0.1)), ((0.05, 0.05), (0.6, 0.35)), ((0.0, 0.1), (0.35, 0.6)), ((0.0, 0.1), (0.1, 0.8))),
    ball=((0.0, 0.0, 0.0), (1.0, 0.0, 0.0)),
)
# skin outside is touched through, air inside only kept away from: the first counts more; metres at which it begins to
_OUTSIDE, _SCALE_M = 1.5, 0.002
# how much a step of ends counts: behind the wrist there is no skin to hold them
_CALM = 10.0
_STRIDE, _STEPS = 2, 40
_PARTS = {"palm": (5, 9, 13, 17), "thumb's ball": (1, 2), "thumb": (3, 4), "fingers' first bones": (6, 10, 14, 18)}


def run(say: Callable[[str], None], steps: int = _STEPS) -> None:
    """Fit the ends on the hand that comes with the product, print them, and a line per part with them and with those
    in use: how far its skin is outside of all capsules, mm."""
    model = hand_model.load("right")
    skin, keypoints = Sampling.of(model.watertight_faces).points(model.v_template), model.keypoints_rest_template
    fitted = _fit(skin[::_STRIDE], keypoints, steps)
    say(f"palm = {fitted.palm}")
    say(f"ball = {fitted.ball}")
    say("| part | in use: 5, 50, 95 %, most | fitted now |")
    say("|---|---|---|")
    bone = nearest_bone(skin, keypoints) + 1
    found = [_outside(skin, keypoints, *_capsules(ends, skin, keypoints)) for ends in (capsules.ENDS, fitted)]
    named = {number for part in _PARTS.values() for number in part}
    parts = _PARTS | {"fingers beyond": tuple(set(range(1, 21)) - named), "all": tuple(range(1, 21))}
    for name, bones in parts.items():
        here = np.isin(bone, bones)
        say(f"| {name} | " + " | ".join(_told(outside[here]) for outside in found) + " |")


def _told(outside: np.ndarray) -> str:
    return ", ".join(f"{1e3 * value:.1f}" for value in np.percentile(outside, [5, 50, 95, 100]))


def _capsules(ends: Ends, skin: np.ndarray, keypoints: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return measured(ends_of(ends), skin, keypoints)


def _outside(skin: np.ndarray, keypoints: np.ndarray, ends: np.ndarray, radius: np.ndarray) -> np.ndarray:
    """(v,) metres from the nearest capsule's surface; negative inside."""
    return (to_segments(skin, *ends @ keypoints) - radius).min(1)


def _fit(skin: np.ndarray, keypoints: np.ndarray, steps: int) -> Ends:
    def residual(numbers: np.ndarray) -> np.ndarray:
        ends = ends_of(_ends(numbers))
        outside = _outside(skin, keypoints, ends, numbers[_COUNT:])
        met = np.where(outside > 0, _OUTSIDE, 1.0) * outside / _SCALE_M
        return np.concatenate([met, _CALM * (numbers - start)[:_COUNT]])

    radius = _capsules(_START, skin, keypoints)[1]
    start = np.concatenate([np.ravel(_START.palm), np.ravel(_START.ball), radius])
    scale = np.concatenate([np.full(_COUNT, 0.1), np.full(len(radius), 1e-3)])
    # differences over steps as large as a tenth of a millimetre: who is nearest changes all along
    found = least_squares(residual, start, loss="soft_l1", max_nfev=steps, x_scale=scale, diff_step=1e-3)
    return _ends(found.x.round(2))


_COUNT = np.size(_START.palm) + np.size(_START.ball)


def _ends(numbers: np.ndarray) -> Ends:
    palm = np.reshape(numbers[: np.size(_START.palm)], np.shape(_START.palm)).tolist()
    ball = np.reshape(numbers[np.size(_START.palm) : _COUNT], np.shape(_START.ball)).tolist()
    return Ends(palm, ball)
