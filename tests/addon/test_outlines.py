"""The outlines' channel, the worst frames, the overlay, and the artist's masks as the solver gets them."""

from __future__ import annotations

import bpy
import numpy as np
import pytest
from bl_ext.user_default.handheld.addon import animation, masks, overlay, overlay_channel, solve
from bl_ext.user_default.handheld.solver.errors import SolverError
from bl_ext.user_default.handheld.solver.hand_model import load
from bl_ext.user_default.handheld.solver.take import save
from movies import write_movie
from solved import solver_command
from takes import moving_take

PATH = f'["{overlay_channel.CHANNEL}"]'


def _keys(armature: bpy.types.Object) -> list[tuple[float, float]]:
    found = [curve for curve in animation.curves(armature) if curve.data_path == PATH]
    return [tuple(point.co) for curve in found for point in curve.keyframe_points]


def test_the_overlap_is_a_channel_and_a_take_without_it_takes_it_away(empty_scene):
    data = bpy.data.armatures.new("hand")
    armature = bpy.data.objects.new("hand", data)
    empty_scene.collection.objects.link(armature)
    overlay_channel.write(armature, np.arange(1, 5), np.array([0.9, np.nan, 0.5, 0.75]))
    assert _keys(armature) == [(1.0, pytest.approx(0.9)), (3.0, 0.5), (4.0, 0.75)]
    overlay_channel.write(armature, np.arange(1, 5), np.full(4, np.nan))
    assert _keys(armature) == []


def test_blenders_mask_space_is_the_longer_side(empty_scene):
    corners = np.array([[0.0, 0.0], [1.0, 1.0], [0.5, 0.5]])
    np.testing.assert_allclose(masks.in_pixels(corners, (640, 360)), [[0, 500], [640, -140], [320, 180]])
    np.testing.assert_allclose(masks.in_pixels(corners, (360, 640)), [[-140, 640], [500, 0], [180, 320]])


def _square(layer: bpy.types.MaskLayer, low: float, high: float, closed: bool = True) -> None:
    spline = layer.splines.new()
    spline.points.add(3)  # a new one has a point
    for point, place in zip(spline.points, ((low, low), (high, low), (high, high), (low, high)), strict=True):
        point.co = point.handle_left = point.handle_right = place
    spline.use_cyclic = closed


def _mask() -> bpy.types.Mask:
    mask = bpy.data.masks.new("roto")
    _square(mask.layers.new(name="Left hand"), 0.25, 0.75)
    _square(mask.layers.new(name="anything"), 0.4, 0.5, closed=False)
    return mask


def _settings(scene: bpy.types.Scene, tmp_path):
    scene.handheld.clip = bpy.data.movieclips.load(str(write_movie(tmp_path / "clip.y4m", frames=6)))
    return scene.handheld_outlines


def test_a_drawn_mask_becomes_polygons_in_px_of_the_clip(empty_scene, tmp_path):
    settings = _settings(empty_scene, tmp_path)
    settings.mask = _mask()
    numbers = np.arange(2, 5)
    empty_scene.frame_set(4)
    path = masks.options(empty_scene, empty_scene.handheld.clip, numbers)["shapes"]
    assert empty_scene.frame_current == 4
    with np.load(path) as data:
        assert data["frames"].tolist() == [2, 3, 4]
        assert set(data["of"].tolist()) == {"left"}
        assert data["adds"].all()
        points = np.split(data["points"], data["starts"][1:-1])
    for polygon in points:
        np.testing.assert_allclose([polygon.min(0), polygon.max(0)], [[16, 2], [48, 34]], atol=1e-4)


def test_mattes_go_by_path_and_must_exist(empty_scene, tmp_path):
    settings = _settings(empty_scene, tmp_path)
    assert masks.options(empty_scene, empty_scene.handheld.clip, np.arange(1, 7)) == {}
    settings.matte_right = str(tmp_path / "matte.0001.png")
    with pytest.raises(SolverError, match="Right Matte"):
        masks.options(empty_scene, empty_scene.handheld.clip, np.arange(1, 7))
    (tmp_path / "matte.0001.png").touch()
    found = masks.options(empty_scene, empty_scene.handheld.clip, np.arange(1, 7))
    assert found == {"right": str(tmp_path / "matte.0001.png")}


def test_a_mask_without_a_closed_shape_is_refused(empty_scene, tmp_path):
    settings = _settings(empty_scene, tmp_path)
    settings.mask = bpy.data.masks.new("empty")
    with pytest.raises(SolverError, match="no closed shape"):
        masks.options(empty_scene, empty_scene.handheld.clip, np.arange(1, 7))


def test_worst_frames_come_one_after_another():
    overlap = np.full((2, 30), 0.9)
    overlap[0, [4, 20]], overlap[1, 7], overlap[1, 8] = 0.3, 0.2, np.nan
    take = moving_take(frames=30, first_frame=101, outline_overlap=overlap)
    assert [overlay.worst_frame(take, None, frame) for frame in (1, 105, 108, 121)] == [105, 108, 121, 105]
    assert overlay.worst_frame(moving_take(frames=30), None, 1) is None


def test_the_overlay_is_drawn_beside_the_take_and_loaded_in_step_with_the_plate(empty_scene, tmp_path, monkeypatch):
    monkeypatch.setattr(solve, "command", lambda context: solver_command())
    movie = write_movie(tmp_path / "clip.y4m", frames=6)
    path = tmp_path / "clip.handheld.npz"
    take = moving_take(frames=6, size=(64, 36), clip_path=str(movie), model_sha256=load("left", "open").sha256)
    save(take, path)
    bpy.ops.handheld.import_take(filepath=str(path), use_clip=True)
    assert bpy.ops.handheld.overlay(style="OUTLINE") == {"FINISHED"}
    drawn = bpy.data.movieclips["clip.outline.mp4"]
    assert (tuple(drawn.size), drawn.frame_duration, drawn.frame_start) == ((64, 36), 6, 1)
    movie.unlink()
    with pytest.raises(RuntimeError, match=r"^Error: There is no file .*clip.y4m"):
        bpy.ops.handheld.overlay(style="OUTLINE")
