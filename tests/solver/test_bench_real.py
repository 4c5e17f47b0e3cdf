"""Figures of real clips, where there is no truth: on takes whose faults are known."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from solver import take as takes
from solver.bench import real
from solver.bench.silhouette import picture
from solver.hand_model import loading

from .samples import sample_take

COUNT = 10
MODELS = loading.load_pair("open")


@pytest.fixture
def take() -> takes.Take:
    """A left and a right hand that rest before a camera that rests."""
    transl = np.stack([np.tile([x, 0.0, 0.5], (COUNT, 1)) for x in (-0.15, 0.1)])
    return dataclasses.replace(
        sample_take(COUNT), model="open", sides=("left", "right"), transl=transl, betas=np.zeros((2, 10)),
        world_from_camera=np.tile(np.eye(4), (COUNT, 1, 1)), frame_rate=(30, 1),
        rotations=np.broadcast_to(np.eye(3), (2, COUNT, 16, 3, 3)).copy(),
        status=np.full((2, COUNT), takes.OBSERVED, np.uint8), confidence=np.ones((2, COUNT)),
    )  # fmt: skip


def _figures(take, drawn=()) -> dict[str, float]:
    return dict(zip(real.COLUMNS, real.figures(take, MODELS, list(drawn)), strict=True))


def test_hands_that_rest(take):
    figures = _figures(take)
    assert (figures["left"], figures["right"], figures["filled"]) == (1.0, 1.0, 0.0)
    assert (figures["doubles"], figures["swaps"]) == (0, 0)
    assert figures["tip jitter [m/s³]"] == pytest.approx(0.0, abs=1e-6)
    assert np.isnan(figures["IoU"])


def test_a_filled_hand_is_not_a_seen_one(take):
    status = take.status.copy()
    status[0, 5:], status[1, :2] = takes.INFILLED, takes.MISSING
    figures = _figures(dataclasses.replace(take, status=status))
    assert (figures["left"], figures["right"]) == (0.5, 0.8)
    assert figures["filled"] == pytest.approx(5 / 18)


def test_names_that_change_places_are_swaps(take):
    transl = take.transl.copy()
    transl[:, 4:7] = transl[::-1, 4:7]  # there and back, of two hands
    assert _figures(dataclasses.replace(take, transl=transl))["swaps"] == 4


@pytest.mark.parametrize(("place", "swaps"), [(-0.15, 0), (0.1, 1)])
def test_a_hand_that_returns_is_a_swap_only_at_the_others_place(take, place, swaps):
    status, transl = take.status.copy(), take.transl.copy()
    status[0, 3:6] = takes.MISSING
    transl[0, 6:, 0] = place
    assert _figures(dataclasses.replace(take, status=status, transl=transl))["swaps"] == swaps


def test_two_hands_of_one_side_are_doubles(take):
    assert _figures(dataclasses.replace(take, sides=("left", "left")))["doubles"] == COUNT


def test_jitter_of_a_fingertip_and_of_a_wrist(take):
    shaken = take.transl.copy()
    shaken[:, :, 0] += 0.001 * (np.arange(COUNT) % 2)
    figures = _figures(dataclasses.replace(take, transl=shaken))
    assert figures["wrist jitter [m/s³]"] == pytest.approx(0.001 * 4 * 30**3, rel=1e-6)
    assert figures["tip jitter [m/s³]"] == pytest.approx(0.0, abs=1e-6)


def test_overlap_with_an_outline(take):
    posed = MODELS["right"].with_shape(np.zeros(10)).pose(take.rotations[1, 3], take.transl[1, 3])
    seen = picture([(posed.vertices(), MODELS["right"].watertight_faces)], take.intrinsics, take.size) == 0
    rows, columns = np.nonzero(seen)
    box = np.array([[columns.min(), rows.min()], [columns.max() + 1, rows.max() + 1]]) / take.size
    corners = np.array([box[0], [box[1, 0], box[0, 1]], box[1], [box[0, 0], box[1, 1]]])
    area = np.prod((box[1] - box[0]) * take.size)
    drawn = [real.Outline("clip.mp4", 3, "right", corners)]
    assert _figures(take, drawn)["IoU"] == pytest.approx(seen.sum() / area, rel=0.05)
    missing = take.status.copy()
    missing[1, 3] = takes.MISSING
    assert _figures(dataclasses.replace(take, status=missing), drawn)["IoU"] == 0.0


def test_outlines_are_within_the_picture():
    drawn = real.outlines()
    assert len(drawn) >= 6
    for outline in drawn:
        assert outline.side in takes.SIDES
        assert ((outline.points > 0) & (outline.points < 1)).all()
        assert len(outline.points) > 10


def test_without_a_folder_it_says_what_to_do(monkeypatch, capsys):
    monkeypatch.delenv("HANDHELD_REAL_CLIPS", raising=False)
    assert real.main([]) == 2
    assert "HANDHELD_REAL_CLIPS" in capsys.readouterr().err
