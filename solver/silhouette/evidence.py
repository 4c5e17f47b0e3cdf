"""Masks of a whole clip: two passes over its frames, one to learn the skin's colours, one to cut."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import cv2
import numpy as np

from ..camera.cameras import CameraPath
from ..camera.distortion import distort
from ..video import Clip
from .crop import SIZE, Crop, crop_around
from .masks import Colours, Region, covered, not_said, region_of, segment, to_lab, told
from .matching import Evidence, evidence_of
from .mattes import NONE, Masks
from .outlines import PosedHands

_LEARNT_FRAMES = 40
_TIGHT = 0.26  # crop pixels: what masks are cut too tight by, on the four clips of the validation suite


class Lens:
    """Cuts crops, which lie in the pinhole's picture, out of the clip's, which the lens bends."""

    def __init__(self, camera: CameraPath) -> None:
        self._camera = camera
        self._bent = bool(np.any(camera.distortion))

    def cut(self, image: np.ndarray, crop: Crop, smooth: bool = True, border: int = cv2.BORDER_REPLICATE) -> np.ndarray:
        """(SIZE, SIZE, ...) as ``Crop.cut``."""
        if not self._bent:
            return crop.cut(image, smooth, border)
        y, x = np.mgrid[0:SIZE, 0:SIZE] + 0.5
        camera = self._camera
        there = distort(
            crop.outside(np.stack([x, y], axis=-1)), camera.intrinsics, camera.distortion, camera.distortion_model
        )
        places = (there - 0.5).astype(np.float32)
        method = cv2.INTER_LINEAR if smooth else cv2.INTER_NEAREST
        if smooth and crop.scale < 0.7:
            image = cv2.GaussianBlur(image, (0, 0), 0.4 / crop.scale)
        return cv2.remap(image, places, None, method, borderMode=border)

    def outside(self, size: tuple[int, int], crop: Crop) -> np.ndarray:
        """(SIZE, SIZE) bool: beyond a picture of (width, height)."""
        corners = np.array([[0, 0], [SIZE, 0], [0, SIZE], [SIZE, SIZE]], float)
        places = crop.outside(corners)
        if not self._bent and (places.min(0) >= 0).all() and (places.max(0) <= size).all():
            return np.zeros((SIZE, SIZE), bool)
        there = np.ones(size[::-1], np.uint8)
        return self.cut(there, crop, smooth=False, border=cv2.BORDER_CONSTANT) == 0


class MaskMaker:
    """Makes the evidence of a clip.

    Args:
        hands: where they are believed to be; their frames count from the clip's ``first_frame``.
        camera: whose pinhole they are seen through, for its lens. size: (width, height) of the clip.
        given: masks of the artist's; they win.
        seen: (N,) bool, the hand-frames in which the hand was detected; None: all. Elsewhere it is a guess, which would
            be drawn to any skin nearby, so that only the artist's masks count there.
    """

    def __init__(
        self,
        hands: PosedHands,
        camera: CameraPath,
        size: tuple[int, int],
        first_frame: int,
        given: Masks = NONE,
        seen: np.ndarray | None = None,
    ) -> None:
        self._seen = np.ones(len(hands), bool) if seen is None else seen
        self._first, self._size, self._given = first_frame, size, given
        self._hands, self._lens = hands, Lens(camera)
        self._densities: Mapping[int, np.ndarray] = {}
        self._colours = {track: Colours() for track in set(hands.tracks.tolist())}

    def run(self, clip: Clip) -> Iterator[tuple[int, Evidence | None]]:
        """Every hand-frame in order of frames with its evidence, None where there is none."""
        self.learn(clip)
        for number, image in clip.frames():
            yield from self.look(number, image)

    def learn(self, clip: Clip) -> None:
        """The first pass: the skin's colours, from some frames of the clip."""
        step = max(1, len(clip) // _LEARNT_FRAMES)
        for number, image in clip.frames():
            if (number - self._first) % step == 0:
                self._learn(number, image)
        self._densities = self._learnt()

    def look(self, number: int, image: np.ndarray) -> Iterator[tuple[int, Evidence | None]]:
        """The hand-frames of one frame of the clip, after ``learn``."""
        for hand in self._hands.present(number - self._first):
            drawn = self._given.at(number, self._hands.surface(hand).model.side)
            if drawn is not None:
                yield hand, self._drawn(hand, drawn)
            else:
                yield hand, self._segmented(hand, image) if self._seen[hand] else None

    def _learn(self, number: int, image: np.ndarray) -> None:
        for hand in self._hands.present(number - self._first):
            looked = self._crop(hand, image) if self._seen[hand] else None
            if looked is not None:
                picture, region, _ = looked
                sure = region.core & ~region.other & ~region.outside
                self._colours[int(self._hands.tracks[hand])].add(to_lab(picture), sure)

    def _learnt(self) -> Mapping[int, np.ndarray]:
        """The skin's colours by track: all tracks' together where one has too few of its own."""
        together = Colours()
        together.counts = sum((colours.counts for colours in self._colours.values()), np.zeros_like(together.counts))
        return {track: (own if own.known else together).density() for track, own in self._colours.items()}

    def _crop(self, hand: int, image: np.ndarray) -> tuple[np.ndarray, Region, Crop] | None:
        crop = crop_around(self._hands.project(hand))
        if crop is None or not self._hands.beside(hand):
            return None
        outside = self._lens.outside(self._size, crop)
        return self._lens.cut(image, crop), region_of(self._hands.view(hand, crop), outside), crop

    def _segmented(self, hand: int, image: np.ndarray) -> Evidence | None:
        looked = self._crop(hand, image)
        if looked is None:
            return None
        picture, region, crop = looked
        mask = segment(picture, region, self._densities[int(self._hands.tracks[hand])])
        if mask is None:
            return None
        trust = mask.trust * self._told(hand, crop, region, mask.unknown)
        return evidence_of(crop, mask.inside, mask.unknown, trust, _TIGHT)

    def _drawn(self, hand: int, drawn: np.ndarray) -> Evidence | None:
        """The artist's mask as evidence: to be trusted but where another hand is, and where something else seems to lie
        before the hand, for its border is not the hand's."""
        crop = crop_around(self._hands.project(hand))
        if crop is None or not self._hands.beside(hand):
            return None
        region = region_of(self._hands.view(hand, crop), self._lens.outside(self._size, crop))
        inside = self._lens.cut(drawn, crop, border=cv2.BORDER_CONSTANT) > 127
        if not inside.any():
            return None
        unknown = not_said(region) | covered(region, inside)
        return evidence_of(crop, inside, unknown, self._told(hand, crop, region, unknown), drawn=True)

    def _told(self, hand: int, crop: Crop, region: Region, unknown: np.ndarray) -> float:
        own = region.hand & ~region.other
        alone = self._hands.view(hand, crop, alone=True).owner == 0 if region.other.any() else own
        return told(alone, region, unknown)
