"""Touches are found where parts of hands go together, and not where they pass; they close the air between hands."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from solver.optimise.solve import Stage, run
from solver.optimise.weights import BALANCED
from tools.optimiser_bench.scenes import last
from tools.prior.touch_scenes import FRAMES, TouchScene, make
from tools.prior.touch_table import air, frames_of_both, problem_of

TOUCHES = ("touch", "no-slip", "relative-wrist")


@pytest.fixture(scope="module")
def touching() -> TouchScene:
    return make("touch", 1)


def evident(scene: TouchScene) -> np.ndarray:
    """(T,) bool."""
    out = np.zeros(FRAMES, bool)
    for cost in problem_of(scene, BALANCED).costs:
        if cost.name == "touch":
            out[frames_of_both(scene, cost)] = True
    return out


def test_hands_that_touch_are_found_where_they_do(touching):
    found = evident(touching)
    assert (found & touching.touching).sum() >= 15
    assert (found & ~touching.touching).sum() <= 3


def test_hands_that_pass_one_before_the_other_do_not_touch():
    assert not evident(make("pass", 0)).any()


def test_a_hand_that_is_not_seen_touches_nothing(touching):
    whitening = touching.seen.whitening.copy()
    whitening[:FRAMES] = 0
    assert not evident(replace(touching, seen=replace(touching.seen, whitening=whitening))).any()


def test_touching_hands_come_together(touching):
    open_air = {}
    for name, off in {"off": frozenset(TOUCHES), "on": frozenset()}.items():
        problem = problem_of(touching, replace(BALANCED, off=off))
        at = problem.at(last(run(problem, touching.start, (Stage("all", 12, 1e-3),))).state)
        open_air[name] = np.median(air(at)[touching.touching])
    assert open_air["off"] > 0.005
    assert open_air["on"] < 0.002
