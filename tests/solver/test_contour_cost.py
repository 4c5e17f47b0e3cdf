"""The outline's residuals: derivatives through the skinning, two overlapping hands, and that the truth is a minimum."""

from __future__ import annotations

import numpy as np
import pytest

from solver import hand_model
from solver.optimise import costs
from solver.optimise.evaluation import Evaluation
from solver.optimise.kernels import GemanMcClure
from solver.optimise.layout import window_of
from solver.silhouette.surface import edge_points, surface_of
from tests.solver.test_optimise_costs import FRAMES, SPANS, check
from tools.optimiser_bench.scenes import make_scene

ROWS = 7


@pytest.fixture(scope="module")
def at() -> Evaluation:
    """Two hands in one place, and a third later; the camera walks but is not free."""
    scene = make_scene(FRAMES, SPANS, seed=3, walk=0.01, shape_free=True)
    rng = np.random.default_rng(8)
    step = 0.02 * rng.standard_normal((FRAMES, scene.layout.block_size))
    at = scene.at().moved(step, 0.05 * rng.standard_normal(scene.layout.border_size))
    first, second = at.layout.tracks[:2]
    at.state.hands.wrist[second.hands] = at.state.hands.wrist[first.hands][: second.count] + 0.01
    return Evaluation(at.layout, at.view, at.state)


def _contour(at: Evaluation, kernel: GemanMcClure) -> costs.ContourCost:
    rng, n = np.random.default_rng(4), at.layout.hand_count
    skins = tuple(edge_points(surface_of(hand_model.load(track.skeleton.side))) for track in at.layout.tracks)
    normals = rng.standard_normal((n, ROWS, 2))
    normals[3] = 0
    normals[:, -1] = 0
    return costs.ContourCost(
        skins=skins,
        points=rng.integers(0, len(skins[0].rest), (n, ROWS)),
        normals=normals,
        places=(normals @ at.view.centre_px) + rng.standard_normal((n, ROWS)),
        blend=0.001 * rng.standard_normal((n, ROWS, 3)),
        camera_from_world=at.state.camera_from_world,
        camera_centre=at.scaled_centre,
        focal_px=at.focal_px,
        centre_px=at.view.centre_px,
        kernel=kernel,
    )


def test_derivatives(at):
    check(_contour(at, GemanMcClure(40.0)), at)


def test_window_has_the_same_rows(at):
    cost, window = _contour(at, GemanMcClure(40.0)), window_of(at.layout, slice(1, 3))
    inner = cost.within(window)
    expected = cost.residuals(at).reshape(-1, ROWS)[window.hands]
    state = at.state
    cut = type(state)(
        state.hands.take(window.hands), state.camera_from_world[1:3], state.camera_centre[1:3], state.betas, 0.0, 0.0,
        state.offsets,
    )  # fmt: skip
    found = inner.residuals(Evaluation(window.layout, at.view, cut)).reshape(-1, ROWS)
    np.testing.assert_allclose(found, expected, atol=1e-9)
