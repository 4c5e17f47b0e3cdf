"""What a hand's mask says that the rendered picture should show, and where it says so."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from ..silhouette.contour import signed_distance
from ..silhouette.crop import SIZE, Crop
from ..silhouette.matching import Evidence

_LEVELS = 255


@dataclass(frozen=True)
class Target:
    """A picture of coverage, packed: a clip has thousands.

    Attributes:
        crop: where. levels: (SIZE, SIZE) uint8, see ``picture``. known_bits: see ``known``.
        trust: 0..1.
    """

    crop: Crop
    levels: np.ndarray
    known_bits: np.ndarray
    trust: float

    @property
    def picture(self) -> np.ndarray:
        """(SIZE, SIZE) the share of each pixel that is hand, soft outside of its border like a rendered one."""
        return self.levels / _LEVELS

    @property
    def known(self) -> np.ndarray:
        """(SIZE, SIZE) bool, where the picture is to be matched."""
        return np.unpackbits(self.known_bits).reshape(SIZE, SIZE).astype(bool)


def target_of(evidence: Evidence, softness: float, reach: float, excess: float = 0.0) -> Target:
    """The target of a mask.

    Args:
        softness: width of the soft border. reach: beyond this from the mask's border nothing is said, so that a gross
            error of a mask, or of the pose, pulls no more than one that is just in reach.
        excess: how far the model's outline lies outside of masks as a rule. All three in crop pixels.
    """
    inside, unknown = evidence.inside, evidence.unknown
    distance = signed_distance(inside)[..., 0] - evidence.tight
    coverage = np.clip(1 - (distance - excess) / softness, 0.0, 1.0)
    known = (np.abs(distance) < reach) & ~unknown & ~_beside_unknown(inside, unknown)
    return Target(evidence.crop, np.round(_LEVELS * coverage).astype(np.uint8), np.packbits(known), evidence.trust)


def _beside_unknown(inside: np.ndarray, unknown: np.ndarray) -> np.ndarray:
    """(SIZE, SIZE) bool: pixels whose nearest piece of the mask's border is unknown."""
    mask = inside.astype(np.uint8)
    border = (mask != cv2.erode(mask, None, borderValue=1)) | (mask != cv2.dilate(mask, None))
    if not border.any():
        return np.ones_like(unknown)
    _, nearest = cv2.distanceTransformWithLabels(
        (~border).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    said = np.zeros(nearest.max() + 1, bool)
    said[nearest[border]] = ~unknown[border]
    return ~said[nearest]
