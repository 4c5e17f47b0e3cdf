"""The artist's masks: image sequences, drawn shapes, and what is refused."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from solver.errors import SolverError
from solver.silhouette import mattes
from solver.video import open_clip

SIZE = (64, 36)


def _sequence(folder: Path, first: int, count: int, size: tuple[int, int] = SIZE) -> str:
    """Images in which a white square of side 8 moves to the right by the frame's number."""
    folder.mkdir()
    for number in range(first, first + count):
        image = np.zeros((size[1], size[0]), np.uint8)
        image[4:12, number : number + 8] = 255
        cv2.imwrite(str(folder / f"m.{number:04d}.png"), image)
    return str(folder / f"m.{first:04d}.png")


@pytest.fixture
def clip(tmp_path):
    return open_clip(_sequence(tmp_path / "plate", 1, 6))


def test_a_matte_has_the_clips_frame_numbers_and_its_own_gaps(clip, tmp_path):
    given = mattes.open_masks({"left": _sequence(tmp_path / "left", 2, 3)}, clip)
    for number in (2, 4, 3, 3):
        mask = given.at(number, "left")
        assert mask.shape == SIZE[::-1]
        assert np.flatnonzero(mask.any(0))[0] == number
    assert given.at(1, "left") is None
    assert given.at(5, "left") is None
    assert given.at(3, "right") is None


def test_a_hands_own_mask_wins_over_that_of_hands_in_general(clip, tmp_path):
    described = {"hands": _sequence(tmp_path / "hands", 1, 6), "left": _sequence(tmp_path / "left", 3, 2)}
    given = mattes.open_masks(described, clip)
    assert np.flatnonzero(given.at(2, "left").any(0))[0] == 2
    assert np.flatnonzero(given.at(3, "right").any(0))[0] == 3
    assert not mattes.open_masks({}, clip)


def _shapes(path: Path, size: tuple[int, int] = SIZE) -> str:
    square = np.array([[10.0, 10.0], [30.0, 10.0], [30.0, 30.0], [10.0, 30.0]])
    hole = 15 + (square - 10) / 4
    np.savez(
        path, frames=[2, 2, 3], of=["left", "left", "hands"], adds=[True, False, True],
        starts=[0, 4, 8, 12], points=np.concatenate([square, hole, square]), size=size,
    )  # fmt: skip
    return str(path)


def test_drawn_shapes_add_and_cut_in_order(clip, tmp_path):
    given = mattes.open_masks({"shapes": _shapes(tmp_path / "shapes.npz")}, clip)
    mask = given.at(2, "left")
    assert mask[20, 12] == 255
    assert mask[17, 17] == 0
    assert mask[5, 5] == 0
    assert given.at(2, "right") is None
    assert given.at(3, "right")[17, 17] == 255


@pytest.mark.parametrize(
    ("of", "make", "code"),
    [
        ("thumb", lambda folder: str(folder), "mask-not-known"),
        ("left", lambda folder: _sequence(folder / "other", 100, 2), "mask-other-frames"),
        ("left", lambda folder: _sequence(folder / "large", 1, 2, (128, 72)), "mask-other-size"),
        ("left", lambda folder: str(folder / "missing.mp4"), "clip-missing"),
        ("shapes", lambda folder: str(folder / "missing.npz"), "mask-not-readable"),
        ("shapes", lambda folder: _shapes(folder / "large.npz", (128, 72)), "mask-other-size"),
    ],
)
def test_masks_that_do_not_fit_are_refused(clip, tmp_path, of, make, code):
    with pytest.raises(SolverError) as refusal:
        mattes.open_masks({of: make(tmp_path)}, clip)
    assert refusal.value.code == code
    assert repr(of) in refusal.value.sentence
