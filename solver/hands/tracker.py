"""Trails over a clip: a forward pass that finds and follows hands, a backward pass that extends what began late.

Palms are searched in all tiles on keyframes only, and in a tile now and then while a hand is missing; in between hands
are followed. A new hand is at once followed back through the last frames, which are kept; what is still seen at their
end is followed further back in a second pass over the clip.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from ..video import Clip, Frame
from .colour import palm_chroma
from .filter import convincing
from .follow import Follower, is_palm_of
from .geometry import Pyramid
from .landmarks import Reading
from .palm import Palm, Tile, coarse_tiles, fine_tiles
from .trail import COVERED, Trail, covered_share, same_hand

# Frames kept for following a new hand back.
_HISTORY_BYTES = 192 * 2**20
_HISTORY_FRAMES = 32
# Beside a hand smaller than this share of the frame's shorter side, others may be too small for the coarse tiles.
_FAR_HAND = 0.15


@dataclass(frozen=True)
class HandBox:
    """A hand that a person pointed out: ``box`` (x0, y0, x1, y1) px in ``frame``; ``side`` if they know it."""

    frame: int
    box: tuple[float, float, float, float]
    side: str | None = None


@dataclass(frozen=True)
class TrackerOptions:
    """Attributes:
    keyframe_step: frames between full searches of all tiles, half as often while no hand is missing.
    search_step: every so many frames one tile is searched while fewer than ``expected_hands`` are followed; right
        after a hand was lost and while there is none, every frame.
    expected_hands: hands that are usually in view.
    palm_score: weakest palm that is shown to the landmark network.
    mirror_step: every so many frames a hand is read mirrored too, for its side, its covariance and its reality.
    boxes: hands that a person pointed out.
    """

    keyframe_step: int = 20
    search_step: int = 2
    expected_hands: int = 2
    palm_score: float = 0.5
    mirror_step: int = 6
    boxes: tuple[HandBox, ...] = ()


DEFAULT_OPTIONS = TrackerOptions()


class Step(NamedTuple):
    """What a pass knows after one frame."""

    number: int
    readings: list[Reading]


@dataclass
class Tracker:
    """Runs the passes; ``trails`` grows."""

    clip: Clip
    options: TrackerOptions = DEFAULT_OPTIONS
    trails: list[Trail] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.follower = Follower()
        self._coarse, self._fine = coarse_tiles(*self.clip.size), fine_tiles(*self.clip.size)
        self._next_tile = 0
        self._lost_at = -(10**9)
        self._sure: tuple[list[int], int] = ([], 0)
        width, height = self.clip.size
        kept = max(2, min(_HISTORY_FRAMES, _HISTORY_BYTES // (width * height * 3)))
        self._history: deque[Frame] = deque(maxlen=kept)
        self._unfinished: list[Trail] = []

    def forward(self) -> Generator[Step, None, None]:
        """From the first frame to the last."""
        live: list[Trail] = []
        for number, image in self.clip.frames():
            frame = Pyramid(image)
            before = len(live)
            live = [trail for trail in live if self._advance(frame, trail, number, 1)]
            live = self._without_doubles(live, number)
            self._lost_at = number if len(live) < before else self._lost_at
            live = self._add_boxes(frame, number, live)
            live = self._search(frame, number, live)
            self._history.append(Frame(number, image))
            yield Step(number, [trail.readings[number] for trail in live])

    def backward(self) -> Generator[Step, None, None]:
        """Follows back what the forward pass left unfinished; reads only the frames that it needs."""
        waiting = sorted(self._unfinished, key=lambda trail: trail.first)
        while waiting:
            live: list[Trail] = []
            for number, image in self.clip.backwards(last=waiting[-1].first - 1):
                while waiting and waiting[-1].first == number + 1:
                    live.append(waiting.pop())
                frame = Pyramid(image)
                live = [trail for trail in live if self._advance_back(frame, trail, number)]
                yield Step(number, [trail.readings[number] for trail in live])
                if not live:
                    break

    def _advance(self, frame: Pyramid, trail: Trail, number: int, direction: int) -> bool:
        """Follow ``trail`` into frame ``number``; False if it is lost."""
        if number - direction not in trail.readings:
            return False
        reading = self.follower.follow(frame, trail, number - direction, direction)
        if reading is not None:
            self._note(frame, trail, number, reading)
        return reading is not None

    def _advance_back(self, frame: Pyramid, trail: Trail, number: int) -> bool:
        """As ``_advance``; also ends where another trail has the hand. A trail that ended since is taken over."""
        if not self._advance(frame, trail, number, -1):
            return False
        for other in self.trails:
            if other is trail or number not in other.readings:
                continue
            if same_hand(trail.readings[number], [other.readings[number]]):
                if other.last < max(trail.palm_scores, default=number):
                    self._join(trail, other, number)
                else:
                    trail.drop(number)
                return False
        return True

    def _join(self, trail: Trail, earlier: Trail, number: int) -> None:
        """``trail``, followed back, met ``earlier``, which had been lost since: they are one hand."""
        for frame in range(number, earlier.last + 1):
            # Both saw these frames; the trail that had been followed forwards was about to lose its hand.
            earlier.drop(frame)
        trail.absorb(earlier)
        self.trails = [other for other in self.trails if other is not earlier]
        self._unfinished = [other for other in self._unfinished if other is not earlier]

    def _note(self, frame: Pyramid, trail: Trail, number: int, reading: Reading) -> None:
        trail.readings[number] = reading
        if number % self.options.mirror_step == 0 or len(trail.readings) == 1:
            trail.mirrored[number] = self.follower.landmarks.read(frame, reading.roi, mirrored=True)
            chroma = palm_chroma(frame, reading.points_px)
            if chroma is not None:
                trail.chromas[number] = chroma

    def _without_doubles(self, live: list[Trail], number: int) -> list[Trail]:
        """Of trails that slid onto one hand, the one goes on that it surprises least."""
        pairs = itertools.combinations([trail.readings[number] for trail in live], 2)
        if not any(same_hand(a, [b]) for a, b in pairs):
            return live
        kept: list[Trail] = []
        for trail in sorted(live, key=lambda t: _strain(t, number)):
            if same_hand(trail.readings[number], [k.readings[number] for k in kept]):
                trail.drop(number)
            else:
                kept.append(trail)
        return kept

    def _search(self, frame: Pyramid, number: int, live: list[Trail]) -> list[Trail]:
        """``live`` and the hands newly found."""
        live = self._look(frame, number, live, self._tiles_now(number, live))
        if number == self.clip.first_frame and not live:
            live = self._look(frame, number, live, self._fine)
        return live

    def _look(self, frame: Pyramid, number: int, live: list[Trail], tiles: Sequence[Tile]) -> list[Trail]:
        for palm in self.follower.palms.detect(frame, tiles, self.options.palm_score):
            owner = next((t for t in live if is_palm_of(palm, t.readings[number])), None)
            if owner is not None:
                owner.palm_scores[number] = palm.score
            elif not _on_known_hand(palm.points, number, live):
                live = self._begin(frame, number, live, palm)
        return live

    def _begin(self, frame: Pyramid, number: int, live: list[Trail], palm: Palm) -> list[Trail]:
        reading = self.follower.confirm(frame, palm)
        if reading is None or _is_known(reading, number, live):
            return live
        trail = Trail(palm_scores={number: palm.score})
        return self._start(frame, number, live, trail, reading)

    def _add_boxes(self, frame: Pyramid, number: int, live: list[Trail]) -> list[Trail]:
        """Hands pointed out in this frame replace what the tracker had there."""
        for box in self.options.boxes:
            reading = self.follower.search_box(frame, box.box) if box.frame == number else None
            if reading is None:
                continue
            others = [t for t in live if not same_hand(t.readings[number], [reading])]
            for trail in live:
                if trail not in others:
                    trail.drop(number)
            live = self._start(frame, number, others, Trail(side=box.side, seeded=True), reading)
        return live

    def _start(self, frame: Pyramid, number: int, live: Sequence[Trail], trail: Trail, reading: Reading) -> list[Trail]:
        self.trails.append(trail)
        self._note(frame, trail, number, reading)
        for earlier in reversed(self._history):
            if not self._advance_back(Pyramid(earlier.image), trail, earlier.number):
                break
        else:
            if trail.first > self.clip.first_frame:
                self._unfinished.append(trail)
        return [*live, trail]

    def _tiles_now(self, number: int, live: list[Trail]) -> list[Tile]:
        """All coarse tiles on keyframes; one in turn while hands are missing, fine ones too if hands may be far."""
        since = number - self.clip.first_frame
        if since % self.options.keyframe_step == 0:
            complete = self._sure_hands(number, live) >= self.options.expected_hands
            return [] if complete and since % (2 * self.options.keyframe_step) else self._coarse
        just_lost = number - self._lost_at < len(self._coarse)
        due = just_lost or not live or number % self.options.search_step == 0
        if not due or self._sure_hands(number, live) >= self.options.expected_hands:
            return []
        far = min(self.clip.size) * _FAR_HAND
        turns = self._coarse
        if not just_lost and all(trail.readings[number].size_px < far for trail in live):
            turns = self._coarse + self._fine
        self._next_tile = (self._next_tile + 1) % len(turns)
        return [turns[self._next_tile]]

    def _sure_hands(self, number: int, live: list[Trail]) -> int:
        """How many of ``live`` are hands by what is known so far; asked anew when they change or are read mirrored."""
        if self._sure[0] != [id(trail) for trail in live] or number % self.options.mirror_step == 0:
            self._sure = [id(trail) for trail in live], len(convincing(live))
        return self._sure[1]


def _on_known_hand(points, number: int, live: list[Trail]) -> bool:
    return any(covered_share(points, trail.readings[number]) >= COVERED for trail in live)


def _is_known(reading: Reading, number: int, live: list[Trail]) -> bool:
    """Is it a hand that is followed already, or a part of one?"""
    known = [trail.readings[number] for trail in live]
    return same_hand(reading, known) or any(covered_share(reading.points_px, k) >= COVERED for k in known)


def _strain(trail: Trail, number: int) -> float:
    """How badly the reading in ``number`` fits its trail: distance from the expected place, and a changed side."""
    earlier = trail.log_odds() - trail.readings[number].right_log_odds
    contrary = max(0.0, -trail.readings[number].right_log_odds * (1 if earlier > 0 else -1))
    return trail.surprise(number, 1) + 0.1 * contrary
