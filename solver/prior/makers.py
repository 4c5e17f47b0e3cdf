"""The prior's costs for a clip, in the form that the optimiser asks for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache

import numpy as np

from ..hand_model.model import HandModel
from ..optimise.costs.base import Cost
from ..optimise.costs.contact import NonPenetrationCost
from ..optimise.evaluation import size_of
from ..optimise.objective import Ingredients, Maker
from .capsules import Capsules, capsules_of

_capsules = lru_cache(maxsize=8)(capsules_of)


def solid(models: Mapping[str, HandModel]) -> Maker:
    """Hands that are solid bodies, measured on the models that they are solved with."""

    def make(given: Ingredients) -> Iterator[Cost]:
        tracks, betas = given.layout.tracks, given.start.betas
        if given.preset.solid and tracks:
            growth = [size_of(t.bare, betas[t.shape])[0] / t.bare.length[0] for t in tracks]
            yield NonPenetrationCost(
                capsules=_of(models, tracks),
                growth=np.array(growth),
                deviation=given.weights.overlap_m,
                own_slack=given.weights.own_slack_m,
            )

    return make


def _of(models: Mapping[str, HandModel], tracks) -> tuple[Capsules, ...]:
    return tuple(_capsules(models[track.skeleton.side]) for track in tracks)
