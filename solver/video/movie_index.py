"""When each frame of a movie is shown, and from which keyframe it decodes; read from packets, without decoding."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np

# Container rates are rounded now and then (29.97, 23.976); the NTSC rate within this relative distance is meant.
SNAP_TOLERANCE = 2e-5
# Timestamps may miss the even grid by this share of a frame (millisecond containers) before we call it variable.
JITTER_FRAMES = 0.3
# A clip whose timestamps claim more than this many times its coded frames has a wrong rate, not dropped frames.
MAX_REPEAT = 4


# Their packets carry no trustworthy presentation times.
_UNTIMED_FORMATS = frozenset({"avi", "h264", "hevc", "m4v", "mpegvideo"})


@dataclass(frozen=True)
class MovieIndex:
    """Attributes:
    pts: (n,) int64 presentation time of the coded frame that frame index i shows; not falling, repeats allowed.
        Where the container has no such times, the frame's place in decoding order.
    keyframe_pts: (k,) int64 rising presentation times of keyframes; empty where one can't seek.
    rate: exact frame rate.
    variable: the coded frames were not evenly spaced, so some index shows a repeated frame or leaves one out.
    announced: frames that the container promises, 0 if it doesn't say.
    """

    pts: np.ndarray
    keyframe_pts: np.ndarray
    rate: Fraction
    variable: bool
    announced: int = 0

    @property
    def counted(self) -> bool:
        """Are frames told by their order, because the container has no times?"""
        return len(self.keyframe_pts) == 0

    def keyframes_before(self, index: int) -> list[int]:
        """Presentation times from which frame ``index`` can be decoded, the nearest first."""
        at = int(np.searchsorted(self.keyframe_pts, self.pts[index], side="right"))
        return self.keyframe_pts[:at][::-1].tolist()


def read_index(container: av.container.InputContainer, stream: av.VideoStream) -> MovieIndex:
    """Index of ``stream`` in a freshly opened container; reads the whole file once."""
    rate = stream.guessed_rate or stream.average_rate
    if container.format.name in _UNTIMED_FORMATS:
        return _count(container, stream, rate)
    pts, key_pts = _packet_times(container, stream)
    if len(pts) == 0 or len(key_pts) == 0:
        return MovieIndex(pts[:0], key_pts[:0], Fraction(1), False)
    rate = exact_rate(rate, len(pts), pts, stream.time_base)
    shown, variable = _on_even_grid(pts, rate, stream.time_base)
    return MovieIndex(shown, key_pts, rate, variable, stream.frames)


def _packet_times(container: av.container.InputContainer, stream: av.VideoStream) -> tuple[np.ndarray, np.ndarray]:
    times, keys = [], []
    try:
        for packet in container.demux(stream):
            if packet.size and packet.pts is not None and not packet.is_discard:
                times.append(packet.pts)
                keys.append(bool(packet.is_keyframe))
    except av.FFmpegError:
        # A file cut short: what came before the damage is still a clip.
        pass
    pts, keyframe = np.array(times, np.int64), np.array(keys, bool)
    return np.unique(pts), np.unique(pts[keyframe])


def _count(container: av.container.InputContainer, stream: av.VideoStream, rate: Fraction | None) -> MovieIndex:
    """Decodes once to see how many frames come out."""
    count = sum(1 for _ in decodable(container, stream))
    rate = exact_rate(rate, 1, np.zeros(1, np.int64), Fraction(1))
    return MovieIndex(np.arange(count), np.zeros(0, np.int64), rate, False)


def decodable(container: av.container.InputContainer, stream: av.VideoStream) -> Iterator[av.VideoFrame]:
    """Pictures of the packets that decode; a damaged packet loses its own picture only."""
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
        except av.FFmpegError:
            return
        if packet is None:
            return
        try:
            yield from packet.decode()
        except av.FFmpegError:
            continue


def exact_rate(guess: Fraction | None, count: int, pts: np.ndarray, time_base: Fraction) -> Fraction:
    """The container's rate, snapped to x000/1001 if it is a rounding of one; from the timestamps if it has none."""
    if not guess:
        span = int(pts[-1] - pts[0]) * time_base if count > 1 else Fraction(0)
        guess = (Fraction(count - 1) / span).limit_denominator(1001) if span else Fraction(24)
    ntsc = Fraction(round(guess * Fraction(1001, 1000)) * 1000, 1001)
    return ntsc if abs(ntsc / guess - 1) < SNAP_TOLERANCE else Fraction(guess)


def _on_even_grid(pts: np.ndarray, rate: Fraction, time_base: Fraction) -> tuple[np.ndarray, bool]:
    """Which coded frame each index shows: one to one if evenly spaced, else the frame on screen at index / rate."""
    if len(pts) < 2:
        return pts, False
    position = (pts - pts[0]) * float(time_base * rate)
    if np.abs(position - np.arange(len(pts))).max() <= JITTER_FRAMES:
        return pts, False
    count = int(round(position[-1])) + 1
    if not 1 < count <= MAX_REPEAT * len(pts):
        return pts, True
    return pts[np.searchsorted(position, np.arange(count) + 0.5, side="right") - 1], True
