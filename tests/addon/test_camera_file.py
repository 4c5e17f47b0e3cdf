"""Camera files in the scene's settings: looked into, refused in words, handed to the solver."""

from pathlib import Path

import bpy
import numpy as np
import pytest
from bl_ext.user_default.handheld.addon import clip, request
from movies import write_movie
from takes import moving_camera

from solver.camera import formats
from solver.camera.formats import KnownCamera, LensPart, chan, colmap

SIZE = (64, 36)
POSES = moving_camera(np.random.default_rng(3), 30)


def known(frames, **changes):
    lens = LensPart(np.array([60.0, 60.0, 32.0, 18.0]), SIZE)
    fields = {"frames": np.asarray(frames, float), "world_from_camera": POSES[: len(frames)], "lens": lens}
    return KnownCamera(**{**fields, **changes})


@pytest.fixture
def movie(tmp_path):
    loaded = clip.load(str(write_movie(tmp_path / "clip.mp4", frames=20)))
    bpy.context.scene.handheld.clip = loaded
    return loaded


def choose(path):
    return bpy.ops.handheld.choose_camera_file(filepath=str(path))


def test_a_chan_is_chosen_described_and_handed_over(movie, tmp_path):
    chan.write(tmp_path / "c.chan", known(range(1, 25)), "XYZ")
    assert choose(tmp_path / "c.chan") == {"FINISHED"}
    settings = bpy.context.scene.handheld_camera
    assert bpy.context.scene.handheld.camera_source == "FILE"
    assert settings.about == "24 poses, frames 1 to 24, 60 px, metres." and not settings.problem
    settings.offset, settings.frame_rate, settings.order = -3, 12.5, "XYZ"
    assert "frames -2 to" in settings.about
    settings.scale_source, settings.scale = "VALUE", 0.01
    options = request.build(bpy.context)[0].options
    assert Path(options["camera"]) == tmp_path / "c.chan"
    assert (options["camera_offset"], options["camera_rate"]) == (-3.0, [25, 2])
    assert (options["camera_scale"], options["camera_order"]) == (pytest.approx(0.01), "XYZ")


def test_what_the_solver_reads_is_the_camera_that_was_meant(movie, tmp_path):
    colmap.write(tmp_path / "model", known(range(1, 21)))
    choose(tmp_path / "model" / "images.txt")
    options = request.build(bpy.context)[0].options
    found = formats.read(options["camera"], SIZE)
    assert found.frames.tolist() == clip.all_frames(movie).tolist() and options["camera_scale"] == "auto"
    np.testing.assert_allclose(found.world_from_camera, POSES[:20], atol=1e-9)


def test_a_camera_that_ends_too_early_is_said_so_at_once(movie, tmp_path):
    chan.write(tmp_path / "c.chan", known(range(1, 11)))
    choose(tmp_path / "c.chan")
    assert bpy.context.scene.handheld_camera.about.endswith("It lacks 10 of the clip's 20 frames.")


def test_a_file_that_is_no_camera(movie, tmp_path):
    (tmp_path / "c.chan").write_text("hello")
    with pytest.raises(RuntimeError, match="no .chan file"):
        choose(tmp_path / "c.chan")
    assert "no .chan file" in bpy.context.scene.handheld_camera.problem
    with pytest.raises(Exception, match="no .chan file") as refused:
        request.build(bpy.context)
    assert refused.value.code == "camera-not-readable"


def test_no_file_chosen(movie):
    bpy.context.scene.handheld.camera_source = "FILE"
    with pytest.raises(Exception, match="Choose a .chan file") as refused:
        request.build(bpy.context)
    assert refused.value.code == "camera-missing"


def test_a_clips_own_solve_is_scaled_by_the_hands_unless_told_otherwise(movie):
    """Its units are nobody's; the setting is the same for all cameras that were not solved here."""
    from bl_ext.user_default.handheld.addon import request as requests

    settings = bpy.context.scene.handheld_camera
    scene = bpy.context.scene
    foreign, metric = known(range(1, 21), is_metric=False), known(range(1, 21))
    assert requests._camera_options(scene, movie, foreign)["camera_scale"] == "hands"
    assert requests._camera_options(scene, movie, metric)["camera_scale"] == 1.0
    settings.scale_source = "METRES"
    assert requests._camera_options(scene, movie, foreign)["camera_scale"] == 1.0
