"""The whole way once: zip into a real Blender, clip through the extension's operators, .blend and pictures out."""

from __future__ import annotations

import shutil
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


@pytest.fixture(scope="module")
def edited(made: Path, archives: dict[str, Path]) -> dict:
    """What came of the artist's loop on a copy of the demo's folder, which lies elsewhere."""
    folder = made.parent / "moved"
    shutil.copytree(made, folder)
    home = made.parent / "editor"
    archive = str(archives[DEFAULT.python])
    blend = str(folder / "default_clip.blend")
    facts = blender_process.run(DEFAULT, "edit_demo.py", home, archive=archive, blend=blend).facts
    shutil.rmtree(home)
    return facts


def test_the_artist_s_key_holds_and_nothing_else_moves(edited: dict) -> None:
    assert edited["kept"] and edited["kept_after_reload"]
    assert edited["moved"] > 0.005 and edited["outside_differs"] == 0
    assert edited["undone"] and edited["redone"] and edited["reloaded"]
    assert edited["take"] == "//default_clip.handheld.npz"


def test_velocity_does_not_jump_at_the_ends_of_what_was_re_solved(edited: dict) -> None:
    """What a re-solve adds to the change of velocity there is no more than the clip's own 99th percentile."""
    assert edited["added_at_ends"] <= edited["p99"]


def test_the_next_solve_heeds_what_the_artist_said_about_hands(edited: dict) -> None:
    assert edited["swapped"] == ["right", "right"]
    assert edited["deleted"] == ["right"]
    assert edited["boxed"] == ["left", "right"]


def test_overlay_and_sheet_show_something_over_every_frame(made: Path) -> None:
    with av.open(made / "default_clip.overlay.mp4") as movie, av.open(demo.DEFAULT_CLIP) as plate:
        pairs = zip(movie.decode(video=0), plate.decode(video=0), strict=True)
        changes = [cv2.absdiff(a.to_ndarray(format="gray"), b.to_ndarray(format="gray")).mean() for a, b in pairs]
    assert len(changes) == FRAMES
    assert min(changes) > 1.0
    assert cv2.imread(str(made / "default_clip.sheet.png")) is not None
