"""Outlines from pictures: the z-buffer, contours, masks, matching, and the whole stage on drawn hands."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from solver import hand_model
from solver.camera.cameras import CameraPath
from solver.hand_model.rotations import exp
from solver.initialise import default_calibration
from solver.optimise.clip import Clip, Segment
from solver.optimise.refine import Origin, Refined, continued
from solver.optimise.solve import Iterate, Outcome, Stage, run
from solver.overlay.draw import Surface, paint
from solver.silhouette import border, contour, crop, masks, matching, mattes, outlines, raster, stage
from solver.silhouette.surface import surface_of
from solver.take import SIDES
from solver.video import clip as video
from tools.optimiser_bench.scenes import VIEW, make_scene, problem_of, seen_from

FRAMES, SIZE_PX = 4, (1280, 720)
SPANS = (("left", 0, 0, FRAMES), ("right", 0, 0, FRAMES))
INTRINSICS = np.concatenate([VIEW.focal_px, VIEW.centre_px])


def test_the_nearest_of_overlapping_triangles_is_in_front():
    far = np.array([[2, 2], [2, 30], [30, 2]], float)
    near = far[[0, 1, 2]] + 4
    index, nearness = raster.rasterise(np.stack([far, near]), np.array([[0.5] * 3, [1.0] * 3]), (40, 36))
    inside = lambda corner, x, y: x + 0.5 >= corner and y + 0.5 >= corner and x + y + 1 <= 2 * corner + 28  # noqa: E731
    for y in range(36):
        for x in range(40):
            expected = 1 if inside(6, x, y) else 0 if inside(2, x, y) else raster.NOTHING
            assert index[y, x] == expected
            assert nearness[y, x] == pytest.approx({1: 1.0, 0: 0.5, raster.NOTHING: 0.0}[expected])


def test_triangles_that_look_away_or_lie_outside_are_not_drawn():
    away = np.array([[2, 2], [30, 2], [2, 30]], float)
    index, _ = raster.rasterise(np.stack([away, away[[0, 2, 1]] + 100]), np.ones((2, 3)), (40, 36))
    assert (index == raster.NOTHING).all()


def _scene(seed: int = 3, shape_free: bool = True):
    return make_scene(FRAMES, SPANS, seed=seed, shape_free=shape_free)


def _surfaces(layout):
    return [surface_of(hand_model.load(track.bare.side)) for track in layout.tracks]


def test_the_models_outline_lies_on_the_border_of_its_own_picture():
    scene = _scene()
    hands = outlines.PosedHands.of(scene.at(), _surfaces(scene.layout))
    for hand in (0, FRAMES):
        around = crop.crop_around(hands.project(hand))
        view, outline = hands.view(hand, around), hands.outline(hand, around)
        distance = contour.signed_distance(view.owner == 0)
        assert len(outline.points) > 60
        assert np.abs(contour.sample(distance, outline.points)[:, 0]).mean() < 0.6
        slopes = contour.sample(distance, outline.points)[:, 1:]
        assert np.median((slopes * outline.normals).sum(1)) > 0.8


def test_a_hand_behind_another_has_no_outline_there():
    scene = _scene()
    at = scene.at()
    at.state.hands.wrist[FRAMES:] = at.state.hands.wrist[:FRAMES] + [0.0, 0.0, 0.25]
    hands = outlines.PosedHands.of(at, _surfaces(scene.layout))
    around = crop.crop_around(hands.project(FRAMES))
    owner, outline = hands.view(FRAMES, around).owner, hands.outline(FRAMES, around)
    inward = outline.points - outline.normals
    assert len(outline.points)
    assert (owner[tuple(np.floor(inward).astype(int).T[::-1])] == 0).all()


@pytest.mark.parametrize(("hand", "ground"), [(0.8, 0.1), (0.1, 0.8)])
def test_a_swept_border_is_where_it_was_at_mid_exposure_whichever_side_is_brighter(hand, ground):
    share = np.clip((np.arange(40) + 0.5 - 20) / 4 + 0.5, 0, 1)  # of the exposure: one half between 19 and 20
    light = ground + (hand - ground) * np.tile(share, (40, 1))
    picture = np.repeat(np.rint(255 * light[..., None] ** (1 / 2.2)), 3, axis=-1).astype(np.uint8)
    for off in (-1, 0, 1):
        inside = np.tile(np.arange(40) >= 20 + off, (40, 1))
        found = border.refined(inside, picture, np.zeros((40, 40), bool))
        assert (found[5:-5].sum(1) == 20).all()


def test_what_sticks_out_broader_than_a_finger_says_nothing():
    y, x = np.mgrid[0 : crop.SIZE, 0 : crop.SIZE]
    hand = (abs(x - 64) < 20) & (abs(y - 80) < 20)
    none = np.zeros_like(hand)
    region = masks.Region(hand, none, none, none, none, none, none)
    arm, finger = (abs(x - 64) < 10) & (abs(y - 50) < 20), (abs(x - 64) < 4) & (abs(y - 50) < 20)
    assert masks.foreign(region, hand | arm)[40:60, 54:74].all()
    assert not masks.foreign(region, hand | arm)[70:].any()
    assert not masks.foreign(region, hand | finger).any()


class _Drawn:
    """A clip's source: hands painted over a plain wall, as a state has them; or the wall alone."""

    def __init__(self, scene, empty=False) -> None:
        self._empty = empty
        self._hands = outlines.PosedHands.of(scene.at(), _surfaces(scene.layout))

    def image(self, index: int) -> np.ndarray:
        rng = np.random.default_rng(index)
        image = np.full((*SIZE_PX[::-1], 3), (60, 90, 80), np.uint8)
        shown = [
            Surface(self._hands.vertices[hand], self._hands.surface(hand).faces, (200, 150, 120), 1.0)
            for hand in self._hands.present(index)
        ]
        image = image if self._empty else paint(image, shown, INTRINSICS)
        return np.clip(image + rng.normal(0, 4, image.shape), 0, 255).astype(np.uint8)

    def forwards(self, start, stop):
        return ((index, self.image(index)) for index in range(start, stop))


def _clip(source) -> video.Clip:
    return video.Clip("drawn", SIZE_PX, 30, 1, FRAMES, FRAMES, (), source)


def _moved(scene, turn: float, shift_m: float):
    """The scene's hands tilted and shifted."""
    hands, rng = scene.truth.hands, np.random.default_rng(5)
    turned = exp(turn * rng.standard_normal((len(hands), 3)))
    wrist = hands.wrist + shift_m * rng.standard_normal(hands.wrist.shape)
    moved = dataclasses.replace(hands, global_orient=turned @ hands.global_orient, wrist=wrist)
    return dataclasses.replace(scene.truth, hands=moved)


def _refined(scene, state, seen=True) -> Refined:
    problem = problem_of(scene, seen_from(scene, 6.0), state)
    segments = tuple(Segment(index, 0, np.arange(FRAMES) if seen else np.full(FRAMES, -1)) for index in range(2))
    clip = Clip(np.arange(1, FRAMES + 1), segments, scene.layout, VIEW, state, None, None)
    iterate = Iterate(state, "start", 0, 0, 0.0, 0.0, Outcome.CONVERGED)
    return continued(Origin(clip, default_calibration(), dict(enumerate(SIDES))), problem, iterate, final=True)


def _fit(scene, state, source, **options) -> stage.Outlined:
    models = {side: hand_model.load(side) for side in SIDES}
    camera = CameraPath("static", INTRINSICS, np.tile(np.eye(4), (FRAMES, 1, 1)))
    *_, last = stage.fit_outlines(
        _refined(scene, state, options.pop("seen", True)), models, camera, _clip(source), **options
    )
    return last


def _mean_overlap(scene, state) -> float:
    """Of the state's hands with the true ones."""
    own, true = (outlines.PosedHands.of(scene.at(s), _surfaces(scene.layout)) for s in (state, scene.truth))
    shares = []
    for hand in range(2 * FRAMES):
        around = crop.crop_around(true.project(hand))
        a, b = own.view(hand, around).owner == 0, true.view(hand, around).owner == 0
        shares.append((a & b).sum() / (a | b).sum())
    return float(np.mean(shares))


def test_the_stage_brings_hands_onto_their_picture():
    scene = _scene()
    start = _moved(scene, 0.06, 0.006)
    fitted = _fit(scene, start, _Drawn(scene))
    before, after = _mean_overlap(scene, start), _mean_overlap(scene, fitted.refined.state)
    assert before < 0.9
    assert after > 0.93
    assert all(np.nanmean(shares) > 0.9 for _, shares in fitted.overlap.values())
    assert fitted.refined.uncertainty is not None


@pytest.mark.parametrize("options", [{"empty": True}, {"seen": False}])
def test_a_picture_without_the_hand_or_a_hand_that_was_not_seen_changes_nothing(options):
    scene = _scene()
    start = _moved(scene, 0.06, 0.006)
    fitted = _fit(scene, start, _Drawn(scene, options.pop("empty", False)), **options)
    assert all(np.isnan(shares).all() for _, shares in fitted.overlap.values())
    np.testing.assert_array_equal(fitted.refined.state.hands.wrist, start.hands.wrist)


def test_masks_that_the_landmarks_contradict_do_no_harm(monkeypatch):
    """The picture shows hands beside where their landmarks are; without the rule hands follow it."""
    scene = _scene()
    picture = _Drawn(dataclasses.replace(scene, truth=_moved(scene, 0.0, 0.012)))
    held = _fit(scene, scene.truth, picture)
    np.testing.assert_array_equal(held.refined.state.hands.wrist, scene.truth.hands.wrist)
    monkeypatch.setattr(stage, "_HARM_NATS", np.inf)
    misled = _fit(scene, scene.truth, picture)
    assert misled.evidence
    assert np.linalg.norm(misled.refined.state.hands.wrist - scene.truth.hands.wrist, axis=1).max() > 0.01


def _masked(scene, broad: float) -> dict[int, matching.Evidence]:
    """Evidence by hand-frame: masks of hands that are ``broad`` (log) for their length, each alone."""
    hands, evidence = outlines.PosedHands.of(scene.at(), _surfaces(scene.layout)), {}
    for hand in range(len(hands)):
        around = crop.crop_around(hands.project(hand))
        points = around.inside(hands.project(hand))
        large = points.mean(0) + np.exp(broad) * (points - points.mean(0))
        posed = contour.Posed(hands.surface(hand), hands.vertices[hand])
        inside = contour.look([posed], [large]).owner == 0
        evidence[hand] = matching.evidence_of(around, inside, np.zeros_like(inside), trust=1.0)
    return evidence


def test_hands_lie_on_the_outlines_of_broader_ones_that_are_known_to_be_so():
    scene = _scene()
    evidence, surfaces, at = _masked(scene, 0.05), _surfaces(scene.layout), scene.at()
    blind, aware = (
        outlines.contour_cost(at, surfaces, evidence, 0, breadth=np.full(len(at.state.betas), broad)).value(at)
        for broad in (0.0, 0.05)
    )
    assert aware < 0.3 * blind


def test_half_of_the_distance_that_outlines_take_off_is_laid_to_breadth():
    scene = _scene()
    evidence, before = _masked(scene, 0.0), scene.at()

    def nearer(by: float, taken: float) -> np.ndarray:
        camera = before.scaled_centre[before.layout.frame_of]
        wrist = camera + np.exp(-by) * (scene.truth.hands.wrist - camera)
        hands = dataclasses.replace(scene.truth.hands, wrist=wrist)
        after = scene.at(dataclasses.replace(scene.truth, hands=hands))
        return stage.broader(before, after, evidence, np.full(len(scene.truth.betas), taken), stage.DEFAULT)

    np.testing.assert_allclose(nearer(0.06, 0.0), 0.03)
    np.testing.assert_allclose(nearer(0.03, 0.03), 0.03)  # what the next round makes of it stays


def test_landmarks_give_way_to_an_artists_mask_and_not_to_one_that_was_cut():
    scene = _scene()
    box = crop.Crop(np.zeros(2), 1.0)
    inside, none = np.zeros((2, crop.SIZE, crop.SIZE), bool)
    inside[40:90, 40:90] = True
    evidence = {
        hand: matching.evidence_of(box, inside, none, trust=0.5, drawn=drawn)
        for hand, drawn in ((0, True), (FRAMES, False))
    }
    problem = problem_of(scene, seen_from(scene, 1.0), scene.truth)
    shares = stage.landmark_shares(problem, evidence, stage.DEFAULT)
    assert shares[0] == pytest.approx(1 - 0.5 * (1 - stage.DEFAULT.landmarks)) and shares[0] < 1
    assert (np.delete(shares, 0) == 1).all()


class _Whole:
    """A mask drawn by an artist: the true hands, the right one cut where the left one covers it."""

    def __init__(self, scene) -> None:
        self._hands = outlines.PosedHands.of(scene.at(), _surfaces(scene.layout))

    def at(self, number, of):
        if of == "hands":
            return None
        hands, corners, near = self._hands.present(number - 1), [], []
        for hand in hands:
            faces = self._hands.surface(hand).faces
            corners.append(self._hands.project(hand)[faces])
            near.append(1 / self._hands.vertices[hand, faces, 2])
        index, _ = raster.rasterise(np.concatenate(corners), np.concatenate(near), SIZE_PX)
        own = (index >= 0) & (index // len(faces) == SIDES.index(of))
        return own.astype(np.uint8) * 255


def _covered_scene():
    """The right hand behind the left one, which leaves about a quarter of it to be seen. Its shape is held: over so few
    frames nothing else would hold its size, and the depth with it."""
    scene = _scene(seed=5, shape_free=False)
    centre = outlines.PosedHands.of(scene.at(), _surfaces(scene.layout)).vertices.mean(1)
    behind = centre[:FRAMES] * (1 + 0.12 / centre[:FRAMES, 2:]) + [0.03, 0.0, 0.0]
    scene.truth.hands.wrist[FRAMES:] += behind - centre[FRAMES:]
    return scene


def test_a_hand_that_another_covers_is_helped_by_what_is_seen_and_harmed_without_the_rule(monkeypatch):
    """The borders that the hand in front cuts into a mask are no outline: what others cover is unknown."""
    scene = _covered_scene()
    hands = outlines.PosedHands.of(scene.at(), _surfaces(scene.layout))
    around = crop.crop_around(hands.project(FRAMES))
    seen, whole = ((hands.view(FRAMES, around, alone).owner == 0).sum() for alone in (False, True))
    assert 0.2 < seen / whole < 0.3
    start = _moved(scene, 0.03, 0.004)

    def error(state) -> float:
        return float(np.linalg.norm(scene.at(state).keypoints - scene.at().keypoints, axis=-1)[FRAMES:].mean())

    def outlined() -> float:
        fitted = _fit(scene, start, _Drawn(scene), given=mattes.Masks((_Whole(scene),)))
        return error(fitted.refined.state)

    *_, last = run(problem_of(scene, seen_from(scene, 6.0), start), start, (Stage("landmarks", 12, 1e-4),))
    by_landmarks = error(last.state)
    assert outlined() < 0.8 * by_landmarks
    rule = outlines.PosedHands.beside
    monkeypatch.setattr(outlines.PosedHands, "beside", lambda self, hand: rule(self, hand)[:1])
    assert outlined() > 1.5 * by_landmarks
