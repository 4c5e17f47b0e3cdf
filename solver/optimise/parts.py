"""The optimiser's parts by name, and a quality without some of them: to see what each is worth."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from . import costs
from .weights import Preset


def names(preset: Preset) -> tuple[str, ...]:
    """What ``without`` can leave out: every declared cost, the preset's stages, and what it has switched on."""
    stages = [stage.name for stage in preset.stages[:-1]]
    switches = [name for name in _switches() if getattr(preset, name)]
    return tuple(dict.fromkeys([*costs.NAMES, *stages, *switches]))


def without(preset: Preset, left_out: Iterable[str]) -> Preset:
    """The preset without the parts named.

    Raises:
        ValueError: there is no such part.
    """
    left_out = frozenset(left_out)
    if unknown := left_out - set(names(preset)):
        raise ValueError(f"no part of {preset.name} is called {', '.join(sorted(unknown))}")
    return dataclasses.replace(
        preset,
        stages=tuple(stage for stage in preset.stages if stage.name not in left_out),
        off=preset.off | (left_out & set(costs.NAMES)),
        **{name: False for name in _switches() if name in left_out},
    )


def _switches() -> list[str]:
    return [field.name for field in dataclasses.fields(Preset) if field.type in (bool, "bool")]
