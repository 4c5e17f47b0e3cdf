"""Hands as bodies: the maker of the costs that keep them out of each other, and together where they touch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

import numpy as np

from ..hand_model.model import HandModel
from ..prior.capsules import Capsules, capsules_of
from .costs.base import Cost
from .costs.contact import NonPenetrationCost
from .costs.touch import NoSlipCost, RelativeWristCost, TouchCost, Touches
from .evaluation import Evaluation, View, size_of
from .kernels import GemanMcClure
from .layout import Track
from .objective import Ingredients, Maker
from .touching import Criteria, evident_touches

_capsules = lru_cache(maxsize=8)(capsules_of)
# of the lens nothing is asked here
_ANY_VIEW = View(np.ones(2), np.zeros(2))


UNSOLVED = Criteria()
# of hands that were solved: what touched is together now, and what is not was not taken for touching
SOLVED = Criteria(depth=0.01, own_depth=0.004)


def bodies(models: Mapping[str, HandModel], criteria: Criteria = UNSOLVED) -> Maker:
    """Hands that are solid, and that touch where that is evident; measured on the models that they are solved with."""

    def make(given: Ingredients) -> Iterator[Cost]:
        if given.preset.solid and given.layout.tracks:
            capsules, growth = _of(models, given.layout.tracks), _growth(given)
            yield NonPenetrationCost(
                capsules=capsules, growth=growth, deviation=given.weights.overlap_m, own_slack=given.weights.own_slack_m
            )
            yield from _touches(given, capsules, growth, criteria)

    return make


def _touches(
    given: Ingredients, capsules: tuple[Capsules, ...], growth: np.ndarray, criteria: Criteria
) -> Iterator[Cost]:
    w, seen = given.weights, given.seen.whitening.any((1, 2, 3))
    evident = evident_touches(given.layout, _in_camera(given), seen, capsules, growth, given.frame_s, criteria)
    if evident is not None:
        kernel = GemanMcClure(w.touch_robust_sigmas)
        wanted = {"touches_of": evident, "capsules": capsules, "kernel": kernel}
        yield TouchCost(**wanted, growth=growth, deviation=w.touch_m, held=w.held_m)
        slip = w.slip_speed * given.frame_s
        yield NoSlipCost(**wanted, deviation=slip)
        yield from _relative_wrists(given, evident)


def _relative_wrists(given: Ingredients, evident: Touches) -> Iterator[Cost]:
    """Of two hands, in every frame in which they touch and the next."""
    pairs = np.unique(np.stack([evident.first, evident.second], 1)[evident.steps], axis=0)
    first, second = pairs[given.layout.track_of[pairs[:, 0]] != given.layout.track_of[pairs[:, 1]]].T
    if len(first):
        yield RelativeWristCost(
            first=first, second=second, deviation=given.weights.touching_wrist_speed * given.frame_s
        )


def _in_camera(given: Ingredients) -> np.ndarray:
    """(N, 21, 3) keypoints at the start, metres, each in its frame's camera."""
    at, frames = Evaluation(given.layout, _ANY_VIEW, given.start), given.layout.frame_of
    relative = at.keypoints - at.scaled_centre[frames, None]
    return relative @ np.swapaxes(given.start.camera_from_world[frames], -1, -2)


def _growth(given: Ingredients) -> np.ndarray:
    """(tracks,) the hands' size over the mean one's."""
    betas = given.start.betas
    return np.array([size_of(t.bare, betas[t.shape])[0] / t.bare.length[0] for t in given.layout.tracks])


def _of(models: Mapping[str, HandModel], tracks: Sequence[Track]) -> tuple[Capsules, ...]:
    return tuple(_capsules(models[track.skeleton.side]) for track in tracks)
