"""The whole way once: zip into a real Blender, clip through the extension's operators, .blend and pictures out."""

from __future__ import annotations

from pathlib import Path

import av
import cv2
import pytest

from solver import take as takes
from tools import demo
from tools.blenders import DEFAULT

from . import blender_process

FRAMES, SIZE = 72, (640, 360)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the demo left, for the clip that comes along."""
    folder = tmp_path_factory.mktemp("demo") / "out"
    demo.run(demo.DEFAULT_CLIP, folder)
    return folder


def test_take_holds_both_hands_of_the_clip(made: Path) -> None:
    take = takes.load(made / "default_clip.handheld.npz")
    assert sorted(take.sides) == ["left", "right"]
    assert take.coverage().min() > 0.9
    assert (len(take.frames), tuple(take.size)) == (FRAMES, SIZE)


def test_blend_holds_moving_hands_and_a_camera_with_its_plate(made: Path) -> None:
    home = made.parent / "home"
    facts = blender_process.run(DEFAULT, "open_blend.py", home, blend=str(made / "default_clip.blend")).facts
    assert sorted(facts["armatures"].values()) == [[True, 16], [True, 16]]
    assert min(facts["moves"].values()) > 0.01
    assert facts["camera"] == 1
    assert facts["frames"] == [1, FRAMES]
    assert facts["size"] == list(SIZE)


def test_overlay_and_sheet_show_something_over_every_frame(made: Path) -> None:
    with av.open(made / "default_clip.overlay.mp4") as movie, av.open(demo.DEFAULT_CLIP) as plate:
        pairs = zip(movie.decode(video=0), plate.decode(video=0), strict=True)
        changes = [cv2.absdiff(a.to_ndarray(format="gray"), b.to_ndarray(format="gray")).mean() for a, b in pairs]
    assert len(changes) == FRAMES
    assert min(changes) > 1.0
    assert cv2.imread(str(made / "default_clip.sheet.png")) is not None
