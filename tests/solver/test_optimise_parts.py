"""Parts of the optimiser can be left out by name."""

from __future__ import annotations

import pytest

from solver import optimise
from solver.errors import SolverError
from solver.optimise import costs, parts
from solver.options import SolveOptions


def test_costs_stages_and_switches_have_names():
    names = parts.names(optimise.BALANCED)
    assert set(costs.NAMES) < set(names)
    assert {"wrists", "second_look"} < set(names)
    assert optimise.BALANCED.stages[-1].name not in names  # without the last stage nothing is solved
    assert "second_look" not in parts.names(optimise.DRAFT)


def test_what_is_named_is_left_out():
    thinner = parts.without(optimise.BALANCED, ["wrists", "second_look", costs.NAMES[0]])
    assert [stage.name for stage in thinner.stages] == [stage.name for stage in optimise.BALANCED.stages[1:]]
    assert not thinner.second_look
    assert thinner.hint == optimise.BALANCED.hint
    assert thinner.off == {costs.NAMES[0]}
    assert parts.without(optimise.BALANCED, []) == optimise.BALANCED


def test_a_part_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="nonsense"):
        parts.without(optimise.FINAL, ["nonsense"])
    with pytest.raises(SolverError, match="without"):
        SolveOptions(without=("nonsense",)).require_valid()
