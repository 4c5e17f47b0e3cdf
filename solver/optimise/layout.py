"""Where each variable lies: tracks packed one after another, and the block-banded system with its border.

A *hand-frame* is one hand in one frame; all of them are packed track by track into arrays of length N. In the normal
equations every frame has a block: one *slot* of ``hand_size`` columns for each hand that can be present at once, then
the camera's six columns when it is free. Tracks that never meet share a slot, so that a clip with thirty short tracks
costs no more than one with two hands.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ..initialise.kinematics import Skeleton

TURN, SHIFT, ROOT = slice(0, 3), slice(3, 6), 6
CAMERA_SIZE = 6
BETA_COUNT = 10
OFFSET_COUNT = 63
# two frames between tracks in one slot keep their dynamics apart
_SLOT_GAP = 2


@dataclass(frozen=True)
class Track:
    """One hand over an unbroken run of frames.

    Attributes:
        skeleton: its model, with landmarks as the detector means them. bare: the same with the model's own keypoints.
        ``shape``: index of its betas (hands of one person share them).
        start, count: first frame of the problem (0-based) and number of frames.
        slot: column block. packed: index of its first hand-frame.
    """

    skeleton: Skeleton
    bare: Skeleton
    shape: int
    start: int
    count: int
    slot: int
    packed: int

    @property
    def hands(self) -> slice:
        """Its hand-frames in packed arrays."""
        return slice(self.packed, self.packed + self.count)

    @property
    def frames(self) -> slice:
        """Its frames in the problem."""
        return slice(self.start, self.start + self.count)


@dataclass(frozen=True)
class Layout:
    """Sizes and positions of all variables.

    Attributes:
        frame_count: T. tracks: packed in this order.
        shape_count: number of betas vectors.
        camera_free, shape_free, scale_free, focal_free, offsets_free: which variables besides the hands are solved.
        idle: indices of tracks that a solve holds entirely: what concerns each of them alone is a constant, left out.
    """

    frame_count: int
    tracks: tuple[Track, ...]
    shape_count: int
    camera_free: bool = False
    shape_free: bool = True
    scale_free: bool = False
    focal_free: bool = False
    offsets_free: bool = False
    idle: frozenset[int] = frozenset()

    @property
    def hand_size(self) -> int:
        """Columns of one hand: turn 3, shift 3, then its hinges."""
        return ROOT + (len(self.tracks[0].skeleton.hinges) if self.tracks else 0)

    @property
    def slot_count(self) -> int:
        return 1 + max((track.slot for track in self.tracks), default=-1)

    @property
    def block_size(self) -> int:
        """D, columns of one frame."""
        return self.slot_count * self.hand_size + CAMERA_SIZE * self.camera_free

    @property
    def camera(self) -> slice:
        """The camera's columns: turn 3, centre 3 (empty when it is fixed)."""
        return slice(self.slot_count * self.hand_size, self.block_size)

    @property
    def hand_count(self) -> int:
        """N, number of hand-frames."""
        return sum(track.count for track in self.tracks)

    @cached_property
    def border(self) -> dict[str, slice]:
        """Columns of the global variables in the border, only of the free ones: shape, scale, focal, offsets."""
        sizes = {
            "shape": BETA_COUNT * self.shape_count * self.shape_free,
            "scale": int(self.scale_free),
            "focal": int(self.focal_free),
            "offsets": OFFSET_COUNT * self.offsets_free,
        }
        out, start = {}, 0
        for name, size in sizes.items():
            out[name] = slice(start, start + size)
            start += size
        return out

    @property
    def border_size(self) -> int:
        return self.border["offsets"].stop

    @property
    def view_free(self) -> bool:
        """Whether anything between the world and the image is solved."""
        return self.camera_free or self.scale_free or self.focal_free

    def betas_columns(self, track: Track) -> slice:
        """The border columns of a track's betas (empty when shapes are fixed)."""
        start = self.border["shape"].start + BETA_COUNT * track.shape
        return slice(start, start + BETA_COUNT) if self.shape_free else slice(0, 0)

    @cached_property
    def frame_of(self) -> np.ndarray:
        """(N,) problem frame of each hand-frame."""
        return _concatenate([np.arange(track.start, track.start + track.count) for track in self.tracks])

    @cached_property
    def track_of(self) -> np.ndarray:
        """(N,) track index of each hand-frame."""
        return _concatenate([np.full(track.count, index) for index, track in enumerate(self.tracks)])

    @cached_property
    def column_of(self) -> np.ndarray:
        """(N,) first column of each hand-frame in its frame's block."""
        return _concatenate([np.full(track.count, track.slot * self.hand_size) for track in self.tracks])

    def runs(self, length: int) -> np.ndarray:
        """(m,) every packed index that begins ``length`` consecutive frames of one track that is not idle."""
        if self.hand_count < length:
            return np.zeros(0, int)
        last = len(self.track_of) - length + 1
        whole = self.track_of[:last] == self.track_of[length - 1 :]
        return np.flatnonzero(whole & ~np.isin(self.track_of[:last], list(self.idle)))


@dataclass(frozen=True)
class Span:
    """A track before it has its place; fields as in ``Track``."""

    skeleton: Skeleton
    bare: Skeleton
    shape: int
    start: int
    count: int


@dataclass(frozen=True)
class Window:
    """Some consecutive frames of a larger layout, with what is in them.

    Attributes:
        layout: of the window alone; its globals and its camera are not free unless asked for.
        frames: the window's frames in the larger layout. tracks: (k,) the larger layout's index of each track here.
        hands: (n,) the larger layout's hand-frame for each one here.
        place: (N,) the reverse, -1 for hand-frames outside.
    """

    layout: Layout
    frames: slice
    tracks: np.ndarray
    hands: np.ndarray
    place: np.ndarray


def window_of(layout: Layout, frames: slice, camera_free: bool = False, only: Collection[int] | None = None) -> Window:
    """The window over ``frames`` (start and stop within the layout); with ``only``, of those tracks, in slots anew."""
    tracks, kept, hands, packed = [], [], [], 0
    slots = {slot: slot for slot in range(layout.slot_count)}
    if only is not None:
        slots = {slot: k for k, slot in enumerate(sorted({layout.tracks[index].slot for index in only}))}
    for index, track in enumerate(layout.tracks):
        if only is not None and index not in only:
            continue
        start, stop = max(track.start, frames.start), min(track.start + track.count, frames.stop)
        if stop > start:
            placed = {"start": start - frames.start, "count": stop - start, "packed": packed}
            tracks.append(replace(track, slot=slots[track.slot], **placed))
            kept.append(index)
            hands.append(np.arange(start, stop) - track.start + track.packed)
            packed += stop - start
    whole = _concatenate(hands)
    place = np.full(layout.hand_count, -1)
    place[whole] = np.arange(len(whole))
    inner = Layout(frames.stop - frames.start, tuple(tracks), layout.shape_count, camera_free, shape_free=False)
    return Window(inner, frames, np.array(kept, int), whole, place)


def arrange(frame_count: int, spans: list[Span], **free: bool) -> Layout:
    """A layout for spans; ``free`` are the flags of ``Layout``.

    Slots are given greedily by first frame, which needs no more of them than hands are ever present at once (plus the
    gap that keeps neighbours in a slot apart).
    """
    slot_ends: list[int] = []
    slots = [0] * len(spans)
    for index in sorted(range(len(spans)), key=lambda i: (spans[i].start, i)):
        span = spans[index]
        vacant = [slot for slot, end in enumerate(slot_ends) if end + _SLOT_GAP <= span.start]
        slots[index] = vacant[0] if vacant else len(slot_ends)
        if not vacant:
            slot_ends.append(0)
        slot_ends[slots[index]] = span.start + span.count
    tracks, packed = [], 0
    for span, slot in zip(spans, slots, strict=True):
        tracks.append(Track(span.skeleton, span.bare, span.shape, span.start, span.count, slot, packed))
        packed += span.count
    shape_count = 1 + max((span.shape for span in spans), default=-1)
    return Layout(frame_count, tuple(tracks), shape_count, **free)


def _concatenate(parts: list[np.ndarray]) -> np.ndarray:
    return np.concatenate(parts) if parts else np.zeros(0, int)
