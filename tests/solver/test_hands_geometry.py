"""Regions, crops, anchors and suppression: the arithmetic between the frame and the two networks."""

import math

import numpy as np
import pytest

from solver.hands import palm
from solver.hands.geometry import Pyramid, Roi, apply, overlap, wrapped
from solver.hands.landmarks import next_roi
from solver.hands.palm import Palm, Tile, anchors, coarse_tiles, decode, fine_tiles, suppress
from tests.solver.hand_trails import points


def test_the_anchors_are_the_models():
    centers = anchors()
    assert centers.shape == (2016, 2)
    np.testing.assert_array_equal(centers[:3], [[4, 4], [4, 4], [12, 4]])
    assert (np.unique(centers[: 2 * 24 * 24], axis=0).shape, np.unique(centers[1152:], axis=0).shape) == (
        (576, 2),
        (144, 2),
    )
    np.testing.assert_array_equal(centers[-1], [184, 184])


def test_an_all_zero_output_is_a_point_at_its_anchor():
    boxes, found = decode(np.zeros((1, 18)), np.array([[12.0, 20.0]]))
    np.testing.assert_array_equal(boxes[0], [[12, 20], [12, 20]])
    np.testing.assert_array_equal(found[0], np.tile([12, 20], (7, 1)))


def test_offsets_are_added_and_the_size_is_halved_about_the_middle():
    regressors = np.zeros((1, 18))
    regressors[0, :6] = (2, 3, 10, 20, 5, 6)
    boxes, found = decode(regressors, np.array([[100.0, 50.0]]))
    np.testing.assert_array_equal(boxes[0], [[97, 43], [107, 63]])
    np.testing.assert_array_equal(found[0, 0], [105, 56])


@pytest.mark.parametrize("angle", [0.0, 0.7, -2.5, math.pi / 2])
def test_a_region_maps_its_crop_onto_the_frame(angle):
    roi = Roi((320.0, 200.0), 150.0, angle)
    affine = roi.frame_from_crop(224)
    np.testing.assert_allclose(apply(affine, np.array([112.0, 112.0])), [320, 200])
    up = apply(affine, np.array([112.0, 0.0])) - [320, 200]
    np.testing.assert_allclose(up, 75 * np.array([math.sin(angle), -math.cos(angle)]), atol=1e-9)


@pytest.mark.parametrize("angle", [0.0, 0.6, 2.0, -1.4, 3.1])
def test_the_next_region_turns_with_the_hand_and_holds_it(angle):
    upright, turned = next_roi(points((300, 300))), next_roi(points((300, 300), angle=angle))
    assert wrapped(turned.angle - upright.angle - angle) == pytest.approx(0, abs=1e-9)
    assert turned.size == pytest.approx(upright.size)
    to_crop = np.linalg.inv(np.vstack([turned.frame_from_crop(224), [0, 0, 1]]))[:2]
    inside = apply(to_crop, points((300, 300), angle=angle))
    assert inside.min() > 0
    assert inside.max() < 224
    assert inside[12, 1] < inside[0, 1], "fingers point to the crop's top"


def test_the_palms_region_agrees_with_the_landmarks_region():
    hand = points((300, 300), angle=0.4)
    palm_points = hand[[0, 5, 9, 13, 17, 1, 2]]
    box = np.concatenate([palm_points.min(axis=0), palm_points.max(axis=0)])
    from_palm, from_points = Palm(box, palm_points, 0.9).roi(), next_roi(hand)
    assert wrapped(from_palm.angle - from_points.angle) == pytest.approx(0, abs=0.1)
    assert np.linalg.norm(np.subtract(from_palm.center, from_points.center)) < 0.25 * from_points.size
    assert 0.7 < from_palm.size / from_points.size < 1.4


@pytest.mark.parametrize("size_px", [60.0, 224.0, 500.0, 900.0])
def test_crops_show_the_frame_where_they_say(size_px):
    y, x = np.mgrid[0:720, 0:1280] + 0.5
    image = np.stack([x / 5.12, y / 5.12, 0 * x], axis=-1).round().astype(np.uint8)
    affine = Roi((640.0, 360.0), size_px, 0.5).frame_from_crop(224)
    crop = Pyramid(image).crop(affine, 224)
    assert crop.dtype == np.float32
    for u, v in ((112.0, 112.0), (60.5, 90.5), (150.5, 180.5)):
        expected = apply(affine, np.array([u, v]))
        found = crop[int(v), int(u), :2] * 255 * 5.12
        np.testing.assert_allclose(found, expected, atol=4 + size_px / 224)


def test_outside_the_frame_is_black():
    crop = Pyramid(np.full((100, 100, 3), 255, np.uint8)).crop(Roi((0.0, 0.0), 100.0, 0.0).frame_from_crop(192), 192)
    assert crop[:90].max() == 0
    assert crop[110:, 110:].min() == 1


def test_overlap_is_intersection_over_union():
    boxes = np.array([[0, 0, 10, 10], [5, 0, 15, 10], [20, 20, 30, 30]], float)
    np.testing.assert_allclose(overlap(boxes[0], boxes), [1, 1 / 3, 0])


def test_suppression_keeps_one_palm_per_place_weighted_by_score():
    def at(x, score):
        return Palm(np.array([x, 0, x + 10, 10], float), np.full((7, 2), x, float), score)

    kept = suppress([at(1.0, 0.5), at(0.0, 1.0), at(40.0, 0.7)])
    assert [round(p.score, 2) for p in kept] == [1.0, 0.7]
    assert kept[0].box[0] == pytest.approx(1 / 3)
    assert suppress([]) == []


@pytest.mark.parametrize("size", [(1920, 1080), (640, 480), (1080, 1920), (3840, 2160), (720, 720)])
def test_every_hand_lies_whole_in_a_tile_of_a_fitting_scale(size):
    width, height = size
    short = min(size)
    every = coarse_tiles(width, height) + fine_tiles(width, height)
    rng = np.random.default_rng(0)
    for share in (0.04, 0.06, 0.1, 0.2, 0.35):
        hand = share * short
        for x, y in rng.uniform(0, 1, (200, 2)) * (width - hand, height - hand):
            fitting = [t for t in every if 0.08 <= hand / t.size <= 0.6]
            assert any(t.x <= x and t.y <= y and t.x + t.size >= x + hand and t.y + t.size >= y + hand for t in fitting)


def test_keyframes_are_cheap_enough():
    assert len(coarse_tiles(1920, 1080)) <= 12
    assert coarse_tiles(1920, 1080)[0] == Tile(0.0, -420.0, 1920.0)
    assert palm.INPUT_PX == 192
