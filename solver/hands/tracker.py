"""Trails over a clip: a forward pass that finds and follows hands, a backward pass that extends what began late."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field

from ..video import Clip
from .follow import Follower
from .geometry import Pyramid
from .landmarks import Reading
from .palm import Tile, tiling
from .trail import Trail, same_hand


@dataclass(frozen=True)
class TrackerOptions:
    """Attributes:
    keyframe_step: frames between full searches of all tiles.
    search_tiles: tiles searched in every other frame while fewer than two hands are followed.
    palm_score: weakest palm that is shown to the landmark network.
    """

    keyframe_step: int = 15
    search_tiles: int = 2
    palm_score: float = 0.5


@dataclass
class Tracker:
    clip: Clip
    options: TrackerOptions = TrackerOptions()
    trails: list[Trail] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._follower = Follower()
        self._tiles = tiling(*self.clip.size)
        self._turn = 0

    def forward(self) -> Generator[tuple[int, list[Reading]], None, None]:
        """Yields (frame number, readings of all hands in it)."""
        live: list[Trail] = []
        for number, image in self.clip.frames():
            frame = Pyramid(image)
            live = [trail for trail in live if self._step(frame, trail, number - 1, 1)]
            live = self._without_doubles(live, number)
            live += self._search(frame, number, live)
            yield number, [trail.readings[number] for trail in live]

    def backward(self) -> Generator[tuple[int, list[Reading]], None, None]:
        waiting = sorted(self.trails, key=lambda trail: trail.first)
        while waiting:
            start = waiting[-1].first - 1
            if start < self.clip.first_frame:
                waiting.pop()
                continue
            live: list[Trail] = []
            for number, image in self.clip.backwards(last=start):
                while waiting and waiting[-1].first == number + 1:
                    live.append(waiting.pop())
                frame = Pyramid(image)
                live = [trail for trail in live if self._step_back(frame, trail, number)]
                yield number, [trail.readings[number] for trail in live]
                if not live:
                    break

    def _step(self, frame: Pyramid, trail: Trail, at: int, direction: int) -> bool:
        reading = self._follower.follow(frame, trail, at, direction)
        if reading is not None:
            trail.readings[at + direction] = reading
        return reading is not None

    def _step_back(self, frame: Pyramid, trail: Trail, number: int) -> bool:
        if not self._step(frame, trail, number + 1, -1):
            return False
        others = [t.readings[number] for t in self.trails if t is not trail and number in t.readings]
        if same_hand(trail.readings[number], others):
            del trail.readings[number]
            return False
        return True

    def _without_doubles(self, live: list[Trail], number: int) -> list[Trail]:
        """Two trails that slid onto one hand: the longer goes on."""
        kept: list[Trail] = []
        for trail in sorted(live, key=lambda t: t.first):
            if same_hand(trail.readings[number], [k.readings[number] for k in kept]):
                del trail.readings[number]
            else:
                kept.append(trail)
        return kept

    def _search(self, frame: Pyramid, number: int, live: list[Trail]) -> list[Trail]:
        found: list[Trail] = []
        for palm in self._follower.palms.detect(frame, self._tiles_now(number, len(live)), self.options.palm_score):
            known = [trail.readings[number] for trail in live + found]
            reading = self._follower.confirm(frame, palm)
            if reading is None or same_hand(reading, known):
                continue
            found.append(Trail({number: reading}, {number: palm.score}))
        self.trails += found
        return found

    def _tiles_now(self, number: int, hands: int) -> list[Tile]:
        if (number - self.clip.first_frame) % self.options.keyframe_step == 0:
            return self._tiles
        if hands >= 2:
            return []
        chosen = [self._tiles[(self._turn + i) % len(self._tiles)] for i in range(self.options.search_tiles)]
        self._turn += self.options.search_tiles
        return chosen
