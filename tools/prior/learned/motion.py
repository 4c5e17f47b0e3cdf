"""Procedural motion of two hands, to learn from besides recordings: grasps, gestures, clapping, typing and the like.

A clip is two hands' hinge angles and where one wrist is as seen from the other. Poses are composed from how far each
finger is flexed, how wide the hand is spread and how the thumb stands; motions are minimum-jerk moves between poses
(Flash & Hogan 1985), fingers starting a little apart, with oscillations where the activity has them. Nothing here is
fitted to a recording; ranges are the anatomy's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from solver.hand_model.rotations import exp

RATE = 30.0
HINGES, WRIST = 26, 9
# hinges of index, middle, ring, pinky (the model's order of joints has the pinky before the ring): spread, three bends
_SPREAD = np.array([0, 5, 15, 10])
_BENDS = np.array([[1, 3, 4], [6, 8, 9], [16, 18, 19], [11, 13, 14]])
_THUMB = {"across": 20, "out": 21, "mcp": 24, "ip": 25}
GROUPS = (range(0, 5), range(5, 10), range(15, 20), range(10, 15), range(20, 26))
# fan of spread fingers, deg towards the thumb
_FAN = np.array([8.0, 1.0, -6.0, -14.0])


@dataclass(frozen=True)
class Clip:
    """Two hands, or one.

    Attributes:
        angles: (2, n, 26) rad.
        wrist: (2, n, 9) the other's wrist as each hand sees it (``solver.prior.learned.features``).
        has: whether each hand is known at all. placed: whether the wrists are.
    """

    angles: np.ndarray
    wrist: np.ndarray
    has: tuple[bool, bool]
    placed: bool


@dataclass(frozen=True)
class Style:
    """How one person (and one tracker) bends fingers: gains of the three joints, the last joint's share, offsets."""

    gains: np.ndarray
    last: float
    offset: np.ndarray

    @staticmethod
    def drawn(rng: np.random.Generator) -> Style:
        gains = np.exp(0.2 * rng.standard_normal((4, 2))) * np.exp(0.2 * rng.standard_normal(2))
        return Style(gains, rng.uniform(0.2, 1.1), 4.0 * rng.standard_normal(HINGES))

    def pose(self, flexed: np.ndarray, spread: float, thumb: Sequence[float]) -> np.ndarray:
        """(26,) deg; ``flexed`` (4,) or (4, 2) base and middle, 0 straight, 1 fist; ``thumb`` across, out, bent."""
        flexed = np.broadcast_to(flexed if np.ndim(flexed) == 2 else np.asarray(flexed)[:, None], (4, 2))
        out = self.offset.copy()
        base, middle = 82 * flexed[:, 0] * self.gains[:, 0], 98 * flexed[:, 1] * self.gains[:, 1]
        out[_BENDS[:, 0]] += base - 4
        out[_BENDS[:, 1]] += middle
        out[_BENDS[:, 2]] += self.last * middle
        out[_SPREAD] += _FAN * spread * (1 - 0.7 * np.clip(flexed[:, 0], 0, 1))
        across, away, bent = thumb
        out[_THUMB["across"]] += -20 + 50 * away
        out[_THUMB["out"]] += -18 + 45 * across
        out[_THUMB["mcp"]] += 45 * bent
        out[_THUMB["ip"]] += 60 * bent
        return out


def _random_thumb(rng: np.random.Generator) -> np.ndarray:
    return rng.uniform(0, 1, 3) * [1, 1, 0.8]


def _sign(rng: np.random.Generator, style: Style) -> np.ndarray:
    """A gesture: each finger straight, half or closed; neighbours tend to agree."""
    level = rng.choice([0.0, 0.35, 1.0], p=[0.45, 0.2, 0.35])
    flexed = np.zeros((4, 2))
    for finger in range(4):
        if rng.random() < 0.4:
            level = rng.choice([0.0, 0.35, 1.0])
        flexed[finger] = np.clip(level + 0.12 * rng.standard_normal(2), -0.1, 1.05)
    return style.pose(flexed, rng.uniform(-0.3, 1.2), _random_thumb(rng))


def _synergy(rng: np.random.Generator, style: Style) -> np.ndarray:
    """All fingers flexed alike, base and middle joints in some proportion."""
    amount, slope = rng.uniform(0, 1), rng.uniform(-0.25, 0.25)
    lean = np.array([rng.uniform(0.4, 1.1), rng.uniform(0.4, 1.1)])
    flexed = np.clip(amount * lean + slope * np.linspace(-1, 1, 4)[:, None], -0.1, 1.05)
    return style.pose(flexed, rng.uniform(0, 1.2) * (1 - amount), _random_thumb(rng))


def _open(rng: np.random.Generator, style: Style) -> np.ndarray:
    return style.pose(rng.uniform(0.0, 0.3) + 0.05 * rng.standard_normal((4, 2)), rng.uniform(0, 1), [0.2, 0.6, 0.15])


def _grip(rng: np.random.Generator, style: Style) -> np.ndarray:
    kind = rng.integers(5)
    close = rng.uniform(0.35, 0.9)
    if kind == 0:  # power
        return style.pose(close + rng.uniform(0, 0.1, (4, 2)), 0.1, [0.7, 0.4, rng.uniform(0.2, 0.6)])
    if kind == 1:  # pinch, the others along or straight
        others = rng.choice([0.15, close, 0.9])
        return style.pose([0.5 * close + 0.15, others, others, others], 0.3, [0.8, 0.5, 0.35])
    if kind == 2:  # tripod
        others = rng.uniform(0.5, 0.95)
        return style.pose([0.45, 0.5, others, others], 0.1, [0.8, 0.5, 0.4])
    if kind == 3:  # key
        return style.pose([[0.35, 0.6], [0.5, 0.7], [0.6, 0.75], [0.65, 0.8]], 0.0, [0.3, 0.2, 0.3])
    return style.pose([[0.25 * close, close]] * 4, 0.9, [0.9, 0.8, 0.3])  # ball


def _smooth(u: np.ndarray) -> np.ndarray:
    u = np.clip(u, 0, 1)
    return u**3 * (10 - 15 * u + 6 * u * u)


def moved(rng: np.random.Generator, n: int, keys: Sequence[np.ndarray], pause_s: float, pace_s: float) -> np.ndarray:
    """(n, 26) deg through ``keys``: minimum-jerk moves, each finger with its own start and duration."""
    t, at = np.arange(n) / RATE, -rng.uniform(0, 1.0)
    out = np.tile(keys[0], (n, 1))
    current, index = keys[0].copy(), 0
    while at < t[-1]:
        index += 1
        target, lasts = keys[index % len(keys)], pace_s * np.exp(0.35 * rng.standard_normal())
        lag = rng.normal(0, 0.04)
        for order, group in enumerate(GROUPS):
            group = list(group)
            start = at + lag * order + 0.03 * rng.standard_normal()
            share = _smooth((t - start) / (lasts * np.exp(0.12 * rng.standard_normal())))
            out[:, group] += share[:, None] * (target[group] - current[group])
        current = target
        at += lasts + rng.exponential(pause_s)
    return out


def wandering(rng: np.random.Generator, n: int, size: int, deviation: float, smooth_s: float) -> np.ndarray:
    """(n, size) smooth noise of the given deviation."""
    width = max(smooth_s * RATE, 1.0)
    reach = int(3 * width)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / width) ** 2)
    noise = rng.standard_normal((n + 2 * reach, size))
    out = np.stack([np.convolve(noise[:, k], kernel, "valid") for k in range(size)], 1)
    return deviation * out / np.sqrt((kernel**2).sum())


def _taps(rng: np.random.Generator, n: int, style: Style) -> np.ndarray:
    """Typing or playing: single fingers go down, neighbours a little with them."""
    rest = style.pose(
        rng.uniform(0.15, 0.45) + 0.05 * rng.standard_normal((4, 2)), rng.uniform(0.2, 1), [0.5, 0.6, 0.2]
    )
    out, t = np.tile(rest, (n, 1)), np.arange(n) / RATE
    at, depth = rng.uniform(0, 0.3), rng.uniform(10, 30)
    while at < t[-1]:
        finger, lasts = rng.integers(5), rng.uniform(0.12, 0.35)
        bump = depth * np.exp(-0.5 * ((t - at) / (0.35 * lasts)) ** 2)
        if finger == 4:
            out[:, _THUMB["out"]] += 0.6 * bump
        else:
            follows = np.exp(-np.abs(np.arange(4) - finger) / 0.7)
            out[:, _BENDS[:, 0]] += bump[:, None] * follows
            out[:, _BENDS[:, 1]] += bump[:, None] * follows * rng.uniform(-0.3, 0.6)
        at += rng.exponential(0.2) + 0.05
    return out


def _rhythm(rng: np.random.Generator, n: int, style: Style) -> np.ndarray:
    """Waving, flapping, opening and closing in a rhythm."""
    ends = [maker(rng, style) for maker in rng.choice([_open, _synergy, _grip], 2)]
    phase = 2 * np.pi * rng.uniform(0.5, 3) * np.arange(n) / RATE + rng.uniform(0, 6)
    lag, out = rng.uniform(-0.6, 0.6), np.zeros((n, HINGES))
    for order, group in enumerate(GROUPS):
        share = 0.5 + 0.5 * np.sin(phase + lag * order)[:, None]
        out[:, list(group)] = (1 - share) * ends[0][list(group)] + share * ends[1][list(group)]
    return out


def _handling(rng: np.random.Generator, n: int, style: Style) -> np.ndarray:
    """Fingers working on something held."""
    common = wandering(rng, n, 3, 1.0, rng.uniform(0.15, 0.6))
    loads = rng.normal(0, 8, (3, HINGES))
    loads[:, _SPREAD] *= 0.3
    return _grip(rng, style) + common @ loads + wandering(rng, n, HINGES, 3.0, 0.3)


def _keyed(*makers: Callable, pause_s: float, pace_s: float) -> Callable:
    def make(rng: np.random.Generator, n: int, style: Style) -> np.ndarray:
        keys = [makers[k % len(makers)](rng, style) for k in range(rng.integers(2, 7))]
        return moved(rng, n, keys, pause_s, pace_s)

    return make


_gestures = _keyed(_sign, _synergy, pause_s=0.4, pace_s=0.5)
_grasping = _keyed(_open, _grip, pause_s=0.5, pace_s=0.6)
_flat = _keyed(_open, pause_s=1.0, pace_s=0.6)


def _directions(turn: np.ndarray) -> np.ndarray:
    """(n, 6) the other's finger and palm directions for turns (n, 3) of a hand that lies like the own one, mirrored."""
    rotation = exp(turn)
    return np.concatenate([rotation[:, :, 0], rotation[:, :, 1]], 1)


def _facing(rng: np.random.Generator, n: int, gap: np.ndarray) -> np.ndarray:
    """Palms towards each other, ``gap`` (n,) hand lengths apart."""
    turn = np.array([np.pi, 0, 0]) + wandering(rng, n, 3, 0.15, 0.5)
    place = np.stack([np.zeros(n), gap, np.zeros(n)], 1) + wandering(rng, n, 3, 0.08, 0.5)
    return np.concatenate([place, _directions(turn)], 1)


def _beside(rng: np.random.Generator, n: int) -> np.ndarray:
    """Side by side, palms the same way: typing, resting on a table."""
    place = np.array([0.0, 0.0, rng.uniform(0.6, 2.5)]) + wandering(rng, n, 3, 0.15, 0.6)
    return np.concatenate([place, _directions(wandering(rng, n, 3, 0.25, 0.6))], 1)


def _anywhere(rng: np.random.Generator, n: int) -> np.ndarray:
    place = rng.normal(0, 1.0, 3) + wandering(rng, n, 3, 0.4, 0.6)
    return np.concatenate([place, _directions(rng.normal(0, 1.2, 3) + wandering(rng, n, 3, 0.5, 0.6))], 1)


def _clapping(rng: np.random.Generator, n: int, styles: Sequence[Style]):
    phase = 2 * np.pi * rng.uniform(0.8, 3.5) * np.arange(n) / RATE
    gap = 0.12 + rng.uniform(0.3, 1.2) * (0.5 + 0.5 * np.cos(phase)) ** rng.uniform(0.7, 2)
    return [_flat(rng, n, style) for style in styles], _facing(rng, n, gap)


def _typing(rng: np.random.Generator, n: int, styles: Sequence[Style]):
    return [_taps(rng, n, style) for style in styles], _beside(rng, n)


def _wringing(rng: np.random.Generator, n: int, styles: Sequence[Style]):
    """Two grips on one rod, turning against each other."""
    swing = np.sin(2 * np.pi * rng.uniform(0.4, 1.5) * np.arange(n) / RATE)[:, None]
    hands = []
    for sign, style in zip((1, -1), styles, strict=True):
        grip = style.pose(rng.uniform(0.6, 0.9) + 0.05 * rng.standard_normal((4, 2)), 0.0, [0.7, 0.4, 0.4])
        hands.append(grip + sign * swing * rng.normal(6, 3, HINGES) + wandering(rng, n, HINGES, 2.0, 0.4))
    turn = swing * [0, 0, rng.uniform(0.3, 0.8)] + wandering(rng, n, 3, 0.15, 0.5)
    place = np.array([0.0, 0.0, rng.uniform(0.5, 0.8)]) + wandering(rng, n, 3, 0.06, 0.5)
    return hands, np.concatenate([place, _directions(turn)], 1)


def _handing(rng: np.random.Generator, n: int, styles: Sequence[Style]):
    """One hand's grip opens after the other's has closed."""
    t, at = np.arange(n) / RATE, rng.uniform(0.2, 0.8) * n / RATE
    share = _smooth((t - at) / 0.5)[:, None]
    later = _smooth((t - at - rng.uniform(0.2, 0.8)) / 0.6)[:, None]
    giver = _grip(rng, styles[0]) * (1 - later) + _open(rng, styles[0]) * later
    taker = _open(rng, styles[1]) * (1 - share) + _grip(rng, styles[1]) * share
    gap = 0.25 + 1.2 * np.abs(t - at - 0.4)[:, None] / (1 + np.abs(t - at - 0.4)[:, None])
    heading = rng.standard_normal(3)
    place = gap * heading / np.linalg.norm(heading) + wandering(rng, n, 3, 0.05, 0.5)
    wrist = np.concatenate([place, _directions(rng.normal(0, 1.0, 3) + wandering(rng, n, 3, 0.2, 0.5))], 1)
    noise = [wandering(rng, n, HINGES, 1.5, 0.4) for _ in range(2)]
    return [giver + noise[0], taker + noise[1]], wrist


def _same(maker: Callable) -> Callable:
    """Both hands do one kind of thing, sometimes the very same at once."""

    def make(rng: np.random.Generator, n: int, styles: Sequence[Style]):
        if rng.random() < 0.4:
            state = rng.bit_generator.state
            first = maker(rng, n, styles[0])
            rng.bit_generator.state = state
            return [first, maker(rng, n, styles[1])], _anywhere(rng, n)
        return [maker(rng, n, style) for style in styles], _anywhere(rng, n)

    return make


ACTIVITIES: dict[str, tuple[Callable, float]] = {
    "gestures": (_same(_gestures), 3.0),
    "grasps": (_same(_grasping), 3.0),
    "rhythm": (_same(_rhythm), 1.5),
    "handling": (_same(_handling), 1.5),
    "typing": (_typing, 1.0),
    "clapping": (_clapping, 0.7),
    "wringing": (_wringing, 0.7),
    "handing over": (_handing, 1.0),
}


def perform(rng: np.random.Generator, n: int, name: str | None = None) -> Clip:
    """A clip of ``n`` frames at ``RATE`` of an activity, by default of any."""
    weights = np.array([weight for _, weight in ACTIVITIES.values()])
    name = name or rng.choice(list(ACTIVITIES), p=weights / weights.sum())
    hands, wrist = ACTIVITIES[name][0](rng, n, [Style.drawn(rng), Style.drawn(rng)])
    angles = np.radians([hand + wandering(rng, n, HINGES, 1.0, 0.3) for hand in hands])
    angles[..., [2, 7, 12, 17, 22, 23]] *= 0.0  # nothing says how a bone twists
    return Clip(angles, np.stack([wrist, seen_from_other(wrist)]), (True, True), True)


def seen_from_other(wrist: np.ndarray) -> np.ndarray:
    """(n, 9) the own wrist as the other hand sees it. Hands of two sides: the other's thumb's side is minus the cross
    product of its fingers' and its palm's direction, whichever side the own one is."""
    fingers, palm = wrist[:, 3:6], wrist[:, 6:9]
    axes = np.stack([fingers, palm, -np.cross(fingers, palm)], -1)
    place = -(axes.swapaxes(1, 2) @ wrist[:, :3, None])[..., 0]
    return np.concatenate([place, axes[:, 0], axes[:, 1]], 1)
