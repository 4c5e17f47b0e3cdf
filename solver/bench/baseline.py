"""What was measured before: the committed figures that new ones are held against."""

from __future__ import annotations

import json
from pathlib import Path

from .results import overall
from .table import regressions

# {suite: {mode: {clip: {"figures": {name: value}}}}}
PATH = Path(__file__).with_name("baseline.json")


def read(path: Path, suite: str) -> dict:
    """``{mode: {clip: {"figures": ...}}}`` of a suite, empty if there is none."""
    return json.loads(path.read_text(encoding="utf-8")).get(suite, {}) if path.exists() else {}


def shared(now: dict, before: dict) -> dict[str, tuple[dict, dict]]:
    """By mode the overall figures now and before, over the clips that both have."""
    means = {}
    for mode, solved in now.items():
        clips = [clip for clip in solved if clip in before.get(mode, {})]
        if clips:
            means[mode] = tuple(overall([known[mode][clip]["figures"] for clip in clips]) for known in (now, before))
    return means


def worse(now: dict, before: dict) -> list[str]:
    """Sentences about what got worse beyond noise."""
    means = shared(now, before)
    return [f"{mode}: {sentence}" for mode, pair in means.items() for sentence in regressions(*pair)]


def update(path: Path, suite: str, now: dict) -> None:
    """Put ``now`` over what is there; clips that were not measured this time keep what they had."""
    known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    before, accuracy = known.get(suite, {}), _without_runs(now)
    known[suite] = {mode: before.get(mode, {}) | accuracy.get(mode, {}) for mode in before | accuracy}
    path.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def _without_runs(measured: dict) -> dict:
    """Accuracy alone: what a machine's speed says has no place in a baseline that others compare with."""
    return {
        mode: {clip: {"figures": _rounded(entry["figures"])} for clip, entry in solved.items()}
        for mode, solved in measured.items()
    }


def _rounded(figures: dict[str, float | None]) -> dict[str, float | None]:
    return {name: None if value is None else round(value, 4) for name, value in figures.items()}
