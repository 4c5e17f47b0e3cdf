"""What the landmark net gets wrong in the same way again and again, set right: the depths of its own 3D hand, and the
size of its hand in the picture.

The depths are half as deep as they should be, most in oblique views.
A tilted hand therefore looks to it as if it faced the lens, and a solver that believes it turns the hand there and puts
it too near. The errors are systematic: from the net's image landmarks and its 3D together, one linear map (learnt by
``python -m tools.calibration``, see ``hint_calibration.json``) predicts the true hand with two thirds of the error.
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


@dataclass(frozen=True, eq=False)
class HintCalibration:
    """``features @ weights + bias``: weights (105, 63), bias (63,). What they mean: ``features``, ``upright_hand``."""

    weights: np.ndarray
    bias: np.ndarray
    provenance: str


@cache
def default_hint_calibration() -> HintCalibration:
    """The shipped map."""
    content = json.loads(_DEFAULT.read_text(encoding="utf-8"))
    return HintCalibration(np.array(content["weights"]), np.array(content["bias"]), content["provenance"])


def write_hint_calibration(path: Path, weights: np.ndarray, bias: np.ndarray, provenance: str) -> None:
    """Write what ``default_hint_calibration`` reads, a row of weights a line."""
    rows = ",\n".join(f"  {json.dumps(row)}" for row in np.round(weights, 4).tolist())
    head = f' "provenance": {json.dumps(provenance)},\n "bias": {json.dumps(np.round(bias, 4).tolist())}'
    path.write_text(f'{{\n{head},\n "weights": [\n{rows}\n ]\n}}\n', encoding="utf-8")


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
        predicted = features(pixels, metres, track.side) @ calibration.weights + calibration.bias
        upright = predicted.reshape(-1, 21, 3)
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
