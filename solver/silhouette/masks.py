"""Which pixels of a crop are hand: the fitted mesh says where to look, colour and edges say the rest.

GrabCut (Rother, Kolmogorov, Blake, SIGGRAPH 2004) with a start of its own: the skin's colours are learnt over the whole
track, from the inside of the hands where the fit is surest, the background's in each frame around the hand. Where a
border runs exactly is then read from how much light of the hand's a pixel holds (``border``).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from ..hand_model.layout import WRIST_LOOP
from .border import refined
from .contour import View
from .crop import SIZE
from .morphology import grown, opened, shrunk
from .raster import NOTHING

_BINS = 16
_CORE, _NEAR, _FAR = 5, 6, 14  # crop pixels: inside the hand for certain; beside it perhaps; beyond it certainly not
_ARM_HALF_WIDTH, _ARM_WIDENING, _ARM_OVERLAP = 22.0, 0.5, 4.0
_OTHER_MARGIN, _COVERED_MARGIN, _JUDGED = 3, 4, 8
# of something broad that sticks out: half its width, how far, and how much around it is doubtful
_BROADER_THAN_FINGERS, _BEYOND_A_MISFIT, _BESIDE_FOREIGN = 5, 10, 12
_LIKELY, _UNLIKELY, _LEAST_CONTRAST = 0.5, 0.2, 0.25
_LEAST_DIFFERENCE = 12.0  # CIELAB as bytes
_LEAST_PIXELS = 60  # of either kind, for a colour model to be worth anything


@dataclass(frozen=True)
class Region:
    """What the fitted meshes say about a crop; all (SIZE, SIZE) bool.

    Attributes:
        hand: any hand. other: any hand but the one that the crop is of. arm: where its forearm may be.
        arms: where those of the others may be, but beside this hand.
        core: inside a hand for certain if the fit is about right. beyond: certainly no hand.
        outside: beyond the picture.
    """

    hand: np.ndarray
    other: np.ndarray
    arm: np.ndarray
    arms: np.ndarray
    core: np.ndarray
    beyond: np.ndarray
    outside: np.ndarray


@dataclass(frozen=True)
class Mask:
    """Attributes:
    inside: (SIZE, SIZE) bool hand, arm and other hands. unknown: (SIZE, SIZE) bool, where that is not to be relied on.
    trust: 0..1.
    """

    inside: np.ndarray
    unknown: np.ndarray
    trust: float


def region_of(view: View, outside: np.ndarray) -> Region:
    """The region of hand 0 of a view."""
    hand = view.owner != NOTHING
    arm = _arm(view.points[0])
    arms = np.zeros_like(arm)
    for points in view.points[1:]:
        arms |= _arm(points)
    arms &= ~grown(view.owner == 0, _NEAR)
    return Region(
        hand=hand,
        other=hand & (view.owner != 0),
        arm=arm,
        arms=arms,
        core=shrunk(hand, _CORE),
        beyond=~grown(hand, _FAR) & ~arm & ~arms,
        outside=outside,
    )


def _arm(points: np.ndarray) -> np.ndarray:
    """A cone from the wrist away from the hand."""
    rim = points[list(WRIST_LOOP)].mean(0)
    away = rim - points.mean(0)
    away = away / max(np.linalg.norm(away), 1e-6)
    y, x = np.mgrid[0:SIZE, 0:SIZE] + 0.5
    forth = (x - rim[0]) * away[0] + (y - rim[1]) * away[1]
    across = np.abs((x - rim[0]) * away[1] - (y - rim[1]) * away[0])
    return (forth > -_ARM_OVERLAP) & (across < _ARM_HALF_WIDTH + _ARM_WIDENING * np.maximum(forth, 0))


class Colours:
    """A histogram of colours, smoothed. Pictures are (..., 3) uint8 in CIELAB."""

    def __init__(self) -> None:
        self.counts = np.zeros(_BINS**3)

    def add(self, picture: np.ndarray, where: np.ndarray) -> None:
        self.counts += np.bincount(_bins(picture[where]), minlength=_BINS**3)

    @property
    def known(self) -> bool:
        return self.counts.sum() >= _LEAST_PIXELS

    def density(self) -> np.ndarray:
        """(_BINS ** 3,) summing to one."""
        cube = self.counts.reshape(_BINS, _BINS, _BINS)
        for axis in range(3):
            cube = 0.5 * cube + 0.25 * (np.roll(cube, 1, axis) + np.roll(cube, -1, axis))
        return cube.reshape(-1) / max(cube.sum(), 1e-9)


def _bins(colours: np.ndarray) -> np.ndarray:
    coarse = (colours // (256 // _BINS)).astype(int)
    return (coarse[..., 0] * _BINS + coarse[..., 1]) * _BINS + coarse[..., 2]


def to_lab(image: np.ndarray) -> np.ndarray:
    """An RGB picture in CIELAB, uint8."""
    return cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2LAB)


def segment(picture: np.ndarray, region: Region, skin: np.ndarray) -> Mask | None:
    """The mask of one crop; None where its colours can't tell.

    Args:
        picture: (SIZE, SIZE, 3) RGB. skin: density of the skin's colours.
    """
    lab = to_lab(picture)
    likely = _skin_likelihood(lab, region, skin)
    if likely is None:
        return None
    held = covered(region, likely >= _UNLIKELY)
    start = np.where(likely > _LIKELY, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    start[region.beyond] = cv2.GC_BGD
    start[region.core & ~held] = cv2.GC_FGD
    sure = start & 1
    if not _LEAST_PIXELS < sure.sum() < SIZE * SIZE - _LEAST_PIXELS:
        return None
    inside = refined(_cut(lab, start), picture, region.outside)
    border = grown(inside, 1) & ~shrunk(inside, 1)
    unsupported = _unsupported(inside, lab, likely, start, border)
    unknown = not_said(region) | held | unsupported | foreign(region, inside)
    return Mask(inside, unknown, _trust(inside, region) * _support(border & ~not_said(region), unsupported))


def told(alone: np.ndarray, region: Region, unknown: np.ndarray) -> float:
    """0..1, how far a mask may place a hand: nothing below 0.4 of its outline, if it were ``alone`` (SIZE, SIZE), that
    isn't unknown, all above 0.8. The rest of a hand that is mostly covered would move as the little that is seen."""
    outline = grown(alone, 1) & ~shrunk(alone, 1) & ~region.arm
    share = (outline & ~unknown).sum() / max(outline.sum(), 1)
    return float(np.clip((share - 0.4) / 0.4, 0.0, 1.0))


def not_said(region: Region) -> np.ndarray:
    """(SIZE, SIZE) bool: where no mask says anything about this hand: at another hand, beyond the picture, and along
    the arm, which an artist's mask may have or not."""
    return grown(region.other | region.outside, _OTHER_MARGIN) | region.arm | region.arms


def covered(region: Region, hand: np.ndarray) -> np.ndarray:
    """(SIZE, SIZE) bool: around what is no ``hand`` deep inside the fitted one: a thing held before it."""
    return grown(region.core & ~hand, _COVERED_MARGIN)


def foreign(region: Region, inside: np.ndarray) -> np.ndarray:
    """(SIZE, SIZE) bool: around what a mask has beyond the fitted hand and is broader than a finger that lies elsewhere
    than the fit has it: the forearm behind a hand that points at the camera, a face, a table of the skin's colour."""
    broad = opened(inside & ~not_said(region), _BROADER_THAN_FINGERS)
    return grown(broad & ~grown(region.hand, _BEYOND_A_MISFIT), _BESIDE_FOREIGN)


def _cut(lab: np.ndarray, start: np.ndarray) -> np.ndarray:
    """GrabCut in the box of what is undecided or hand; (SIZE, SIZE) bool."""
    rows, columns = (np.flatnonzero((start != cv2.GC_BGD).any(axis)) for axis in (1, 0))
    box = tuple(slice(max(span[0] - 4, 0), span[-1] + 5) for span in (rows, columns))
    cut = np.ascontiguousarray(start[box])
    cv2.grabCut(
        np.ascontiguousarray(lab[box]), cut, None, np.zeros((1, 65)), np.zeros((1, 65)), 1, cv2.GC_INIT_WITH_MASK
    )
    inside = np.zeros(start.shape, bool)
    inside[box] = cut & 1
    return inside


def _skin_likelihood(lab: np.ndarray, region: Region, skin: np.ndarray) -> np.ndarray | None:
    """(SIZE, SIZE) float32 share of skin among skin and this frame's background, by colour alone."""
    around = Colours()
    around.add(lab, ~grown(region.hand, _NEAR) & ~region.arm & ~region.arms & ~region.outside)
    if not around.known:
        return None
    bins = _bins(lab)
    hand, ground = skin[bins] + 1e-5, around.density()[bins] + 1e-5
    return cv2.GaussianBlur((hand / (hand + ground)).astype(np.float32), (0, 0), 1.0)


def _unsupported(
    inside: np.ndarray, lab: np.ndarray, likely: np.ndarray, start: np.ndarray, border: np.ndarray
) -> np.ndarray:
    """Where the ``border`` has no change of colour across it, or lies where the search was at its limit."""
    more_skin = _across(inside, likely[..., None])[..., 0] >= _LEAST_CONTRAST
    other_colour = np.linalg.norm(_across(inside, lab), axis=-1) >= _LEAST_DIFFERENCE
    limit = (start == cv2.GC_BGD) | (start == cv2.GC_FGD)
    return border & (~(more_skin | other_colour) | grown(limit, 1))


def _across(inside: np.ndarray, picture: np.ndarray) -> np.ndarray:
    """(SIZE, SIZE, c) float32: a picture's mean around each pixel inside a mask, less that outside it."""
    weight = inside.astype(np.float32)[..., None]
    share = cv2.boxFilter(weight, -1, (7, 7))[..., None]
    mean, within = (cv2.boxFilter(p.astype(np.float32), -1, (7, 7)) for p in (picture, picture * weight))
    mean, within = mean.reshape(picture.shape), within.reshape(picture.shape)
    return within / np.maximum(share, 1e-3) - (mean - within) / np.maximum(1 - share, 1e-3)


def _support(border: np.ndarray, unsupported: np.ndarray) -> float:
    """1 where at least 0.4 of the border is seen in the picture, 0 below 0.2: else the mask repeats the fitted mesh."""
    share = 1 - (border & unsupported).sum() / max(border.sum(), 1)
    return float(np.clip((share - 0.2) / 0.2, 0.0, 1.0))


def _trust(inside: np.ndarray, region: Region) -> float:
    """Overlap with the fitted hand where both are known, and near it: 0 below 0.6, 1 above 0.8."""
    own = region.hand & ~region.other
    known = grown(own, _JUDGED) & ~(region.arm | region.arms | grown(region.other, _JUDGED) | region.outside)
    both, either = (inside & own & known).sum(), ((inside | own) & known).sum()
    return float(np.clip((both / max(either, 1) - 0.6) / 0.2, 0.0, 1.0))
