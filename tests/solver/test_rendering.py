"""Rendered hands: the picture, its derivatives with two overlapping hands, and the stage on drawn hands."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from solver import hand_model
from solver.optimise.evaluation import Evaluation
from solver.optimise.layout import window_of
from solver.optimise.problem import Problem
from solver.optimise.system import System
from solver.rendering.cost import RenderCost
from solver.rendering.mesh import pose_blend, vertex_points
from solver.rendering.stage import _elsewhere, fit_rendered
from solver.rendering.target import Target, target_of
from solver.silhouette.crop import SIZE, crop_around
from solver.silhouette.matching import evidence_of
from solver.silhouette.outlines import PosedHands, contour_cost
from solver.silhouette.raster import NOTHING
from solver.silhouette.stage import Outlined
from solver.silhouette.surface import surface_of
from solver.take import SIDES
from tests.solver import test_silhouette as drawn
from tests.solver.test_optimise_costs import dense
from tools.optimiser_bench.scenes import make_scene

FRAMES = 3
SPANS = (("left", 0, 0, 3), ("right", 1, 1, 2))


@pytest.fixture(scope="module")
def at() -> Evaluation:
    """Two hands of two people, the right one 6 cm behind the left one and half hidden by it."""
    scene = make_scene(FRAMES, SPANS, seed=4, walk=0.01, shape_free=True)
    at = scene.at()
    first, second = at.layout.tracks
    at.state.hands.wrist[second.hands] = at.state.hands.wrist[first.hands][1:] + [0.03, 0.01, 0.06]
    return Evaluation(at.layout, at.view, at.state)


def _cost(at: Evaluation) -> RenderCost:
    """Targets of noise, so that no derivative is hidden by a residual of zero."""
    surfaces = [surface_of(hand_model.load(track.skeleton.side)) for track in at.layout.tracks]
    hands, rng = PosedHands.of(at, surfaces), np.random.default_rng(2)
    skins = tuple(vertex_points(surface) for surface in surfaces)
    targets = {}
    for hand in (0, 1, 2, 3):
        levels = rng.integers(0, 256, (SIZE, SIZE)).astype(np.uint8)
        known = rng.random((SIZE, SIZE)) < 0.8
        targets[hand] = Target(crop_around(hands.project(hand)), levels, np.packbits(known), 0.7)
    return RenderCost(
        surfaces=tuple(surfaces),
        skins=skins,
        targets=targets,
        blend=np.concatenate([pose_blend(at, index, skin) for index, skin in enumerate(skins)]),
        softness=2.5,
        information=0.8,
        camera_from_world=at.state.camera_from_world,
        camera_centre=at.scaled_centre,
        focal_px=at.focal_px,
        centre_px=at.view.centre_px,
    )


def _numeric(cost: RenderCost, at: Evaluation, direction: np.ndarray, h: float) -> np.ndarray:
    """(rows,) derivative of the residuals along a direction (T * D + b,)."""
    layout = at.layout
    blocks = layout.frame_count * layout.block_size
    plus, minus = (
        cost.residuals(at.moved(h * s * direction[:blocks].reshape(layout.frame_count, -1), h * s * direction[blocks:]))
        for s in (1, -1)
    )
    return (plus - minus)[:, 0] / (2 * h)


def test_derivatives_with_two_overlapping_hands(at):
    """The system along random directions against numeric derivatives of every pixel.

    A picture of triangles has kinks, where the nearest edge changes or a face turns away: the steps are so small that
    none is met.
    """
    cost = _cost(at)
    shown = [shown for _, shown in cost.rendered(at) if len(shown.hands) == 2]
    assert len(shown) == 3
    assert any(
        len(np.intersect1d(s.bands[0].pixels[s.slopes[0] != 0], s.bands[1].pixels[s.slopes[1] != 0])) for s in shown
    )
    system = System(at.layout)
    cost.add_to(system, at)
    matrix, gradient = dense(system)
    directions = np.random.default_rng(6).standard_normal((5, len(gradient)))
    slopes = np.stack([_numeric(cost, at, direction, 1e-9) for direction in directions])
    np.testing.assert_allclose(directions @ gradient, slopes @ cost.residuals(at)[:, 0], rtol=1e-4)
    np.testing.assert_allclose(directions @ matrix @ directions.T, slopes @ slopes.T, rtol=1e-4, atol=1.0)


def test_the_picture_is_that_of_the_hands(at):
    cost = _cost(at)
    for _, shown in cost.rendered(at):
        target = cost.targets[shown.hands[0]]
        picture = np.where(target.known, shown.misfit.reshape(SIZE, SIZE) + target.picture, np.nan)
        owner = PosedHands.of(at, cost.surfaces).view(shown.hands[0], target.crop).owner
        assert (picture[(owner != NOTHING) & target.known] == 1).all()
        soft = (picture > 0) & (picture < 1)
        assert 100 < soft.sum() < 3000
        assert (owner[soft] == NOTHING).all()


def test_a_hand_that_another_hides_is_not_felt(at):
    """Where the left hand covers the right one, the picture says nothing about the right one."""
    cost = _cost(at)
    for _, shown in cost.rendered(at):
        if len(shown.hands) == 2:
            right = shown.hands.index(max(shown.hands))
            view = PosedHands.of(at, cost.surfaces).view(shown.hands[0], shown.crop)
            front = view.owner.reshape(-1)[shown.bands[right].pixels]
            assert (shown.slopes[right][front != NOTHING] == 0).all()
            assert (shown.slopes[right] > 0).any()


def test_window_has_the_same_rows(at):
    cost, window = _cost(at), window_of(at.layout, slice(1, 3))
    state = at.state
    cut = type(state)(
        state.hands.take(window.hands), state.camera_from_world[1:3], state.camera_centre[1:3], state.betas, 0.0, 0.0,
        state.offsets,
    )  # fmt: skip
    expected = dict(cost.rendered(at))
    found = dict(cost.within(window).rendered(Evaluation(window.layout, at.view, cut)))
    assert len(found) == 3
    for place, shown in found.items():
        np.testing.assert_allclose(shown.misfit, expected[int(window.hands[place])].misfit, atol=1e-9)


def test_nothing_is_said_far_from_the_masks_border_or_next_to_an_unknown_piece_of_it(at):
    y, x = np.mgrid[0:SIZE, 0:SIZE]
    inside, unknown = (x - 64) ** 2 + (y - 64) ** 2 < 30**2, np.zeros((SIZE, SIZE), bool)
    unknown[62:67, :50] = True
    target = target_of(evidence_of(crop_around(np.array([[0.0, 0.0], [9.0, 9.0]])), inside, unknown, 1.0), 3.0, 8.0)
    assert target.known[64, 96] and target.known[34, 64]
    assert not target.known[64, 64] and not target.known[64, 120]
    assert not target.known[64, 31]
    assert 0 < target.picture[64, 95] < 1
    assert target.picture[64, 100] == 0


def test_the_stage_brings_hands_onto_their_masks():
    scene = drawn._scene()
    start = drawn._moved(scene, 0.04, 0.003)
    fitted = Outlined(drawn._refined(scene, start), {}, _true_evidence(scene))
    *_, last = fit_rendered(fitted, {side: hand_model.load(side) for side in SIDES})
    before, after = drawn._mean_overlap(scene, start), drawn._mean_overlap(scene, last.refined.state)
    assert after > 0.5 + 0.5 * before
    assert all(np.nanmean(shares) > 0.9 for _, shares in last.overlap.values())


def test_the_stage_does_nothing_without_masks():
    scene = drawn._scene()
    fitted = Outlined(drawn._refined(scene, scene.truth), {}, {})
    *_, last = fit_rendered(fitted, {side: hand_model.load(side) for side in SIDES})
    np.testing.assert_array_equal(last.refined.state.hands.wrist, scene.truth.hands.wrist)


def _true_evidence(scene):
    hands = PosedHands.of(scene.at(), [surface_of(hand_model.load(track.bare.side)) for track in scene.layout.tracks])
    out = {}
    for hand in range(len(hands)):
        crop = crop_around(hands.project(hand))
        view = hands.view(hand, crop)
        inside = view.owner != NOTHING
        out[hand] = evidence_of(crop, inside, np.zeros_like(inside), 1.0)
    return out


def test_only_an_artists_masks_are_rendered_on_when_that_is_asked_for():
    scene = drawn._scene()
    start = drawn._moved(scene, 0.04, 0.003)
    evidence = _true_evidence(scene)
    own = {hand: dataclasses.replace(seen, drawn=hand >= drawn.FRAMES) for hand, seen in evidence.items()}
    models = {side: hand_model.load(side) for side in SIDES}
    *_, last = fit_rendered(Outlined(drawn._refined(scene, start), {}, own), models, drawn_alone=True)
    rendered = [cost for cost in last.refined.problem.costs if isinstance(cost, RenderCost)]
    assert set(rendered[0].targets) == set(range(drawn.FRAMES, 2 * drawn.FRAMES))


def test_an_outline_does_not_hold_a_hand_that_is_rendered():
    scene = drawn._scene()
    at, evidence = scene.at(drawn._moved(scene, 0.02, 0.002)), _true_evidence(scene)
    surfaces = [surface_of(hand_model.load(track.bare.side)) for track in scene.layout.tracks]
    cost = contour_cost(at, surfaces, evidence, 0)
    (kept,) = _elsewhere(Problem(scene.layout, at.view, (cost,)), [0, 2])
    before, after = (c.residuals(at).reshape(len(evidence), -1) for c in (cost, kept))
    assert before[[0, 2]].any(1).all()
    assert not after[[0, 2]].any()
    np.testing.assert_array_equal(np.delete(after, [0, 2], axis=0), np.delete(before, [0, 2], axis=0))
