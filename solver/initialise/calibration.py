"""What the landmark net calls a joint, measured against the joints of the hand model.

The net's landmarks lie on skin creases and knuckles as its annotators saw them: its wrist is almost 2 cm from the
wrist joint. One constant offset per landmark, rigid with the joint's bone, takes out most of that. The numbers in
``calibration.json`` come from ``python -m tools.calibration``; the file says from what.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

_DEFAULT = Path(__file__).with_name("calibration.json")


@dataclass(frozen=True, eq=False)
class LandmarkCalibration:
    """Attributes:
    offsets_m: (21, 3) from keypoint to landmark in the frame of the keypoint's joint (``KEYPOINT_JOINTS``), right
        hand, model axes, metres at the mean shape; a left hand mirrors x, other sizes scale with the palm.
    residual_covariance: (21, 2, 2) image error that the offsets leave, in hand sizes squared.
    provenance: where the numbers come from.
    """

    offsets_m: np.ndarray
    residual_covariance: np.ndarray
    provenance: str


@cache
def default_calibration() -> LandmarkCalibration:
    """The shipped numbers."""
    return read_calibration(_DEFAULT)


def read_calibration(path: Path) -> LandmarkCalibration:
    """Read ``calibration.json``'s format: offsets in mm, standard deviations in percent of hand size."""
    content = json.loads(path.read_text(encoding="utf-8"))
    sigma = np.array(content["residual_sigma_percent"]) / 100
    return LandmarkCalibration(
        offsets_m=np.array(content["offsets_mm"]) / 1000,
        residual_covariance=sigma[:, None, None] ** 2 * np.eye(2),
        provenance=content["provenance"],
    )


def write_calibration(path: Path, offsets_m: np.ndarray, sigma: np.ndarray, provenance: str) -> None:
    """Write what ``read_calibration`` reads; ``sigma`` (21,) in hand sizes."""
    content = {
        "provenance": provenance,
        "offsets_mm": np.round(offsets_m * 1000, 2).tolist(),
        "residual_sigma_percent": np.round(sigma * 100, 2).tolist(),
    }
    text = json.dumps(content, indent=1)
    path.write_text(_compact_rows(text) + "\n", encoding="utf-8")


def _compact_rows(text: str) -> str:
    """Put each innermost list on one line, so that the file can be read."""
    return re.sub(r"\[\s+([-\d.,\s]+?)\s+\]", lambda m: "[" + " ".join(m.group(1).split()) + "]", text)
