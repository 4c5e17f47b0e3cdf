"""Lenses: camera objects to the pixel, and every distortion model as Blender itself undistorts."""

import time

import bpy
import numpy as np
import pytest
from bl_ext.user_default.handheld.addon import camera, camera_lens, clip, frames, request, scene, take_to_scene
from bl_ext.user_default.handheld.addon.take_to_scene import Surroundings
from bpy_extras.object_utils import world_to_camera_view
from mathutils import Matrix, Vector
from movies import write_movie
from takes import moving_take

from solver import take as takes
from solver.camera.cameras import project
from solver.camera.distortion import distort
from solver.camera.formats import LensPart

SIZE = (160, 90)
DOTS = (480, 270)
RNG = np.random.default_rng(6)
MODELS = {
    "POLYNOMIAL": (-0.2, 0.05, 0.01),
    "BROWN": (-0.2, 0.05, 0.01, 0.003, 0.01, -0.02),
    "DIVISION": (0.2, 0.05),
    "NUKE": (-0.3, 0.2),
}


@pytest.fixture
def movie(tmp_path):
    loaded = clip.load(str(write_movie(tmp_path / "clip.mp4", frames=20, size=SIZE)))
    bpy.context.scene.handheld.clip = loaded
    return loaded


# --- camera objects


@pytest.mark.parametrize("sensor_fit", ["AUTO", "HORIZONTAL", "VERTICAL"])
@pytest.mark.parametrize("size", [(640, 360), (360, 640), (500, 500)])
@pytest.mark.parametrize("aspect", [(1.0, 1.0), (1.5, 1.0), (1.0, 2.0)])
def test_any_sensor_fit_and_any_pixel_to_the_pixel(sensor_fit, size, aspect):
    render = bpy.context.scene.render
    render.resolution_x, render.resolution_y = size
    render.pixel_aspect_x, render.pixel_aspect_y = aspect
    data = bpy.data.cameras.new("Mine")
    data.sensor_width, data.sensor_height, data.sensor_fit = 30.0, 20.0, sensor_fit
    mine = bpy.data.objects.new("Mine", data)
    bpy.context.scene.collection.objects.link(mine)
    mine.matrix_world = Matrix(frames.camera_to_blender(np.eye(4)))
    ratio = camera_lens.pixel_aspect(render)
    wanted = np.array([520.0, 520.0 / ratio, 0.45 * size[0], 0.6 * size[1]])
    camera_lens.set_intrinsics(data, wanted, size, ratio)
    np.testing.assert_allclose(camera_lens.intrinsics(data, size, ratio), wanted, rtol=1e-5)
    bpy.context.view_layer.update()
    for point in RNG.uniform([-0.2, -0.2, 0.5], [0.2, 0.2, 1.0], size=(5, 3)):
        x, y, _ = world_to_camera_view(bpy.context.scene, mine, Vector(frames.points_to_blender(point)))
        assert np.abs(np.array([x * size[0], (1 - y) * size[1]]) - project(point, wanted)).max() < 0.01


def test_a_sensor_that_the_artist_chose_stays(movie):
    around = Surroundings(bpy.context.scene, movie, "open")
    take = moving_take(sides=(), size=SIZE, intrinsics=np.array([150.0, 150.0, 80.0, 45.0]))
    take_to_scene.build(take, "a.npz", around)
    data = bpy.context.scene.camera.data
    data.sensor_fit, data.sensor_height = "VERTICAL", 13.0
    take_to_scene.build(take, "a.npz", around)
    assert data.sensor_fit == "VERTICAL" and data.sensor_height == pytest.approx(13.0)
    np.testing.assert_allclose(camera_lens.intrinsics(data, SIZE), take.intrinsics, rtol=1e-5)


# --- distortion against Blender's own


def ideal_grid():
    x, y = np.meshgrid(np.arange(28.0, DOTS[0] - 20, 24), np.arange(28.0, DOTS[1] - 20, 24))
    return np.stack([x, y], axis=-1).reshape(-1, 2)


def clip_of_dots(folder, centres):
    """An image of blurred dots at these px (from the upper left), as a clip."""
    x, y = np.meshgrid(np.arange(DOTS[0]) + 0.5, np.arange(DOTS[1]) + 0.5)
    shade = np.zeros(DOTS[::-1])
    for centre in centres:
        shade += np.exp(-((x - centre[0]) ** 2 + (y - centre[1]) ** 2) / (2 * 2.0**2))
    picture = bpy.data.images.new("dots", *DOTS, is_data=True)
    pixels = np.ones((*shade.shape, 4), np.float32)
    pixels[..., :3] = shade[::-1, :, None].clip(0, 1)
    picture.pixels.foreach_set(pixels.ravel())
    picture.file_format, picture.filepath_raw = "PNG", str(folder / "dots0001.png")
    picture.save()
    return bpy.data.movieclips.load(picture.filepath_raw)


def undistorted_by_blender(movie, folder):
    """(h, w) the clip as the clip editor and background images show it undistorted, from the upper left: a proxy."""
    movie.use_proxy, movie.use_proxy_custom_directory = True, True
    movie.proxy.directory, movie.proxy.quality = str(folder), 100
    movie.proxy.build_100, movie.proxy.build_25, movie.proxy.build_undistorted_100 = False, False, True
    window = bpy.context.window_manager.windows[0]
    area = max(window.screen.areas, key=lambda area: area.width * area.height)
    area.type = "CLIP_EDITOR"
    area.spaces.active.clip = movie
    with bpy.context.temp_override(window=window, area=area):
        assert bpy.ops.clip.rebuild_proxy() == {"FINISHED"}
    picture = bpy.data.images.load(str(_written(folder, "proxy_100_undistorted")))
    picture.colorspace_settings.name = "Non-Color"
    pixels = np.zeros(DOTS[0] * DOTS[1] * 4, np.float32)
    picture.pixels.foreach_get(pixels)
    return pixels.reshape(DOTS[1], DOTS[0], 4)[::-1, :, 0]


def _written(folder, name):
    """Blender writes proxies in a thread of its own: the file is whole when it ends as a JPEG does."""
    for _ in range(400):
        for file in folder.rglob(f"{name}/*"):
            if file.read_bytes()[-2:] == b"\xff\xd9":
                return file
        time.sleep(0.02)
    raise AssertionError("no proxy was written")


def centroid(picture, near):
    column, row = (int(value) for value in near)
    part = picture[row - 8 : row + 9, column - 8 : column + 9].clip(0.05) - 0.05
    x, y = np.meshgrid(np.arange(-8, 9) + column + 0.5, np.arange(-8, 9) + row + 0.5)
    return np.array([(x * part).sum(), (y * part).sum()]) / part.sum()


@pytest.mark.parametrize(("model", "aspect"), [("POLYNOMIAL", 1), ("BROWN", 1.4), ("DIVISION", 1), ("NUKE", 1.4)])
def test_distortion_is_blenders_own(tmp_path, model, aspect):
    """Dots where our formula puts a grid; Blender's undistortion must put them back on the grid."""
    values = MODELS[model]
    if model == "NUKE" and "nuke_p1" in bpy.types.MovieTrackingCamera.bl_rna.properties:
        values = (*values, 0.05, 0.08)
    lens = LensPart(np.array([390.0, 390.0 * aspect, 255.0, 123.0]), DOTS, np.array(values), model)
    bent = distort(ideal_grid(), lens.intrinsics, lens.distortion, lens.model)
    inside = ((bent > 12) & (bent < np.array(DOTS) - 12)).all(axis=1)
    assert inside.mean() > 0.6 and np.abs(bent - ideal_grid())[inside].max() > 5
    movie = clip_of_dots(tmp_path, bent[inside])
    movie.tracking.camera.pixel_aspect = aspect
    camera_lens.write_to_clip(movie, lens)
    read = camera_lens.of_clip(movie)
    assert camera_lens.agree(read, lens) and read.model == model
    picture = undistorted_by_blender(movie, tmp_path / "proxies")
    found = np.array([centroid(picture, at) for at in ideal_grid()[inside]])
    error = np.linalg.norm(found - ideal_grid()[inside], axis=1)
    print("ERR", model, aspect, error.max(), np.median(error))
    assert error.max() < 0.3


# --- the clip's tracking camera


BENT = {"size": SIZE, "intrinsics": np.array([150.0, 150.0, 82.0, 44.0]), "distortion": np.array([-0.2, 0.05])}


def test_the_solved_lens_reaches_the_clip_and_the_plate(movie):
    take = moving_take(sides=(), **BENT)
    take_to_scene.build(take, "a.npz", Surroundings(bpy.context.scene, movie, "open"))
    assert camera_lens.agree(camera_lens.of_clip(movie), camera.lens_of(take.camera(), SIZE))
    (plate,) = bpy.context.scene.camera.data.background_images
    assert plate.clip_user.use_render_undistorted and plate.clip_user.proxy_render_size == "FULL"
    straight = moving_take(sides=(), **{**BENT, "distortion": np.zeros(2)})
    take_to_scene.build(straight, "b.npz", Surroundings(bpy.context.scene, movie, "open"))
    assert not plate.clip_user.use_render_undistorted
    assert movie.tracking.camera.k1 == 0


def test_our_own_lens_is_no_evidence_for_the_next_solve(movie):
    take_to_scene.build(moving_take(sides=(), **BENT), "a.npz", Surroundings(bpy.context.scene, movie, "open"))
    assert not camera_lens.is_artists(movie)
    assert request.build(bpy.context)[0].options["focal_px"] is None
    movie.tracking.camera.k1 = -0.1
    options = request.build(bpy.context)[0].options
    assert options["focal_px"] == pytest.approx(150.0) and options["distortion"][0] == pytest.approx(-0.1)


def test_the_artists_lens_is_never_overwritten(movie):
    tracking = movie.tracking.camera
    tracking.distortion_model, tracking.division_k1, tracking.focal_length_pixels = "DIVISION", 0.1, 170.0
    take_to_scene.build(moving_take(sides=(), **BENT), "a.npz", Surroundings(bpy.context.scene, movie, "open"))
    assert tracking.distortion_model == "DIVISION" and tracking.focal_length_pixels == pytest.approx(170.0)
    (plate,) = bpy.context.scene.camera.data.background_images
    assert not plate.clip_user.use_render_undistorted


def test_a_focal_length_of_the_artists_gets_the_distortion_that_was_solved(movie):
    tracking = movie.tracking.camera
    tracking.focal_length_pixels, tracking.principal_point_pixels = 150.0, (82.0, SIZE[1] - 44.0)
    around = Surroundings(bpy.context.scene, movie, "open")
    for k1 in (-0.2, -0.1):  # a second solve finds another one, and is not told the first
        take_to_scene.build(moving_take(sides=(), **{**BENT, "distortion": np.array([k1, 0.0])}), "a.npz", around)
        assert tracking.k1 == pytest.approx(k1)
        (plate,) = bpy.context.scene.camera.data.background_images
        assert plate.clip_user.use_render_undistorted and not movie.handheld_lens.differs
        options = request.build(bpy.context)[0].options
        assert options["intrinsics"] == pytest.approx(BENT["intrinsics"]) and options["distortion"] == []


def test_another_lens_than_the_artists_is_told_and_used_on_demand(movie, tmp_path):
    movie.tracking.camera.focal_length_pixels = 170.0
    path = tmp_path / "a.npz"
    takes.save(moving_take(sides=(), **BENT), path)
    take_to_scene.build(takes.load(path), str(path), Surroundings(bpy.context.scene, movie, "open"))
    assert movie.handheld_lens.differs
    assert bpy.ops.handheld.use_solved_lens() == {"FINISHED"}
    (plate,) = bpy.context.scene.camera.data.background_images
    assert plate.clip_user.use_render_undistorted and not movie.handheld_lens.differs
    assert movie.tracking.camera.focal_length_pixels == pytest.approx(150.0)


def test_the_clips_distortion_goes_to_the_solver_with_a_camera_object(movie):
    mine = bpy.data.objects.new("Mine", bpy.data.cameras.new("Mine"))
    bpy.context.scene.collection.objects.link(mine)
    movie.tracking.camera.k1 = -0.15
    settings = bpy.context.scene.handheld
    settings.camera_source, settings.camera = "OBJECT", mine
    with np.load(request.build(bpy.context)[0].options["camera"]) as data:
        assert data["distortion"][0] == pytest.approx(-0.15) and str(data["distortion_model"]) == "POLYNOMIAL"


def test_matching_the_scene_takes_the_clips_pixels(movie):
    movie.tracking.camera.pixel_aspect = 1.4
    scene.match(bpy.context.scene, movie, True, True, True)
    assert camera_lens.pixel_aspect(bpy.context.scene.render) == pytest.approx(1 / 1.4)
