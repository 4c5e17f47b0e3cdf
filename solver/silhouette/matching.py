"""Which point of a hand's outline belongs to which line of the mask's, both ways."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from .contour import Outline, mask_outline, sample, signed_distance
from .crop import SIZE, Crop

ROWS = 96  # of one hand and frame: half of them from the model to the mask, half back
_HALF = ROWS // 2
_ALIGNED = 0.3  # least cosine between the normals of what is matched


@dataclass(frozen=True)
class Evidence:
    """What a hand's mask says in one frame, packed: a clip has thousands.

    Attributes:
        crop: where. inside_bits, unknown_bits: see ``inside`` and ``unknown``.
        outline: of ``inside``, where it is known; ``tight``: crop pixels by which ``inside`` is less than the hand as a
            rule, which ``outline`` makes up for. trust: 0..1, how far to believe it. drawn: whether it is an artist's.
    """

    crop: Crop
    inside_bits: np.ndarray
    unknown_bits: np.ndarray
    outline: Outline
    trust: float
    tight: float = 0.0
    drawn: bool = False

    @property
    def inside(self) -> np.ndarray:
        """(SIZE, SIZE) bool: the hand, with the arm that it goes on in."""
        return _unpacked(self.inside_bits)

    @property
    def unknown(self) -> np.ndarray:
        """(SIZE, SIZE) bool, where nothing is said: another hand, a held thing, beyond the picture, along the arm."""
        return _unpacked(self.unknown_bits)


def evidence_of(
    crop: Crop, inside: np.ndarray, unknown: np.ndarray, trust: float, tight: float = 0.0, drawn: bool = False
) -> Evidence:
    """Prepare a mask for matching; arguments as in ``Evidence``."""
    outline = mask_outline(inside, signed_distance(inside))
    known = ~_look_up(unknown, outline.points)
    kept = Outline(*(array[known] for array in vars(outline).values()))
    kept = replace(kept, points=kept.points + tight * kept.normals)
    return Evidence(crop, np.packbits(inside), np.packbits(unknown), kept, trust, tight, drawn)


def _unpacked(bits: np.ndarray) -> np.ndarray:
    return np.unpackbits(bits).reshape(SIZE, SIZE).astype(bool)


def _look_up(image: np.ndarray, points: np.ndarray) -> np.ndarray:
    x, y = np.clip(np.floor(points).astype(int), 0, SIZE - 1).T
    return image[y, x]


@dataclass(frozen=True)
class Matches:
    """Lines in the picture that points of the outline should lie on; m of them.

    Attributes:
        edges: (m,) the surface's edges. normals: (m, 2) unit; targets_px: (m, 2) a place on each line.
        gaps: (m,) present distance from the line, crop pixels.
        weights: (m,) relative information.
    """

    edges: np.ndarray
    normals: np.ndarray
    targets_px: np.ndarray
    gaps: np.ndarray
    weights: np.ndarray


def match(model: Outline, evidence: Evidence, reach: float) -> Matches:
    """Both directions. ``reach``: crop pixels beyond which nothing is matched."""
    parts = [_to_mask(model, evidence, reach), _to_model(model, evidence, reach)]
    return Matches(*(np.concatenate([getattr(part, name) for part in parts]) for name in Matches.__dataclass_fields__))


def _to_mask(model: Outline, evidence: Evidence, reach: float) -> Matches:
    """From points of the model along the mask's distance to its outline."""
    model = _thinned(model)
    unknown, there = evidence.unknown, sample(signed_distance(evidence.inside), model.points)
    steepness = np.linalg.norm(there[:, 1:], axis=1)
    normals = there[:, 1:] / np.maximum(steepness, 1e-6)[:, None]
    gaps = there[:, 0] - evidence.tight
    good = (np.abs(gaps) < reach) & (steepness > 0.5) & ((normals * model.normals).sum(1) > _ALIGNED)
    good &= ~_look_up(unknown, model.points)
    targets = model.points - gaps[:, None] * normals
    good &= ~_look_up(unknown, targets)
    return _matches(model.edges[good], normals[good], targets[good], gaps[good], model.lengths[good], evidence)


def _to_model(model: Outline, evidence: Evidence, reach: float) -> Matches:
    """From points of the mask's outline to the nearest of the model's that looks the same way."""
    outline = _thinned(evidence.outline)
    if not len(model.points) or not len(outline.points):
        none = np.zeros(0)
        return _matches(none.astype(int), np.zeros((0, 2)), np.zeros((0, 2)), none, none, evidence)
    apart = ((outline.points[:, None] - model.points) ** 2).sum(-1)
    cosine = outline.normals @ model.normals.T
    nearest = (apart + (1 - cosine) * (0.5 * reach) ** 2).argmin(1)
    rows = np.arange(len(nearest))
    good = (apart[rows, nearest] < reach**2) & (cosine[rows, nearest] > _ALIGNED)
    normals, targets, nearest = outline.normals[good], outline.points[good], nearest[good]
    gaps = ((model.points[nearest] - targets) * normals).sum(1)
    return _matches(model.edges[nearest], normals, targets, gaps, outline.lengths[good], evidence)


def _matches(edges, normals, targets, gaps, lengths, evidence: Evidence) -> Matches:
    return Matches(edges, normals, evidence.crop.outside(targets), gaps, lengths)


def _thinned(outline: Outline) -> Outline:
    """At most ``_HALF`` points, evenly spread along the outline; each then stands for a longer piece of it."""
    if not len(outline.points):
        return outline
    centred = outline.points - outline.points.mean(0)
    order = np.argsort(np.arctan2(centred[:, 1], centred[:, 0]), kind="stable")
    run = np.cumsum(outline.lengths[order])
    steps = min(_HALF, len(order))
    chosen = order[np.unique(np.searchsorted(run, run[-1] * (np.arange(steps) + 0.5) / steps))]
    return Outline(
        outline.points[chosen], outline.normals[chosen], np.full(len(chosen), run[-1] / steps), outline.edges[chosen]
    )
