"""Cameras both ways: to the pixel into Blender, and out of Blender for the solver."""

import bpy
import numpy as np
import pytest
from bl_ext.user_default.handheld.addon import animation, camera_lens, clip, frames, request, scene, take_to_scene
from bl_ext.user_default.handheld.addon.take_to_scene import Surroundings
from bpy_extras.object_utils import world_to_camera_view
from mathutils import Matrix, Vector
from movies import write_movie
from takes import moving_camera, moving_take

from solver.camera.cameras import project

RNG = np.random.default_rng(5)
# width, height, fx = fy, cx, cy
LENSES = [
    (1920, 1080, 1500.0, 960.0, 540.0),
    (640, 360, 420.0, 351.5, 150.25),
    (360, 640, 500.0, 150.0, 355.0),
    (680, 468, 2000.0, 200.0, 400.0),
]


def match_size(width, height):
    render = bpy.context.scene.render
    render.resolution_x, render.resolution_y, render.resolution_percentage = width, height, 100


def blender_pixel(camera_object, point_solver, size):
    x, y, _ = world_to_camera_view(
        bpy.context.scene, camera_object, Vector(frames.points_to_blender(np.asarray(point_solver)))
    )
    return np.array([x * size[0], (1 - y) * size[1]])


@pytest.mark.parametrize(("width", "height", "focal", "cx", "cy"), LENSES)
@pytest.mark.parametrize("kind", ["static", "given"])
def test_a_point_lands_on_the_same_pixel(width, height, focal, cx, cy, kind):
    intrinsics = np.array([focal, focal, cx, cy])
    take = moving_take(sides=(), size=(width, height), intrinsics=intrinsics, camera_kind=kind)
    take_to_scene.build(take, "a.npz", Surroundings(bpy.context.scene, None, "open"))
    match_size(width, height)
    for row in (0, 11, 29):
        bpy.context.scene.frame_set(int(take.frames[row]))
        pose = take.world_from_camera[row]
        for in_camera in RNG.uniform([-0.3, -0.3, 0.4], [0.3, 0.3, 1.5], size=(10, 3)):
            in_world = pose[:3, :3] @ in_camera + pose[:3, 3]
            found = blender_pixel(bpy.context.scene.camera, in_world, (width, height))
            assert np.abs(found - project(in_camera, intrinsics)).max() < 0.01


@pytest.mark.parametrize(("width", "height", "focal", "cx", "cy"), LENSES)
def test_intrinsics_return(width, height, focal, cx, cy):
    take = moving_take(sides=(), size=(width, height), intrinsics=np.array([focal, focal, cx, cy]))
    take_to_scene.build(take, "a.npz", Surroundings(bpy.context.scene, None, "open"))
    data = bpy.context.scene.camera.data
    np.testing.assert_allclose(camera_lens.intrinsics(data, (width, height)), [focal, focal, cx, cy], rtol=1e-5)


@pytest.mark.parametrize("sensor_fit", ["AUTO", "HORIZONTAL", "VERTICAL"])
@pytest.mark.parametrize("size", [(640, 360), (360, 640)])
def test_intrinsics_of_any_camera(sensor_fit, size):
    data = bpy.data.cameras.new("Mine")
    data.lens, data.sensor_width, data.sensor_height, data.sensor_fit = 35.0, 30.0, 20.0, sensor_fit
    data.shift_x, data.shift_y = 0.07, -0.11
    mine = bpy.data.objects.new("Mine", data)
    bpy.context.scene.collection.objects.link(mine)
    match_size(*size)
    point = np.array([0.1, -0.05, 0.9])
    mine.matrix_world = Matrix(frames.camera_to_blender(np.eye(4)))
    bpy.context.view_layer.update()
    found = blender_pixel(mine, point, size)
    assert np.abs(found - project(point, camera_lens.intrinsics(data, size))).max() < 0.01


def test_a_moving_camera_has_generated_keys_and_a_static_one_none():
    around = Surroundings(bpy.context.scene, None, "open")
    take_to_scene.build(moving_take(sides=(), camera_kind="given"), "a.npz", around)
    moving = bpy.context.scene.camera
    assert len(animation.curves(moving)) == 7
    assert {key.type for curve in animation.curves(moving) for key in curve.keyframe_points} == {"GENERATED"}
    take_to_scene.build(moving_take(sides=()), "a.npz", around)
    assert bpy.context.scene.camera == moving and not animation.curves(moving)


@pytest.fixture
def movie(tmp_path):
    loaded = clip.load(str(write_movie(tmp_path / "clip.mp4", frames=20)))
    bpy.context.scene.handheld.clip = loaded
    return loaded


def test_the_clip_is_the_plate(movie):
    take_to_scene.build(moving_take(sides=()), "a.npz", Surroundings(bpy.context.scene, movie, "open"))
    data = bpy.context.scene.camera.data
    assert data.show_background_images
    assert [(plate.source, plate.clip) for plate in data.background_images] == [("MOVIE_CLIP", movie)]


def test_the_scenes_camera_stays_if_asked(movie):
    around = Surroundings(bpy.context.scene, movie, "open", use_scene_camera=False)
    take_to_scene.build(moving_take(sides=()), "a.npz", around)
    assert bpy.context.scene.camera is None


def animated_camera(poses, scale=1.0):
    mine = bpy.data.objects.new("Mine", bpy.data.cameras.new("Mine"))
    bpy.context.scene.collection.objects.link(mine)
    mine.rotation_mode = "QUATERNION"
    for frame, pose in enumerate(poses, start=1):
        mine.matrix_world = Matrix(frames.camera_to_blender(pose))
        mine.scale = (scale,) * 3
        mine.keyframe_insert("location", frame=frame)
        mine.keyframe_insert("rotation_quaternion", frame=frame)
    return mine


def read_camera_file(options):
    with np.load(options["camera"]) as data:
        return data["frames"], data["world_from_camera"], data["intrinsics"]


def choose_camera(mine):
    settings = bpy.context.scene.handheld
    settings.camera_source, settings.camera = "OBJECT", mine


def test_an_animated_camera_is_handed_to_the_solver(movie):
    poses = moving_camera(RNG, 20)
    mine = animated_camera(poses, scale=3.0)
    choose_camera(mine)
    bpy.context.scene.frame_set(7)
    asked, around = request.build(bpy.context)
    numbers, matrices, intrinsics = read_camera_file(asked.options)
    assert numbers.tolist() == list(range(1, 21)) and asked.options["frame_range"] == [1, 20]
    np.testing.assert_allclose(matrices, poses, atol=1e-5)
    np.testing.assert_allclose(intrinsics, [50 / 36 * 64] * 2 + [32, 18], rtol=1e-6)
    assert around.camera == mine and bpy.context.scene.frame_current == 7


def test_hands_are_placed_in_the_chosen_cameras_world(movie):
    poses = moving_camera(RNG, 20)
    mine = animated_camera(poses)
    choose_camera(mine)
    _, around = request.build(bpy.context)
    take = moving_take(frames=20, camera_kind="given", world_from_camera=poses)
    root = take_to_scene.build(take, "a.npz", around)
    assert [o for o in bpy.context.scene.objects if o.type == "CAMERA"] == [mine]
    assert mine.parent is None and root.matrix_world == Matrix.Identity(4)


def test_a_parented_camera_and_a_moved_root(movie):
    """A camera below the root of an earlier solve: the world is the root's, wherever the artist has put it."""
    poses = moving_camera(RNG, 20)
    mine = animated_camera(poses)
    root = scene.build_root(bpy.context.scene, movie, "Root", "ROOT")
    mine.parent = root
    root.location, root.rotation_euler = (1, 2, 3), (0.4, 0.2, 0.1)
    bpy.context.view_layer.update()
    choose_camera(mine)
    asked, _ = request.build(bpy.context)
    np.testing.assert_allclose(read_camera_file(asked.options)[1], poses, atol=1e-5)


def test_a_lens_that_is_animated_or_no_perspective_is_refused(movie):
    """One focal length is all that the solver takes: not silently that of the frame that happens to be shown."""
    mine = animated_camera(moving_camera(RNG, 20))
    choose_camera(mine)
    mine.data.lens = 50
    mine.data.keyframe_insert("lens", frame=1)
    mine.data.lens = 80
    mine.data.keyframe_insert("lens", frame=20)
    with pytest.raises(Exception, match="focal length or shift of .* changes") as refused:
        request.build(bpy.context)
    assert refused.value.code == "camera-zooms"
    mine.data.animation_data_clear()
    mine.data.type = "ORTHO"
    with pytest.raises(Exception, match="no perspective camera") as refused:
        request.build(bpy.context)
    assert refused.value.code == "camera-not-perspective"


def test_no_camera_chosen(movie):
    bpy.context.scene.handheld.camera_source = "OBJECT"
    with pytest.raises(Exception, match="Choose the camera that filmed") as refused:
        request.build(bpy.context)
    assert refused.value.code == "camera-missing"


def test_a_clip_without_a_solve(movie):
    bpy.context.scene.handheld.camera_source = "CLIP"
    with pytest.raises(Exception, match="no camera solve") as refused:
        request.build(bpy.context)
    assert refused.value.code == "camera-not-solved"


def test_focal_length_from_where_it_is_known(movie):
    settings = bpy.context.scene.handheld
    assert request.build(bpy.context)[0].options["focal_px"] is None
    movie.tracking.camera.units = "PIXELS"
    movie.tracking.camera.focal_length_pixels = 55.0
    assert request.build(bpy.context)[0].options["focal_px"] == pytest.approx(55.0)
    settings.focal_source, settings.focal_mm = "VALUE", 18.0
    assert request.build(bpy.context)[0].options["focal_px"] == pytest.approx(32.0)


def test_full_frame_millimetres_count_along_the_longer_side(tmp_path):
    """As the solver's own words about an assumed lens do: 36 mm are the height of a portrait picture."""
    settings = bpy.context.scene.handheld
    settings.clip = bpy.data.movieclips.load(str(write_movie(tmp_path / "portrait.mp4", size=(36, 64))))
    settings.focal_source, settings.focal_mm = "VALUE", 18.0
    assert request.build(bpy.context)[0].options["focal_px"] == pytest.approx(32.0)


def test_clip_intrinsics_count_from_above(movie):
    movie.tracking.camera.principal_point_pixels = (30.0, 10.0)
    assert camera_lens.of_clip(movie).intrinsics[2:].tolist() == [30.0, 26.0]
