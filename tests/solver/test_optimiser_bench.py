"""The comparison is fair: torch minimises the very same objective, and its descent is measured."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is a development dependency; only the comparison needs it")

from solver.optimise.system import System  # noqa: E402
from tools.optimiser_bench.lbfgs import Descent, descend  # noqa: E402
from tools.optimiser_bench.tables import busy_clip  # noqa: E402
from tools.optimiser_bench.torch_objective import TorchObjective  # noqa: E402


@pytest.fixture(scope="module")
def clip():
    _, problem, start, _ = busy_clip(45)
    return problem, start


def test_the_objectives_are_one(clip):
    problem, start = clip
    objective = TorchObjective(problem, start)
    step = objective.zeros()
    value = objective.value(step)
    assert float(value.detach()) == pytest.approx(problem.value(problem.at(start)), rel=1e-12)
    value.backward()
    layout = problem.layout
    system = problem.linearise(problem.at(start), System(layout))
    ours = system.gradient[layout.frame_of[:, None], layout.column_of[:, None] + np.arange(layout.hand_size)]
    np.testing.assert_allclose(step["hands"].grad.numpy(), ours, atol=1e-9 * np.abs(ours).max())
    camera = system.gradient[:, layout.camera]
    np.testing.assert_allclose(step["camera"].grad.numpy(), camera, atol=1e-7 * np.abs(camera).max())
    shape = system.border_gradient[layout.border["shape"]]
    np.testing.assert_allclose(step["betas"].grad.numpy()[0], shape, atol=1e-9 * np.abs(shape).max())


@pytest.mark.parametrize("preconditioned", [True, False])
def test_lbfgs_descends(clip, preconditioned):
    problem, start = clip
    descent = descend(problem, start, 2.0, preconditioned)
    assert descent.cost[-1] < 0.9 * descent.cost[0]
    assert np.isfinite(descent.seconds_to(descent.cost[-1]))


def test_a_cost_that_was_never_reached_takes_for_ever():
    assert Descent(np.array([1.0, 2.0]), np.array([9.0, 8.0])).seconds_to(7.0) == np.inf
