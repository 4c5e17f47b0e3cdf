"""What the landmark net gets wrong in the same way again and again, set right: the depths of its own 3D hand, and the
size of its hand in the picture.

The depths are half as deep as they should be, most in oblique views.
A tilted hand therefore looks to it as if it faced the lens, and a solver that believes it turns the hand there and puts
it too near. The errors are systematic: from the net's image landmarks and its 3D together, one smooth map (learnt by
``python -m tools.calibration``, in ``hint_calibration.json``) predicts the true hand with half of the error.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np

from ..observations import HandTrack, palm_size

# An unsure net draws the hand smaller: by this much of the logarithm per decade of doubt (1 - presence), measured by
# ``python -m tools.calibration hint``; its size is right at ``_SURE_DOUBT``. Depth follows size in proportion.
_SHRINKAGE, _SURE_DOUBT = 0.046, 10**-1.9
_LEAST_DOUBT, _MOST_DOUBT = 0.002, 0.5

_DEFAULT = Path(__file__).with_name("hint_calibration.json")
FEATURES, OUTPUTS = 105, 63
_ARRAYS = ("mean", "axes", "centres", "sharpness", "weights", "bias")


@dataclass(frozen=True, eq=False)
class HintCalibration:
    """A smooth map from ``features`` to ``upright_hand`` (flat): Gaussian bumps and a linear part, in few coordinates.

    Attributes:
        mean: (105,) and axes (105, p): coordinates are ``(features - mean) @ axes``.
        centres: (m, p) of the bumps ``exp(-sharpness * distance^2)``.
        weights: (m + p, 63) of bumps, then of coordinates. bias: (63,).
        provenance: where the numbers come from.
    """

    mean: np.ndarray
    axes: np.ndarray
    centres: np.ndarray
    sharpness: np.ndarray
    weights: np.ndarray
    bias: np.ndarray
    provenance: str = ""

    def basis(self, features: np.ndarray) -> np.ndarray:
        """(n, m + p) bumps and coordinates at (n, 105) features."""
        at = (features - self.mean) @ self.axes
        squares = (at**2).sum(1)[:, None] + (self.centres**2).sum(1) - 2 * at @ self.centres.T
        return np.concatenate([np.exp(-self.sharpness * squares), at], axis=1)

    def __call__(self, features: np.ndarray) -> np.ndarray:
        """(n, 63)."""
        return self.basis(features) @ self.weights + self.bias


@cache
def default_hint_calibration() -> HintCalibration:
    """The shipped map."""
    content = json.loads(_DEFAULT.read_text(encoding="utf-8"))
    arrays = {name: np.asarray(content[name], dtype=float) for name in _ARRAYS}
    return HintCalibration(**arrays, provenance=content["provenance"])


def write_hint_calibration(path: Path, calibration: HintCalibration) -> None:
    """Write what ``default_hint_calibration`` reads, to five digits."""
    arrays = {name: _rounded(np.asarray(getattr(calibration, name)).tolist()) for name in _ARRAYS}
    lines = [f"{json.dumps(name)}: {json.dumps(value)}" for name, value in arrays.items()]
    lines.append(f'"provenance": {json.dumps(calibration.provenance)}')
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def _rounded(values: list | float) -> list | float:
    return [_rounded(value) for value in values] if isinstance(values, list) else float(f"{values:.5g}")


def lifted(tracks: Sequence[HandTrack], calibration: HintCalibration | None = None) -> list[HandTrack]:
    """Tracks whose landmarks are set right: ``landmarks_px`` about their middle; ``landmarks_m`` with the palm's size
    kept, and none where not all of a frame are known."""
    calibration = calibration or default_hint_calibration()
    return [replace(track, landmarks_m=_lift(track, calibration), landmarks_px=_grown(track)) for track in tracks]


def _grown(track: HandTrack) -> np.ndarray:
    """Landmarks as large as the hand is, however sure the net was."""
    doubt = np.clip(1 - track.presence, _LEAST_DOUBT, _MOST_DOUBT)
    factor = np.exp(_SHRINKAGE * np.log10(doubt / _SURE_DOUBT))[:, None, None]
    middle = track.landmarks_px.mean(1, keepdims=True)
    return middle + factor * (track.landmarks_px - middle)


def _lift(track: HandTrack, calibration: HintCalibration) -> np.ndarray:
    out = np.full(track.landmarks_m.shape, np.nan)
    known = np.isfinite(track.landmarks_px).all((1, 2)) & np.isfinite(track.landmarks_m).all((1, 2))
    size = palm_size(np.where(known[:, None, None], track.landmarks_m, 0.0))
    known &= (size > 1e-6) & (np.ptp(np.where(known[:, None, None], track.landmarks_px, 0.0), axis=(1, 2)) > 0)
    if known.any():
        pixels, metres = track.landmarks_px[known], track.landmarks_m[known]
        upright = calibration(features(pixels, metres, track.side)).reshape(-1, 21, 3)
        upright = upright * (size[known] / palm_size(upright))[:, None, None]
        upright[..., :2] = upright[..., :2] @ upright_turn(pixels, track.side)
        out[known] = upright * mirror(track.side)
    return out


def mirror(side: str) -> np.ndarray:
    """(3,) signs that make a left hand's picture a right hand's."""
    return np.array([1.0 if side == "right" else -1.0, 1.0, 1.0])


def upright_turn(landmarks_px: np.ndarray, side: str) -> np.ndarray:
    """(n, 2, 2) turns that put the line from wrist to middle knuckle upright, in the (mirrored) picture."""
    x, y = np.moveaxis((landmarks_px[:, 9] - landmarks_px[:, 0]) * mirror(side)[:2], -1, 0)
    length = np.maximum(np.hypot(x, y), 1e-9)
    cosine, sine = -y / length, x / length
    return np.stack([np.stack([cosine, sine], -1), np.stack([-sine, cosine], -1)], -2)


def upright_hand(points: np.ndarray, landmarks_px: np.ndarray, side: str) -> np.ndarray:
    """(n, 21, 3) points in camera axes along the viewing ray, as the map gives them: of a right hand, upright in the
    picture, about their mean, in palm sizes."""
    own = points * mirror(side)
    own = own - own.mean(1, keepdims=True)
    own[..., :2] = own[..., :2] @ np.swapaxes(upright_turn(landmarks_px, side), 1, 2)
    return own / palm_size(own)[:, None, None]


def features(landmarks_px: np.ndarray, landmarks_m: np.ndarray, side: str) -> np.ndarray:
    """(n, 105): image landmarks, upright, over their root mean square; then ``upright_hand`` of the net's own."""
    flat = landmarks_px * mirror(side)[:2]
    flat = (flat - flat.mean(1, keepdims=True)) @ np.swapaxes(upright_turn(landmarks_px, side), 1, 2)
    spread = np.sqrt((flat**2).sum(-1).mean(-1))
    n = len(flat)
    hand = upright_hand(landmarks_m, landmarks_px, side)
    return np.concatenate([(flat / spread[:, None, None]).reshape(n, 42), hand.reshape(n, 63)], axis=1)
